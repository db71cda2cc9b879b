//! Spectral normalization as PyTorch had it before parametrizations: `weight_orig`, `weight_u`, `weight_v`.

use super::computed;
use super::parametrize::{listed, unrecorded};
use crate::Module;
use crate::extra::{self, Slot, exclusive};
use crate::functional::normalize;
use firebrick_core::{Buffer, Error, Result, Tensor, TensorOptions};

const OP: &str = "spectral_norm";

/// Options of spectral normalization; PyTorch's defaults unless set.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::{SpectralNormOptions, spectral_norm_with};
/// let mut linear = nn::Linear::builder(2, 3).bias(false).build()?;
/// spectral_norm_with(&mut linear, "weight", &SpectralNormOptions::new().n_power_iterations(50).eps(1e-9).dim(1))?;
/// assert_eq!(linear.get_buffer("weight_u")?.shape()?, [2]); // along the inputs
/// let largest = linear.call(Tensor::eye(2)?)?.norm(2.0)?;
/// assert!(largest.item::<f32>()? < 1.5);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SpectralNormOptions {
    pub(super) n_power_iterations: i64,
    pub(super) eps: f64,
    dim: Option<i64>,
}

impl Default for SpectralNormOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl SpectralNormOptions {
    /// One iteration in each training call, an epsilon of 1e-12, along the outputs of the layer.
    pub fn new() -> Self {
        SpectralNormOptions { n_power_iterations: 1, eps: 1e-12, dim: None }
    }
    /// Power iterations in each training call; 1 unless set.
    pub fn n_power_iterations(mut self, n: i64) -> Self {
        self.n_power_iterations = n;
        self
    }
    /// The least length that vectors are divided by; 1e-12 unless set.
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }
    /// The dimension of the outputs: 0 unless set, 1 for transposed convolutions.
    pub fn dim(mut self, dim: impl Into<Option<i64>>) -> Self {
        self.dim = dim.into();
        self
    }

    pub(super) fn dim_for(&self, module: &dyn Module) -> i64 {
        self.dim.unwrap_or(i64::from(module.type_name().starts_with("ConvTranspose")))
    }

    pub(super) fn check(&self) -> Result<()> {
        let n = self.n_power_iterations;
        if n > 0 {
            return Ok(());
        }
        let message = format!("Expected n_power_iterations to be positive, but got n_power_iterations={n}");
        Err(Error::value(OP, message))
    }
}

/// The weight as a matrix with a row for every slice along `dim`.
pub(super) fn as_matrix(weight: &Tensor, dim: usize) -> Result<Tensor> {
    let rest = (0..weight.dim()).filter(|&d| d != dim);
    let order: Vec<i64> = std::iter::once(dim).chain(rest).map(|d| d as i64).collect();
    weight.permute(&order[..])?.flatten(1, -1)
}

/// A random direction as long as the matrix is along `dim`.
pub(super) fn start(matrix: &Tensor, dim: i64, eps: f64) -> Result<Tensor> {
    let options = TensorOptions::new().dtype(matrix.dtype()).device(matrix.device());
    let vector = Tensor::empty_with([matrix.size(dim)?], options)?;
    normalize(vector.normal_(0.0, 1.0)?, 2.0, 0, eps)
}

/// Half an iteration: `target` becomes the direction of `matrix x other`.
pub(super) fn iterate(target: &Tensor, matrix: &Tensor, other: &Tensor, eps: f64) -> Result<()> {
    target.copy_(&normalize(&matrix.matmul(other)?, 2.0, 0, eps)?)?;
    Ok(())
}

/// Divides the parameter `name` by its largest singular value from now on: PyTorch's `torch.nn.utils.spectral_norm`.
///
/// The original becomes `weight_orig`, the vectors of the power iteration the buffers `weight_u` and `weight_v`; a call
/// sees the quotient. [`parametrizations::spectral_norm`](super::parametrizations::spectral_norm) is the newer form.
///
/// # Errors
/// No such parameter, one without values yet, or one that is normalized already.
///
/// ```
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(2, 3)?;
/// nn::utils::spectral_norm(&mut linear, "weight")?;
/// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["bias", "weight_orig", "weight_u", "weight_v"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn spectral_norm(module: &mut dyn Module, name: &str) -> Result<()> {
    spectral_norm_with(module, name, &SpectralNormOptions::new())
}

