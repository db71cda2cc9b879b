//! Distances between vectors.

use crate::amp::Suspended;
use crate::autograd::no_grad;
use crate::ops::devices::same_device;
use crate::ops::record_all::Recorded;
use crate::ops::sample::{self, ANY, Trait};
use crate::ops::{by_hand, composed};
use crate::{DType, Error, Result, Tensor, TensorOptions};
use smallvec::smallvec;

/// Differences that are held at once.
const AT_ONCE: usize = 1 << 22;

/// Rows of the first operand that go together, so that few differences exist at once.
fn rows_at_once(x1: &Tensor, x2: &Tensor) -> Result<usize> {
    let each = x2.numel().max(1).saturating_mul(x1.numel().max(1) / (x1.size(-2)?.max(1) * x1.size(-1)?.max(1)).max(1));
    Ok((AT_ONCE / each.max(1)).max(1))
}

/// Calls `f` with the start and the number of the rows of each part.
fn each_part(x1: &Tensor, x2: &Tensor, mut f: impl FnMut(i64, i64) -> Result<()>) -> Result<()> {
    let (rows, step) = (x1.size(-2)?, rows_at_once(x1, x2)?);
    (0..rows).step_by(step).try_for_each(|start| f(start as i64, step.min(rows - start) as i64))
}

fn differences(x1: &Tensor, x2: &Tensor) -> Result<Tensor> {
    x1.unsqueeze(-2)?.sub(&x2.unsqueeze(-3)?)
}

/// How the distance changes with the difference of one coordinate; nothing changes where it is zero.
fn slope(difference: &Tensor, distance: &Tensor, g: &Tensor, p: f64) -> Result<Tensor> {
    let (distance, g) = (distance.unsqueeze(-1)?, g.unsqueeze(-1)?);
    let sign = difference.sgn()?;
    if p == 0.0 {
        return difference.mul(0.0);
    }
    if p == 1.0 {
        return sign.mul(&g);
    }
    let size = difference.abs()?;
    if p.is_infinite() {
        let reached = size.detach().eq(distance.detach())?.to(g.dtype())?;
        return sign.mul(&reached)?.mul(&g);
    }
    let nothing = distance.detach().eq(0.0)?;
    // A distance of zero has no slope; one is put in its place so that nothing is divided by it.
    let scale = g.div(&distance.masked_fill(&nothing, 1.0)?.pow(p - 1.0)?)?.masked_fill(&nothing, 0.0)?;
    if p == 2.0 {
        return difference.mul(&scale);
    }
    let still = size.detach().eq(0.0)?;
    let power = size.masked_fill(&still, 1.0)?.pow(p - 1.0)?;
    sign.mul(&power)?.mul(&scale)
}

/// Distances of operands with equal batches.
fn distances(x1: &Tensor, x2: &Tensor, p: f64) -> Result<Tensor> {
    let out = no_grad(|| -> Result<Tensor> {
        let mut parts = Vec::new();
        each_part(x1, x2, |start, rows| {
            let part = x1.detach().narrow(-2, start, rows)?;
            parts.push(differences(&part, &x2.detach())?.norm_dim(p, -1, false)?);
            Ok(())
        })?;
        match &parts[..] {
            [one] => Ok(one.clone()),
            _ => Tensor::cat(&parts, -2),
        }
    })?;
    let recorded = Recorded {
        name: "CdistBackward0",
        inputs: &[Some(x1), Some(x2)],
        saved: &[Some(x1), Some(x2)],
        outputs: &[&out],
        saves_outputs: true,
    };
    recorded.with(move |seen, grads, _| {
        let ([Some(x1), Some(x2), Some(out)], Some(g)) = (&seen[..], &grads[0]) else {
            return Ok(smallvec![None, None]);
        };
        let (mut first, mut second): (Vec<Tensor>, Option<Tensor>) = (Vec::new(), None);
        each_part(x1, x2, |start, rows| {
            let of = |x: &Tensor| x.narrow(-2, start, rows);
            let slope = slope(&differences(&of(x1)?, x2)?, &of(out)?, &of(g)?, p)?;
            first.push(slope.sum_dim(-2, false)?);
            let part = slope.sum_dim(-3, false)?;
            second = Some(match second.take() {
                None => part,
                Some(sum) => sum.add(&part)?,
            });
            Ok(())
        })?;
        Ok(smallvec![Some(Tensor::cat(&first, -2)?), second.map(|sum| sum.neg()).transpose()?])
    })?;
    Ok(out)
}

