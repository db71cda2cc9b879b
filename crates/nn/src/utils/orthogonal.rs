//! Orthogonal weights, as a parametrization.

use super::parametrize::{Parametrization, current, register_parametrization_unchecked, unrecorded};
use crate::{Core, Forward, Module};
use firebrick_core::{Buffer, DType, Dims, Error, Result, Tensor, TensorOptions, linalg};

const OP: &str = "orthogonal";

/// How a matrix without constraints becomes an orthogonal one.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::parametrizations::OrthogonalMap;
/// assert_eq!("cayley".parse::<OrthogonalMap>()?, OrthogonalMap::Cayley);
/// assert!("qr".parse::<OrthogonalMap>().is_err());
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrthogonalMap {
    /// The exponential of a skew-symmetric matrix.
    MatrixExp,
    /// `(I + A / 2) (I - A / 2)^-1` of a skew-symmetric matrix `A`.
    Cayley,
    /// A product of reflections.
    Householder,
}

impl std::str::FromStr for OrthogonalMap {
    type Err = Error;

    /// PyTorch's name of the map.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "matrix_exp" => Ok(OrthogonalMap::MatrixExp),
            "cayley" => Ok(OrthogonalMap::Cayley),
            "householder" => Ok(OrthogonalMap::Householder),
            _ => Err(Error::value(
                OP,
                format!("orthogonal_map has to be one of \"matrix_exp\", \"cayley\", \"householder\". Got: {name}"),
            )),
        }
    }
}

/// Options of [`orthogonal_with`], which shows them; PyTorch's defaults unless set.
#[derive(Clone, Copy, Debug)]
pub struct OrthogonalOptions {
    map: Option<OrthogonalMap>,
    use_trivialization: bool,
}

impl Default for OrthogonalOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl OrthogonalOptions {
    /// The exponential for square matrices and reflections for others, around a base.
    pub fn new() -> Self {
        OrthogonalOptions { map: None, use_trivialization: true }
    }
    /// The map; unless set the exponential for square matrices and reflections for others.
    pub fn map(mut self, map: OrthogonalMap) -> Self {
        self.map = Some(map);
        self
    }
    /// Is the result multiplied by a fixed orthogonal `base`, so that training starts at the present weight?
    /// Lezcano-Casado, *Trivializations for Gradient-Based Optimization on Manifolds* (2019). It is unless
    /// set.
    pub fn use_trivialization(mut self, on: bool) -> Self {
        self.use_trivialization = on;
        self
    }
}

/// An orthogonal matrix made of one without constraints.
#[derive(Module)]
#[module(name = "_Orthogonal")]
struct Orthogonal {
    core: Core,
    base: Option<Buffer>,
    #[module(skip)]
    shape: Dims,
    #[module(skip)]
    map: OrthogonalMap,
}

/// With at least as many rows as columns, and whether it was turned for that.
fn tall(x: &Tensor) -> Result<(Tensor, bool)> {
    let wide = x.size(-2)? < x.size(-1)?;
    Ok((if wide { x.mT()? } else { x.clone() }, wide))
}

fn turned(x: Tensor, back: bool) -> Result<Tensor> {
    if back { x.mT() } else { Ok(x) }
}

/// The conjugate transpose.
fn adjoint(x: &Tensor) -> Result<Tensor> {
    x.mT()?.conj()
}

fn eye_like(x: &Tensor, size: usize) -> Result<Tensor> {
    let options = TensorOptions::new().dtype(x.dtype()).device(x.device());
    Tensor::eye_with(size as i64, size as i64, options)
}

/// Are the columns of a tall matrix orthonormal, but for rounding?
fn is_orthogonal(q: &Tensor) -> Result<bool> {
    let last_digit = match q.dtype() {
        DType::F32 | DType::C64 => f64::from(f32::EPSILON),
        _ => f64::EPSILON,
    };
    let product = adjoint(q)?.matmul(q)?;
    let eye = eye_like(q, q.size(-1)?)?.expand(product.shape())?;
    product.allclose(&eye, 1e-5, 10.0 * q.size(-2)? as f64 * last_digit, false)
}

/// The factor `Q` of a tall matrix, with the signs that make the diagonal of `R` positive.
fn made_orthogonal(a: &Tensor) -> Result<Tensor> {
    let (q, r) = linalg::qr(a, "reduced")?;
    q.mul(&r.diagonal(0, -2, -1)?.sgn()?.unsqueeze(-2)?)
}

