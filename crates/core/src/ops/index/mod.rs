//! Picking and writing elements by index.

mod advanced;
mod along;
mod basic;
mod embedding;
mod embedding_bag;
mod fold;
mod fold_grad;
mod item;
mod masked;
mod places;
mod rows;
mod run;
mod select;
mod take;

use crate::ops::Row;

pub use embedding_bag::{BagMode, BagOptions};
pub use item::{Ellipsis, IndexItem, IntoIndex, NewAxis, Slice};

pub(crate) use run::picked;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[embedding::EMBEDDING, embedding_bag::BAGS, rows::INDEXING];
