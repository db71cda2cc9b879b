//! The original of one parameter and the parametrizations applied to it.

use super::stage::Stage;
use super::unrecorded;
use crate::extra::{self, Slot};
use crate::{Core, Custom, Member, Module, repr};
use firebrick_core::{Buffer, Error, ErrorKind, Parameter, Result, Tensor};

const OP: &str = "parametrize";

/// The parametrizations of one tensor, and what it is computed from: PyTorch's class of the same name.
///
/// Lists `original` (or `original0`, `original1`, ...) and the parametrizations under `0`, `1`, ...
///
/// ```
/// use firebrick::nn::utils::{parametrizations, parametrize};
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(2, 3)?;
/// parametrizations::weight_norm(&mut linear, "weight", Some(0))?;
/// let list = linear.get_submodule("parametrizations.weight")?;
/// let list = list.downcast_ref::<parametrize::ParametrizationList>().expect("it is one");
/// assert_eq!(list.state_dict().keys().collect::<Vec<_>>(), ["original0", "original1"]);
/// assert!(list.evaluate()?.equal(&parametrize::parametrized(&linear, "weight")?)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct ParametrizationList {
    core: Core,
    #[module(flatten)]
    stages: Vec<Box<dyn Stage>>,
    /// How many originals there are; `None` for one that is no list.
    count: Option<usize>,
}

impl Custom for ParametrizationList {
    fn repr(&self) -> Option<String> {
        let texts = self.stages.iter().map(|stage| repr::repr(stage.as_dyn())).collect();
        Some(repr::grouped(&self.display_name(), texts))
    }
}

impl ParametrizationList {
    /// The list for `original`, whose handle it keeps where one tensor is stored.
    pub(super) fn new(stage: Box<dyn Stage>, original: &Slot, checked: bool) -> Result<Self> {
        let tensor = original.tensor().ok_or_else(|| Error::value(OP, "only a tensor can be parametrized"))?;
        Parameter::from_handle(tensor.clone()).shape()?; // an uninitialized one has none
        let value = tensor.detach();
        let inverse = match unrecorded(|| stage.invert(value.clone())) {
            // The original stays what it was.
            Err(error) if error.kind() == ErrorKind::NotImplemented => None,
            other => other?,
        };
        let (tensors, single) = inverse.unwrap_or_else(|| (vec![value], true));
        if single {
            check_single(tensor, &tensors[0])?;
        }
        if checked {
            check_result(tensor, &unrecorded(|| stage.run(tensors.clone()))?)?;
        }
        let count = (!single).then_some(tensors.len());
        let mut list = ParametrizationList { core: Core::new(), stages: vec![stage], count };
        if single {
            tensor.set_data(&tensors[0])?;
            list.store("original", original, tensor.clone())?;
        } else {
            for (i, part) in tensors.into_iter().enumerate() {
                let part = part.detach();
                part.requires_grad_(tensor.requires_grad())?;
                list.store(&format!("original{i}"), original, part)?;
            }
        }
        Ok(list)
    }

    /// Registers the very tensor as a parameter or a buffer, as `kind` is one.
    fn store(&mut self, name: &str, kind: &Slot, tensor: Tensor) -> Result<()> {
        match kind {
            Slot::Buffer(_) => extra::register_buffer(self, name, Some(Buffer::new(tensor))),
            _ => extra::register_parameter(self, name, Some(Parameter::from_handle(tensor))),
        }
    }

    /// What is stored under this name.
    fn stored(&self, name: &str) -> Result<Slot> {
        match self.core.extra().and_then(|extra| extra.member(name)) {
            Some(Member::Parameter(parameter)) => Ok(Slot::Parameter(parameter.clone())),
            Some(Member::Buffer(buffer)) => Ok(Slot::Buffer(buffer.clone())),
            _ => Err(Error::attribute(OP, format!("'ParametrizationList' object has no attribute '{name}'"))),
        }
    }

    fn names(&self) -> Vec<String> {
        match self.count {
            None => vec!["original".to_owned()],
            Some(count) => (0..count).map(|i| format!("original{i}")).collect(),
        }
    }

