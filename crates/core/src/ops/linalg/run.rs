//! The forward half of every matrix product.

use crate::backend::{self, Product};
use crate::ops::devices::same_device;
use crate::{Body, DType, Dims, Error, Result, Tensor};

/// PyTorch's error for matrices that do not fit.
pub(super) fn check_product(op: &'static str, a: &Body, b: &Body) -> Result<()> {
    same_device(op, [a.device(), b.device()])?;
    let (sa, sb) = (&a.shape, &b.shape);
    for (name, shape) in [("self", sa), ("mat2", sb)] {
        if shape.len() != 2 {
            return Err(Error::runtime(op, format!("{op}: {name} must be a matrix, got {}-D tensor", shape.len())));
        }
    }
    if sa[1] != sb[0] {
        return Err(Error::runtime(
            op,
            format!("{op}: mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})", sa[0], sa[1], sb[0], sb[1]),
        ));
    }
    let (da, db) = (a.dtype, b.dtype);
    if da != db {
        let text = match op {
            "addmm" => {
                format!("mat1 and mat2 must have the same dtype, but got {} and {}", da.scalar_name(), db.scalar_name())
            }
            _ => {
                format!("expected m1 and m2 to have the same dtype, but got: {} != {}", dtype_text(da), dtype_text(db))
            }
        };
        return Err(Error::runtime(op, text));
    }
    refuse_bool("addmm_impl_cpu_", op, da)
}

fn dtype_text(dtype: DType) -> &'static str {
    dtype.c_name()
}

pub(super) fn refuse_bool(kernel: &str, op: &'static str, dtype: DType) -> Result<()> {
    match dtype {
        DType::Bool => Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for 'Bool'"))),
        _ => Ok(()),
    }
}

/// [`product`] of complex numbers, by four of their parts.
fn product_complex(a: &Body, b: &Body, add: Option<(&Body, f64)>, alpha: f64) -> Result<Tensor> {
    let tensor = |body: &Body| Tensor::from_body(body.clone());
    let (a, b) = (tensor(a), tensor(b));
    let add = add.map(|(add, beta)| (tensor(add), beta));
    let part = |part: fn(&Tensor) -> Result<Tensor>, x: &Tensor, y: &Tensor, sign: f64, with: Option<&Tensor>| {
        let add = match (&add, with) {
            (_, Some(before)) => Some((before.body(), 1.0)),
            (Some((add, beta)), None) => Some((part(add)?.body(), *beta)),
            (None, None) => None,
        };
        product(&x.body(), &y.body(), add.as_ref().map(|(add, beta)| (add, *beta)), sign * alpha)
    };
    let (ar, ai, br, bi) = (a.real()?, a.imag()?, b.real()?, b.imag()?);
    let re = part(Tensor::real, &ar, &br, 1.0, None)?;
    let im = part(Tensor::imag, &ar, &bi, 1.0, None)?;
    Tensor::complex(&part(Tensor::real, &ai, &bi, -1.0, Some(&re))?, &part(Tensor::imag, &ai, &br, 1.0, Some(&im))?)
}

/// `alpha * a @ b + beta * add` for `[.., m, k]` and `[.., k, n]` with equal batch dimensions, of one dtype and device.
pub(super) fn product(a: &Body, b: &Body, add: Option<(&Body, f64)>, alpha: f64) -> Result<Tensor> {
    if a.dtype.is_complex() {
        return product_complex(a, b, add, alpha);
    }
    let rank = a.shape.len();
    let mut shape: Dims = a.shape.clone();
    shape[rank - 1] = b.shape[rank - 1];
    let backend = backend::of(a.device())?;
    let out = Body::alloc(shape, a.dtype, a.device())?;
    crate::work::count(out.shape.iter().copied().chain([a.shape[rank - 1]]));
    let multiply = |product: Product, bias: Option<&Body>| match out.numel() {
        0 => Ok(()),
        _ => backend.matmul(product, a, b, bias, &out),
    };
    let Some((add, beta)) = add.filter(|&(_, beta)| beta != 0.0) else {
        multiply(Product { alpha, beta: 0.0 }, None)?;
        return Ok(Tensor::from_body(out));
    };
    // A row that is added to every row rides along in the last pass of the product.
    let columns = out.shape[rank - 1];
    let is_row = add.numel() == columns && add.shape.last() == Some(&columns) && add.is_contiguous();
    if is_row && beta == 1.0 && add.dtype == a.dtype {
        multiply(Product { alpha, beta: 0.0 }, Some(add))?;
    } else {
        let add = Tensor::from_body(add.clone()).expand(&out.shape)?.body();
        backend.copy(&add, &out)?;
        multiply(Product { alpha, beta }, None)?;
    }
    Ok(Tensor::from_body(out))
}
