//! Products of matrices and vectors of fixed rank.

use super::run::{check_product, product, refuse_bool};
use crate::ops::devices::same_device;
use crate::ops::ops;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Error, Result, Tensor};

/// A last-dimension transpose.
pub(super) fn mt(x: &Tensor) -> Result<Tensor> {
    x.transpose(-2, -1)
}

fn check_batches(op: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    same_device(op, [a.device(), b.device()])?;
    let (sa, sb) = (a.shape(), b.shape());
    for (name, shape) in [("batch1", &sa), ("batch2", &sb)] {
        if shape.len() != 3 {
            return Err(Error::runtime(op, format!("{name} must be a 3D tensor")));
        }
    }
    if sa[0] != sb[0] || sa[2] != sb[1] {
        return Err(Error::runtime(
            op,
            format!(
                "Expected size for first two dimensions of batch2 tensor to be: [{}, {}] but got: [{}, {}].",
                sa[0], sa[2], sb[0], sb[1]
            ),
        ));
    }
    same_dtype(op, a, b)
}

fn same_dtype(op: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    let (da, db) = (a.dtype(), b.dtype());
    if da != db {
        return Err(Error::runtime(
            op,
            format!("expected scalar type {} but found {}", da.scalar_name(), db.scalar_name()),
        ));
    }
    refuse_bool("baddbmm_with_gemm", op, da)
}

fn check_vector(op: &'static str, a: &Tensor, x: &Tensor) -> Result<()> {
    same_device(op, [a.device(), x.device()])?;
    let (sa, sx) = (a.shape(), x.shape());
    if sa.len() != 2 || sx.len() != 1 {
        return Err(Error::runtime(
            op,
            format!("vector + matrix @ vector expected, got 1, {}, {}", sa.len(), sx.len()),
        ));
    }
    if sa[1] != sx[0] {
        return Err(Error::runtime(
            op,
            format!("size mismatch, got input ({}), mat ({}x{}), vec ({})", sa[0], sa[0], sa[1], sx[0]),
        ));
    }
    let (da, dx) = (a.dtype(), x.dtype());
    if da != dx {
        let (a, x) = (da.scalar_name(), dx.scalar_name());
        return Err(Error::runtime(
            op,
            format!("addmv input tensors must have the same dtype, but got {x}, {a}, and {x}"),
        ));
    }
    refuse_bool("addmv_impl_cpu", op, da)
}

fn check_dot(a: &Tensor, b: &Tensor) -> Result<()> {
    const OP: &str = "dot";
    same_device(OP, [a.device(), b.device()])?;
    let (sa, sb) = (a.shape(), b.shape());
    if sa.len() != 1 || sb.len() != 1 {
        return Err(Error::runtime(
            OP,
            format!("1D tensors expected, but got {}D and {}D tensors", sa.len(), sb.len()),
        ));
    }
    let (da, db) = (a.dtype(), b.dtype());
    if da != db {
        return Err(Error::runtime(
            OP,
            format!(
                "dot : expected both vectors to have same dtype, but found {} and {}",
                da.scalar_name(),
                db.scalar_name()
            ),
        ));
    }
    if sa[0] != sb[0] {
        return Err(Error::runtime(
            OP,
            format!(
                "inconsistent tensor size, expected tensor {sa:?} and src {sb:?} to have the same number of elements, but got {} and {} elements respectively",
                sa[0], sb[0]
            ),
        ));
    }
    refuse_bool("dot", OP, da)
}

/// Samples of a product of two tensors with these shapes; zero sizes along the way.
fn products(
    (a, b): (&[usize], &[usize]),
    empty: (&[usize], &[usize]),
    f: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let call = || {
        let f = f.clone();
        move |x: &[Tensor]| f(&x[0], &x[1])
    };
    Ok(vec![
        sample::one(Trait::Plain, vec![ANY.tensor(a, 1)?, ANY.tensor(b, 2)?], call()),
        sample::one(Trait::Strided, vec![ANY.strided(a, 3)?, ANY.strided(b, 4)?], call()),
        sample::one(Trait::Empty, vec![ANY.tensor(empty.0, 5)?, ANY.tensor(empty.1, 6)?], call()),
    ])
}

/// Samples of a product that adds to a third tensor.
fn additions(
    add: &[usize],
    shapes: (&[usize], &[usize]),
    empty: (&[usize], &[usize]),
    f: impl Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let call = || {
        let f = f.clone();
        move |x: &[Tensor]| f(&x[0], &x[1], &x[2])
    };
    let three = |a: Tensor, b: Tensor, c: Tensor| vec![a, b, c];
    Ok(vec![
        sample::one(
            Trait::Plain,
            three(ANY.tensor(add, 1)?, ANY.tensor(shapes.0, 2)?, ANY.tensor(shapes.1, 3)?),
            call(),
        ),
        sample::one(
            Trait::Broadcast,
            three(ANY.tensor(&[1], 4)?, ANY.tensor(shapes.0, 5)?, ANY.tensor(shapes.1, 6)?),
            call(),
        ),
        sample::one(
            Trait::Strided,
            three(ANY.strided(add, 7)?, ANY.strided(shapes.0, 8)?, ANY.strided(shapes.1, 9)?),
            call(),
        ),
        sample::one(
            Trait::Empty,
            three(ANY.tensor(add, 10)?, ANY.tensor(empty.0, 11)?, ANY.tensor(empty.1, 12)?),
            call(),
        ),
    ])
}

