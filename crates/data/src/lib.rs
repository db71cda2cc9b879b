//! Data loading of Firebrick: PyTorch's `torch.utils.data`.
//!
//! | file | what it holds |
//! |---|---|
//! | `dataset`, `tensor_dataset`, `stack_dataset` | [`Dataset`] and those that are made of others |
//! | `iterable` | [`IterableDataset`], [`ChainDataset`] |
//! | `split` | [`random_split`] |
//! | `sampler`, `random_sampler`, `batch_sampler`, `distributed_sampler` | the orders in which a data set is visited |
//! | `collate` | [`Collate`]: items become a batch |
//! | `loader`, `builder` | [`DataLoader`] |
//! | `source` | indices, or the next items of a stream, become a batch |
//! | `worker` | the thread that does it, and [`get_worker_info`] |
//! | `crew` | the workers of a loader: starting, feeding, ending |
//! | `prefetch` | one pass with workers, in order |
//! | [`digits`] | a small data set that lies inside the program |
//!
//! Equal seeds give the orders of PyTorch 2.15.

pub mod digits;

mod batch_sampler;
mod builder;
mod caught;
mod collate;
mod crew;
mod dataset;
mod distributed_sampler;
mod iterable;
mod loader;
mod prefetch;
mod random_sampler;
mod sampler;
mod source;
mod split;
mod stack_dataset;
mod tensor_dataset;
mod worker;

pub use batch_sampler::BatchSampler;
pub use builder::DataLoaderBuilder;
pub use collate::Collate;
pub use dataset::{ConcatDataset, Dataset, ListDataset, Subset};
pub use distributed_sampler::DistributedSampler;
pub use iterable::{ChainDataset, IterableDataset};
pub use loader::{Batches, DataLoader};
pub use random_sampler::{RandomSampler, SubsetRandomSampler, WeightedRandomSampler};
pub use sampler::{Order, Sampler, SequentialSampler};
pub use split::{SplitLengths, random_split};
pub use stack_dataset::{Stack, StackDataset};
pub use tensor_dataset::{TensorDataset, Tensors};
pub use worker::{WorkerInfo, get_worker_info};
