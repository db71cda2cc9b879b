//! A number for every parameter group.

use firebrick_core::{Error, Result, Scalar};

/// One number for all parameter groups, or a list with one for each.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::{ParamGroup, lr_scheduler::{CyclicLR, LrScheduler, Schedule}};
/// let (p, q) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([1.0f32])?));
/// let mut optimizer = optim::SGD::new([ParamGroup::new([&p]), ParamGroup::new([&q])], 1.0).build()?;
/// let schedule = CyclicLR::new([0.0, 0.5], 1.0).cycle_momentum(false);
/// assert_eq!(schedule.build(&mut optimizer)?.get_last_lr(), [0.0, 0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum PerGroup {
    /// For all of them.
    All(Scalar),
    /// For each.
    Each(Vec<Scalar>),
}

impl PerGroup {
    /// The number of each group.
    ///
    /// # Errors
    /// A list of another length than there are groups.
    pub(super) fn of(&self, name: &str, groups: usize) -> Result<Vec<Scalar>> {
        match self {
            PerGroup::All(number) => Ok(vec![*number; groups]),
            PerGroup::Each(list) if list.len() == groups => Ok(list.clone()),
            PerGroup::Each(list) => Err(Error::value(
                "lr_scheduler",
                format!(
                    "{name} must have the same length as optimizer.param_groups. {name} has {} values, param_groups has {groups}.",
                    list.len()
                ),
            )),
        }
    }
}

macro_rules! numbers {
    ($($t:ty),*) => { $(
        impl From<$t> for PerGroup {
            fn from(number: $t) -> Self {
                PerGroup::All(number.into())
            }
        }
    )* };
}
numbers!(f64, i64, i32, Scalar);

impl From<Vec<f64>> for PerGroup {
    fn from(list: Vec<f64>) -> Self {
        PerGroup::Each(list.into_iter().map(Scalar::from).collect())
    }
}

impl<const N: usize> From<[f64; N]> for PerGroup {
    fn from(list: [f64; N]) -> Self {
        list.to_vec().into()
    }
}