/// A skew-symmetric square matrix out of the lower triangle of a tall one.
fn skew(x: &Tensor) -> Result<Tensor> {
    let (lower, mut shape) = (x.tril(0)?, x.shape().to_vec());
    let (rows, columns) = (x.size(-2)?, x.size(-1)?);
    let square = if rows == columns {
        lower
    } else {
        shape[x.dim() - 1] = rows - columns;
        Tensor::cat(&[&lower, &x.detach().new_zeros(shape)?], -1)?
    };
    square.sub(&adjoint(&square)?)
}

fn cayley(a: &Tensor) -> Result<Tensor> {
    let eye = eye_like(a, a.size(-1)?)?.expand(a.shape())?;
    linalg::solve(&eye.add_alpha(a, -0.5)?, &eye.add_alpha(a, 0.5)?, true)
}

/// Reflections along the columns below the diagonal; the diagonal holds signs, which are constant.
fn reflected(x: &Tensor) -> Result<Tensor> {
    let vectors = x.tril(-1)?;
    let factors = vectors.square()?.sum_dim(-2, false)?.add(1)?.reciprocal()?.mul(2)?;
    let signs = x.diagonal(0, -2, -1)?.to(DType::I32)?.unsqueeze(-2)?;
    linalg::householder_product(&vectors, &factors)?.mul(&signs)
}

/// What [`reflected`] makes the orthogonal factor of `q` from.
fn reflections_of(q: &Tensor) -> Result<Tensor> {
    let (packed, factors) = linalg::geqrf(q)?;
    let signs = packed.diagonal(0, -2, -1)?.sign()?;
    // A reflection that LAPACK left out is one with a vector of zeros for us, which turns the sign.
    let signs = signs.neg()?.where_self(&factors.eq(0)?, &signs)?;
    packed.diagonal_scatter(&signs, 0, -2, -1)
}

impl Forward for Orthogonal {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let (x, wide) = tall(&x)?;
        let columns = x.size(-1)? as i64;
        let square = match self.map {
            OrthogonalMap::MatrixExp => skew(&x)?.matrix_exp()?,
            OrthogonalMap::Cayley => cayley(&skew(&x)?)?,
            OrthogonalMap::Householder => reflected(&x)?,
        };
        let all = square.size(-1)? as i64 == columns;
        let mut q = if all { square } else { square.slice(-1, 0, columns, 1)? };
        if let Some(base) = &self.base {
            q = base.matmul(&q)?;
        }
        turned(q, wide)
    }
}

impl Parametrization for Orthogonal {
    type Originals = Tensor;

    fn right_inverse(&self, value: Tensor) -> Result<Option<Tensor>> {
        if value.shape() != self.shape {
            return Err(Error::value(
                OP,
                format!(
                    "Expected a matrix or batch of matrices of shape {}. Got a tensor of shape {}.",
                    self.shape,
                    value.shape()
                ),
            ));
        }
        unrecorded(|| {
            let (q, wide) = tall(&value)?;
            match &self.base {
                Some(base) => {
                    // Otherwise than without a base, a weight to start from is needed.
                    let complete = complete(&q).map_err(|error| Error::runtime(OP, error.to_string()))?;
                    base.set_data(&complete)?;
                    // Minus the identity: with it the reflections are the identity, as are the other maps.
                    let signs = value.diagonal(0, -2, -1)?.ones_like()?.neg()?;
                    Ok(Some(value.zeros_like()?.diagonal_scatter(&signs, 0, -2, -1)?))
                }
                None if self.map == OrthogonalMap::Householder => Ok(Some(turned(reflections_of(&q)?, wide)?)),
                None => Err(Error::not_implemented(
                    OP,
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when use_trivialization=False.",
                )),
            }
        })
    }
}

/// A square orthogonal matrix that begins with the columns of `q`, made orthonormal.
fn complete(q: &Tensor) -> Result<Tensor> {
    let (rows, columns) = (q.size(-2)?, q.size(-1)?);
    if rows == columns {
        return if is_orthogonal(q)? { q.copy() } else { made_orthogonal(q) };
    }
    let mut shape = q.shape().to_vec();
    shape[q.dim() - 1] = rows - columns;
    let options = TensorOptions::new().dtype(q.dtype()).device(q.device());
    made_orthogonal(&Tensor::cat(&[q, &Tensor::randn_with(shape, options)?], -1)?)
}

