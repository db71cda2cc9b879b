//! What an optimizer is built from: parameters, named parameters, or groups.

use crate::ParamGroup;
use firebrick_core::{Error, Parameter, Result, Tensor, Value};
use indexmap::IndexMap;

/// Parameters, `(name, parameter)` pairs or [`ParamGroup`]s: anything that iterates over them.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::{IntoParamGroups, ParamGroup};
/// let (p, q) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([1.0f32])?));
/// let one = [&p, &q].into_param_groups()?;
/// assert_eq!((one.len(), one[0].params().len()), (1, 2));
/// let two = [ParamGroup::new([&p]), ParamGroup::new([&q]).lr(0.1)].into_param_groups()?;
/// assert_eq!(two.len(), 2);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait IntoParamGroups {
    /// The groups.
    ///
    /// # Errors
    /// There is nothing in it, or groups and bare parameters together.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::IntoParamGroups;
    /// let model = nn::Linear::new(3, 2)?;
    /// let groups = model.named_parameters().into_param_groups()?;
    /// let names = groups[0].get("param_names").map(ToString::to_string);
    /// assert_eq!(names.as_deref(), Some("['weight', 'bias']"));
    /// let refused = Vec::<Tensor>::new().into_param_groups().unwrap_err();
    /// assert_eq!(refused.to_string(), "optimizer got an empty parameter list");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn into_param_groups(self) -> Result<Vec<ParamGroup>>;
}

/// One of the things that optimizers are built from.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::ParamGroup;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let group = ParamGroup::new([("scale".to_owned(), &p)]);
/// assert_eq!(group.get("param_names").map(ToString::to_string).as_deref(), Some("['scale']"));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait GroupItem {
    /// Adds it.
    #[doc(hidden)]
    fn add_to(self, items: &mut Items);
}

/// What has been given so far.
#[doc(hidden)]
#[derive(Default)]
pub struct Items {
    params: Vec<Tensor>,
    names: Vec<String>,
    groups: Vec<ParamGroup>,
}

impl Items {
    pub(crate) fn into_one_group(self) -> ParamGroup {
        let mut options = IndexMap::new();
        let names_missing = !self.names.is_empty() && self.names.len() != self.params.len();
        if !self.names.is_empty() {
            options.insert("param_names".to_owned(), Value::List(self.names.into_iter().map(Value::Str).collect()));
        }
        let params = self.params.into_iter().chain(self.groups.into_iter().flat_map(|group| group.params)).collect();
        ParamGroup { params, options, names_missing }
    }
}

impl<I: IntoIterator<Item: GroupItem>> IntoParamGroups for I {
    fn into_param_groups(self) -> Result<Vec<ParamGroup>> {
        const OP: &str = "optimizer";
        let mut items = Items::default();
        self.into_iter().for_each(|item| item.add_to(&mut items));
        match (items.params.is_empty(), items.groups.is_empty()) {
            (true, true) => Err(Error::value(OP, "optimizer got an empty parameter list")),
            (true, false) => Ok(items.groups),
            (false, true) => Ok(vec![items.into_one_group()]),
            (false, false) => {
                Err(Error::type_(OP, "optimizer can only optimize Tensors, but one of the params is dict")
                    .remedy("give parameters, or groups, not both"))
            }
        }
    }
}

macro_rules! items {
    ($($t:ty => |$item:ident, $items:ident| $add:expr;)*) => { $(
        impl GroupItem for $t {
            fn add_to(self, $items: &mut Items) {
                let $item = self;
                $add
            }
        }
    )* };
}
items! {
    Tensor => |tensor, items| items.params.push(tensor);
    &Tensor => |tensor, items| items.params.push(tensor.clone());
    Parameter => |parameter, items| items.params.push(Tensor::clone(&parameter));
    &Parameter => |parameter, items| items.params.push(Tensor::clone(parameter));
    ParamGroup => |group, items| items.groups.push(group);
}

impl<T: GroupItem> GroupItem for (String, T) {
    fn add_to(self, items: &mut Items) {
        items.names.push(self.0);
        self.1.add_to(items);
    }
}
