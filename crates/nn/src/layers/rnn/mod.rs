//! Recurrent layers and cells.

mod cells;
mod config;
mod layers;
mod step;

pub use cells::{GRUCell, GRUCellBuilder, LSTMCell, LSTMCellBuilder, RNNCell, RNNCellBuilder};
pub use layers::{GRU, GRUBuilder, LSTM, LSTMBuilder, RNN, RNNBuilder};
pub use step::RNNNonlinearity;
