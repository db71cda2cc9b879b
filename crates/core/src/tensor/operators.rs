//! `+ - * /` and negation between tensors in any form, numbers, and a `Result` on one side.

use super::{Buffer, Operand, Parameter, Tensor};
use crate::Result;
use crate::ops::rows;
use std::borrow::Cow;
use std::ops::{Add, Div, Mul, Neg, Sub};

macro_rules! binary {
    ($($trait:ident $method:ident $row:path;)*) => { $(
        binary!(@left $trait $method $row; Tensor, &Tensor, &Parameter, &Buffer);
        binary!(@number $trait $method $row; f32, f64, i32, i64);
    )* };
    (@left $trait:ident $method:ident $row:path; $($t:ty),*) => { $(
        impl<B: Operand> $trait<B> for $t {
            type Output = Result<Tensor>;
            #[inline]
            #[track_caller]
            fn $method(self, other: B) -> Result<Tensor> {
                let _running = crate::source::operation();
                $row(self.into_input()?, other.into_input()?, None)
            }
        }
        impl $trait<$t> for Result<Tensor> {
            type Output = Result<Tensor>;
            #[inline]
            #[track_caller]
            fn $method(self, other: $t) -> Result<Tensor> {
                let _running = crate::source::operation();
                $row(Cow::Owned(self?), other.into_input()?, None)
            }
        }
    )* };
    (@number $trait:ident $method:ident $row:path; $($t:ty),*) => { $(
        impl $trait<Tensor> for $t {
            type Output = Result<Tensor>;
            #[inline]
            #[track_caller]
            fn $method(self, other: Tensor) -> Result<Tensor> {
                let _running = crate::source::operation();
                $row(self.into_input()?, Cow::Owned(other), None)
            }
        }
        impl $trait<&Tensor> for $t {
            type Output = Result<Tensor>;
            #[inline]
            #[track_caller]
            fn $method(self, other: &Tensor) -> Result<Tensor> {
                let _running = crate::source::operation();
                $row(self.into_input()?, Cow::Borrowed(other), None)
            }
        }
    )* };
}

binary! {
    Add add rows::add;
    Sub sub rows::sub;
    Mul mul rows::mul;
    Div div rows::div;
}

impl Operand for Result<Tensor> {
    #[inline]
    fn into_operand(self) -> Result<Tensor> {
        self
    }
}

macro_rules! negation {
    ($($t:ty),*) => { $(
        impl Neg for $t {
            type Output = Result<Tensor>;
            #[track_caller]
            fn neg(self) -> Result<Tensor> {
                let _running = crate::source::operation();
                rows::neg(self.into_input()?, None)
            }
        }
    )* };
}
negation!(Tensor, &Tensor, &Parameter, &Buffer);
