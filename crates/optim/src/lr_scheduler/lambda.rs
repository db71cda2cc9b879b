//! Learning rates by a function of the epoch.

use super::{Clock, Fields, Schedule};
use crate::{OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result, Value};
use std::sync::Arc;

/// A factor for an epoch.
type Factor = Arc<dyn Fn(i64) -> f64 + Send + Sync>;

/// One function for each group; a single one before the groups are known.
#[derive(Clone)]
struct Factors {
    each: bool,
    list: Vec<Factor>,
}

impl Factors {
    fn prepare(&mut self, groups: usize) -> Result<()> {
        if !self.each {
            self.list = self.list.iter().cycle().take(groups).cloned().collect();
        }
        if self.list.len() != groups {
            let text = format!("Expected {groups} lr_lambdas, but got {}", self.list.len());
            return Err(Error::value("lr_scheduler", text));
        }
        Ok(())
    }

    /// Functions are not saved.
    fn save(&self) -> Vec<(&'static str, Value)> {
        vec![("lr_lambdas", Value::List(vec![Value::None; self.list.len()]))]
    }

    fn times(&self, lrs: Vec<f64>, epoch: i64) -> Result<Option<Vec<f64>>> {
        // Groups that were added since have no function; that there are others is then found by their number.
        Ok(Some(self.list.iter().zip(lrs).map(|(factor, lr)| lr * factor(epoch)).collect()))
    }
}

macro_rules! by_function {
    ($($(#[$doc:meta])* $name:ident |$factors:ident, $clock:ident, $groups:ident| $lrs:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Factors);

        impl $name {
            /// One function of the epoch for all groups.
            pub fn new(factor: impl Fn(i64) -> f64 + Send + Sync + 'static) -> Self {
                $name(Factors { each: false, list: vec![Arc::new(factor)] })
            }

            /// A function of the epoch for each group.
            pub fn each(factors: Vec<Box<dyn Fn(i64) -> f64 + Send + Sync>>) -> Self {
                $name(Factors { each: true, list: factors.into_iter().map(Factor::from).collect() })
            }
        }

        impl Fields for $name {
            fn save(&self) -> Vec<(&'static str, Value)> {
                Vec::new()
            }

            fn load(&mut self, _: &Value) -> Result<()> {
                Ok(())
            }
        }

        impl Schedule for $name {
            fn prepare(&mut self, core: &mut OptimizerCore, _: bool) -> Result<()> {
                self.0.prepare(core.groups.len())
            }

            fn lrs(&self, $clock: &Clock, $groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
                let $factors = &self.0;
                $lrs
            }

            fn save_last(&self) -> Vec<(&'static str, Value)> {
                self.0.save()
            }
        }
    )* };
}

by_function! {
    /// The first learning rate times a function of the epoch. Unlike PyTorch's callable objects, functions are not
    /// saved.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LambdaLR, LrScheduler, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = LambdaLR::new(|epoch| 1.0 / (epoch + 1) as f64).build(&mut optimizer)?;
    /// optimizer.step()?;
    /// scheduler.step(&mut optimizer)?;
    /// assert_eq!(scheduler.get_last_lr(), [0.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ///
    /// A function for each group:
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// use optim::lr_scheduler::{LambdaLR, LrScheduler, Schedule};
    /// let (p, q) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([1.0f32])?));
    /// let mut optimizer = optim::SGD::new([ParamGroup::new([&p]), ParamGroup::new([&q])], 1.0).build()?;
    /// let schedule = LambdaLR::each(vec![Box::new(|epoch| 0.5f64.powi(epoch as i32)), Box::new(|_| 1.0)]);
    /// let mut scheduler = schedule.build(&mut optimizer)?;
    /// optimizer.step()?;
    /// scheduler.step(&mut optimizer)?;
    /// assert_eq!(scheduler.get_last_lr(), [0.5, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LambdaLR |factors, clock, groups| {
        let _ = groups;
        factors.times(clock.base_lrs()?, clock.last_epoch)
    };

    /// The learning rate of the epoch before times a function of the epoch.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, MultiplicativeLR, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = MultiplicativeLR::new(|_| 0.5).build(&mut optimizer)?;
    /// optimizer.step()?;
    /// scheduler.step(&mut optimizer)?;
    /// scheduler.step(&mut optimizer)?;
    /// assert_eq!(scheduler.get_last_lr(), [0.25]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ///
    /// A function for each group:
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// use optim::lr_scheduler::{LrScheduler, MultiplicativeLR, Schedule};
    /// let (p, q) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([1.0f32])?));
    /// let mut optimizer = optim::SGD::new([ParamGroup::new([&p]), ParamGroup::new([&q])], 1.0).build()?;
    /// let schedule = MultiplicativeLR::each(vec![Box::new(|_| 0.5), Box::new(|_| 1.0)]);
    /// let mut scheduler = schedule.build(&mut optimizer)?;
    /// optimizer.step()?;
    /// scheduler.step(&mut optimizer)?;
    /// assert_eq!(scheduler.get_last_lr(), [0.5, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MultiplicativeLR |factors, clock, groups| {
        if clock.is_initial {
            return Ok(None);
        }
        let lrs = groups.iter().map(ParamGroup::get_lr).collect::<Result<_>>()?;
        factors.times(lrs, clock.last_epoch)
    };
}
