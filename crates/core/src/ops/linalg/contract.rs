//! Products that sum over chosen dimensions: `tensordot`, `inner`, and the step that `einsum` is made of; and `kron`,
//! which sums over none.

use super::run::refuse_bool;
use crate::ops::composed;
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Trait};
use crate::{Dims, Error, Result, Sizes, Tensor, wrap_dim};

/// Which dimensions [`Tensor::tensordot`] sums over: the last few of one and the first few of the other, or two lists.
///
/// ```
/// # use firebrick_core::Tensor;
/// let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
/// assert_eq!(x.tensordot(&x, 2)?.item::<f32>()?, 30.0);
/// assert_eq!(x.tensordot(&x, (0, 0))?.to_vec::<f32>()?, [10.0, 14.0, 14.0, 20.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractDims {
    /// That many.
    Count(i64),
    /// Those of the first tensor, and with each one of the second.
    Lists(Sizes, Sizes),
}

impl From<i64> for ContractDims {
    fn from(count: i64) -> Self {
        ContractDims::Count(count)
    }
}

impl From<i32> for ContractDims {
    fn from(count: i32) -> Self {
        ContractDims::Count(i64::from(count))
    }
}

impl<A: Into<Sizes>, B: Into<Sizes>> From<(A, B)> for ContractDims {
    fn from((first, second): (A, B)) -> Self {
        ContractDims::Lists(first.into(), second.into())
    }
}

/// The product of the sizes, as a request.
fn total(sizes: impl Iterator<Item = usize>) -> Result<i64> {
    Ok(sizes.collect::<Dims>().checked_numel("tensordot")? as i64)
}

fn lists(a: &Tensor, b: &Tensor, dims: ContractDims) -> Result<(Sizes, Sizes)> {
    const OP: &str = "tensordot";
    match dims {
        ContractDims::Lists(first, second) => Ok((first, second)),
        ContractDims::Count(count) if count < 0 => {
            Err(Error::runtime(OP, format!("tensordot expects dims >= 0, but got dims={count}")))
        }
        ContractDims::Count(count) if count > a.dim().min(b.dim()) as i64 => {
            Err(Error::runtime(OP, format!("tensordot expects dims < ndim_a or ndim_b, but got dims={count}")))
        }
        ContractDims::Count(count) => Ok(((-count..0).collect(), (0..count).collect())),
    }
}

fn tensordot_of(a: &Tensor, b: &Tensor, dims: ContractDims) -> Result<Tensor> {
    const OP: &str = "tensordot";
    let (mut a, mut b) = (a.resolve(OP)?, b.resolve(OP)?);
    same_device(OP, [a.device(), b.device()])?;
    let (first, second) = lists(&a, &b, dims)?;
    if first.len() != second.len() {
        return Err(Error::runtime(OP, "both dimension lists should have same length"));
    }
    if a.dtype() != b.dtype() {
        return Err(Error::runtime(OP, "both inputs should have same dtype"));
    }
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    for (&i, &j) in first.iter().zip(second.iter()) {
        let (at_a, at_b) = (wrap_dim(OP, i, a.dim())?, wrap_dim(OP, j, b.dim())?);
        let (size_a, size_b) = (a.size(i)?, b.size(j)?);
        if size_a != size_b && size_a != 1 && size_b != 1 {
            return Err(Error::runtime(
                OP,
                format!(
                    "contracted dimensions need to match, but first has size {size_a} in dim {i} and second has size {size_b} in dim {j}"
                ),
            ));
        }
        // A dimension of size 1 stands for as many equal elements as there are on the other side.
        if size_a == 1 {
            b = b.sum_dim(j, true)?.to(a.dtype())?;
        } else if size_b == 1 {
            a = a.sum_dim(i, true)?.to(b.dtype())?;
        }
        if of_a.contains(&at_a) || of_b.contains(&at_b) {
            let twice = if of_a.contains(&at_a) { at_a } else { at_b };
            return Err(Error::runtime(OP, format!("dim {twice} appears multiple times in the list of dims")));
        }
        of_a.push(at_a);
        of_b.push(at_b);
    }
    if of_a.len() == a.dim() && of_b.len() == b.dim() && a.dim() == 1 {
        return a.dot(&b);
    }
    let (sa, sb) = (a.shape(), b.shape());
    let kept = |shape: &Dims, used: &[usize]| (0..shape.len()).filter(|d| !used.contains(d)).collect::<Vec<_>>();
    let (rest_a, rest_b) = (kept(&sa, &of_a), kept(&sb, &of_b));
    let order = |parts: [&[usize]; 2]| parts.concat().iter().map(|&d| d as i64).collect::<Sizes>();
    let inner = total(of_a.iter().map(|&d| sa[d]))?;
    let (rows, columns) = (total(rest_a.iter().map(|&d| sa[d]))?, total(rest_b.iter().map(|&d| sb[d]))?);
    let left = a.permute(order([&rest_a, &of_a]))?.reshape([rows, inner])?;
    let right = b.permute(order([&of_b, &rest_b]))?.reshape([inner, columns])?;
    let out: Dims = rest_a.iter().map(|&d| sa[d]).chain(rest_b.iter().map(|&d| sb[d])).collect();
    left.mm(&right)?.reshape(&out)
}