/// `sqrt(|x|^2 - 2 x y + |y|^2)` as one product of matrices: fast, and inexact for near vectors.
fn euclidean(x1: &Tensor, x2: &Tensor) -> Result<Tensor> {
    let out = no_grad(|| -> Result<Tensor> {
        let squares = |x: &Tensor| x.square()?.sum_dim(-1, true);
        let (n1, n2) = (squares(x1)?, squares(x2)?);
        let left = Tensor::cat(&[&x1.detach().mul(-2.0)?, &n1, &n1.ones_like()?], -1)?;
        let right = Tensor::cat(&[&x2.detach(), &n2.ones_like()?, &n2], -1)?;
        left.matmul(&right.mT()?)?.clamp_min(0.0)?.sqrt()
    })?;
    let recorded = Recorded {
        name: "EuclideanDistBackward0",
        inputs: &[Some(x1), Some(x2)],
        saved: &[Some(x1), Some(x2)],
        outputs: &[&out],
        saves_outputs: true,
    };
    recorded.with(|seen, grads, _| {
        let ([Some(x1), Some(x2), Some(out)], Some(g)) = (&seen[..], &grads[0]) else {
            return Ok(smallvec![None, None]);
        };
        let nothing = out.detach().eq(0.0)?;
        let ratio = g.div(&out.masked_fill(&nothing, 1.0)?)?.masked_fill(&nothing, 0.0)?;
        let turned = ratio.mT()?;
        let first = x1.mul(&ratio.sum_dim(-1, true)?)?.sub(&ratio.matmul(x2)?)?;
        let second = x2.mul(&turned.sum_dim(-1, true)?)?.sub(&turned.matmul(x1)?)?;
        Ok(smallvec![Some(first), Some(second)])
    })?;
    Ok(out)
}

/// Is the distance computed by a product of matrices?
fn by_product(mode: &str, p: f64, rows: [usize; 2]) -> Result<bool> {
    match mode {
        "use_mm_for_euclid_dist_if_necessary" => Ok(p == 2.0 && rows.iter().any(|&n| n > 25)),
        "use_mm_for_euclid_dist" => Ok(p == 2.0),
        "donot_use_mm_for_euclid_dist" => Ok(false),
        _ => Err(Error::value("cdist", format!("{mode} is not a valid value for compute_mode"))),
    }
}

fn check_cdist(x1: &Tensor, x2: &Tensor, p: f64) -> Result<()> {
    const OP: &str = "cdist";
    same_device(OP, [x1.device(), x2.device()])?;
    let wrong = |text: String| Err(Error::runtime(OP, text));
    for (name, x) in [("X1", x1), ("X2", x2)] {
        if x.dim() < 2 {
            return wrong(format!("cdist only supports at least 2D tensors, {name} got: {}D", x.dim()));
        }
    }
    let (columns1, columns2) = (x1.size(-1)?, x2.size(-1)?);
    if columns1 != columns2 {
        return wrong(format!("X1 and X2 must have the same number of columns. X1: {columns1} X2: {columns2}"));
    }
    for (name, x) in [("X1", x1), ("X2", x2)] {
        if !x.is_floating_point() {
            let got = x.dtype().scalar_name();
            return wrong(format!("cdist only supports floating-point dtypes, {name} got: {got}"));
        }
    }
    if p < 0.0 || p.is_nan() {
        return wrong("cdist only supports non-negative p values".to_owned());
    }
    let (first, second) = (x1.dtype(), x2.dtype());
    if first != second {
        return wrong(format!("expected scalar type {} but found {}", first.scalar_name(), second.scalar_name()));
    }
    super::batch::check_kernel(OP, "cdist", x1)
}

fn cdist_of(x1: &Tensor, x2: &Tensor, p: f64, mode: &str) -> Result<Tensor> {
    let (x1, x2) = (x1.resolve("cdist")?, x2.resolve("cdist")?);
    let _exact = Suspended::begin();
    if !matches!((x1.dim(), x2.dim()), (0 | 1, _) | (_, 0 | 1)) {
        by_product(mode, p, [0, 0])?;
    }
    check_cdist(&x1, &x2, p)?;
    let rows = [x1.size(-2)?, x2.size(-2)?];
    // PyTorch names the first operand's batch first here.
    let (x2, x1) = super::batch::broadcast_batches("cdist", &x2, &x1)?;
    if x1.size(-1)? == 0 || rows.contains(&0) || x1.numel() == 0 {
        // Sums of nothing are the zeros of the right shape, and part of the graph.
        let sums = |x: &Tensor, dim| x.sum_dim(-1, false)?.unsqueeze(dim);
        return sums(&x1, -1)?.mul(0.0)?.add(&sums(&x2, -2)?.mul(0.0)?);
    }
    if by_product(mode, p, rows)? { euclidean(&x1, &x2) } else { distances(&x1, &x2, p) }
}

