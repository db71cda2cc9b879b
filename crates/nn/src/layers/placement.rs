//! Where a new layer's parameters are and what they are made of: setters that every builder has.

/// The setters `dtype` and `device` of a builder that has fields of these names, itself or `in` one of its fields. The
/// builder that is given stands in the example.
macro_rules! placement {
    ($builder:expr $(, in $config:tt)?) => {
        /// The dtype of the parameters; the default dtype unless set.
        ///
        /// ```
        /// use firebrick::prelude::*;
        #[doc = concat!("let layer = nn::", stringify!($builder), ".dtype(DType::F64).build()?;")]
        /// assert!(layer.parameters().iter().all(|parameter| parameter.dtype() == DType::F64));
        /// # Ok::<_, firebrick::Error>(())
        /// ```
        pub fn dtype(mut self, dtype: firebrick_core::DType) -> Self {
            self.$($config.)?dtype = dtype;
            self
        }

        /// The device of the parameters; the default device unless set.
        ///
        /// ```
        /// use firebrick::prelude::*;
        #[doc = concat!("let layer = nn::", stringify!($builder), ".device(Device::Meta).build()?;")]
        /// assert!(layer.parameters().iter().all(|parameter| parameter.device() == Device::Meta));
        /// # Ok::<_, firebrick::Error>(())
        /// ```
        pub fn device(mut self, device: firebrick_core::Device) -> Self {
            self.$($config.)?device = device;
            self
        }
    };
}

pub(super) use placement;