/// The sum over `summed` of the product of two tensors of one rank whose sizes are equal or 1: every other dimension is
/// one of the result, and summed ones have size 1 in it. A batch of matrix products.
pub(super) fn contract(a: &Tensor, b: &Tensor, summed: &[usize]) -> Result<Tensor> {
    let (sa, sb) = (a.shape(), b.shape());
    let (mut both, mut of_a, mut of_b) = (Vec::new(), Vec::new(), Vec::new());
    for d in (0..sa.len()).filter(|d| !summed.contains(d)) {
        match (sa[d] != 1, sb[d] != 1) {
            (true, true) => both.push(d),
            (true, false) => of_a.push(d),
            _ => of_b.push(d),
        }
    }
    let order = |parts: [&[usize]; 4]| parts.concat();
    let turned = |x: &Tensor, shape: &Dims, parts: [&[usize]; 4], sizes: [&[usize]; 3]| -> Result<Tensor> {
        let flat = sizes.map(|dims| total(dims.iter().map(|&d| shape[d])));
        let [first, second, third] = flat;
        let order: Sizes = order(parts).iter().map(|&d| d as i64).collect();
        x.permute(order)?.reshape([first?, second?, third?])
    };
    let left = turned(a, &sa, [&both, &of_a, summed, &of_b], [&both, &of_a, summed])?;
    let right = turned(b, &sb, [&both, summed, &of_b, &of_a], [&both, summed, &of_b])?;
    let product = left.bmm(&right)?;
    // The dimensions of the result in the order in which the product has them, then back in their own.
    let now = order([&both, &of_a, &of_b, summed]);
    let size = |d: usize| match summed.contains(&d) {
        true => 1,
        false if sa[d] == 1 => sb[d],
        false => sa[d],
    };
    let shape: Dims = now.iter().map(|&d| size(d)).collect();
    let back: Sizes = (0..now.len()).map(|d| now.iter().position(|&n| n == d).unwrap_or(d) as i64).collect();
    product.reshape(&shape)?.permute(back)
}

fn inner_of(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    const OP: &str = "inner";
    let (a, b) = (a.resolve(OP)?, b.resolve(OP)?);
    if a.dim() == 0 || b.dim() == 0 {
        return a.mul(&b);
    }
    same_device(OP, [a.device(), b.device()])?;
    let (sa, sb) = (a.shape(), b.shape());
    if sa[sa.len() - 1] != sb[sb.len() - 1] {
        return Err(Error::runtime(
            OP,
            format!("inner() the last dimension must match on both input tensors but got shapes {sa:?} and {sb:?}"),
        ));
    }
    if a.dim() == 1 && b.dim() == 1 && a.dtype() == b.dtype() {
        refuse_bool("dot", OP, a.dtype())?;
    }
    a.tensordot(&b, (-1, -1))
}

