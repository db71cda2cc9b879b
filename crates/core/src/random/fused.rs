//! One kernel body compiled twice, for the baseline processor and for AVX2 with FMA.

/// Declares a function whose body is also compiled for AVX2 with FMA and picked at run time.
///
/// Both copies give the same bits: `mul_add` rounds once wherever it runs. Without the feature it
/// is a call into the C library for each element, which is why the copy exists. Other
/// architectures with a fused multiply-add in their baseline (aarch64) need no copy.
macro_rules! fused_kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code)] // the one call of the AVX2 copy below
        $vis fn $name($($arg: $ty),*) {
            #[inline(always)]
            fn body($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn fused($($arg: $ty),*) {
                    body($($arg),*)
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the line above found both features on this processor.
                    return unsafe { fused($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}

pub(super) use fused_kernel;
