//! Products of vectors, matrices and more dimensions, and covariances.

use super::args::tensors;
use super::{Args, operations};
use crate::value::Value;
use crate::{Out, not_built};
use firebrick::{ContractDims, CovWeights, Tensor, linalg};

operations! { ROWS;
    "matmul" |a| { let x = a.x()?; x.matmul(&a.tensor("other")?)? };
    "mm" |a| { let x = a.x()?; x.mm(&a.tensor("mat2")?)? };
    "bmm" |a| { let x = a.x()?; x.bmm(&a.tensor("mat2")?)? };
    "mv" |a| { let x = a.x()?; x.mv(&a.tensor("vec")?)? };
    "dot" |a| { let x = a.x()?; x.dot(&a.tensor("tensor")?)? };
    "vdot" |a| { let x = a.x()?; x.vdot(&a.tensor("other")?)? };
    "inner" |a| { let x = a.x()?; x.inner(&a.tensor("other")?)? };
    "outer" |a| { let x = a.x()?; x.outer(&a.tensor("vec2")?)? };
    "ger" |a| { let x = a.x()?; x.ger(&a.tensor("vec2")?)? };
    "kron" |a| { let x = a.x()?; x.kron(&a.tensor("other")?)? };
    "addmm" |a| { let (x, m1, m2) = (a.x()?, a.tensor("mat1")?, a.tensor("mat2")?); x.addmm(&m1, &m2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "addmv" |a| { let (x, m, v) = (a.x()?, a.tensor("mat")?, a.tensor("vec")?); x.addmv(&m, &v, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "baddbmm" |a| { let (x, m1, m2) = (a.x()?, a.tensor("batch1")?, a.tensor("batch2")?); x.baddbmm(&m1, &m2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "addbmm" |a| { let (x, m1, m2) = (a.x()?, a.tensor("batch1")?, a.tensor("batch2")?); x.addbmm(&m1, &m2, a.float_or("beta", 1.0)?, a.float_or("alpha", 1.0)?)? };
    "addr" |a| { let (x, v1, v2) = (a.x()?, a.tensor("vec1")?, a.tensor("vec2")?); x.addr(&v1, &v2, a.scalar_or("beta", 1)?, a.scalar_or("alpha", 1)?)? };
    "nn.functional.linear" |a| { let (x, weight) = (a.x()?, a.tensor("weight")?); x.linear(&weight, a.maybe_tensor("bias")?.as_ref())? };
    "tensordot" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.tensordot(&y, contract_dims(a)?)? };
    "einsum" |a| einsum(a)?;
    "cross" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.cross(&y, a.maybe_int("dim")?)? };
    "linalg.cross" |a| { let (x, y) = (a.x()?, a.tensor("other")?); linalg::cross(&x, &y, a.int_or("dim", -1)?)? };
    "linalg.vecdot" |a| { let (x, y) = (a.x()?, a.tensor("y")?); linalg::vecdot(&x, &y, a.int_or("dim", -1)?)? };
    "linalg.multi_dot" |a| linalg::multi_dot(&a.tensors("tensors")?)?;
    "chain_matmul" |a| Tensor::chain_matmul(&a.spread_tensors("matrices")?)?;
    "trace" |a| a.x()?.trace()?;
    "cov" |a| {
        let (x, correction) = (a.x()?, a.int_or("correction", 1)?);
        let (frequency, analytic) = (a.maybe_tensor("fweights")?, a.maybe_tensor("aweights")?);
        x.cov(correction, CovWeights { frequency: frequency.as_ref(), analytic: analytic.as_ref() })?
    };
    "corrcoef" |a| a.x()?.corrcoef()?;
}

fn contract_dims(a: &mut Args) -> Out<ContractDims> {
    match a.take("dims") {
        None => Ok(2.into()),
        Some(Value::Int(count)) => Ok(count.into()),
        Some(Value::List(lists) | Value::Tuple(lists)) if lists.len() == 2 => {
            Ok((super::ints("dims", &lists[0])?, super::ints("dims", &lists[1])?).into())
        }
        Some(other) => not_built(format!("dims as {}", other.kind())),
    }
}

/// The operands come first in the files, the equation after them.
fn einsum(a: &mut Args) -> Out<Tensor> {
    let operands = match a.value("operands")? {
        Value::List(list) | Value::Tuple(list) => tensors("operands", list)?,
        Value::Tensor(x) => vec![x],
        other => return not_built(format!("operands as {}", other.kind())),
    };
    Ok(Tensor::einsum(&a.text("equation")?, &operands)?)
}
