//! Norms of vectors and matrices.

use super::batch::{check_float, check_precise, check_rank};
use crate::ops::by_hand;
use crate::ops::reduce::order_text;
use crate::ops::sample::{self, ANY, Trait};
use crate::{Error, Result, Sizes, Tensor, wrap_dim};

/// The order of a norm: a number, or a text that PyTorch has for it.
///
/// ```
/// # use firebrick_core::Tensor;
/// let x = Tensor::new([[3.0f32, 0.0], [0.0, -4.0]])?;
/// assert_eq!(x.norm(1.0)?.item::<f32>()?, 7.0);
/// assert_eq!(x.norm("fro")?.item::<f32>()?, 5.0);
/// assert_eq!(x.norm("nuc")?.item::<f32>()?, 7.0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum NormOrder {
    /// A number.
    Number(f64),
    /// `"fro"` (Frobenius: of all elements as one vector) or `"nuc"` (nuclear: the sum of the singular values).
    Name(String),
}

impl From<f64> for NormOrder {
    fn from(order: f64) -> Self {
        NormOrder::Number(order)
    }
}

impl From<i32> for NormOrder {
    fn from(order: i32) -> Self {
        NormOrder::Number(f64::from(order))
    }
}

impl From<&str> for NormOrder {
    fn from(order: &str) -> Self {
        NormOrder::Name(order.to_owned())
    }
}

impl From<String> for NormOrder {
    fn from(order: String) -> Self {
        NormOrder::Name(order)
    }
}

/// `||x||_p` over the given dimensions, all of them when none are given: [`Tensor::norm_dim`].
///
/// # Errors
/// Integers and bools; no elements for an order without a neutral element.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let x = Tensor::new([[3.0f32, 4.0], [0.0, 2.0]])?;
/// assert_eq!(linalg::vector_norm(&x, 2.0, 1, false)?.to_vec::<f32>()?, [5.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn vector_norm(x: &Tensor, ord: f64, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
    x.norm_dim(ord, dims, keepdim)
}

/// A norm of the matrices that lie along two dimensions, PyTorch's default being the last two: `"fro"`, `"nuc"`, 2 and
/// -2 (largest and smallest singular value), 1 and -1 (largest and smallest sum of sizes in a column), the infinities
/// (the same of rows).
///
/// # Shapes
/// `x` without the two dimensions; with them as size 1 where `keepdim` is set.
///
/// # Errors
/// Another order, fewer than two dimensions or the same one twice, integers and bools, and half precision where singular
/// values are needed.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let x = Tensor::new([[1.0f32, -2.0], [3.0, 4.0]])?;
/// assert_eq!(linalg::matrix_norm(&x, 1.0, [-2, -1], false)?.item::<f32>()?, 6.0);
/// assert_eq!(linalg::matrix_norm(&x, f64::INFINITY, [-2, -1], false)?.item::<f32>()?, 7.0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn matrix_norm(x: &Tensor, ord: impl Into<NormOrder>, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
    const OP: &str = "linalg.matrix_norm";
    let (x, ord, dims) = (x.resolve(OP)?, ord.into(), dims.into());
    check_rank(OP, "A", &x)?;
    let unknown = |order: &str| Err(Error::runtime(OP, format!("{OP}: Order {order} not supported.")));
    let order = match &ord {
        NormOrder::Name(name) if name == "fro" => Order::Frobenius,
        NormOrder::Name(name) if name == "nuc" => Order::Singular(Pick::Sum),
        NormOrder::Name(name) => return unknown(name),
        NormOrder::Number(order) => {
            let pick = if *order > 0.0 { Pick::Largest } else { Pick::Smallest };
            match order.abs() {
                2.0 => Order::Singular(pick),
                1.0 => Order::Sums { of_rows: false, pick },
                f64::INFINITY => Order::Sums { of_rows: true, pick },
                _ => return unknown(&order_text(*order)),
            }
        }
    };
    let [row, column] = two_dims(OP, &x, &dims)?;
    match order {
        Order::Frobenius => check_float(OP, &x).and_then(|()| x.norm_dim(2.0, [row, column], keepdim)),
        Order::Sums { of_rows, pick } => {
            check_float(OP, &x)?;
            let (summed, picked) = if of_rows { (column, row) } else { (row, column) };
            let sums = x.norm_dim(1.0, summed, keepdim)?;
            pick.of(&sums, picked - i64::from(!keepdim && summed < picked), keepdim)
        }
        Order::Singular(pick) => {
            check_precise(OP, &x)?;
            let values = super::svdvals(&x.movedim([row, column], [-2, -1])?)?;
            let out = pick.of(&values, -1, false)?;
            if !keepdim {
                return Ok(out);
            }
            out.unsqueeze(row.min(column))?.unsqueeze(row.max(column))
        }
    }
}

