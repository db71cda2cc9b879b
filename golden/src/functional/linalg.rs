//! Matrix products and decompositions.

use super::operations;

operations! { ROWS;
    "matmul" |a| { let x = a.x()?; x.matmul(&a.tensor("other")?)? };
    "mm" |a| { let x = a.x()?; x.mm(&a.tensor("mat2")?)? };
    "bmm" |a| { let x = a.x()?; x.bmm(&a.tensor("mat2")?)? };
    "mv" |a| { let x = a.x()?; x.mv(&a.tensor("vec")?)? };
    "dot" |a| { let x = a.x()?; x.dot(&a.tensor("tensor")?)? };
    "outer" |a| { let x = a.x()?; x.outer(&a.tensor("vec2")?)? };
    "addmm" |a| { let (x, m1, m2) = (a.x()?, a.tensor("mat1")?, a.tensor("mat2")?); x.addmm(&m1, &m2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "addmv" |a| { let (x, m, v) = (a.x()?, a.tensor("mat")?, a.tensor("vec")?); x.addmv(&m, &v, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "baddbmm" |a| { let (x, m1, m2) = (a.x()?, a.tensor("batch1")?, a.tensor("batch2")?); x.baddbmm(&m1, &m2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "nn.functional.linear" |a| { let (x, weight) = (a.x()?, a.tensor("weight")?); x.linear(&weight, a.maybe_tensor("bias")?.as_ref())? };
}
