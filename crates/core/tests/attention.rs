//! Attention over several tiles, held against its formula.
#![allow(clippy::unwrap_used)]

use firebrick_core::autograd::{self, Grad};
use firebrick_core::{AttentionOptions, DType, Generator, Result, Tensor};

/// More queries and keys than a tile has, and no multiple of it.
const SIZES: [usize; 4] = [150, 300, 20, 12];

fn randn(shape: &[usize]) -> Result<Tensor> {
    let x = Tensor::randn(shape)?.to(DType::F64)?;
    x.requires_grad_(true)?;
    Ok(x)
}

/// Queries, keys and values of two images with three heads, as views of larger tensors.
fn inputs([queries, keys, width, values]: [usize; 4]) -> Result<[Tensor; 3]> {
    Generator::new().manual_seed(1).scope(|| {
        let heads = |rows: usize, columns: usize| randn(&[2, rows, 3, columns])?.transpose(1, 2);
        Ok([heads(queries, width)?, heads(keys, width)?, heads(keys, values)?])
    })
}

/// `softmax(query key^T / sqrt(width) + mask) value`, operation by operation.
fn formula([q, k, v]: &[Tensor; 3], mask: Option<&Tensor>) -> Result<Tensor> {
    let scores = q.matmul(&k.transpose(-2, -1)?)?.mul(1.0 / (q.size(-1)? as f64).sqrt())?;
    let scores = match mask {
        Some(mask) => scores.add(mask)?,
        None => scores,
    };
    scores.softmax(-1)?.matmul(v)
}

fn causal([queries, keys, ..]: [usize; 4]) -> Result<Tensor> {
    let hidden = Tensor::ones([queries, keys])?.triu(1)?.ne(0.0)?;
    Tensor::zeros_with([queries, keys], DType::F64)?.masked_fill(&hidden, f64::NEG_INFINITY)
}

fn largest_difference(a: &Tensor, b: &Tensor) -> Result<f64> {
    a.detach().sub(b.detach())?.abs()?.max()?.item::<f64>()
}

/// Results and gradients agree with those of the formula.
fn check(x: &[Tensor; 3], options: &AttentionOptions<'_>, mask: Option<&Tensor>) -> Result<()> {
    let (kernel, wanted) = (x[0].scaled_dot_product_attention(&x[1], &x[2], options)?, formula(x, mask)?);
    assert_eq!(kernel.grad_fn(), Some("ScaledDotProductFlashAttentionForCpuBackward0"));
    assert!(largest_difference(&kernel, &wanted)? < 1e-12);
    let g = Generator::new().manual_seed(2).scope(|| Tensor::randn(wanted.shape()))?.to(DType::F64)?;
    let inputs: Vec<&Tensor> = x.iter().collect();
    let grads = |y: &Tensor| Grad::new(&[y], &inputs).grad_outputs(&[Some(g.clone())]).run();
    for (kernel, wanted) in grads(&kernel)?.iter().zip(&grads(&wanted)?) {
        assert!(largest_difference(kernel, wanted)? < 1e-11);
    }
    Ok(())
}

#[test]
fn every_query_sees_every_key() -> Result<()> {
    check(&inputs(SIZES)?, &AttentionOptions::new(), None)
}

#[test]
fn causal_queries_see_the_keys_before_them_alone() -> Result<()> {
    for sizes in [SIZES, [300, 150, 20, 12], [1, 5, 3, 2], [5, 1, 3, 2]] {
        check(&inputs(sizes)?, &AttentionOptions::new().is_causal(true), Some(&causal(sizes)?))?;
    }
    Ok(())
}

#[test]
fn masks_are_stretched() -> Result<()> {
    let [queries, keys, ..] = SIZES;
    for shape in [vec![queries, keys], vec![2, 1, 1, keys], vec![3, queries, 1], vec![2, 3, queries, keys]] {
        let mask = Generator::new().manual_seed(3).scope(|| Tensor::randn(&shape[..]))?.to(DType::F64)?;
        check(&inputs(SIZES)?, &AttentionOptions::new().attn_mask(&mask), Some(&mask))?;
        let truth = mask.gt(-1.0)?;
        if shape[shape.len() - 1] == keys {
            let added =
                Tensor::zeros_with(&shape[..], DType::F64)?.masked_fill(&truth.logical_not()?, f64::NEG_INFINITY)?;
            check(&inputs(SIZES)?, &AttentionOptions::new().attn_mask(&truth), Some(&added))?;
        }
    }
    Ok(())
}

#[test]
fn heads_share_keys_and_values() -> Result<()> {
    let [queries, keys, width, values] = SIZES;
    let [q, k, v] = Generator::new().manual_seed(4).scope(|| -> Result<_> {
        Ok([randn(&[2, 6, queries, width])?, randn(&[2, 3, keys, width])?, randn(&[2, 3, keys, values])?])
    })?;
    let options = AttentionOptions::new().enable_gqa(true);
    let shared = q.scaled_dot_product_attention(&k, &v, &options)?;
    let copies = [q.clone(), k.repeat_interleave(2, 1)?, v.repeat_interleave(2, 1)?];
    let wanted = formula(&copies, None)?;
    assert!(largest_difference(&shared, &wanted)? < 1e-12);
    let grads = |y: &Tensor| Grad::new(&[&y.mul(y)?.sum()?], &[&q, &k, &v]).run();
    for (shared, wanted) in grads(&shared)?.iter().zip(&grads(&wanted)?) {
        assert!(largest_difference(shared, wanted)? < 1e-11);
    }
    Ok(())
}

#[test]
fn a_query_that_sees_no_key_gets_zeros_and_gives_none() -> Result<()> {
    let x = inputs([3, 200, 4, 2])?;
    let mask = Tensor::ones_with([3, 200], DType::Bool)?;
    mask.select(0, 1)?.fill_(0)?;
    let y = x[0].scaled_dot_product_attention(&x[1], &x[2], &AttentionOptions::new().attn_mask(&mask))?;
    assert_eq!(y.select(2, 1)?.abs()?.max()?.item::<f64>()?, 0.0);
    let grads = Grad::new(&[&y.sum()?], &[&x[0], &x[1]]).run()?;
    assert_eq!(grads[0].select(2, 1)?.abs()?.max()?.item::<f64>()?, 0.0);
    assert!(grads[1].isfinite()?.all()?.item::<bool>()?);
    Ok(())
}

/// Scores that rise from tile to tile: what was added up is brought to each new scale.
#[test]
fn the_largest_score_may_come_last() -> Result<()> {
    let keys = Tensor::arange(300)?.to(DType::F64)?.unsqueeze(1)?;
    let (query, values) = (Tensor::full([1, 1], 2.0)?.to(DType::F64)?, keys.copy()?);
    let y = query.scaled_dot_product_attention(&keys, &values, &AttentionOptions::new())?.item::<f64>()?;
    // The weights fall by exp(-2) from the last key on: the mean is 299 - 1 / (exp(2) - 1).
    assert!((y - (299.0 - 1.0 / (2f64.exp() - 1.0))).abs() < 1e-10);
    Ok(())
}

#[test]
fn the_result_lies_as_the_queries_do() -> Result<()> {
    let x = inputs([3, 5, 4, 4])?;
    let y = autograd::no_grad(|| x[0].scaled_dot_product_attention(&x[1], &x[2], &AttentionOptions::new()))?;
    assert_eq!((y.shape().to_vec(), y.stride().to_vec()), (vec![2, 3, 3, 4], vec![36, 4, 12, 1]));
    Ok(())
}
