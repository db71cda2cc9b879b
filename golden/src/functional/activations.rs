//! Activations and dropout.

use super::operations;
use firebrick::nn::functional as F;

operations! { ROWS;
    "nn.functional.relu" |a| a.x()?.relu()?;
    "nn.functional.relu6" |a| a.x()?.relu6()?;
    "nn.functional.elu" |a| { let x = a.x()?; x.elu(a.float_or("alpha", 1.0)?)? };
    "nn.functional.celu" |a| { let x = a.x()?; x.celu(a.float_or("alpha", 1.0)?)? };
    "nn.functional.selu" |a| a.x()?.selu()?;
    "nn.functional.gelu" |a| { let x = a.x()?; x.gelu(a.text_or("approximate", "none")?)? };
    "nn.functional.hardshrink" |a| { let x = a.x()?; x.hardshrink(a.float_or("lambd", 0.5)?)? };
    "nn.functional.softshrink" |a| { let x = a.x()?; x.softshrink(a.float_or("lambd", 0.5)?)? };
    "nn.functional.hardsigmoid" |a| a.x()?.hardsigmoid()?;
    "nn.functional.hardswish" |a| a.x()?.hardswish()?;
    "nn.functional.hardtanh" |a| { let x = a.x()?; x.hardtanh(a.float_or("min_val", -1.0)?, a.float_or("max_val", 1.0)?)? };
    "nn.functional.leaky_relu" |a| { let x = a.x()?; x.leaky_relu(a.float_or("negative_slope", 0.01)?)? };
    "nn.functional.logsigmoid" |a| a.x()?.logsigmoid()?;
    "nn.functional.mish" |a| a.x()?.mish()?;
    "nn.functional.silu" |a| a.x()?.silu()?;
    "nn.functional.softplus" |a| { let x = a.x()?; x.softplus(a.float_or("beta", 1.0)?, a.float_or("threshold", 20.0)?)? };
    "nn.functional.softsign" |a| a.x()?.softsign()?;
    "nn.functional.glu" |a| { let x = a.x()?; F::glu(&x, a.int_or("dim", -1)?)? };
    "nn.functional.prelu" |a| { let x = a.x()?; F::prelu(&x, &a.tensor("weight")?)? };
    "nn.functional.rrelu" |a| { let x = a.x()?; F::rrelu(&x, a.float_or("lower", 1.0 / 8.0)?, a.float_or("upper", 1.0 / 3.0)?, a.flag("training")?)? };
    "native_dropout_backward" |a| { let x = a.x()?; x.native_dropout_backward(&a.tensor("mask")?, a.float("scale")?)? };
    "nn.functional.tanhshrink" |a| a.x()?.tanhshrink()?;
    "nn.functional.threshold" |a| { let x = a.x()?; x.threshold(a.float("threshold")?, a.float("value")?)? };
}