ops! {
    table: PRODUCTS;

    /// Product of two matrices: `[m, k] @ [k, n] -> [m, n]`. No broadcasting; see [`Tensor::matmul`].
    fn mm(a, b: tensor) -> Tensor as "MmBackward0" {
        forward: check_product("mm", a, b).and_then(|()| product(a, b, None, 1.0)),
        saves: [a if b, b if a],
        grads: { a: |g| g.mm(&mt(b)?), b: |g| mt(a)?.mm(g) },
        samples: products((&[2, 3], &[3, 4]), (&[2, 0], &[0, 4]), |a, b| a.mm(b)),
    }

    /// Products of the matrices of two batches: `[b, m, k] @ [b, k, n] -> [b, m, n]`.
    fn bmm(a, b: tensor) -> Tensor as "BmmBackward0" {
        forward: check_batches("bmm", a, b).and_then(|()| product(a, b, None, 1.0)),
        saves: [a if b, b if a],
        grads: { a: |g| g.bmm(&mt(b)?), b: |g| mt(a)?.bmm(g) },
        samples: products((&[2, 2, 3], &[2, 3, 2]), (&[2, 2, 0], &[2, 0, 2]), |a, b| a.bmm(b)),
    }

    /// Product of a matrix and a vector: `[m, k] @ [k] -> [m]`.
    fn mv(a, x: tensor) -> Tensor as "MvBackward0" {
        forward: check_vector("mv", a, x).and_then(|()| product(a, &x.detach().unsqueeze(1)?, None, 1.0)?.squeeze_dim(1)),
        saves: [a if x, x if a],
        grads: { a: |g| g.unsqueeze(1)?.mul(x), x: |g| a.t()?.mv(g) },
        samples: products((&[2, 3], &[3]), (&[2, 0], &[0]), |a, x| a.mv(x)),
    }

    /// Inner product of two vectors.
    fn dot(a, b: tensor) -> Tensor as "DotBackward0" {
        forward: check_dot(a, b).and_then(|()| {
            product(&a.detach().unsqueeze(0)?, &b.detach().unsqueeze(1)?, None, 1.0)?.reshape(())
        }),
        saves: [a if b, b if a],
        grads: { a: |g| g.mul(b), b: |g| g.mul(a) },
        samples: products((&[3], &[3]), (&[0], &[0]), |a, b| a.dot(b)),
    }

    /// `beta * add + alpha * a @ b` for matrices; `add` broadcasts.
    fn addmm(add, a: tensor, b: tensor; beta: f64, alpha: f64) -> Tensor as "AddmmBackward0" {
        forward: check_product("addmm", a, b)
            .and_then(|()| same_device("addmm", [add.device(), a.device()]))
            .and_then(|()| product(a, b, Some((add, *beta)), *alpha)),
        saves: [a if b, b if a],
        grads: {
            add: |g| scaled(g, *beta),
            a: |g| scaled(&g.mm(&mt(b)?)?, *alpha),
            b: |g| scaled(&mt(a)?.mm(g)?, *alpha),
        },
        in_place: addmm_,
        samples: additions(&[4], (&[2, 3], &[3, 4]), (&[2, 0], &[0, 4]), |c, a, b| c.addmm(a, b, 0.5, 2.0)),
    }

    /// `beta * add + alpha * a @ b` for batches of matrices; `add` broadcasts.
    fn baddbmm(add, a: tensor, b: tensor; beta: f64, alpha: f64) -> Tensor as "BaddbmmBackward0" {
        forward: check_batches("baddbmm", a, b)
            .and_then(|()| same_device("baddbmm", [add.device(), a.device()]))
            .and_then(|()| product(a, b, Some((add, *beta)), *alpha)),
        saves: [a if b, b if a],
        grads: {
            add: |g| scaled(g, *beta),
            a: |g| scaled(&g.bmm(&mt(b)?)?, *alpha),
            b: |g| scaled(&mt(a)?.bmm(g)?, *alpha),
        },
        in_place: baddbmm_,
        samples: additions(&[2, 2, 2], (&[2, 2, 3], &[2, 3, 2]), (&[2, 2, 0], &[2, 0, 2]), |c, a, b| {
            c.baddbmm(a, b, 0.5, 2.0)
        }),
    }

    /// `beta * add + alpha * a @ x` for a matrix and a vector; `add` broadcasts.
    fn addmv(add, a: tensor, x: tensor; beta: f64, alpha: f64) -> Tensor as "AddmvBackward0" {
        forward: check_vector("addmv", a, x).and_then(|()| {
            // As a column, so that the product has two dimensions.
            let add = add.detach();
            let column = if add.dim() == 0 { add } else { add.unsqueeze(1)? };
            product(a, &x.detach().unsqueeze(1)?, Some((&column, *beta)), *alpha)?.squeeze_dim(1)
        }),
        saves: [a if x, x if a],
        grads: {
            add: |g| scaled(g, *beta),
            a: |g| scaled(&g.unsqueeze(1)?.mul(x)?, *alpha),
            x: |g| scaled(&a.t()?.mv(g)?, *alpha),
        },
        in_place: addmv_,
        samples: additions(&[2], (&[2, 3], &[3]), (&[2, 0], &[0]), |c, a, x| c.addmv(a, x, 0.5, 2.0)),
    }
}

fn scaled(x: &Tensor, factor: f64) -> Result<Tensor> {
    if factor == 1.0 { Ok(x.clone()) } else { x.mul(factor) }
}
