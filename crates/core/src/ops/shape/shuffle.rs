//! Channels moved into space and back, and channels dealt out among groups.

use crate::ops::composed;
use crate::ops::sample;
use crate::{Dims, Error, Result, Tensor};

/// Refuses tensors without three dimensions, and factors that are not positive.
fn check(op: &'static str, x: &Tensor, name: &str, factor: i64) -> Result<usize> {
    if x.dim() < 3 {
        let text =
            format!("{op} expects input to have at least 3 dimensions, but got input with {} dimension(s)", x.dim());
        return Err(Error::runtime(op, text));
    }
    if factor <= 0 {
        return Err(Error::runtime(op, format!("{op} expects a positive {name}, but got {factor}")));
    }
    Ok(factor as usize)
}

/// The leading dimensions, then these.
fn shape(x: &Dims, last: &[usize]) -> Dims {
    x[..x.len() - 3].iter().chain(last).copied().collect()
}

/// `x` seen as `[.., split]`, its last dimensions in another order, and merged again.
fn rearranged(x: &Tensor, split: &[usize], order: &[i64], merged: &[usize]) -> Result<Tensor> {
    let given = x.shape();
    let lead = given.len() as i64 - 3;
    let order: Vec<i64> = (0..lead).chain(order.iter().map(|d| lead + d)).collect();
    x.reshape(shape(&given, split))?.permute(order)?.reshape(shape(&given, merged))?.to(x.suggested_format())
}

composed! {
    table: SHUFFLE;

    /// `[*, C r^2, H, W]` to `[*, C, H r, W r]`: channels become places (Shi et al., 2016).
    ///
    /// # Errors
    /// Channels that `r^2` does not divide.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[[1]], [[2]], [[3]], [[4]]])?;
    /// assert_eq!(x.pixel_shuffle(2)?.to_vec::<i32>()?, [1, 2, 3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn pixel_shuffle(&x, upscale_factor: i64) -> Tensor {
        const OP: &str = "pixel_shuffle";
        let x = &x.resolve(OP)?;
        let r = check(OP, x, "upscale_factor", upscale_factor)?;
        let [c, h, w] = last(x);
        let square = r.saturating_mul(r);
        if !c.is_multiple_of(square) {
            return Err(Error::runtime(OP, format!(
                "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)={c} is not divisible by {square}"
            )));
        }
        let c = c / square;
        rearranged(x, &[c, r, r, h, w], &[0, 3, 1, 4, 2], &[c, h.saturating_mul(r), w.saturating_mul(r)])
    }
    samples: sample::shaped(&[2, 4, 2, 3], &[0, 4, 2, 3], |x| x.pixel_shuffle(2));

    /// `[*, C, H r, W r]` to `[*, C r^2, H, W]`: the inverse of [`Tensor::pixel_shuffle`].
    ///
    /// # Errors
    /// Height or width that `r` does not divide.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[[1, 2], [3, 4]]])?;
    /// assert_eq!(x.pixel_unshuffle(2)?.shape(), [4, 1, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn pixel_unshuffle(&x, downscale_factor: i64) -> Tensor {
        const OP: &str = "pixel_unshuffle";
        let x = &x.resolve(OP)?;
        let r = check(OP, x, "downscale_factor", downscale_factor)?;
        let [c, h, w] = last(x);
        for (name, dim, size) in [("height", -2, h), ("width", -1, w)] {
            if !size.is_multiple_of(r) {
                return Err(Error::runtime(OP, format!(
                    "pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({dim})={size} is not divisible by {r}"
                )));
            }
        }
        let (h, w) = (h / r, w / r);
        let channels = c.saturating_mul(r).saturating_mul(r);
        rearranged(x, &[c, h, r, w, r], &[0, 2, 4, 1, 3], &[channels, h, w])
    }
    samples: sample::shaped(&[2, 1, 4, 2], &[0, 1, 4, 2], |x| x.pixel_unshuffle(2));

    /// The channels of `[N, C, *]` dealt out among `groups`: channel `i` of group `g` becomes channel `g` of part `i`.
    ///
    /// # Errors
    /// Fewer than three dimensions; channels that the groups do not divide.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[[1], [2], [3], [4]]])?;
    /// assert_eq!(x.channel_shuffle(2)?.to_vec::<i32>()?, [1, 3, 2, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn channel_shuffle(&x, groups: i64) -> Tensor {
        const OP: &str = "channel_shuffle";
        let x = x.resolve(OP)?;
        let given = x.shape();
        if given.len() < 3 {
            let text = format!("channel_shuffle expects input with > 2 dims, but got input with sizes {given:?}");
            return Err(Error::runtime(OP, text));
        }
        if groups <= 0 {
            let text = format!("Number of groups to divide channels in must be positive. Value of groups:{groups}");
            return Err(Error::runtime(OP, text));
        }
        let c = given[1];
        if !c.is_multiple_of(groups as usize) {
            let text = format!("Number of channels must be divisible by groups. Got {c} channels and {groups} groups.");
            return Err(Error::runtime(OP, text));
        }
        let split = [given[0], groups as usize, c / groups as usize, given[2..].iter().product()];
        x.reshape(split)?.transpose(1, 2)?.reshape(given)?.to(x.suggested_format())
    }
    samples: sample::shaped(&[2, 4, 3], &[0, 4, 3], |x| x.channel_shuffle(2));
}

/// The last three sizes.
fn last(x: &Tensor) -> [usize; 3] {
    let shape = x.shape();
    let first = shape.len() - 3;
    [shape[first], shape[first + 1], shape[first + 2]]
}
