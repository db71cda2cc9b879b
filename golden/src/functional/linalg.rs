//! Matrix products and decompositions.

use super::operations;
use super::views::refs;
use firebrick::Tensor;

operations! { ROWS;
    "matmul" |a| { let x = a.x()?; x.matmul(&a.tensor("other")?)? };
    "mm" |a| { let x = a.x()?; x.mm(&a.tensor("mat2")?)? };
    "bmm" |a| { let x = a.x()?; x.bmm(&a.tensor("mat2")?)? };
    "mv" |a| { let x = a.x()?; x.mv(&a.tensor("vec")?)? };
    "dot" |a| { let x = a.x()?; x.dot(&a.tensor("tensor")?)? };
    "vdot" |a| { let x = a.x()?; x.vdot(&a.tensor("other")?)? };
    "inner" |a| { let x = a.x()?; x.inner(&a.tensor("other")?)? };
    "outer" |a| { let x = a.x()?; x.outer(&a.tensor("vec2")?)? };
    "kron" |a| { let x = a.x()?; x.kron(&a.tensor("other")?)? };
    "addmm" |a| { let (x, m1, m2) = (a.x()?, a.tensor("mat1")?, a.tensor("mat2")?); x.addmm(&m1, &m2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "addmv" |a| { let (x, m, v) = (a.x()?, a.tensor("mat")?, a.tensor("vec")?); x.addmv(&m, &v, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "baddbmm" |a| { let (x, m1, m2) = (a.x()?, a.tensor("batch1")?, a.tensor("batch2")?); x.baddbmm(&m1, &m2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "addbmm" |a| { let (x, m1, m2) = (a.x()?, a.tensor("batch1")?, a.tensor("batch2")?); x.addbmm(&m1, &m2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "addr" |a| { let (x, v1, v2) = (a.x()?, a.tensor("vec1")?, a.tensor("vec2")?); x.addr(&v1, &v2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "einsum" |a| { let (list, equation) = (a.tensors("operands")?, a.text("equation")?); Tensor::einsum(&equation, &refs(&list))? };
    "tensordot" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.tensordot(&y, a.ints("dims")?)? };
    "cross" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.cross(&y, a.maybe_int("dim")?)? };
    "linalg.cross" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.linalg_cross(&y, a.int_or("dim", -1)?)? };
    "linalg.vecdot" |a| { let (x, y) = (a.x()?, a.tensor("y")?); x.vecdot(&y, a.int_or("dim", -1)?)? };
    "linalg.inv" |a| a.x()?.inverse()?;
    "linalg.det" |a| a.x()?.det()?;
    "linalg.slogdet" |a| a.x()?.slogdet()?;
    "logdet" |a| a.x()?.logdet()?;
    "linalg.solve" |a| { let x = a.x()?; x.solve(&a.tensor("B")?)? };
    "linalg.cholesky" |a| { let x = a.x()?; x.cholesky(a.flag("upper")?)? };
    "linalg.qr" |a| a.x()?.qr()?;
    "linalg.matrix_power" |a| { let x = a.x()?; x.matrix_power(a.int("n")?)? };
    "linalg.multi_dot" |a| Tensor::multi_dot(&refs(&a.tensors("tensors")?))?;
    "linalg.svdvals" |a| a.x()?.svdvals()?;
    "cdist" |a| { let (x, y) = (a.x()?, a.tensor("x2")?); x.cdist(&y, a.float_or("p", 2.0)?)? };
    "nn.functional.linear" |a| { let (x, weight) = (a.x()?, a.tensor("weight")?); x.linear(&weight, a.maybe_tensor("bias")?.as_ref())? };
}
