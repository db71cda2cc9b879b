//! `{}` and `{:?}`: PyTorch's text.

use super::Tensor;
use super::read::{element_f64, element_i64, on_host};
use crate::storage::lock;
use crate::text::{TensorText, Values, get_printoptions};
use crate::{Body, Category, Device, default_dtype};
use std::fmt;

impl Tensor {
    /// The text of the elements in `body`, which lie in main memory, or nowhere.
    fn text(&self, body: &Body) -> String {
        if body.device() == Device::Meta {
            return self.described(TensorText::without_values(&body.shape, body.dtype.name()));
        }
        let _locked = lock(&[body], &[]);
        let (float, int) = (element_f64(body), element_i64(body));
        let truth = |i: usize| int(i) != 0;
        let parts = body.reals();
        let part = element_f64(&parts);
        let complex = |i: usize| (part(2 * i), part(2 * i + 1));
        let values = match body.dtype.category() {
            Category::Bool => Values::Bool(&truth),
            Category::Integer => Values::Int(&int),
            Category::Float => Values::Float(&float),
            Category::Complex => Values::Complex(&complex),
        };
        self.described(TensorText::new(&body.shape, values, body.dtype.name()))
    }

    /// A text with what is said behind the elements.
    fn described(&self, text: TensorText<'_>) -> String {
        let device = match self.device() {
            Device::Cpu => None,
            other => Some(other.to_string()),
        };
        text.default_dtype(default_dtype().name())
            .device(device.as_deref())
            .grad_fn(self.grad_fn())
            .requires_grad(self.requires_grad())
            .render(&get_printoptions())
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_uninitialized() {
            return f.write_str("<UninitializedParameter>");
        }
        let body = self.body();
        let host = match body.device() {
            Device::Cpu | Device::Meta => Ok(body),
            _ => on_host(&body, body.dtype),
        };
        match host {
            Ok(host) => f.write_str(&self.text(&host)),
            Err(error) => write!(f, "<tensor that cannot be read: {error}>"),
        }
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
