//! Ready-made parametrizations: PyTorch's `torch.nn.utils.parametrizations`.

pub use super::orthogonal::{OrthogonalMap, OrthogonalOptions, orthogonal, orthogonal_with};

use super::parametrize::{
    Parametrization, current, register_parametrization, register_parametrization_unchecked, unrecorded,
};
use super::spectral_norm::{SpectralNormOptions, as_matrix, iterate, start};
use super::weight_norm::{combined, lengths};
use crate::functional::normalize;
use crate::{Core, Forward, Module, ModuleExt};
use firebrick_core::{Buffer, Error, Result, Tensor, wrap_dim};

/// Divides a weight by its largest singular value, which is estimated by power iterations.
#[derive(Module)]
#[module(name = "_SpectralNorm")]
struct SpectralNorm {
    core: Core,
    _u: Option<Buffer>,
    _v: Option<Buffer>,
    dim: usize,
    n_power_iterations: i64,
    eps: f64,
}

impl SpectralNorm {
    fn new(weight: &Tensor, dim: i64, options: &SpectralNormOptions) -> Result<Self> {
        let rank = weight.dim();
        let dim = wrap_dim("spectral_norm", dim, rank).map_err(|_| {
            // PyTorch's sentence here lacks the comma that it has elsewhere.
            let range = format!("[-{rank}, {}]", rank as i64 - 1);
            let message = format!("Dimension out of range (expected to be in range of {range} but got {dim})");
            Error::index("spectral_norm", message)
        })?;
        options.check()?;
        let (n_power_iterations, eps) = (options.n_power_iterations, options.eps);
        let mut norm = SpectralNorm { core: Core::new(), _u: None, _v: None, dim, n_power_iterations, eps };
        if weight.dim() > 1 {
            let matrix = as_matrix(&weight.detach(), dim)?;
            let (u, v) = (start(&matrix, 0, eps)?, start(&matrix, 1, eps)?);
            norm._u = Some(Buffer::new(u));
            norm._v = Some(Buffer::new(v));
            norm.iterate(&matrix, 15)?;
        }
        Ok(norm)
    }

    fn iterate(&self, matrix: &Tensor, times: i64) -> Result<()> {
        let (Some(u), Some(v)) = (&self._u, &self._v) else { return Ok(()) };
        unrecorded(|| {
            let transposed = matrix.t()?;
            (0..times).try_for_each(|_| {
                iterate(u, matrix, v, self.eps)?;
                iterate(v, &transposed, u, self.eps)
            })
        })
    }
}

impl Forward for SpectralNorm {
    fn forward(&self, weight: Tensor) -> Result<Tensor> {
        let (Some(u), Some(v)) = (&self._u, &self._v) else { return normalize(&weight, 2.0, 0, self.eps) };
        let matrix = as_matrix(&weight, self.dim)?;
        if self.is_training() {
            self.iterate(&matrix, self.n_power_iterations)?;
        }
        // Copies: the next iterations change the vectors, which backward needs as they are now.
        let (u, v) = (u.copy()?, v.copy()?);
        weight.div(&u.matmul(&matrix.matmul(&v)?)?)
    }
}

impl Parametrization for SpectralNorm {
    type Originals = Tensor;
    fn right_inverse(&self, value: Tensor) -> Result<Option<Tensor>> {
        Ok(Some(value))
    }
}

/// Divides the parameter `name` by its largest singular value from now on, estimated anew by one power iteration in
/// each training call; a vector is divided by its length.
///
/// Miyato et al., *Spectral Normalization for Generative Adversarial Networks* (2018).
///
/// # Errors
/// A `ValueError` when the module has no such parameter or buffer.
///
/// ```
/// use firebrick::nn::utils::{parametrizations, parametrize};
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(2, 3)?;
/// parametrizations::spectral_norm(&mut linear, "weight")?;
/// let keys = ["bias", "parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v"];
/// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), keys);
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
/// use firebrick::nn::utils::{SpectralNormOptions, parametrizations, parametrize};
/// let mut linear = nn::Linear::builder(2, 2).bias(false).build()?;
/// linear.weight.set_data(&Tensor::new([[3.0f32, 0.0], [0.0, 1.0]])?)?;
/// let options = SpectralNormOptions::new().n_power_iterations(50);
/// parametrizations::spectral_norm_with(&mut linear, "weight", &options)?;
/// let weight = parametrize::parametrized(&linear, "weight")?;
/// assert!(weight.allclose(&Tensor::new([[1.0f32, 0.0], [0.0, 1.0 / 3.0]])?, 1e-5, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn spectral_norm_with(module: &mut dyn Module, name: &str, options: &SpectralNormOptions) -> Result<()> {
    let Some(weight) = current(module, name)? else {
        let message = format!("Module '{module}' has no parameter or buffer with name '{name}'");
        return Err(Error::value("spectral_norm", message));
    };
    let norm = SpectralNorm::new(&weight, options.dim_for(module), options)?;
    register_parametrization(module, name, norm)
}

/// A weight as a length for each slice along `dim` times a direction.
#[derive(Module)]
#[module(name = "_WeightNorm")]
struct WeightNorm {
    core: Core,
    dim: Option<i64>,
}

impl Forward<(Tensor, Tensor)> for WeightNorm {
    fn forward(&self, (length, direction): (Tensor, Tensor)) -> Result<Tensor> {
        combined(&length, &direction, self.dim)
    }
}

impl Parametrization for WeightNorm {
    type Originals = (Tensor, Tensor);
    fn right_inverse(&self, value: Tensor) -> Result<Option<(Tensor, Tensor)>> {
        Ok(Some((lengths(&value, self.dim)?, value)))
    }
}

/// Makes the parameter `name` of a length for each of its slices along `dim` (of one length with `None`) and a
/// direction: `original0 * original1 / norm(original1)`. PyTorch's default is `Some(0)`.
///
/// Checkpoints of the older form, with `weight_g` and `weight_v`, load. Salimans and Kingma, *Weight Normalization* (2016).
///
/// # Errors
/// A `ValueError` when the module has no such parameter or buffer; a dimension out of range.
///
/// ```
/// use firebrick::nn::utils::parametrizations;
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::builder(2, 3).bias(false).build()?;
/// let x = Tensor::ones([1, 2])?;
/// let before = linear.call(&x)?.to_vec::<f32>()?;
/// parametrizations::weight_norm(&mut linear, "weight", Some(0))?;
/// assert_eq!(linear.get_parameter("parametrizations.weight.original0")?.shape()?, [3, 1]);
/// let after = linear.call(&x)?.to_vec::<f32>()?;
/// assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-6));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn weight_norm(module: &mut dyn Module, name: &str, dim: impl Into<Option<i64>>) -> Result<()> {
    register_parametrization_unchecked(module, name, WeightNorm { core: Core::new(), dim: dim.into() })?;
    let name = name.to_owned();
    module.register_load_state_dict_pre_hook(move |_, loading| {
        let old = ["g", "v"].map(|part| format!("{}{name}_{part}", loading.prefix));
        if old.iter().all(|key| loading.state.contains_key(key)) {
            for (i, key) in old.iter().enumerate() {
                if let Some(tensor) = loading.state.remove(key) {
                    loading.state.insert(format!("{}parametrizations.{name}.original{i}", loading.prefix), tensor);
                }
            }
        }
        Ok(())
    });
    Ok(())
}
