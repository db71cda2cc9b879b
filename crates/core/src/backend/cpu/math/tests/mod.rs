//! Tests of the scalar functions against `f64` references and PyTorch's values.

mod accuracy;
