//! Poolings and paddings.

use super::classes::classes;
use super::{plain, with};
use crate::functional::pooling::{fractional_size, output_size};
use firebrick::nn;

macro_rules! average {
    ($a:ident, $class:ident $(, $divisor:ident)?) => {{
        let mut builder = nn::$class::builder($a.ints("kernel_size")?);
        if let Some(stride) = $a.maybe_ints("stride")? {
            builder = builder.stride(stride);
        }
        builder = builder.padding($a.ints_or("padding", &[0])?).ceil_mode($a.flag("ceil_mode")?);
        builder = builder.count_include_pad($a.bool_or("count_include_pad", true)?);
        $(if let Some(divisor) = $a.maybe_int(stringify!($divisor))? {
            builder = builder.$divisor(divisor);
        })?
        plain(builder.build()?)
    }};
}

macro_rules! norm {
    ($a:ident, $class:ident) => {{
        let mut pool = nn::$class::new($a.scalar("norm_type")?, $a.ints("kernel_size")?);
        if let Some(stride) = $a.maybe_ints("stride")? {
            pool = pool.stride(stride);
        }
        plain(pool.ceil_mode($a.flag("ceil_mode")?))
    }};
}

macro_rules! adaptive_max {
    ($a:ident, $class:ident) => {{
        let pool = nn::$class::new(output_size($a)?);
        match $a.flag("return_indices")? {
            true => with(pool, |pool, a| Ok(pool.call_with_indices(&a.x()?)?)),
            false => plain(pool),
        }
    }};
}

macro_rules! fractional {
    ($a:ident, $class:ident) => {{
        let kernel = $a.ints("kernel_size")?;
        let mut pool = nn::$class::new(kernel, fractional_size($a)?)?;
        let indices = $a.flag("return_indices")?;
        if let Some(samples) = $a.maybe_tensor("_random_samples")? {
            pool = pool.random_samples(samples);
        }
        match indices {
            true => with(pool, |pool, a| Ok(pool.call_with_indices(&a.x()?)?)),
            false => plain(pool),
        }
    }};
}

macro_rules! unpool {
    ($a:ident, $class:ident) => {{
        let mut pool = nn::$class::new($a.ints("kernel_size")?);
        if let Some(stride) = $a.maybe_ints("stride")? {
            pool = pool.stride(stride);
        }
        with(pool.padding($a.ints_or("padding", &[0])?), |pool: &nn::$class, a| {
            let (x, indices) = (a.x()?, a.tensor("indices")?);
            Ok(match a.maybe_ints("output_size")? {
                Some(size) => pool.call_with_size(&x, &indices, size)?,
                None => nn::Call::call(pool, (x, indices))?,
            })
        })
    }};
}

macro_rules! constant {
    ($a:ident, $class:ident) => {{
        let padding = $a.ints("padding")?;
        plain(nn::$class::new(padding, $a.scalar("value")?))
    }};
}

classes! { CLASSES;
    "AvgPool1d" |a| average!(a, AvgPool1d);
    "LPPool1d" |a| norm!(a, LPPool1d);
    "AdaptiveAvgPool1d" |a| plain(nn::AdaptiveAvgPool1d::new(output_size(a)?));
    "AdaptiveMaxPool1d" |a| adaptive_max!(a, AdaptiveMaxPool1d);
    "MaxUnpool1d" |a| unpool!(a, MaxUnpool1d);
    "ConstantPad1d" |a| constant!(a, ConstantPad1d);
    "ZeroPad1d" |a| plain(nn::ZeroPad1d::new(a.ints("padding")?));
    "ReflectionPad1d" |a| plain(nn::ReflectionPad1d::new(a.ints("padding")?));
    "ReplicationPad1d" |a| plain(nn::ReplicationPad1d::new(a.ints("padding")?));
    "CircularPad1d" |a| plain(nn::CircularPad1d::new(a.ints("padding")?));
    "AvgPool2d" |a| average!(a, AvgPool2d, divisor_override);
    "LPPool2d" |a| norm!(a, LPPool2d);
    "AdaptiveAvgPool2d" |a| plain(nn::AdaptiveAvgPool2d::new(output_size(a)?));
    "AdaptiveMaxPool2d" |a| adaptive_max!(a, AdaptiveMaxPool2d);
    "MaxUnpool2d" |a| unpool!(a, MaxUnpool2d);
    "ConstantPad2d" |a| constant!(a, ConstantPad2d);
    "ZeroPad2d" |a| plain(nn::ZeroPad2d::new(a.ints("padding")?));
    "ReflectionPad2d" |a| plain(nn::ReflectionPad2d::new(a.ints("padding")?));
    "ReplicationPad2d" |a| plain(nn::ReplicationPad2d::new(a.ints("padding")?));
    "CircularPad2d" |a| plain(nn::CircularPad2d::new(a.ints("padding")?));
    "AvgPool3d" |a| average!(a, AvgPool3d, divisor_override);
    "LPPool3d" |a| norm!(a, LPPool3d);
    "AdaptiveAvgPool3d" |a| plain(nn::AdaptiveAvgPool3d::new(output_size(a)?));
    "AdaptiveMaxPool3d" |a| adaptive_max!(a, AdaptiveMaxPool3d);
    "MaxUnpool3d" |a| unpool!(a, MaxUnpool3d);
    "ConstantPad3d" |a| constant!(a, ConstantPad3d);
    "ZeroPad3d" |a| plain(nn::ZeroPad3d::new(a.ints("padding")?));
    "ReflectionPad3d" |a| plain(nn::ReflectionPad3d::new(a.ints("padding")?));
    "ReplicationPad3d" |a| plain(nn::ReplicationPad3d::new(a.ints("padding")?));
    "CircularPad3d" |a| plain(nn::CircularPad3d::new(a.ints("padding")?));
    "FractionalMaxPool2d" |a| fractional!(a, FractionalMaxPool2d);
    "FractionalMaxPool3d" |a| fractional!(a, FractionalMaxPool3d);
}
