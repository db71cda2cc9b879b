//! Data loading of Firebrick: PyTorch's `torch.utils.data`.
//!
//! | file | what it holds |
//! |---|---|
//! | `dataset`, `tensor_dataset` | [`Dataset`], [`ListDataset`], [`Subset`], [`ConcatDataset`], [`TensorDataset`] |
//! | `split` | [`random_split`] |
//! | `sampler`, `random_sampler`, `batch_sampler` | the orders in which a data set is visited |
//! | `collate` | [`Collate`]: items become a batch |
//! | `loader`, `builder` | [`DataLoader`] |
//! | [`digits`] | a small data set that lies inside the program |
//!
//! Equal seeds give the orders of PyTorch 2.15.

pub mod digits;

mod batch_sampler;
mod builder;
mod collate;
mod dataset;
mod loader;
mod random_sampler;
mod sampler;
mod split;
mod tensor_dataset;

pub use batch_sampler::BatchSampler;
pub use builder::DataLoaderBuilder;
pub use collate::Collate;
pub use dataset::{ConcatDataset, Dataset, ListDataset, Subset};
pub use loader::{Batches, DataLoader};
pub use random_sampler::{RandomSampler, SubsetRandomSampler, WeightedRandomSampler};
pub use sampler::{Order, Sampler, SequentialSampler};
pub use split::{SplitLengths, random_split};
pub use tensor_dataset::{TensorDataset, Tensors};
