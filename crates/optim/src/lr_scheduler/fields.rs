//! Options of a schedule as entries of its state.

use firebrick_core::{Error, Key, Result, Scalar, Value};
use indexmap::IndexMap;

/// A schedule's own entries of the state, by PyTorch's names.
///
/// ```
/// use firebrick::Value;
/// use firebrick::optim::lr_scheduler::Fields;
/// use firebrick::prelude::*;
/// /// The options of a schedule: how many epochs it waits.
/// struct Wait {
///     epochs: i64,
/// }
///
/// impl Fields for Wait {
///     fn save(&self) -> Vec<(&'static str, Value)> {
///         vec![("epochs", self.epochs.into())]
///     }
///
///     fn load(&mut self, state: &Value) -> Result<()> {
///         self.epochs = state.get("epochs").and_then(Value::as_i64).unwrap_or(self.epochs);
///         Ok(())
///     }
/// }
///
/// let mut wait = Wait { epochs: 0 };
/// wait.load(&Value::dict(Wait { epochs: 3 }.save()))?;
/// assert_eq!(wait.epochs, 3);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait Fields {
    /// The entries, in PyTorch's order.
    ///
    /// ```
    /// use firebrick::optim::lr_scheduler::{Fields, StepLR};
    /// let names: Vec<_> = StepLR::new(3).save().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["step_size", "gamma"]);
    /// ```
    fn save(&self) -> Vec<(&'static str, Value)>;

    /// Takes over the entries that are there.
    ///
    /// # Errors
    /// One that is of another kind; nothing has changed then.
    ///
    /// ```
    /// use firebrick::Value;
    /// use firebrick::optim::lr_scheduler::{Fields, StepLR};
    /// let mut schedule = StepLR::new(3);
    /// schedule.load(&Value::dict([("gamma", 0.5.into())]))?;
    /// assert_eq!(format!("{schedule:?}"), "StepLR { step_size: 3, gamma: Float(0.5) }");
    /// assert!(schedule.load(&Value::dict([("gamma", "half".into())])).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn load(&mut self, state: &Value) -> Result<()>;
}

/// A value that a state can hold.
pub(super) trait Stored: Sized {
    fn to_value(&self) -> Value;
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! stored {
    ($($t:ty: $to:expr, $from:expr;)*) => { $(
        impl Stored for $t {
            fn to_value(&self) -> Value {
                let to: fn(&$t) -> Value = $to;
                to(self)
            }

            fn from_value(value: &Value) -> Option<Self> {
                let from: fn(&Value) -> Option<$t> = $from;
                from(value)
            }
        }
    )* };
}
stored! {
    i64: |&n| n.into(), Value::as_i64;
    f64: |&x| x.into(), Value::as_f64;
    bool: |&b| b.into(), Value::as_bool;
    String: |text| text.as_str().into(), |value| value.as_str().map(str::to_owned);
    Value: Value::clone, |value| Some(value.clone());
    Scalar: |&x| x.into(), |value| match *value {
        Value::Bool(b) => Some(b.into()),
        Value::Int(n) => Some(n.into()),
        Value::Float(x) => Some(x.into()),
        _ => None,
    };
    IndexMap<i64, i64>: |map| Value::dict(map.iter().map(|(&key, &n)| (key, n.into()))), |value| {
        let pair = |(key, n): (&Key, &Value)| match key {
            Key::Int(key) => Some((*key, n.as_i64()?)),
            Key::Str(_) => None,
        };
        value.as_dict()?.iter().map(pair).collect()
    };
}

impl<T: Stored> Stored for Vec<T> {
    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.as_slice()?.iter().map(T::from_value).collect()
    }
}

impl<T: Stored> Stored for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::None, T::to_value)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::None => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// The entry of a state, if it is there.
pub(super) fn read<T: Stored>(state: &Value, name: &str) -> Result<Option<T>> {
    let Some(value) = state.get(name) else { return Ok(None) };
    let wrong = || Error::type_("load_state_dict", format!("'{name}' is not what a scheduler saves there"));
    T::from_value(value).map(Some).ok_or_else(|| wrong().given(value.to_string()))
}

/// Writes [`Fields`] for the fields of a schedule under PyTorch's names.
macro_rules! fields {
    ($t:ty { $($field:ident => $name:literal),* $(,)? }) => {
        impl $crate::lr_scheduler::Fields for $t {
            fn save(&self) -> Vec<(&'static str, firebrick_core::Value)> {
                vec![$(($name, $crate::lr_scheduler::fields::Stored::to_value(&self.$field))),*]
            }

            fn load(&mut self, state: &firebrick_core::Value) -> firebrick_core::Result<()> {
                $(let $field = $crate::lr_scheduler::fields::read(state, $name)?;)*
                $(if let Some(value) = $field {
                    self.$field = value;
                })*
                Ok(())
            }
        }
    };
}
pub(super) use fields;

/// Options as methods, each one setting the field of its name.
macro_rules! setters {
    ($t:ty { $($(#[$doc:meta])* $name:ident: $kind:ty;)* }) => {
        impl $t {
            $(
                $(#[$doc])*
                pub fn $name(mut self, $name: impl Into<$kind>) -> Self {
                    self.$name = $name.into();
                    self
                }
            )*
        }
    };
}
pub(super) use setters;
