//! The one error type: what failed, what was given, what was expected and where in the model.

use std::fmt;

/// The result of every fallible operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, named after the exception class that PyTorch raises for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// PyTorch's `RuntimeError`: shapes, devices, autograd.
    Runtime,
    /// PyTorch's `IndexError`: a dimension or an index out of range.
    Index,
    /// PyTorch's `ValueError`: an argument outside its domain.
    Value,
    /// PyTorch's `TypeError`: an argument of the wrong dtype or kind.
    Type,
    /// PyTorch's `KeyError`: a name that is taken, missing or malformed.
    Key,
    /// PyTorch's `AttributeError`: a member that does not exist.
    Attribute,
    /// PyTorch's `LinAlgError`, a `RuntimeError`: a matrix that is singular or otherwise has no such factors.
    LinAlg,
    /// PyTorch's `NotImplementedError`: an operation that a dtype or device does not have.
    NotImplemented,
    /// A file that cannot be read or written.
    Io,
}

/// An error that says where and why.
///
/// `Display` is PyTorch's sentence alone where it has one, since people search for those; `{:#}` and
/// `Debug` add the module with its path, the operation, what was given, what was expected and the remedy.
///
/// ```
/// use firebrick_core::{Error, ErrorKind};
/// let error = Error::value("dropout", "dropout probability has to be between 0 and 1, but got 2")
///     .expected("0 <= p <= 1");
/// assert_eq!(error.kind(), ErrorKind::Value);
/// assert_eq!(error.to_string(), "dropout probability has to be between 0 and 1, but got 2");
/// assert!(format!("{error:#}").contains("expected: 0 <= p <= 1"));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    op: &'static str,
    message: String,
    given: Option<String>,
    expected: Option<String>,
    remedy: Option<String>,
    frames: Vec<u64>,
    module_path: Option<String>,
    module: Option<String>,
}

