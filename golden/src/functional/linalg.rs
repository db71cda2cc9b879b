//! Factorizations, and what is made of them.

use super::operations;
use firebrick::linalg;

operations! { ROWS;
    "linalg.cholesky" |a| { let x = a.x()?; linalg::cholesky(&x, a.flag("upper")?)? };
    "linalg.cholesky_ex" |a| { let x = a.x()?; linalg::cholesky_ex(&x, a.flag("upper")?, a.flag("check_errors")?)? };
    "linalg.det" |a| linalg::det(&a.x()?)?;
    "det" |a| a.x()?.det()?;
    "linalg.slogdet" |a| linalg::slogdet(&a.x()?)?;
    "slogdet" |a| a.x()?.slogdet()?;
    "logdet" |a| a.x()?.logdet()?;
    "linalg.inv" |a| linalg::inv(&a.x()?)?;
    "inverse" |a| a.x()?.inverse()?;
    "linalg.inv_ex" |a| { let x = a.x()?; linalg::inv_ex(&x, a.flag("check_errors")?)? };
    "linalg.solve" |a| { let (x, b) = (a.x()?, a.tensor("B")?); linalg::solve(&x, &b, a.bool_or("left", true)?)? };
    "linalg.solve_ex" |a| { let (x, b) = (a.x()?, a.tensor("B")?); linalg::solve_ex(&x, &b, a.bool_or("left", true)?)? };
    "linalg.solve_triangular" |a| {
        let (x, b) = (a.x()?, a.tensor("B")?);
        let upper = a.flag("upper")?;
        linalg::solve_triangular(&x, &b, upper, a.bool_or("left", true)?, a.flag("unitriangular")?)?
    };
    "linalg.lu" |a| { let x = a.x()?; a.bool_or("pivot", true)?; linalg::lu(&x)? };
    "linalg.lu_factor" |a| { let x = a.x()?; a.bool_or("pivot", true)?; linalg::lu_factor(&x)? };
    "linalg.lu_factor_ex" |a| { let x = a.x()?; a.bool_or("pivot", true)?; linalg::lu_factor_ex(&x)? };
    "linalg.qr" |a| { let x = a.x()?; linalg::qr(&x, &a.text_or("mode", "reduced")?)? };
    "linalg.svd" |a| { let x = a.x()?; linalg::svd(&x, a.bool_or("full_matrices", true)?)? };
    "linalg.svdvals" |a| linalg::svdvals(&a.x()?)?;
    "linalg.eigh" |a| { let x = a.x()?; linalg::eigh(&x, &a.text_or("UPLO", "L")?)? };
    "linalg.eigvalsh" |a| { let x = a.x()?; linalg::eigvalsh(&x, &a.text_or("UPLO", "L")?)? };
    "linalg.matrix_power" |a| { let x = a.x()?; linalg::matrix_power(&x, a.int("n")?)? };
    "linalg.matrix_exp" |a| linalg::matrix_exp(&a.x()?)?;
    "matrix_exp" |a| a.x()?.matrix_exp()?;
    "linalg.householder_product" |a| { let x = a.x()?; linalg::householder_product(&x, &a.tensor("tau")?)? };
    "geqrf" |a| linalg::geqrf(&a.x()?)?;
    "matrix_power" |a| { let x = a.x()?; x.matrix_power(a.int("n")?)? };
}
