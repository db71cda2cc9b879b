//! A list of modules.

use super::{insertion_place, place, share, slice};
use crate::{Core, Custom, Forward, Module, repr};
use firebrick_core::Result;
use std::ops::{Add, AddAssign, RangeBounds};

/// A list of modules under the names `0`, `1`, ...
///
/// Equal modules are of their own type, `ModuleList<Linear>`; different ones are boxed, which is the default. A
/// bare `Vec` field is the same without being a module of its own. Indices and bounds of ranges may be negative, as in
/// Python; `list + other` and `list += other` take any iterator of modules.
///
/// Unlike PyTorch 2.15, `insert` counts negative places from the end and refuses those beyond the ends: there the
/// former breaks the list and the latter leaves one that cannot be indexed.
///
/// ```
/// use firebrick::prelude::*;
/// let mut layers = nn::ModuleList::from(vec![nn::Linear::new(2, 2)?, nn::Linear::new(2, 2)?]);
/// layers.append(nn::Linear::new(2, 3)?);
/// assert_eq!(
///     layers.to_string(),
///     "ModuleList(\n  \
///        (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)\n  \
///        (2): Linear(in_features=2, out_features=3, bias=True)\n)"
/// );
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct ModuleList<M: Module = Box<dyn Forward>> {
    core: Core,
    #[module(flatten)]
    modules: Vec<M>,
}

impl<M: Module> Custom for ModuleList<M> {
    fn repr(&self) -> Option<String> {
        let texts = self.modules.iter().map(|module| repr::repr(module.as_dyn())).collect();
        Some(repr::grouped(&self.display_name(), texts))
    }
}

impl<M: Module> ModuleList<M> {
    /// An empty list.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut layers = nn::ModuleList::new();
    /// assert!(layers.is_empty());
    /// layers.append(nn::Linear::new(2, 2)?);
    /// layers.extend([nn::Linear::new(2, 3)?, nn::Linear::new(3, 4)?]);
    /// layers.insert(0, nn::Linear::new(1, 2)?)?;
    /// assert_eq!((layers.len(), layers.get(-1)?.out_features()), (4, 4));
    /// layers.set(0, nn::Linear::new(5, 2)?)?;
    /// layers.get_mut(0)?.bias = None;
    /// let sizes: Vec<_> = layers.iter().map(|layer| layer.parameters().len()).collect();
    /// assert_eq!(sizes, [1, 2, 2, 2]);
    /// assert_eq!(layers.pop(-1)?.out_features(), 4);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::from(Vec::new())
    }

    /// How many modules there are.
    pub fn len(&self) -> usize {
        self.modules.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// The modules in order.
    pub fn iter(&self) -> std::slice::Iter<'_, M> {
        self.modules.iter()
    }

    /// The modules in order, open to change.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut layers = nn::ModuleList::from(vec![nn::Linear::new(2, 2)?, nn::Linear::new(2, 2)?]);
    /// layers.iter_mut().for_each(|layer| layer.bias = None);
    /// assert_eq!(layers.parameters().len(), 2);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, M> {
        self.modules.iter_mut()
    }

    /// The module at `index`: PyTorch's `list[index]`.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn get(&self, index: isize) -> Result<&M> {
        Ok(&self.modules[place("ModuleList", index, self.len())?])
    }

    /// The module at `index`, open to change.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn get_mut(&mut self, index: isize) -> Result<&mut M> {
        let at = place("ModuleList", index, self.len())?;
        Ok(&mut self.modules[at])
    }

    /// Replaces the module at `index` and returns the old one.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn set(&mut self, index: isize, module: M) -> Result<M> {
        Ok(std::mem::replace(self.get_mut(index)?, module))
    }

    /// Adds a module at the end.
    pub fn append(&mut self, module: M) -> &mut Self {
        self.modules.push(module);
        self
    }

    /// Adds modules at the end: PyTorch's `extend` and `+=`.
    pub fn extend(&mut self, modules: impl IntoIterator<Item = M>) -> &mut Self {
        self.modules.extend(modules);
        self
    }

    /// Puts a module before the one at `index`; those behind it get new names.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..=len`.
    pub fn insert(&mut self, index: isize, module: M) -> Result<()> {
        let at = insertion_place("ModuleList.insert", index, self.len())?;
        self.modules.insert(at, module);
        Ok(())
    }

    /// Takes the module at `index` out; those behind it get new names.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn pop(&mut self, index: isize) -> Result<M> {
        let at = place("ModuleList", index, self.len())?;
        Ok(self.modules.remove(at))
    }

    /// Takes a range out into a list of its own: PyTorch's `del list[a:b]`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let sizes = [2, 3, 4].map(|size| nn::Linear::new(size, 2));
    /// let mut layers = nn::ModuleList::from(sizes.into_iter().collect::<Result<Vec<_>>>()?);
    /// assert_eq!((layers.drain(..2).len(), layers.len()), (2, 1));
    /// assert_eq!(layers.get(0)?.in_features(), 4);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn drain(&mut self, range: impl RangeBounds<isize>) -> Self {
        let range = slice(range, self.len());
        Self::from(self.modules.drain(range).collect::<Vec<M>>())
    }
}

