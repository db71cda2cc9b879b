//! Activations, dropout and changes of shape.

use super::classes::classes;
use super::plain;
use crate::Out;
use crate::functional::Args;
use firebrick::nn;

macro_rules! dropout {
    ($a:ident, $class:ident) => {{
        let dropout = nn::$class::new($a.float_or("p", 0.5)?)?;
        plain(dropout.inplace($a.flag("inplace")?))
    }};
}

classes! { CLASSES;
    "ReLU" |a| plain(nn::ReLU::new().inplace(a.flag("inplace")?));
    "ReLU6" |a| plain(nn::ReLU6::new().inplace(a.flag("inplace")?));
    "Sigmoid" |_a| plain(nn::Sigmoid::new());
    "Tanh" |_a| plain(nn::Tanh::new());
    "GELU" |a| plain(nn::GELU::new().approximate(&a.text_or("approximate", "none")?));
    "GLU" |a| plain(nn::GLU::new(a.int_or("dim", -1)?));
    "SiLU" |a| plain(nn::SiLU::new().inplace(a.flag("inplace")?));
    "Mish" |a| plain(nn::Mish::new().inplace(a.flag("inplace")?));
    "ELU" |a| { let elu = nn::ELU::new().alpha(a.scalar_or("alpha", 1.0)?); plain(elu.inplace(a.flag("inplace")?)) };
    "SELU" |a| plain(nn::SELU::new().inplace(a.flag("inplace")?));
    "CELU" |a| { let celu = nn::CELU::new().alpha(a.scalar_or("alpha", 1.0)?); plain(celu.inplace(a.flag("inplace")?)) };
    "LeakyReLU" |a| { let relu = nn::LeakyReLU::new().negative_slope(a.scalar_or("negative_slope", 0.01)?); plain(relu.inplace(a.flag("inplace")?)) };
    "PReLU" |a| { let n = a.int_or("num_parameters", 1)?; plain(nn::PReLU::builder(n as usize).init(a.float_or("init", 0.25)?).dtype(a.dtype_or("dtype", firebrick::default_dtype())?).build()?) };
    "RReLU" |a| { let rrelu = nn::RReLU::new().lower(a.scalar_or("lower", 1.0 / 8.0)?).upper(a.scalar_or("upper", 1.0 / 3.0)?); plain(rrelu.inplace(a.flag("inplace")?)) };
    "Softplus" |a| { let softplus = nn::Softplus::new().beta(a.scalar_or("beta", 1.0)?); plain(softplus.threshold(a.scalar_or("threshold", 20.0)?)) };
    "Hardtanh" |a| { let (low, high) = (a.scalar_or("min_val", -1.0)?, a.scalar_or("max_val", 1.0)?); plain(nn::Hardtanh::new(low, high)?.inplace(a.flag("inplace")?)) };
    "Threshold" |a| { let (limit, value) = (a.scalar("threshold")?, a.scalar("value")?); plain(nn::Threshold::new(limit, value).inplace(a.flag("inplace")?)) };
    "Hardsigmoid" |a| plain(nn::Hardsigmoid::new().inplace(a.flag("inplace")?));
    "Hardswish" |a| plain(nn::Hardswish::new().inplace(a.flag("inplace")?));
    "Hardshrink" |a| plain(nn::Hardshrink::new().lambd(a.scalar_or("lambd", 0.5)?));
    "Softshrink" |a| plain(nn::Softshrink::new().lambd(a.scalar_or("lambd", 0.5)?));
    "LogSigmoid" |_a| plain(nn::LogSigmoid::new());
    "Softsign" |_a| plain(nn::Softsign::new());
    "Tanhshrink" |_a| plain(nn::Tanhshrink::new());
    "Softmax" |a| plain(nn::Softmax::new(dim(a)?));
    "LogSoftmax" |a| plain(nn::LogSoftmax::new(dim(a)?));
    "Softmin" |a| plain(nn::Softmin::new(dim(a)?));
    "Softmax2d" |_a| plain(nn::Softmax2d::new());
    "Dropout" |a| dropout!(a, Dropout);
    "Dropout1d" |a| dropout!(a, Dropout1d);
    "Dropout2d" |a| dropout!(a, Dropout2d);
    "Dropout3d" |a| dropout!(a, Dropout3d);
    "AlphaDropout" |a| dropout!(a, AlphaDropout);
    "FeatureAlphaDropout" |a| dropout!(a, FeatureAlphaDropout);
    "Flatten" |a| { let start = a.int_or("start_dim", 1)?; plain(nn::Flatten::between(start, a.int_or("end_dim", -1)?)) };
    "Unflatten" |a| { let dim = a.int("dim")?; plain(nn::Unflatten::new(dim, a.ints("unflattened_size")?)) };
}

/// The dimension of a softmax; PyTorch refuses a truth value.
fn dim(a: &mut Args) -> Out<Option<i64>> {
    match a.take("dim") {
        None => Ok(None),
        Some(crate::value::Value::Int(dim)) => Ok(Some(dim)),
        Some(other) => Err(crate::Failure::Types(format!("dim as {}", other.kind()))),
    }
}
