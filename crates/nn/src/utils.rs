//! Helpers around modules: PyTorch's `torch.nn.utils`.

pub use crate::state_dict::consume_prefix_in_state_dict_if_present;
