//! What defines the factors of matrices, and what is said where there are none.
#![allow(clippy::unwrap_used)]

use firebrick_core::ops::sample::ANY;
use firebrick_core::{DType, ErrorKind, Result, Tensor, TensorOptions, linalg};

const SHAPES: [&[usize]; 9] =
    [&[1, 1], &[5, 5], &[7, 3], &[3, 7], &[40, 40], &[2, 3, 4, 2], &[3, 0], &[0, 3], &[2, 0, 3, 3]];

fn random(shape: &[usize], seed: u64) -> Tensor {
    ANY.tensor(shape, seed).unwrap().detach()
}

fn eye(n: usize) -> Tensor {
    Tensor::eye_with(n as i64, n as i64, TensorOptions::from(DType::F64)).unwrap()
}

fn close(a: &Tensor, b: &Tensor) -> bool {
    a.sub(b).unwrap().abs().unwrap().to_vec::<f64>().unwrap().iter().all(|&x| x < 1e-11)
}

fn orthonormal_columns(q: &Tensor) -> bool {
    let shape = q.shape();
    close(&q.mT().unwrap().matmul(q).unwrap(), &eye(shape[shape.len() - 1]))
}

/// `A = factors multiplied`, for every shape and for matrices of rank 1 and 0.
fn every_matrix(check: impl Fn(&Tensor) -> Result<()>) {
    for (shape, seed) in SHAPES.into_iter().zip(1..) {
        let x = random(shape, seed);
        check(&x).unwrap();
        check(&x.zeros_like().unwrap()).unwrap();
        check(&x.mul(1e200).unwrap().mul(1e-200).unwrap()).unwrap();
    }
    check(&random(&[6, 1], 1).matmul(&random(&[1, 4], 2)).unwrap()).unwrap();
}

#[test]
fn qr_is_an_orthonormal_and_a_triangular_factor() {
    every_matrix(|x| {
        for mode in ["reduced", "complete"] {
            let (q, r) = linalg::qr(x, mode)?;
            assert!(orthonormal_columns(&q) && close(&q.matmul(&r)?, x) && close(&r.triu(0)?, &r), "{:?}", x.shape());
        }
        assert!(close(&linalg::qr(x, "r")?.1, &linalg::qr(x, "reduced")?.1));
        Ok(())
    });
}

#[test]
fn svd_is_two_orthonormal_factors_and_falling_values() {
    every_matrix(|x| {
        let rank = x.dim();
        let k = x.shape()[rank - 1].min(x.shape()[rank - 2]) as i64;
        for full in [false, true] {
            let (u, s, vh) = linalg::svd(x, full)?;
            assert!(orthonormal_columns(&u) && orthonormal_columns(&vh.mT()?), "{:?}", x.shape());
            let back = u.narrow(-1, 0, k)?.mul(&s.unsqueeze(-2)?)?.matmul(&vh.narrow(-2, 0, k)?)?;
            assert!(close(&back, x), "{:?}", x.shape());
            assert!(close(&s, &linalg::svdvals(x)?));
            let values = s.to_vec::<f64>()?;
            assert!(
                values.chunks(k.max(1) as usize).all(|v| v.is_sorted_by(|a, b| a >= b) && v.iter().all(|&v| v >= 0.0))
            );
        }
        Ok(())
    });
}

#[test]
fn eigh_is_orthonormal_vectors_and_rising_values() {
    for n in [0, 1, 2, 5, 30] {
        let x = random(&[2, n, n], 3 + n as u64);
        for x in [x.add(x.mT().unwrap()).unwrap(), x.zeros_like().unwrap()] {
            let (values, vectors) = linalg::eigh(&x, "L").unwrap();
            assert!(orthonormal_columns(&vectors));
            let scaled = vectors.mul(values.unsqueeze(-2).unwrap()).unwrap();
            assert!(close(&scaled.matmul(&vectors.mT().unwrap()).unwrap(), &x));
            assert!(values.to_vec::<f64>().unwrap().chunks(n.max(1)).all(<[f64]>::is_sorted));
        }
    }
}

#[test]
fn lu_is_a_permutation_and_two_triangles() {
    every_matrix(|x| {
        let (p, l, u) = linalg::lu(x)?;
        assert!(orthonormal_columns(&p) && close(&p.matmul(&l.matmul(&u)?)?, x), "{:?}", x.shape());
        assert!(l.abs()?.to_vec::<f64>()?.iter().all(|&v| v <= 1.0));
        Ok(())
    });
}

#[test]
fn solutions_solve() {
    for n in [1, 3, 20] {
        let a = random(&[4, n, n], n as u64);
        let b = random(&[4, n, 2], 50 + n as u64);
        let x = linalg::solve(&a, &b, true).unwrap();
        assert!(a.matmul(&x).unwrap().sub(&b).unwrap().abs().unwrap().max().unwrap().item::<f64>().unwrap() < 1e-9);
        let inverse = linalg::inv(&a).unwrap();
        assert!(
            inverse.matmul(&b).unwrap().sub(&x).unwrap().abs().unwrap().max().unwrap().item::<f64>().unwrap() < 1e-9
        );
    }
}

#[test]
fn small_singular_values_keep_their_digits() {
    // Columns of very different lengths: a bidiagonalization would find the small one to no digit.
    let x = Tensor::new([[1.0f64, 1e-20], [0.0, 1e-20]]).unwrap();
    let values = linalg::svdvals(&x).unwrap().to_vec::<f64>().unwrap();
    assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] / 1e-20 - 1.0).abs() < 1e-12, "{values:?}");
}

#[test]
fn a_singular_matrix_is_named_by_its_place() {
    let a = Tensor::new([[[1.0f32, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]]]).unwrap();
    let error = linalg::inv(&a).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LinAlg);
    assert_eq!(
        error.to_string(),
        "linalg.inv: (Batch element 1): The diagonal element 2 is zero, the inversion could not be completed because the input matrix is singular."
    );
    let error = linalg::solve(&a, &Tensor::ones([2, 2]).unwrap(), true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "torch.linalg.solve: (Batch element 1): The solver failed because the input matrix is singular."
    );
    let error = linalg::cholesky(&Tensor::new([[1.0f32, 2.0], [2.0, 1.0]]).unwrap(), false).unwrap_err();
    assert!(error.to_string().ends_with("(the leading minor of order 2 is not positive-definite)."), "{error}");
    assert_eq!(linalg::inv_ex(&a, false).unwrap().1.to_vec::<i32>().unwrap(), [0, 2]);
}

#[test]
fn einsum_takes_numbers_for_letters() {
    let (a, b) = (random(&[2, 3], 1), random(&[3, 4], 2));
    let lists = Tensor::einsum_lists(&[(&a, &[Some(0), Some(30)]), (&b, &[Some(30), None])], Some(&[None, Some(0)]));
    assert!(close(&lists.unwrap(), &a.mm(&b).unwrap().t().unwrap()));
    let error = Tensor::einsum_lists(&[(&a, &[Some(0), Some(52)])], None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert_eq!(error.to_string(), "einsum(): subscript in subscript list is not within the valid range [0, 52)");
}

#[test]
fn gradients_of_factors_that_have_none_are_refused() {
    let x = random(&[3, 2], 1);
    x.requires_grad_(true).unwrap();
    for (mode, text) in [("r", "mode='r'"), ("complete", "mode='complete' and nrows > ncols")] {
        let error = linalg::qr(&x, mode).unwrap().1.sum().unwrap().backward().unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
}