impl<M: Module + Clone> ModuleList<M> {
    /// A list that shares the modules of a range, for modules behind `Arc`: PyTorch's `list[a:b]`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use std::sync::Arc;
    /// let layers = nn::ModuleList::from(vec![Arc::new(nn::Linear::new(2, 3)?), Arc::new(nn::Linear::new(3, 4)?)]);
    /// let last = layers.slice(-1..);
    /// assert_eq!(last.parameters()[0].id(), layers.parameters()[2].id());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn slice(&self, range: impl RangeBounds<isize>) -> Self {
        Self::from(self.modules[slice(range, self.len())].to_vec())
    }
}

impl ModuleList {
    /// A list that shares the modules of a range: PyTorch's `list[a:b]`. They are put behind `Arc`s for that, so their
    /// own structure cannot change while both lists live.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut layers = nn::ModuleList::from(vec![nn::boxed(nn::ReLU::new()), nn::boxed(nn::Linear::new(2, 2)?)]);
    /// let last = layers.share(-1..);
    /// assert!(last.parameters()[0].ptr_eq(&layers.parameters()[0]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn share(&mut self, range: impl RangeBounds<isize>) -> Self {
        let range = slice(range, self.len());
        self.modules[range].iter_mut().map(share).collect()
    }
}

impl<M: Module, I: IntoIterator<Item = M>> AddAssign<I> for ModuleList<M> {
    fn add_assign(&mut self, modules: I) {
        self.extend(modules);
    }
}

impl<M: Module, I: IntoIterator<Item = M>> Add<I> for ModuleList<M> {
    type Output = Self;
    fn add(mut self, modules: I) -> Self {
        self.extend(modules);
        self
    }
}

impl<M: Module> Default for ModuleList<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Module> From<Vec<M>> for ModuleList<M> {
    fn from(modules: Vec<M>) -> Self {
        ModuleList { core: Core::new(), modules }
    }
}

impl<M: Module, const N: usize> From<[M; N]> for ModuleList<M> {
    fn from(modules: [M; N]) -> Self {
        Self::from(Vec::from(modules))
    }
}

impl<M: Module> FromIterator<M> for ModuleList<M> {
    fn from_iter<I: IntoIterator<Item = M>>(modules: I) -> Self {
        Self::from(modules.into_iter().collect::<Vec<M>>())
    }
}

impl<M: Module> IntoIterator for ModuleList<M> {
    type Item = M;
    type IntoIter = std::vec::IntoIter<M>;
    fn into_iter(self) -> Self::IntoIter {
        self.modules.into_iter()
    }
}

impl<'a, M: Module> IntoIterator for &'a ModuleList<M> {
    type Item = &'a M;
    type IntoIter = std::slice::Iter<'a, M>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<M: Module> std::ops::Index<usize> for ModuleList<M> {
    type Output = M;
    /// Panics outside the list, as a slice does; [`ModuleList::get`] returns an error instead.
    fn index(&self, index: usize) -> &M {
        &self.modules[index]
    }
}
