//! Learning rates that fall: in steps, by a factor, by a power.

use crate::common::{boxed, check};
use firebrick::prelude::*;
use optim::lr_scheduler::{ExponentialLR, MultiStepLR, PolynomialLR, Schedule, StepLR};

#[test]
fn learning_rates_are_pytorch_s_after_loading_too() -> Result<()> {
    check(&[
        (|o| boxed(StepLR::new(3).gamma(0.5).build(o)?), &[0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025], 0.9),
        (
            |o| boxed(MultiStepLR::new([2, 4, 4]).gamma(0.3).build(o)?),
            &[
                0.1,
                0.1,
                0.03,
                0.03,
                0.0026999999999999997,
                0.0026999999999999997,
                0.0026999999999999997,
                0.0026999999999999997,
                0.0026999999999999997,
            ],
            0.9,
        ),
        (
            |o| boxed(ExponentialLR::new(0.9).build(o)?),
            &[
                0.1,
                0.09000000000000001,
                0.08100000000000002,
                0.07290000000000002,
                0.06561000000000002,
                0.05904900000000002,
                0.05314410000000002,
                0.04782969000000002,
                0.043046721000000024,
            ],
            0.9,
        ),
        (
            |o| boxed(PolynomialLR::new().build(o)?),
            &[0.1, 0.08000000000000002, 0.060000000000000005, 0.04000000000000001, 0.02, 0.0, 0.0, 0.0, 0.0],
            0.9,
        ),
        (
            |o| boxed(PolynomialLR::new().total_iters(7).power(2.5).build(o)?),
            &[
                0.1,
                0.06801943590165686,
                0.04312011503716921,
                0.02468339415570463,
                0.012024251094636318,
                0.004363448847549786,
                0.0007713560673657708,
                0.0,
                0.0,
            ],
            0.9,
        ),
    ])
}