fn kron_of(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (a, b) = (a.resolve("kron")?, b.resolve("kron")?);
    let rank = a.dim().max(b.dim());
    let padded =
        |x: &Tensor| -> Dims { std::iter::repeat_n(1, rank - x.dim()).chain(x.shape().iter().copied()).collect() };
    let (sa, sb) = (padded(&a), padded(&b));
    let (mut left, mut right, mut out) = (Dims::new(), Dims::new(), Sizes::default());
    for (&m, &n) in sa.iter().zip(sb.iter()) {
        [m, 1].into_iter().for_each(|size| left.push(size));
        [1, n].into_iter().for_each(|size| right.push(size));
        let size = i64::try_from(m.saturating_mul(n)).unwrap_or(i64::MAX);
        out = out.iter().copied().chain([size]).collect();
    }
    a.reshape(&left)?.mul(b.reshape(&right)?)?.reshape(out)
}

composed! {
    table: CONTRACT;

    /// Sums the product of two tensors over pairs of dimensions: `dims` of the last ones of `a` with the first ones of `b`,
    /// or two lists of dimensions. A dimension of size 1 is stretched.
    ///
    /// # Shapes
    /// The dimensions of `a` that are left, then those of `b`.
    ///
    /// # Errors
    /// Sizes that differ, lists of different lengths, different dtypes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?, Tensor::new([[1.0f32, 1.0], [2.0, 2.0]])?);
    /// assert_eq!(a.tensordot(&b, 1)?.to_vec::<f32>()?, a.mm(&b)?.to_vec::<f32>()?);
    /// assert_eq!(a.tensordot(&b, ([0, 1], [1, 0]))?.item::<f32>()?, 16.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn tensordot(&a, b: &Tensor, dims: impl Into<ContractDims>) -> Tensor {
        tensordot_of(a, b, dims.into())
    }
    samples: sample::shaped_pairs((&[2, 3, 2], &[3, 2, 4]), (&[2, 0, 2], &[0, 2, 4]), |a, b| a.tensordot(b, 2)).and_then(|mut all| {
        all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3], 4)?, ANY.tensor(&[4, 2, 1], 5)?], |x| {
            x[0].tensordot(&x[1], ([0, 1], [1, -1]))
        }));
        all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2], 6)?, ANY.tensor(&[3], 7)?], |x| x[0].tensordot(&x[1], 0)));
        Ok(all)
    });

    /// Sums of products along the last dimensions of both tensors: `out[.., i, .., j] = sum_k a[.., i, k] b[.., j, k]`. With a
    /// tensor without dimensions, the product.
    ///
    /// # Errors
    /// Last dimensions of different sizes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let a = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    /// assert_eq!(a.inner(&Tensor::new([1.0f32, 10.0])?)?.to_vec::<f32>()?, [21.0, 43.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn inner(&a, b: &Tensor) -> Tensor {
        inner_of(a, b)
    }
    samples: sample::shaped_pairs((&[2, 3], &[4, 3]), (&[2, 0], &[3, 0]), |a, b| a.inner(b)).and_then(|mut all| {
        all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[3], 4)?, ANY.tensor(&[3], 5)?], |x| x[0].inner(&x[1])));
        all.push(sample::one(Trait::ZeroDim, vec![ANY.tensor(&[], 4)?, ANY.tensor(&[3], 5)?], |x| x[0].inner(&x[1])));
        Ok(all)
    });

    /// Kronecker's product: each element of `a` times all of `b`, in blocks. Dimensions are filled up with size 1 in front.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let out = Tensor::new([1.0f32, 2.0])?.kron(&Tensor::new([1.0f32, 10.0])?)?;
    /// assert_eq!(out.to_vec::<f32>()?, [1.0, 10.0, 2.0, 20.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn kron(&a, b: &Tensor) -> Tensor {
        kron_of(a, b)
    }
    samples: sample::shaped_pairs((&[2, 3], &[2, 2]), (&[0, 2], &[3]), |a, b| a.kron(b)).and_then(|mut all| {
        all.push(sample::one(Trait::ZeroDim, vec![ANY.tensor(&[], 4)?, ANY.tensor(&[3, 1], 5)?], |x| x[0].kron(&x[1])));
        Ok(all)
    });
}
