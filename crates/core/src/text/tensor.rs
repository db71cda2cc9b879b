//! The text of a tensor: its elements and the facts printed behind them.

use super::elements::elements;
use super::options::{PrintOptions, get_printoptions};
use super::python::python_tuple;
use std::fmt;

const PREFIX: &str = "tensor(";

/// The elements of a tensor by their position in row-major order.
///
/// Only printed elements are asked for, so a huge tensor costs no more than its summary.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    /// float64, or float32, float16 and bfloat16 widened to it.
    Float(&'a dyn Fn(usize) -> f64),
    /// Any integer dtype.
    Int(&'a dyn Fn(usize) -> i64),
    /// bool.
    Bool(&'a dyn Fn(usize) -> bool),
    /// A complex dtype, as real and imaginary part.
    Complex(&'a dyn Fn(usize) -> (f64, f64)),
}

/// What is known of a tensor when it is printed.
///
/// [`Display`](fmt::Display) uses the options of [`set_printoptions`](super::set_printoptions).
///
/// Compared with `torch._tensor_str` of PyTorch 2.15 for dense tensors.
///
/// ```
/// use firebrick_core::text::{PrintOptions, TensorText, Values};
///
/// let text = TensorText::new(&[2, 2], Values::Float(&|i| i as f64), "float32").requires_grad(true);
/// assert_eq!(text.to_string(), "tensor([[0., 1.],\n        [2., 3.]], requires_grad=True)");
/// let parameter = text.render_parameter(&PrintOptions::default());
/// assert!(parameter.starts_with("Parameter containing:\ntensor([[0., 1.],"));
/// ```
#[derive(Clone, Copy)]
pub struct TensorText<'a> {
    shape: &'a [usize],
    /// `None` for a tensor without data.
    values: Option<Values<'a>>,
    dtype: &'a str,
    default_dtype: &'a str,
    device: Option<&'a str>,
    grad_fn: Option<&'a str>,
    requires_grad: bool,
}

impl<'a> TensorText<'a> {
    /// A tensor on the CPU outside any graph; `dtype` is named as in `torch.float32`, without `torch.`.
    pub fn new(shape: &'a [usize], values: Values<'a>, dtype: &'a str) -> Self {
        TensorText { values: Some(values), ..TensorText::without_values(shape, dtype) }
    }

    /// A tensor without data, as on PyTorch's `meta` device: three dots stand for its elements.
    ///
    /// ```
    /// use firebrick_core::text::{PrintOptions, TensorText};
    /// let text = TensorText::without_values(&[2], "float16").device(Some("meta")).grad_fn(Some("AddBackward0"));
    /// let text = text.default_dtype("float16").render(&PrintOptions::default());
    /// assert_eq!(text, "tensor(..., device='meta', size=(2,), grad_fn=<AddBackward0>)");
    /// ```
    pub fn without_values(shape: &'a [usize], dtype: &'a str) -> Self {
        TensorText {
            shape,
            values: None,
            dtype,
            default_dtype: "float32",
            device: None,
            grad_fn: None,
            requires_grad: false,
        }
    }

    /// Sets the dtype of new tensors, which is not printed; `float32` unless set. [`TensorText::without_values`]
    /// shows it.
    pub fn default_dtype(mut self, default_dtype: &'a str) -> Self {
        self.default_dtype = default_dtype;
        self
    }

    /// Sets the device to print, such as `mock:0`; `None` for the CPU, which is not printed. [`TensorText::without_values`]
    /// shows it.
    pub fn device(mut self, device: Option<&'a str>) -> Self {
        self.device = device;
        self
    }

    /// Sets the name of the node that made the tensor, such as `AddBackward0`; [`TensorText::without_values`] shows it.
    pub fn grad_fn(mut self, grad_fn: Option<&'a str>) -> Self {
        self.grad_fn = grad_fn;
        self
    }

    /// Sets whether the tensor requires a gradient; printed only where there is no `grad_fn`.
    pub fn requires_grad(mut self, requires_grad: bool) -> Self {
        self.requires_grad = requires_grad;
        self
    }

    /// The text of the tensor as a parameter: `Parameter containing:` and the tensor below it.
    pub fn render_parameter(&self, options: &PrintOptions) -> String {
        format!("Parameter containing:\n{}", self.render(options))
    }

    /// The text of the tensor; [`TensorText::without_values`] shows it.
    pub fn render(&self, options: &PrintOptions) -> String {
        let mut text = PREFIX.to_string();
        match self.values {
            None => text.push_str("..."),
            Some(_) if self.shape.contains(&0) => text.push_str("[]"),
            Some(values) => text.push_str(&elements(self.shape, values, PREFIX.len(), options)),
        }
        let line_start = text.rfind('\n').map_or(0, |newline| newline + 1);
        // Two more than there are: PyTorch breaks the line that much too early.
        let mut line_len = text.len() - line_start + 2;
        for suffix in self.suffixes(options) {
            if line_len + suffix.len() + 2 > options.linewidth {
                text.push_str(",\n");
                text.push_str(&" ".repeat(PREFIX.len()));
                line_len = PREFIX.len() + suffix.len();
            } else {
                text.push_str(", ");
                line_len += suffix.len() + 2;
            }
            text.push_str(&suffix);
        }
        text.push(')');
        text
    }

    fn suffixes(&self, options: &PrintOptions) -> Vec<String> {
        let mut suffixes = Vec::new();
        if let Some(device) = self.device {
            suffixes.push(format!("device='{device}'"));
        }
        let empty = self.shape.contains(&0);
        // `tensor([])` reads as one dimension of the default dtype: nothing else may stay unsaid.
        let (show_size, dtype_is_clear) = if self.values.is_none() {
            (true, self.dtype == self.default_dtype)
        } else if empty {
            (self.shape.len() != 1, self.dtype == self.default_dtype)
        } else {
            (options.edgeitems == 0, self.dtype_follows_from_elements())
        };
        if show_size {
            suffixes.push(format!("size={}", python_tuple(self.shape)));
        }
        if !dtype_is_clear {
            suffixes.push(format!("dtype=torch.{}", self.dtype));
        }
        if let Some(grad_fn) = self.grad_fn {
            suffixes.push(format!("grad_fn=<{grad_fn}>"));
        } else if self.requires_grad {
            suffixes.push("requires_grad=True".to_string());
        }
        suffixes
    }

    fn dtype_follows_from_elements(&self) -> bool {
        let default_complex = match self.default_dtype {
            "float64" => "complex128",
            _ => "complex64",
        };
        let clear = [self.default_dtype, default_complex, "int64", "bool"];
        clear.contains(&self.dtype)
    }
}

impl fmt::Display for TensorText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&get_printoptions()))
    }
}
