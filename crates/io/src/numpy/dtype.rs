//! NumPy's names of element types.

use super::NumpyError;
use firebrick_core::DType;

/// What a file says of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descr {
    pub dtype: DType,
    /// Are the bytes of each number in the other order than this machine's?
    pub swapped: bool,
}

/// Byte order of this machine, and the other one.
const ORDERS: [char; 2] = if cfg!(target_endian = "little") { ['<', '>'] } else { ['>', '<'] };

macro_rules! names {
    ($($dtype:ident $name:literal)*) => {
        fn from_code(code: &str) -> Option<DType> {
            match code {
                $($name => Some(DType::$dtype),)*
                _ => None,
            }
        }

        fn code(dtype: DType) -> Option<&'static str> {
            match dtype {
                $(DType::$dtype => Some($name),)*
                DType::BF16 => None,
            }
        }
    };
}
names!(Bool "b1" U8 "u1" I8 "i1" I16 "i2" I32 "i4" I64 "i8" F16 "f2" F32 "f4" F64 "f8" C64 "c8" C128 "c16");

impl Descr {
    /// Reads a name such as `<f4`.
    pub fn parse(name: &str) -> Result<Self, NumpyError> {
        let order = name.chars().next().filter(|order| ['<', '>', '=', '|'].contains(order));
        let code = order.map_or(name, |_| &name[1..]);
        if code.starts_with('O') {
            return Err(NumpyError::Objects(name.to_string()));
        }
        let dtype = from_code(code).ok_or_else(|| NumpyError::Dtype(name.to_string()))?;
        Ok(Descr { dtype, swapped: order == Some(ORDERS[1]) && dtype.size() > 1 })
    }

    /// The name of a dtype in files of this machine; NumPy has no bfloat16.
    pub fn name(dtype: DType) -> Option<String> {
        let order = if dtype.size() == 1 { '|' } else { ORDERS[0] };
        code(dtype).map(|code| format!("{order}{code}"))
    }
}
