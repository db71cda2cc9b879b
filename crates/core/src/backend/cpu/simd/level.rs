//! Which vector instructions the processor at hand has. Other architectures have one set, known when compiling.

use std::sync::OnceLock;

/// The instructions that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What every x86-64 processor has.
    Baseline,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 with its byte, word, double-word and short vectors.
    Avx512,
}

/// The best level that this processor has. The environment variable `ATEN_CPU_CAPABILITY` can lower it, as in PyTorch: to
/// `avx2` or `default`.
#[inline]
pub(crate) fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| match std::env::var("ATEN_CPU_CAPABILITY").as_deref() {
        Ok("default") => Level::Baseline,
        Ok("avx2") => detected().min(Level::Avx2),
        _ => detected(),
    })
}

fn detected() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        _ => Level::Baseline,
    }
}
