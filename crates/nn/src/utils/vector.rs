//! All parameters as one vector.

use firebrick_core::{Error, Result, Tensor};

/// The tensors one after another as one vector, with their history.
///
/// # Errors
/// No tensors, or tensors of different dtypes or on different devices.
///
/// ```
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(2, 1)?;
/// assert_eq!(nn::utils::parameters_to_vector(linear.parameters())?.shape(), [3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn parameters_to_vector(parameters: impl IntoIterator<Item: AsRef<Tensor>>) -> Result<Tensor> {
    let parameters: Vec<Tensor> = parameters.into_iter().map(|p| p.as_ref().clone()).collect();
    same_device("parameters_to_vector", &parameters)?;
    let flat = parameters.iter().map(|p| p.reshape([-1])).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&flat, 0)
}

/// Puts slices of `vector` behind the handles of the parameters, in order: the inverse of [`parameters_to_vector`].
///
/// The slices share the vector's memory, as in PyTorch. What is left of a longer vector is passed over.
///
/// # Errors
/// A vector with fewer elements than the parameters, which then stay as they are; parameters on different devices.
///
/// ```
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(2, 1)?;
/// nn::utils::vector_to_parameters(&Tensor::new([1.0f32, 2.0, 3.0])?, linear.parameters())?;
/// assert_eq!(linear.weight.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn vector_to_parameters(vector: &Tensor, parameters: impl IntoIterator<Item: AsRef<Tensor>>) -> Result<()> {
    const OP: &str = "vector_to_parameters";
    let parameters: Vec<Tensor> = parameters.into_iter().map(|p| p.as_ref().clone()).collect();
    same_device(OP, &parameters)?;
    let length = vector.size(0)?;
    let (mut slices, mut start) = (Vec::new(), 0);
    for parameter in &parameters {
        let end = (start + parameter.numel()).min(length);
        let slice = vector.detach().narrow(0, start as i64, (end - start) as i64)?;
        slices.push(slice.view(parameter.shape())?);
        start = end;
    }
    parameters.iter().zip(&slices).try_for_each(|(parameter, slice)| parameter.set_data(slice))
}

fn same_device(op: &'static str, parameters: &[Tensor]) -> Result<()> {
    if parameters.windows(2).any(|pair| pair[0].device() != pair[1].device()) {
        let message = "Found two parameters on different devices, this is currently not supported.";
        return Err(Error::type_(op, message));
    }
    Ok(())
}