macro_rules! shorthands {
    ($($(#[$doc:meta])* $name:ident = $kind:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// ```
        /// # use firebrick_core::{Error, ErrorKind};
        #[doc = concat!("let error = Error::", stringify!($name), "(\"load\", \"it does not fit\");")]
        #[doc = concat!("assert_eq!(error.kind(), ErrorKind::", stringify!($kind), ");")]
        /// assert_eq!((error.op(), error.message()), ("load", "it does not fit"));
        /// ```
        pub fn $name(op: &'static str, message: impl Into<String>) -> Self {
            Self::new(ErrorKind::$kind, op, message)
        }
    )* };
}

impl Error {
    /// An error of `kind` raised by the operation `op`.
    ///
    /// ```
    /// # use firebrick_core::{Error, ErrorKind};
    /// let error = Error::new(ErrorKind::Value, "dropout", "p must be a probability");
    /// assert_eq!((error.kind(), error.to_string()), (ErrorKind::Value, "p must be a probability".into()));
    /// ```
    #[cold]
    pub fn new(kind: ErrorKind, op: &'static str, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            op,
            message: message.into(),
            given: None,
            expected: None,
            remedy: None,
            frames: Vec::new(),
            module_path: None,
            module: None,
        }))
    }

    shorthands! {
        /// A `RuntimeError`.
        runtime = Runtime;
        /// An `IndexError`.
        index = Index;
        /// A `ValueError`.
        value = Value;
        /// A `TypeError`.
        type_ = Type;
        /// A `KeyError`.
        key = Key;
        /// An `AttributeError`.
        attribute = Attribute;
        /// A `LinAlgError`.
        lin_alg = LinAlg;
        /// A `NotImplementedError`.
        not_implemented = NotImplemented;
        /// A file error.
        io = Io;
    }

    /// Names the operation that failed.
    pub(crate) fn in_op(mut self, op: &'static str) -> Self {
        self.0.op = op;
        self
    }

    /// Adds what was given.
    ///
    /// ```
    /// # use firebrick_core::Error;
    /// let error = Error::value("dropout", "p is no probability").given("p = 2").expected("0 <= p <= 1");
    /// assert!(format!("{error:#}").contains("p = 2") && format!("{error:#}").contains("0 <= p <= 1"));
    /// ```
    pub fn given(mut self, given: impl Into<String>) -> Self {
        self.0.given = Some(given.into());
        self
    }

    /// Adds where it happened to what was given.
    ///
    /// ```
    /// # use firebrick_core::Error;
    /// let error = Error::runtime("load", "a record is damaged").given("byte 7").context("model.pt");
    /// assert!(format!("{error:#}").contains("byte 7; model.pt"));
    /// ```
    pub fn context(mut self, place: impl fmt::Display) -> Self {
        self.0.given = Some(match self.0.given.take() {
            Some(given) => format!("{given}; {place}"),
            None => place.to_string(),
        });
        self
    }

    /// Adds what was expected.
    ///
    /// ```
    /// # use firebrick_core::Error;
    /// let error = Error::value("dropout", "p is no probability").expected("0 <= p <= 1");
    /// assert!(format!("{error:#}").contains("0 <= p <= 1"));
    /// ```
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    /// Adds what to do about it.
    ///
    /// ```
    /// # use firebrick_core::Error;
    /// let error = Error::value("dropout", "p is no probability").remedy("divide percents by 100");
    /// assert!(format!("{error:#}").contains("divide percents by 100"));
    /// ```
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// PyTorch's exception class.
    ///
    /// ```
    /// # use firebrick_core::{ErrorKind, Tensor};
    /// let error = Tensor::zeros([2]).and_then(|x| x.narrow(1, 0, 1)).err();
    /// assert_eq!(error.map(|e| e.kind()), Some(ErrorKind::Index));
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let error = Tensor::zeros([2]).and_then(|x| x.mm(&x)).err();
    /// assert_eq!(error.map(|e| e.op()), Some("mm"));
    /// ```
    pub fn op(&self) -> &'static str {
        self.0.op
    }

    /// The sentence that `Display` prints.
    ///
    /// ```
    /// # use firebrick_core::Error;
    /// let error = Error::value("dropout", "p is no probability").given("p = 2");
    /// assert_eq!(error.message(), "p is no probability");
    /// ```
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The dotted path of the module in which it happened, where one is known; [`Error::set_module`] shows it.
    pub fn module_path(&self) -> Option<&str> {
        self.0.module_path.as_deref()
    }

    /// What the module is in which it happened: its class and options, such as
    /// `Linear(in_features=3, out_features=8, bias=True)`; [`Error::set_module`] shows it.
    pub fn module(&self) -> Option<&str> {
        self.0.module.as_deref()
    }

    /// Notes that the error passed through the module with this core identity, innermost first.
    ///
    /// ```
    /// # use firebrick_core::Error;
    /// let mut error = Error::runtime("matmul", "shapes do not fit");
    /// error.push_frame(7);
    /// assert_eq!(error.frames(), [7]);
    /// ```
    pub fn push_frame(&mut self, core_id: u64) {
        self.0.frames.push(core_id);
    }

    /// The core identities noted so far, innermost first; [`Error::push_frame`] shows it.
    pub fn frames(&self) -> &[u64] {
        &self.0.frames
    }

    /// Sets what [`Error::module_path`] and [`Error::module`] return; an empty path is that of a module which is no part
    /// of another.
    ///
    /// ```
    /// # use firebrick_core::Error;
    /// let mut error = Error::runtime("matmul", "shapes do not fit");
    /// error.set_module("net.0".to_owned(), "Linear(in_features=3, out_features=8, bias=True)".to_owned());
    /// assert_eq!((error.module_path(), error.to_string().as_str()), (Some("net.0"), "shapes do not fit"));
    /// assert!(error.module().is_some_and(|module| module.starts_with("Linear(")));
    /// assert!(format!("{error:#}").starts_with("in net.0 (Linear("));
    /// ```
    pub fn set_module(&mut self, path: String, module: String) {
        self.0.module_path = Some(path).filter(|path| !path.is_empty());
        self.0.module = Some(module);
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if !f.alternate() {
            return f.write_str(&inner.message);
        }
        match (&inner.module_path, &inner.module) {
            (Some(path), Some(module)) => write!(f, "in {path} ({module}): ")?,
            (Some(place), None) | (None, Some(place)) => write!(f, "in {place}: ")?,
            (None, None) => {}
        }
        write!(f, "{}\n  operation: {}", inner.message, inner.op)?;
        let details = [("given", &inner.given), ("expected", &inner.expected), ("remedy", &inner.remedy)];
        for (label, text) in details {
            if let Some(text) = text {
                write!(f, "\n  {label}: {text}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self:#}", self.0.kind)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::io("io", error.to_string())
    }
}

impl From<crate::random::RandomError> for Error {
    fn from(error: crate::random::RandomError) -> Self {
        use crate::random::RandomError as E;
        let kind = match error {
            E::NotImplemented { .. } => ErrorKind::NotImplemented,
            E::Dropout(_) | E::NumSamples(_) => ErrorKind::Value,
            _ => ErrorKind::Runtime,
        };
        Error::new(kind, "random", error.to_string())
    }
}