/// Keeps the matrix `name` orthogonal from now on: its columns are orthonormal, or its rows where there are fewer of
/// those. A tensor of more dimensions is a batch of matrices.
///
/// Where the weight is not orthogonal yet, its factor `Q` takes its place.
///
/// # Errors
/// A `ValueError` when the module has no such parameter or buffer, or it has fewer than two dimensions; for half
/// precision and complex weights that are not orthogonal, which cannot be factorized.
///
/// ```
/// use firebrick::nn::utils::{parametrizations, parametrize};
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::builder(3, 3).bias(false).build()?;
/// parametrizations::orthogonal(&mut linear, "weight")?;
/// let keys = ["parametrizations.weight.original", "parametrizations.weight.0.base"];
/// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), keys);
/// let q = parametrize::parametrized(&linear, "weight")?;
/// assert!(q.t()?.matmul(&q)?.allclose(&Tensor::eye(3)?, 0.0, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn orthogonal(module: &mut dyn Module, name: &str) -> Result<()> {
    orthogonal_with(module, name, &OrthogonalOptions::new())
}

/// [`orthogonal`] with options.
///
/// # Errors
/// As there; the exponential and Cayley's map without a base cannot start from a weight, which then stays as the
/// original.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::parametrizations::{OrthogonalMap, OrthogonalOptions, orthogonal_with};
/// use firebrick::nn::utils::parametrize;
/// let mut linear = nn::Linear::builder(3, 3).bias(false).build()?;
/// let options = OrthogonalOptions::new().map(OrthogonalMap::Householder).use_trivialization(false);
/// orthogonal_with(&mut linear, "weight", &options)?;
/// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["parametrizations.weight.original"]); // no base
/// let q = parametrize::parametrized(&linear, "weight")?;
/// assert!(q.t()?.matmul(&q)?.allclose(&Tensor::eye(3)?, 0.0, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn orthogonal_with(module: &mut dyn Module, name: &str, options: &OrthogonalOptions) -> Result<()> {
    let Some(weight) = current(module, name)? else {
        let message = format!("Module '{module}' has no parameter or buffer with name '{name}'");
        return Err(Error::value(OP, message));
    };
    let rank = weight.dim();
    if rank < 2 {
        let message = format!("Expected a matrix or batch of matrices. Got a tensor of {rank} dimensions.");
        return Err(Error::value(OP, message));
    }
    let square = weight.size(-2)? == weight.size(-1)?;
    let usual = if square || weight.is_complex() { OrthogonalMap::MatrixExp } else { OrthogonalMap::Householder };
    let map = options.map.unwrap_or(usual);
    if weight.is_complex() && map == OrthogonalMap::Householder {
        return Err(Error::value(OP, "The householder parametrization does not support complex tensors."));
    }
    let longer = weight.size(-2)?.max(weight.size(-1)?);
    // The identity, until there is a weight to start from.
    let base = options.use_trivialization.then(|| eye_like(&weight, longer)).transpose()?.map(Buffer::new);
    let orthogonal = Orthogonal { core: Core::new(), base, shape: weight.shape(), map };
    register_parametrization_unchecked(module, name, orthogonal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Linear;
    use crate::utils::parametrize::parametrized;
    use firebrick_core::Generator;

    /// The numbers are PyTorch's: weight and gradient of the original for the sum of the cubes, seed 0.
    fn check(size: (usize, usize), options: OrthogonalOptions, weight: &[f64], grad: &[f64]) {
        let linear = Generator::new().manual_seed(0).scope(|| {
            let mut linear = Linear::builder(size.1, size.0).bias(false).build().unwrap();
            orthogonal_with(&mut linear, "weight", &options).unwrap();
            linear
        });
        let q = parametrized(&linear, "weight").unwrap();
        q.pow(3).unwrap().sum().unwrap().backward().unwrap();
        let original = linear.get_parameter("parametrizations.weight.original").unwrap();
        let near = |x: &Tensor, expected: &[f64]| {
            let got = x.to_vec::<f64>().unwrap();
            let same = got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-5);
            assert!(same && got.len() == expected.len(), "{options:?} {size:?}: {got:?} and not {expected:?}");
        };
        near(&q.detach(), weight);
        near(&original.grad().unwrap(), grad);
    }

    #[test]
    fn weights_and_gradients_are_those_of_pytorch_for_every_map_with_and_without_a_base() {
        let based = |map| OrthogonalOptions::new().map(map);
        let plain = |map| based(map).use_trivialization(false);
        check(
            (3, 3),
            based(OrthogonalMap::MatrixExp),
            &[-0.010169, 0.558102, -0.82971, -0.999586, -0.028004, -0.006586, -0.026911, 0.8293, 0.558156],
            &[0.0, 0.0, 0.0, -0.014591, 0.0, 0.0, 0.027496, -1.551426, 0.0],
        );
        check(
            (3, 3),
            plain(OrthogonalMap::MatrixExp),
            &[0.912566, 0.400329, -0.083422, -0.395261, 0.811214, -0.43093, -0.104841, 0.426226, 0.898521],
            &[0.0, 0.0, 0.0, 1.78596, 0.0, 0.0, 0.080461, -1.900271, 0.0],
        );
        check(
            (4, 2),
            plain(OrthogonalMap::MatrixExp),
            &[0.805372, 0.538508, -0.482706, 0.675975, -0.30419, 0.091694, -0.160746, 0.49463],
            &[0.0, 0.0, 1.713067, 0.0, 0.607676, -0.094576, -0.123982, -0.102507],
        );
        check(
            (2, 4),
            plain(OrthogonalMap::MatrixExp),
            &[0.818761, 0.312717, -0.387772, -0.285431, -0.177124, 0.889275, 0.033768, 0.42033],
            &[0.0, -0.777925, 1.171215, 0.753937, 0.0, 0.0, 0.18502, -0.311221],
        );
        check(
            (3, 3),
            plain(OrthogonalMap::Cayley),
            &[0.917696, 0.389513, -0.078186, -0.384742, 0.82229, -0.4193, -0.099031, 0.414872, 0.904475],
            &[0.0, 0.0, 0.0, 1.61232, 0.0, 0.0, 0.072309, -1.715887, 0.0],
        );
        check(
            (4, 2),
            plain(OrthogonalMap::Cayley),
            &[0.824408, 0.513089, -0.463187, 0.708693, -0.292348, 0.092129, -0.142625, 0.475401],
            &[0.0, 0.0, 1.54028, 0.0, 0.552908, -0.078217, -0.11598, -0.074347],
        );
        check(
            (2, 4),
            plain(OrthogonalMap::Cayley),
            &[0.831025, 0.298727, -0.378234, -0.277666, -0.173815, 0.895984, 0.026373, 0.407806],
            &[0.0, -0.716714, 1.069053, 0.664654, 0.0, 0.0, 0.198733, -0.294829],
        );
        check(
            (3, 3),
            based(OrthogonalMap::Householder),
            &[-0.010169, 0.558102, -0.82971, -0.999586, -0.028004, -0.006586, -0.026911, 0.8293, 0.558156],
            &[0.0, 0.0, 0.0, -0.029182, 0.0, 0.0, 0.054993, -3.102851, 0.0],
        );
        check(
            (2, 4),
            based(OrthogonalMap::Householder),
            &[-0.006099, 0.43701, -0.670487, -0.599527, -0.452619, 0.488392, -0.291598, 0.686717],
            &[0.0, 2.674449, -0.743823, 2.085684, 0.0, 0.0, -2.390714, 0.583508],
        );
        check(
            (3, 3),
            plain(OrthogonalMap::Householder),
            &[-0.010169, 0.558102, -0.82971, -0.999586, -0.028004, -0.006586, -0.026911, 0.8293, 0.558156],
            &[0.0, 0.0, 0.0, 0.010576, 0.0, 0.0, -1.554896, 2.451654, 0.0],
        );
        check(
            (4, 2),
            plain(OrthogonalMap::Householder),
            &[-0.008237, 0.484121, -0.905487, -0.228336, -0.423734, 0.44148, -0.021798, 0.720129],
            &[0.0, 0.0, 0.077894, 0.0, 0.280708, 0.424344, -0.010074, -0.741614],
        );
        check(
            (2, 4),
            plain(OrthogonalMap::Householder),
            &[-0.006099, 0.43701, -0.670487, -0.599527, -0.452619, 0.488392, -0.291598, 0.686717],
            &[0.0, -2.115663, -0.214079, -1.855335, 0.0, 0.0, -0.83368, -1.353303],
        );
    }
}