fn pdist_of(x: &Tensor, p: f64) -> Result<Tensor> {
    const OP: &str = "pdist";
    let x = x.resolve(OP)?;
    let wrong = |text: String| Err(Error::runtime(OP, text));
    if x.dim() != 2 {
        return wrong(format!("pdist only supports 2D tensors, got: {}D", x.dim()));
    }
    if !x.is_floating_point() {
        return wrong("pdist only supports floating-point dtypes".to_owned());
    }
    if p < 0.0 || p.is_nan() {
        return wrong("pdist only supports non-negative p values".to_owned());
    }
    super::batch::check_kernel(OP, "pdist", &x)?;
    let rows = x.size(0)? as i64;
    let pairs = Tensor::triu_indices(rows, rows, 1, TensorOptions::from(DType::I64).device(x.device()))?;
    let places = pairs.select(0, 0)?.mul(rows)?.add(&pairs.select(0, 1)?)?;
    cdist_of(&x, &x, p, "donot_use_mm_for_euclid_dist")?.reshape([-1])?.index_select(0, &places)
}

impl Tensor {
    /// The norm of order `p` of the difference of two tensors, which broadcast.
    ///
    /// # Errors
    /// Integers; no elements for an order without a neutral element.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, y) = (Tensor::new([1.0f32, 2.0])?, Tensor::new([4.0f32, 6.0])?);
    /// assert_eq!(x.dist(&y, 2.0)?.item::<f32>()?, 5.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn dist(&self, other: &Tensor, p: f64) -> Result<Tensor> {
        let difference = self.sub(other)?;
        let dtype = difference.dtype();
        if !dtype.is_floating_point() {
            let got = dtype.scalar_name();
            return Err(Error::not_implemented(
                "dist",
                format!("norm(): input dtype should be either floating point or complex. Got {got} instead."),
            ));
        }
        difference.norm(p)
    }
}

composed! {
    table: DISTANCES;

    /// Distances of order `p` between each row of `x1` and each row of `x2`; batches broadcast.
    ///
    /// `compute_mode` is PyTorch's: `"use_mm_for_euclid_dist_if_necessary"` (its default: with more than 25 rows, Euclidean
    /// distances come from one product of matrices, which is fast and inexact for near rows),
    /// `"use_mm_for_euclid_dist"` or `"donot_use_mm_for_euclid_dist"`.
    ///
    /// # Shapes
    /// `[.., p, m]` and `[.., r, m]` to `[.., p, r]`.
    ///
    /// # Errors
    /// Fewer than two dimensions, columns that do not fit, another dtype than float32 and float64, a negative `p`.
    ///
    /// # Differences
    /// PyTorch 2.15 cannot differentiate it twice.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, y) = (Tensor::new([[0.0f32, 0.0]])?, Tensor::new([[3.0f32, 4.0], [0.0, 1.0]])?);
    /// assert_eq!(x.cdist(&y, 2.0, "donot_use_mm_for_euclid_dist")?.to_vec::<f32>()?, [5.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn cdist(&x1, x2: &Tensor, p: f64, compute_mode: &str) -> Tensor {
        cdist_of(x1, x2, p, compute_mode)
    }
    samples: {
        let call = |p: f64, mode: &'static str| move |x: &Tensor, y: &Tensor| x.cdist(y, p, mode);
        let exact = "donot_use_mm_for_euclid_dist";
        sample::shaped_pairs((&[3, 2], &[2, 2]), (&[3, 0], &[2, 0]), call(2.0, exact)).and_then(|mut all| {
            for p in [0.0, 0.7, 1.0, 1.5, 3.0, f64::INFINITY] {
                let call = call(p, exact);
                all.push(sample::one(Trait::Broadcast, vec![ANY.tensor(&[2, 2, 3], 4)?, ANY.tensor(&[2, 3], 5)?], move |x| call(&x[0], &x[1])));
            }
            let call = call(2.0, "use_mm_for_euclid_dist");
            all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[3, 2], 6)?, ANY.tensor(&[2, 2], 7)?], move |x| call(&x[0], &x[1])));
            Ok(all)
        })
    };

    /// Distances of order `p` between each two rows: those of [`Tensor::cdist`] above the diagonal, in one list.
    ///
    /// # Shapes
    /// `[n, m]` to `[n (n - 1) / 2]`.
    ///
    /// # Errors
    /// Another number of dimensions than two, another dtype than float32 and float64, a negative `p`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[0.0f32, 0.0], [3.0, 4.0], [0.0, 1.0]])?;
    /// assert_eq!(x.pdist(1.0)?.to_vec::<f32>()?, [7.0, 1.0, 6.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn pdist(&x, p: f64) -> Tensor {
        pdist_of(x, p)
    }
    samples: sample::shaped(&[3, 2], &[0, 2], |x| x.pdist(2.0));
}

by_hand! {
    table: DIST;
    dist: sample::pairs((ANY, ANY), |x, y| x.dist(y, 3.0));
}
