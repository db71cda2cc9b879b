//! Products of matrices and vectors of fixed rank.

use super::run::{check_product, product, refuse_bool};
use super::vectors::addr_of;
use crate::ops::devices::same_device;
use crate::ops::ops;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Body, Error, Result, Scalar, Tensor};

/// A last-dimension transpose.
pub(super) fn mt(x: &Tensor) -> Result<Tensor> {
    x.transpose(-2, -1)
}

fn check_batches(op: &'static str, a: &Body, b: &Body) -> Result<()> {
    same_device(op, [a.device(), b.device()])?;
    let (sa, sb) = (&a.shape, &b.shape);
    for (name, shape) in [("batch1", sa), ("batch2", sb)] {
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
    same_dtype(op, a, b)?;
    // PyTorch has another kernel for small products.
    let small = [sa[1], sa[2], sb[2]].iter().fold(1usize, |n, &size| n.saturating_mul(size)) < 400;
    refuse_bool(if small { op } else { "addmm_impl_cpu_" }, op, a.dtype)
}

fn same_dtype(op: &'static str, a: &Body, b: &Body) -> Result<()> {
    let (da, db) = (a.dtype, b.dtype);
    if da != db {
        return Err(Error::runtime(
            op,
            format!("expected scalar type {} but found {}", da.scalar_name(), db.scalar_name()),
        ));
    }
    Ok(())
}

/// `add` is what the product is added to, if anything.
fn check_vector(op: &'static str, add: Option<&Tensor>, a: &Tensor, x: &Tensor) -> Result<()> {
    same_device(op, add.into_iter().chain([a, x]).map(Tensor::device))?;
    let (sa, sx) = (a.shape(), x.shape());
    let rank = add.map_or(1, Tensor::dim);
    if add.is_none() {
        // PyTorch makes room for the result first.
        a.size(0)?;
    }
    if sa.len() != 2 || sx.len() != 1 || rank > 1 {
        return Err(Error::runtime(
            op,
            format!("vector + matrix @ vector expected, got {rank}, {}, {}", sa.len(), sx.len()),
        ));
    }
    let length = add.map_or(sa[0], Tensor::numel);
    if sa[1] != sx[0] || (length != sa[0] && length != 1) {
        return Err(Error::runtime(
            op,
            format!("size mismatch, got input ({length}), mat ({}x{}), vec ({})", sa[0], sa[1], sx[0]),
        ));
    }
    let (da, dx) = (a.dtype(), x.dtype());
    let first = add.map_or(dx, Tensor::dtype);
    if da != dx || first != da {
        let [first, a, x] = [first, da, dx].map(|dtype| dtype.scalar_name());
        return Err(Error::runtime(
            op,
            format!("addmv input tensors must have the same dtype, but got {first}, {a}, and {x}"),
        ));
    }
    refuse_bool("addmv_impl_cpu", op, da)
}

/// Refuses to add a product to another dtype.
fn check_added(op: &'static str, add: &Body, a: &Body, b: &Body) -> Result<()> {
    same_device(op, [add, a, b].map(Body::device))?;
    let [add, a, b] = [add, a, b].map(|body| body.dtype);
    match op {
        "addmm" if add != b => {
            let (add, b) = (add.scalar_name(), b.scalar_name());
            Err(Error::runtime(op, format!("self and mat2 must have the same dtype, but got {add} and {b}")))
        }
        "baddbmm" if add != a => {
            let [add, a, b] = [add, a, b].map(|dtype| dtype.c_name());
            let text = format!("Input dtypes must be the same, got: input {add}, batch1: {a}, batch2: {b}");
            Err(Error::runtime(op, text))
        }
        _ => Ok(()),
    }
}

/// `a @ b`.
fn matrices(a: &Body, b: &Body) -> Result<Tensor> {
    check_product("mm", a, b)?;
    product(a, b, None, 1.0)
}

/// `a[i] @ b[i]`.
fn batches(a: &Body, b: &Body) -> Result<Tensor> {
    check_batches("bmm", a, b)?;
    product(a, b, None, 1.0)
}

/// `beta * add + alpha * a @ b`.
pub(super) fn added_matrices(add: &Body, a: &Body, b: &Body, [beta, alpha]: [f64; 2]) -> Result<Tensor> {
    check_added("addmm", add, a, b)?;
    check_product("addmm", a, b)?;
    product(a, b, Some((add, beta)), alpha)
}

/// `beta * add + alpha * a[i] @ b[i]`.
fn added_batches(add: &Body, a: &Body, b: &Body, [beta, alpha]: [f64; 2]) -> Result<Tensor> {
    check_added("baddbmm", add, a, b)?;
    check_batches("baddbmm", a, b)?;
    product(a, b, Some((add, beta)), alpha)
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

/// Do the columns of a matrix lie one after another, as in a transposed one? Its gradient is made to lie the same way,
/// so that it can be the gradient of what was transposed without a copy.
fn is_turned(x: &Tensor) -> bool {
    x.with_body(|body| body.shape.len() == 2 && body.strides[..] == [1, body.shape[0]])
}

/// The gradient of the left factor of a product from that of the result.
fn left_grad(g: &Tensor, b: &Tensor, turned: bool) -> Result<Tensor> {
    if turned { mt(&b.mm(&mt(g)?)?) } else { g.mm(&mt(b)?) }
}

/// The gradient of the right factor of a product from that of the result.
fn right_grad(a: &Tensor, g: &Tensor, turned: bool) -> Result<Tensor> {
    if turned { mt(&mt(g)?.mm(a)?) } else { mt(a)?.mm(g) }
}

ops! {
    table: PRODUCTS;

    /// Product of two matrices: `[m, k] @ [k, n] -> [m, n]`. No broadcasting; see [`Tensor::matmul`].
    ///
    /// # Errors
    /// Something else than matrices, sizes that do not fit, different dtypes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([[1.0f32, 2.0]])?, Tensor::new([[3.0f32], [4.0]])?);
    /// assert_eq!(a.mm(&b)?.to_vec::<f32>()?, [11.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn mm(a, b: tensor) -> Tensor as "MmBackward0" {
        forward: matrices(&a.body(), &b.body()),
        saves: [a if b, b if a],
        notes: [a_turned: is_turned(&a), b_turned: is_turned(&b)],
        grads: { a: |g| left_grad(g, b, a_turned), b: |g| right_grad(a, g, b_turned) },
        samples: products((&[2, 3], &[3, 4]), (&[2, 0], &[0, 4]), |a, b| a.mm(b)),
    }

    /// Products of the matrices of two batches: `[b, m, k] @ [b, k, n] -> [b, m, n]`.
    ///
    /// # Errors
    /// Something else than batches of matrices, sizes that do not fit, different dtypes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::ones([2, 1, 3])?, Tensor::ones([2, 3, 4])?);
    /// assert_eq!(a.bmm(&b)?.shape(), [2, 1, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn bmm(a, b: tensor) -> Tensor as "BmmBackward0" {
        forward: batches(&a.body(), &b.body()),
        saves: [a if b, b if a],
        grads: { a: |g| g.bmm(&mt(b)?), b: |g| mt(a)?.bmm(g) },
        samples: products((&[2, 2, 3], &[2, 3, 2]), (&[2, 2, 0], &[2, 0, 2]), |a, b| a.bmm(b)),
    }

    /// Product of a matrix and a vector: `[m, k] @ [k] -> [m]`.
    ///
    /// # Errors
    /// Something else than a matrix and a vector, sizes that do not fit, different dtypes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    /// assert_eq!(x.mv(&Tensor::new([1.0f32, -1.0])?)?.to_vec::<f32>()?, [-1.0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn mv(a, x: tensor) -> Tensor as "MvBackward0" {
        forward: check_vector("mv", None, a, x).and_then(|()| {
            product(&a.body(), &x.detach().unsqueeze(1)?.body(), None, 1.0)?.squeeze_dim(1)
        }),
        saves: [a if x, x if a],
        grads: { a: |g| g.unsqueeze(1)?.mul(x), x: |g| a.t()?.mv(g) },
        samples: products((&[2, 3], &[3]), (&[2, 0], &[0]), |a, x| a.mv(x)),
    }

    /// `beta * add + alpha * outer(vec1, vec2)`; `add` broadcasts, and is not read where `beta` is 0. Bools are joined by
    /// "and" and "or".
    ///
    /// # Errors
    /// Operands that are no vectors, fractions as factors of integers.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0])?;
    /// assert_eq!(Tensor::ones([2, 2])?.addr(&x, &x, 1, 10)?.to_vec::<f32>()?, [11.0, 21.0, 21.0, 41.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn addr(add, vec1: tensor, vec2: tensor; beta: Scalar, alpha: Scalar) -> Tensor as "AddrBackward0" {
        forward: addr_of(&add.detach(), &vec1.detach(), &vec2.detach(), *beta, *alpha),
        saves: [vec1 if vec2, vec2 if vec1],
        grads: {
            add: |g| g.mul(*beta),
            vec1: |g| g.mv(&vec2.to(g.dtype())?)?.mul(*alpha),
            vec2: |g| g.t()?.mv(&vec1.to(g.dtype())?)?.mul(*alpha),
        },
        samples: {
            let call = |x: &[Tensor]| x[0].addr(&x[1], &x[2], 0.5, 2.0);
            let three = |add: Tensor, n: usize| -> Result<Vec<Tensor>> { Ok(vec![add, ANY.tensor(&[n], 2)?, ANY.tensor(&[3], 3)?]) };
            Ok(vec![
                sample::one(Trait::Plain, three(ANY.tensor(&[2, 3], 1)?, 2)?, call),
                sample::one(Trait::Broadcast, three(ANY.tensor(&[3], 1)?, 2)?, call),
                sample::one(Trait::Strided, three(ANY.strided(&[2, 3], 1)?, 2)?, call),
                sample::one(Trait::Empty, three(ANY.tensor(&[0, 3], 1)?, 0)?, call),
            ])
        },
    }

    /// Inner product of two vectors: the sum of `a[i] b[i]`, a tensor without dimensions.
    ///
    /// # Errors
    /// Something else than two vectors of one length and dtype.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0])?.dot(&Tensor::new([3.0f32, 4.0])?)?.item::<f32>()?, 11.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn dot(a, b: tensor) -> Tensor as "DotBackward0" {
        forward: check_dot(a, b).and_then(|()| {
            product(&a.detach().unsqueeze(0)?.body(), &b.detach().unsqueeze(1)?.body(), None, 1.0)?.reshape(())
        }),
        saves: [a if b, b if a],
        grads: { a: |g| g.mul(b), b: |g| g.mul(a) },
        samples: products((&[3], &[3]), (&[0], &[0]), |a, b| a.dot(b)),
    }

    /// `beta * add + alpha * a @ b` for matrices; `add` broadcasts.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([[1.0f32, 2.0]])?, Tensor::new([[3.0f32], [4.0]])?);
    /// assert_eq!(Tensor::new([100.0f32])?.addmm(&a, &b, 1.0, 2.0)?.to_vec::<f32>()?, [122.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn addmm(add, a: tensor, b: tensor; beta: f64, alpha: f64) -> Tensor as "AddmmBackward0" {
        forward: added_matrices(&add.body(), &a.body(), &b.body(), [*beta, *alpha]),
        saves: [a if b, b if a],
        notes: [a_turned: is_turned(&a), b_turned: is_turned(&b)],
        grads: {
            add: |g| scaled(g, *beta),
            a: |g| scaled(&left_grad(g, b, a_turned)?, *alpha),
            b: |g| scaled(&right_grad(a, g, b_turned)?, *alpha),
        },
        in_place: addmm_(&Tensor::new([[1.0f32, 2.0]])?, &Tensor::new([[3.0f32, 4.0], [5.0, 6.0]])?, 0.5, 2.0) on [[10.0f32, 20.0]],
        samples: additions(&[4], (&[2, 3], &[3, 4]), (&[2, 0], &[0, 4]), |c, a, b| c.addmm(a, b, 0.5, 2.0)),
    }

    /// `beta * add + alpha * a @ b` for batches of matrices; `add` broadcasts.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::ones([2, 1, 3])?, Tensor::ones([2, 3, 1])?);
    /// assert_eq!(Tensor::new([100.0f32])?.baddbmm(&a, &b, 0.5, 2.0)?.to_vec::<f32>()?, [56.0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn baddbmm(add, a: tensor, b: tensor; beta: f64, alpha: f64) -> Tensor as "BaddbmmBackward0" {
        forward: added_batches(&add.body(), &a.body(), &b.body(), [*beta, *alpha]),
        saves: [a if b, b if a],
        grads: {
            add: |g| scaled(g, *beta),
            a: |g| scaled(&g.bmm(&mt(b)?)?, *alpha),
            b: |g| scaled(&mt(a)?.bmm(g)?, *alpha),
        },
        in_place: baddbmm_(&Tensor::new([[[1.0f32, 2.0]]])?, &Tensor::new([[[3.0f32, 4.0], [5.0, 6.0]]])?, 0.5, 2.0) on [[[10.0f32, 20.0]]],
        samples: additions(&[2, 2, 2], (&[2, 2, 3], &[2, 3, 2]), (&[2, 2, 0], &[2, 0, 2]), |c, a, b| {
            c.baddbmm(a, b, 0.5, 2.0)
        }),
    }

    /// `beta * add + alpha * a @ x` for a matrix and a vector; `add` broadcasts.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, x) = (Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?, Tensor::new([1.0f32, -1.0])?);
    /// assert_eq!(Tensor::new([10.0f32])?.addmv(&a, &x, 1.0, 2.0)?.to_vec::<f32>()?, [8.0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn addmv(add, a: tensor, x: tensor; beta: f64, alpha: f64) -> Tensor as "AddmvBackward0" {
        forward: check_vector("addmv", Some(add), a, x).and_then(|()| {
            // As a column, so that the product has two dimensions.
            let add = add.detach();
            let column = if add.dim() == 0 { add } else { add.unsqueeze(1)? };
            product(&a.body(), &x.detach().unsqueeze(1)?.body(), Some((&column.body(), *beta)), *alpha)?.squeeze_dim(1)
        }),
        saves: [a if x, x if a],
        grads: {
            add: |g| scaled(g, *beta),
            a: |g| scaled(&g.unsqueeze(1)?.mul(x)?, *alpha),
            x: |g| scaled(&a.t()?.mv(g)?, *alpha),
        },
        in_place: addmv_(&Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?, &Tensor::new([5.0f32, 6.0])?, 0.5, 2.0),
        samples: additions(&[2], (&[2, 3], &[3]), (&[2, 0], &[0]), |c, a, x| c.addmv(a, x, 0.5, 2.0)),
    }
}

fn scaled(x: &Tensor, factor: f64) -> Result<Tensor> {
    if factor == 1.0 { Ok(x.clone()) } else { x.mul(factor) }
}
