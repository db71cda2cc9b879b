//! Items become a batch.

use firebrick_core::{Element, Error, Result, Tensor};
use indexmap::IndexMap;

/// An item of which several make a batch, as PyTorch's `default_collate` puts them together.
///
/// | item | batch |
/// |---|---|
/// | a tensor | the tensors stacked in a new first dimension |
/// | a number | a tensor with one dimension, in the number's dtype (`usize`: int64) |
/// | a string | a vector of strings |
/// | a tuple | a tuple of batches |
/// | a vector | a vector of batches, one for each place |
/// | an `IndexMap` | a map of batches, with the first item's keys |
/// | an `Option` | a batch, or `None` if every item is `None` |
///
/// Unlike PyTorch's, a number keeps its own width: Python's have only one. PyTorch 2.15 refuses every `None`.
///
/// ```
/// use firebrick_data::Collate;
/// let (numbers, names) = Collate::collate(vec![(1.5f32, "a"), (2.5, "b")])?;
/// assert_eq!((numbers.to_vec::<f32>()?, names), (vec![1.5, 2.5], vec!["a", "b"]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait Collate: Sized {
    /// Several items together.
    type Batch;

    /// Puts the items together.
    ///
    /// # Errors
    /// Tensors of different shapes or dtypes, vectors of different lengths, maps of different keys, `None` beside items.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_data::Collate;
    /// let batch = Tensor::collate(vec![Tensor::new([1.0f32, 2.0])?, Tensor::new([3.0f32, 4.0])?])?;
    /// assert_eq!((batch.shape(), batch.to_vec::<f32>()?), ([2, 2].into(), vec![1.0, 2.0, 3.0, 4.0]));
    /// assert!(Tensor::collate(vec![Tensor::zeros([2])?, Tensor::zeros([3])?]).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn collate(items: Vec<Self>) -> Result<Self::Batch>;
}

/// A batch of the items, of which there must be one: a batch sampler may ask for none.
pub(crate) fn collate<T: Collate>(items: Vec<T>) -> Result<T::Batch> {
    match items.is_empty() {
        false => T::collate(items),
        true => Err(Error::index("collate", "list index out of range")
            .given("a batch of no items")
            .expected("at least one item")),
    }
}

impl Collate for Tensor {
    type Batch = Tensor;

    fn collate(items: Vec<Tensor>) -> Result<Tensor> {
        Tensor::stack(&items, 0)
    }
}

fn numbers<T: Element>(items: &[T]) -> Result<Tensor> {
    Tensor::from_slice(items, [items.len()])
}

macro_rules! numbers {
    ($($t:ty),*) => { $(
        impl Collate for $t {
            type Batch = Tensor;

            fn collate(items: Vec<$t>) -> Result<Tensor> {
                numbers(&items)
            }
        }
    )* };
}
numbers!(bool, u8, i8, i16, i32, i64, f32, f64);

impl Collate for usize {
    type Batch = Tensor;

    fn collate(items: Vec<usize>) -> Result<Tensor> {
        numbers(&items.into_iter().map(|item| item as i64).collect::<Vec<_>>())
    }
}

macro_rules! strings {
    ($($t:ty),*) => { $(
        impl Collate for $t {
            type Batch = Vec<$t>;

            fn collate(items: Vec<$t>) -> Result<Vec<$t>> {
                Ok(items)
            }
        }
    )* };
}
strings!(String, &'static str);

macro_rules! tuples {
    ($($($t:ident $field:ident $list:ident),+;)*) => { $(
        impl<$($t: Collate),+> Collate for ($($t,)+) {
            type Batch = ($($t::Batch,)+);

            fn collate(items: Vec<Self>) -> Result<Self::Batch> {
                $(let mut $list = Vec::with_capacity(items.len());)+
                for ($($field,)+) in items {
                    $($list.push($field);)+
                }
                Ok(($($t::collate($list)?,)+))
            }
        }
    )* };
}
tuples! {
    A a list_a;
    A a list_a, B b list_b;
    A a list_a, B b list_b, C c list_c;
    A a list_a, B b list_b, C c list_c, D d list_d;
}

impl<T: Collate> Collate for Vec<T> {
    type Batch = Vec<T::Batch>;

    fn collate(items: Vec<Vec<T>>) -> Result<Self::Batch> {
        let length = items.first().map_or(0, Vec::len);
        let mut places: Vec<Vec<T>> = (0..length).map(|_| Vec::with_capacity(items.len())).collect();
        for (i, item) in items.into_iter().enumerate() {
            if item.len() != length {
                return Err(Error::runtime("collate", "each element in list of batch should be of equal size")
                    .given(format!("{length} elements in item 0, {} in item {i}", item.len())));
            }
            places.iter_mut().zip(item).for_each(|(place, element)| place.push(element));
        }
        places.into_iter().map(T::collate).collect()
    }
}

impl<T: Collate> Collate for IndexMap<String, T> {
    type Batch = IndexMap<String, T::Batch>;

    fn collate(items: Vec<Self>) -> Result<Self::Batch> {
        let mut items = items.into_iter();
        let Some(first) = items.next() else { return Ok(IndexMap::new()) };
        let mut lists: IndexMap<String, Vec<T>> = first.into_iter().map(|(key, value)| (key, vec![value])).collect();
        for mut item in items {
            for (key, list) in &mut lists {
                let value = item.swap_remove(key);
                list.push(value.ok_or_else(|| Error::key("collate", format!("'{key}'")))?);
            }
        }
        lists.into_iter().map(|(key, list)| Ok((key, T::collate(list)?))).collect()
    }
}

impl<T: Collate> Collate for Option<T> {
    type Batch = Option<T::Batch>;

    fn collate(items: Vec<Self>) -> Result<Self::Batch> {
        let count = items.len();
        let some: Vec<T> = items.into_iter().flatten().collect();
        match some.len() {
            0 => Ok(None),
            n if n == count => T::collate(some).map(Some),
            n => Err(Error::type_(
                "collate",
                "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'NoneType'>",
            )
            .given(format!("{} items that are None and {n} that are not", count - n))),
        }
    }
}