/// [`spectral_norm`] with options.
///
/// # Errors
/// As there; no iterations, or a dimension out of range.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::{SpectralNormOptions, spectral_norm_with};
/// let mut linear = nn::Linear::builder(2, 2).bias(false).build()?;
/// linear.weight.set_data(&Tensor::new([[3.0f32, 0.0], [0.0, 1.0]])?)?;
/// spectral_norm_with(&mut linear, "weight", &SpectralNormOptions::new().n_power_iterations(50))?;
/// let y = linear.call(Tensor::eye(2)?)?;
/// assert!(y.allclose(&Tensor::new([[1.0f32, 0.0], [0.0, 1.0 / 3.0]])?, 1e-5, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn spectral_norm_with(module: &mut dyn Module, name: &str, options: &SpectralNormOptions) -> Result<()> {
    let module = exclusive(module.as_dyn_mut(), OP)?;
    options.check()?;
    if module.core().parameter(&format!("{name}_orig")).is_some() {
        let message = format!("Cannot register two spectral_norm hooks on the same parameter {name}");
        return Err(Error::runtime(OP, message));
    }
    let Some(Slot::Parameter(weight)) = listed(module, name) else {
        let message = format!("`SpectralNorm` cannot be applied as parameter `{name}` is None");
        return Err(Error::value(OP, message));
    };
    if weight.is_uninitialized() {
        return Err(Error::value(
            OP,
            "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy forward before applying spectral normalization",
        ));
    }
    let dim = firebrick_core::wrap_dim(OP, options.dim_for(module), weight.dim())?;
    let matrix = as_matrix(&weight.detach(), dim)?;
    let (u, v) = (start(&matrix, 0, options.eps)?, start(&matrix, 1, options.eps)?);
    let norm = Norm { name: name.to_owned(), dim, options: *options };
    computed::begin(module, &key(name), name, &weight, move |module| norm.quotient(module))?;
    extra::register_parameter(module, &format!("{name}_orig"), Some(weight))?;
    extra::register_buffer(module, &format!("{name}_u"), Some(Buffer::new(u)))?;
    extra::register_buffer(module, &format!("{name}_v"), Some(Buffer::new(v)))
}

/// Ends [`spectral_norm`]: the parameter keeps the quotient's present value.
///
/// # Errors
/// A `ValueError` when the parameter is not normalized.
///
/// ```
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(2, 3)?;
/// nn::utils::spectral_norm(&mut linear, "weight")?;
/// nn::utils::remove_spectral_norm(&mut linear, "weight")?;
/// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["bias", "weight"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn remove_spectral_norm(module: &mut dyn Module, name: &str) -> Result<()> {
    let module = exclusive(module.as_dyn_mut(), OP)?;
    let Some(original) = module.core().parameter(&format!("{name}_orig")).cloned() else {
        return Err(Error::value(OP, format!("spectral_norm of '{name}' not found in {module}")));
    };
    let value = unrecorded(|| {
        // Without an iteration: as in evaluation.
        let training = module.is_training();
        module.core().set_training(false);
        let value = computed::value(module, &key(name));
        module.core().set_training(training);
        value
    })?;
    if let Some(value) = value {
        original.set_data(&value)?;
    }
    computed::end(module, &key(name), name, original, &["orig", "u", "v"])
}

/// The name under which the computation stands in the core.
fn key(name: &str) -> String {
    format!("spectral_norm.{name}")
}

struct Norm {
    name: String,
    dim: usize,
    options: SpectralNormOptions,
}

impl Norm {
    /// The original by its largest singular value; `None` where there is no original.
    fn quotient(&self, module: &dyn Module) -> Result<Option<Tensor>> {
        let (core, name) = (module.core(), &self.name);
        let members = (
            core.parameter(&format!("{name}_orig")),
            core.buffer(&format!("{name}_u")),
            core.buffer(&format!("{name}_v")),
        );
        let (Some(weight), Some(u), Some(v)) = members else { return Ok(None) };
        let matrix = as_matrix(weight, self.dim)?;
        if module.is_training() {
            unrecorded(|| {
                let transposed = matrix.t()?;
                (0..self.options.n_power_iterations).try_for_each(|_| {
                    iterate(v, &transposed, u, self.options.eps)?;
                    iterate(u, &matrix, v, self.options.eps)
                })
            })?;
        }
        // Copies: the next iterations change the vectors, which backward needs as they are now.
        let (u, v) = (u.copy()?, v.copy()?);
        weight.div(&u.matmul(&matrix.matmul(&v)?)?).map(Some)
    }
}