    fn originals(&self) -> Result<Vec<Tensor>> {
        let tensor = |name: &String| Ok(self.stored(name)?.tensor().cloned());
        Ok(self.names().iter().map(tensor).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// The computed tensor. [`ParametrizationList`] shows it.
    ///
    /// # Errors
    /// Those of the parametrizations.
    pub fn evaluate(&self) -> Result<Tensor> {
        let [first, rest @ ..] = &self.stages[..] else {
            return Err(Error::value(OP, "ParametrizationList requires one or more modules."));
        };
        rest.iter().try_fold(first.run(self.originals()?)?, |x, stage| stage.run(vec![x]))
    }

    /// May `stage` follow: does it keep shape and dtype, in its inverse, too?
    pub(super) fn check_next(&self, name: &str, stage: &dyn Stage) -> Result<()> {
        unrecorded(|| {
            let own = self.evaluate()?;
            let next = stage.run(vec![own.clone()])?;
            keeps("dtype", "the `unsafe` flag", name, own.dtype(), next.dtype())?;
            keeps("shape", "the `unsafe` flag", name, own.shape(), next.shape())?;
            let Some((back, single)) = stage.invert(next)? else { return Ok(()) };
            let [back] = &back[..] else {
                return Err(Error::value(OP, "parametrization.right_inverse must return a tensor. Got: tuple"));
            };
            if !single {
                return Err(Error::value(OP, "parametrization.right_inverse must return a tensor. Got: tuple"));
            }
            inverse_keeps("dtype", name, own.dtype(), back.dtype())?;
            inverse_keeps("shape", name, own.shape(), back.shape())
        })
    }

    pub(super) fn push(&mut self, stage: Box<dyn Stage>) {
        self.stages.push(stage);
    }

    /// Changes the originals so that `value` is what is computed.
    pub(super) fn assign(&self, value: &Tensor) -> Result<()> {
        let mut values = vec![value.detach()];
        for stage in self.stages.iter().rev() {
            let value = single(values)?;
            let inverse = unrecorded(|| stage.invert(value))?;
            let Some((tensors, _)) = inverse else {
                let message = format!("parametrization {} does not implement right_inverse.", stage.display_name());
                return Err(Error::runtime(OP, message));
            };
            values = tensors;
        }
        let originals = self.originals()?;
        if let (Some(count), true) = (self.count, values.len() != originals.len()) {
            let message = format!(
                "'right_inverse' must return a sequence of tensors of length {count}. Got a sequence of length {}.",
                values.len()
            );
            return Err(Error::value(OP, message));
        }
        let several = self.count.is_some();
        for (i, (original, value)) in originals.iter().zip(&values).enumerate() {
            let (own, given) = (original.dtype(), value.dtype());
            if own != given {
                return Err(Error::value(
                    OP,
                    match several {
                        true => format!(
                            "Tensor {i} returned by `right_inverse` has dtype {given} while `original{i}` has dtype {own}"
                        ),
                        false => format!(
                            "The tensor returned by `right_inverse` has dtype {given} while `original` has dtype {own}"
                        ),
                    },
                ));
            }
        }
        originals.iter().zip(&values).try_for_each(|(original, value)| original.set_data(value))
    }

    /// What takes the place of the computed tensor when the parametrizations are taken off.
    pub(super) fn member(&self, leave_parametrized: bool) -> Result<Slot> {
        if self.count.is_none() {
            let original = self.stored("original")?;
            if let (true, Some(tensor)) = (leave_parametrized, original.tensor()) {
                tensor.set_data(&unrecorded(|| self.evaluate())?)?;
            }
            return Ok(original);
        }
        if !leave_parametrized {
            return Err(Error::value(
                OP,
                "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors.",
            ));
        }
        let value = self.evaluate()?;
        Ok(match self.stored("original0")? {
            Slot::Buffer(_) => Slot::Buffer(Buffer::new(value.detach())),
            _ if value.requires_grad() => Slot::Parameter(Parameter::new(value)),
            _ => Slot::Parameter(Parameter::frozen(value)),
        })
    }
}

fn single(values: Vec<Tensor>) -> Result<Tensor> {
    let count = values.len();
    <[Tensor; 1]>::try_from(values)
        .map(|[value]| value)
        .map_err(|_| Error::value(OP, format!("`right_inverse` should return a tensor. Got {count}")))
}

/// One stored tensor has the dtype and device of the parameter that it replaces.
fn check_single(original: &Tensor, inverse: &Tensor) -> Result<()> {
    let check = |what: &str, own: String, new: String| {
        if own == new {
            return Ok(());
        }
        Err(Error::value(
            OP,
            format!(
                "When `right_inverse` outputs one tensor, it may not change the {what}.\noriginal.{what}: {own}\nright_inverse(original).{what}: {new}"
            ),
        ))
    };
    check("dtype", original.dtype().to_string(), inverse.dtype().to_string())?;
    check("device", original.device().to_string(), inverse.device().to_string())
}

/// The first parametrization keeps dtype and shape.
fn check_result(original: &Tensor, value: &Tensor) -> Result<()> {
    let check = |what: &str, own: String, new: String| {
        if own == new {
            return Ok(());
        }
        Err(Error::value(
            OP,
            format!(
                "Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag is enabled.\nunparametrized {what}: {own}\nparametrized {what}: {new}"
            ),
        ))
    };
    check("dtype", original.dtype().to_string(), value.dtype().to_string())?;
    check("shape", original.shape().to_string(), value.shape().to_string())
}

/// A later parametrization keeps dtype and shape.
fn keeps<T: PartialEq + std::fmt::Display>(what: &str, flag: &str, name: &str, own: T, new: T) -> Result<()> {
    if own == new {
        return Ok(());
    }
    Err(Error::value(
        OP,
        format!(
            "Registering a parametrization may not change the {what} of the tensor, unless {flag} is enabled.\nmodule.{name}.{what}: {own}\nparametrization(module.{name}).{what}: {new}"
        ),
    ))
}

/// And so does its inverse.
fn inverse_keeps<T: PartialEq + std::fmt::Display>(what: &str, name: &str, own: T, back: T) -> Result<()> {
    if own == back {
        return Ok(());
    }
    Err(Error::value(
        OP,
        format!(
            "The tensor returned by parametrization.right_inverse must have the same {what} as module.{name}, unless the `unsafe` flag is enabled.\nmodule.{name}.{what}: {own}\nreturned {what}: {back}"
        ),
    ))
}