/// How the norm of a matrix is found.
enum Order {
    Frobenius,
    Sums { of_rows: bool, pick: Pick },
    Singular(Pick),
}

/// What becomes of several numbers along a dimension.
#[derive(Clone, Copy)]
enum Pick {
    Largest,
    Smallest,
    Sum,
}

impl Pick {
    fn of(self, x: &Tensor, dim: i64, keepdim: bool) -> Result<Tensor> {
        match self {
            // Norms are not negative: the largest of none of them is zero.
            Pick::Largest if x.size(dim)? > 0 => x.amax(dim, keepdim),
            Pick::Smallest => x.amin(dim, keepdim),
            _ => x.sum_dim(dim, keepdim),
        }
    }
}

fn two_dims(op: &'static str, x: &Tensor, dims: &Sizes) -> Result<[i64; 2]> {
    let [first, second] = dims[..] else {
        let got = dims.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
        return Err(Error::runtime(op, format!("{op}: dim must be a 2-tuple. Got {got}")));
    };
    let (first, second) = (wrap_dim(op, first, x.dim())?, wrap_dim(op, second, x.dim())?);
    if first == second {
        return Err(Error::runtime(op, format!("{op}: dims must be different. Got ({first}, {second})")));
    }
    Ok([first as i64, second as i64])
}

/// [`matrix_norm`] of one matrix or over two dimensions, [`vector_norm`] of a vector or over one dimension. Without an
/// order, the norm of all elements as one vector, or of those along the dimensions.
///
/// # Errors
/// An order without dimensions for a tensor of neither one nor two; dimensions of another number; and those of the two.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let x = Tensor::new([[1.0f32, -2.0], [3.0, 4.0]])?;
/// assert_eq!(linalg::norm(&x, Some(1.0.into()), (), false)?.item::<f32>()?, 6.0);
/// assert_eq!(linalg::norm(&x, Some(1.0.into()), 0, false)?.to_vec::<f32>()?, [4.0, 6.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn norm(x: &Tensor, ord: Option<NormOrder>, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
    const OP: &str = "linalg.norm";
    let (x, dims) = (x.resolve(OP)?, dims.into());
    let rank = x.dim();
    if dims.len() > 2 {
        let list = &dims[..];
        return Err(Error::runtime(
            OP,
            format!("{OP}: If dim is specified, it must be of length 1 or 2. Got {list:?}"),
        ));
    }
    if dims.is_empty() && ord.is_some() && !matches!(rank, 1 | 2) {
        return Err(Error::runtime(
            OP,
            format!("{OP}: If dim is not specified but ord is, the input must be 1D or 2D. Got {rank}D."),
        ));
    }
    let of_matrix = if dims.is_empty() { rank == 2 } else { dims.len() == 2 };
    let all = || if dims.is_empty() { Sizes::from([0i64, 1]) } else { dims.clone() };
    match ord {
        None => vector_norm(&x, 2.0, dims, keepdim),
        Some(NormOrder::Number(order)) if !of_matrix => vector_norm(&x, order, dims, keepdim),
        Some(order) => matrix_norm(&x, order, all(), keepdim),
    }
}

by_hand! {
    table: NORMS;
    linalg_matrix_norm: sample::shaped(&[3, 4], &[2, 0], |x| matrix_norm(x, "nuc", [-2, -1], false)).and_then(|mut all| {
        for order in [1.0, -1.0, 2.0, -2.0, f64::INFINITY, f64::NEG_INFINITY] {
            all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3, 2], 11)?], move |x| {
                matrix_norm(&x[0], order, [-1, 0], true)
            }));
        }
        Ok(all)
    });
    linalg_norm: sample::shaped(&[3, 2], &[2, 0], |x| norm(x, Some("fro".into()), (), true));
    linalg_vector_norm: sample::shaped(&[3, 2], &[2, 0], |x| vector_norm(x, 3.0, 0, false));
}
