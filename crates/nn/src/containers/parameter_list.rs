//! A list of parameters.

use super::{place, slice};
use crate::{Core, Custom, Module};
use firebrick_core::{Device, Parameter, Result};
use std::ops::{AddAssign, RangeBounds};

/// A list of parameters under the names `0`, `1`, ...
///
/// A bare `Vec<Parameter>` field is the same without being a module of its own.
///
/// ```
/// use firebrick::prelude::*;
/// let scales = nn::ParameterList::from(vec![Parameter::new(Tensor::ones([2])?)]);
/// assert_eq!(scales.named_parameters()[0].0, "0");
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct ParameterList {
    core: Core,
    #[module(flatten)]
    parameters: Vec<Parameter>,
}

impl Custom for ParameterList {
    fn extra_repr(&self) -> String {
        let line = |(key, p): (usize, &Parameter)| line(&key.to_string(), p, &p.dtype().to_string());
        self.parameters.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// One printed line of a container of parameters.
pub(super) fn line(key: &str, parameter: &Parameter, dtype: &str) -> String {
    let size: Vec<String> = parameter.shape().iter().flat_map(|dims| dims.iter()).map(usize::to_string).collect();
    let device = match parameter.device() {
        Device::Cpu | Device::Meta => String::new(),
        other => format!(" ({other})"),
    };
    format!("  ({key}): Parameter containing: [{dtype} of size {}{device}]", size.join("x"))
}

impl ParameterList {
    /// An empty list.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let scalar = |x: f32| Tensor::new([x]).map(Parameter::new);
    /// let mut list = nn::ParameterList::new();
    /// list.append(scalar(1.0)?).extend([scalar(2.0)?, scalar(3.0)?]);
    /// list.set(-1, scalar(4.0)?)?;
    /// let numbers: Vec<f32> = list.iter().map(|parameter| parameter.item()).collect::<Result<_>>()?;
    /// assert_eq!((numbers, list.get(1)?.item::<f32>()?), (vec![1.0, 2.0, 4.0], 2.0));
    /// assert_eq!((list.len(), list.slice(1..).len(), list.is_empty()), (3, 2, false));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::from(Vec::new())
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.parameters.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// The parameters in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Parameter> {
        self.parameters.iter()
    }

    /// The parameter at `index`, which may be negative.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn get(&self, index: isize) -> Result<&Parameter> {
        Ok(&self.parameters[place("ParameterList", index, self.len())?])
    }

    /// Replaces the parameter at `index` and returns the old one.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn set(&mut self, index: isize, parameter: Parameter) -> Result<Parameter> {
        let at = place("ParameterList", index, self.len())?;
        Ok(std::mem::replace(&mut self.parameters[at], parameter))
    }

    /// Adds a parameter at the end.
    pub fn append(&mut self, parameter: Parameter) -> &mut Self {
        self.parameters.push(parameter);
        self
    }

    /// Adds parameters at the end: PyTorch's `extend` and `+=`.
    pub fn extend(&mut self, parameters: impl IntoIterator<Item = Parameter>) -> &mut Self {
        self.parameters.extend(parameters);
        self
    }

    /// A list that shares the parameters of a range: PyTorch's `list[a:b]`.
    pub fn slice(&self, range: impl RangeBounds<isize>) -> Self {
        Self::from(self.parameters[slice(range, self.len())].to_vec())
    }
}

impl<I: IntoIterator<Item = Parameter>> AddAssign<I> for ParameterList {
    fn add_assign(&mut self, parameters: I) {
        self.extend(parameters);
    }
}

impl Default for ParameterList {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Vec<Parameter>> for ParameterList {
    fn from(parameters: Vec<Parameter>) -> Self {
        ParameterList { core: Core::new(), parameters }
    }
}

impl FromIterator<Parameter> for ParameterList {
    fn from_iter<I: IntoIterator<Item = Parameter>>(parameters: I) -> Self {
        Self::from(parameters.into_iter().collect::<Vec<_>>())
    }
}

impl<'a> IntoIterator for &'a ParameterList {
    type Item = &'a Parameter;
    type IntoIter = std::slice::Iter<'a, Parameter>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
