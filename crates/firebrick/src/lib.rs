//! `nn.Module` for Rust: PyTorch's exact behaviour, plus the failures PyTorch hides made loud.
