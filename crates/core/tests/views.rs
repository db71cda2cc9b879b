//! Views, indexing and shape operations: values, names and texts of PyTorch 2.15, and a slow reference.
#![allow(clippy::unwrap_used)]

use firebrick_core::{Ellipsis, ErrorKind, NewAxis, Result, Slice, Tensor, TensorOptions};

fn range(shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    Tensor::from_vec((0..n).map(|v| v as f64).collect(), shape).unwrap()
}

/// A tensor with a history.
fn recorded(shape: &[usize]) -> Tensor {
    let x = range(shape);
    x.requires_grad_(true).unwrap();
    x.mul(1.0).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec().unwrap()
}

#[track_caller]
fn fails<T>(result: Result<T>, kind: ErrorKind, text: &str) {
    let Err(error) = result else { panic!("no error: {text}") };
    assert_eq!((error.to_string().as_str(), error.kind()), (text, kind));
}

#[test]
fn wrong_shapes_are_refused_in_pytorchs_words() {
    use ErrorKind::{Index, Runtime};
    let (x0, x1, x2, x3) = (Tensor::scalar(1.0).unwrap(), range(&[5]), range(&[2, 3]), range(&[2, 3, 4]));
    let x2f = x2.to(firebrick_core::DType::F32).unwrap();
    fails(x2.view([-1, -1]), Runtime, "only one dimension can be inferred");
    fails(x2.view([-2, 3]), Runtime, "invalid shape dimension -2 at index 0 of shape [-2, 3]");
    fails(x2.reshape([0, -1]), Runtime, "shape '[0, -1]' is invalid for input of size 6");
    fails(
        x2.view([1i64 << 40, 1 << 40]),
        Runtime,
        "shape '[1099511627776, 1099511627776]' is invalid for input of size 6",
    );
    fails(x2.flatten(1, 0), Runtime, "flatten() has invalid args: start_dim cannot come after end_dim");
    fails(
        x2.unflatten(1, [2, 2]),
        Runtime,
        "unflatten: Provided sizes [2, 2] don't multiply up to the size of dim 1 (3) in the input tensor",
    );
    fails(x2.movedim([0, 0], [1, 0]), Runtime, "movedim: repeated dim in `source` ([0, 0])");
    fails(x2.permute([0, 0]), Runtime, "permute(): duplicate dims are not allowed.");
    fails(x1.mT(), Runtime, "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.");
    fails(x2.unfold(0, 3, 1), Runtime, "maximum size for tensor at dimension 0 is 2 but size is 3");
    fails(x2.unfold(0, 2, 0), Runtime, "step is 0 but must be > 0");
    fails(x2.diagonal(0, 0, 0), Runtime, "diagonal dimensions cannot be identical 0, 0");
    fails(
        x2f.as_strided(3, 1, 7),
        Runtime,
        "setStorage: sizes [3], strides [1], storage offset 7, and itemsize 4 requiring a storage size of 40 are out of bounds for storage of size 24",
    );
    fails(
        x2f.as_strided(2, 1i64 << 62, 0),
        Runtime,
        "Storage size calculation overflowed with sizes=[2] and strides=[4611686018427387904]",
    );
    fails(
        x2f.expand(2),
        Runtime,
        "expand(torch.FloatTensor{[2, 3]}, size=[2]): the number of sizes provided (1) must be greater or equal to the number of dimensions in the tensor (2)",
    );
    fails(x2.expand([1i64 << 40, 1 << 40, 2, 3]), Runtime, "numel: integer multiplication overflow");
    fails(x0.narrow(0, 0, 1), Runtime, "narrow() cannot be applied to a 0-dim tensor.");
    fails(x1.narrow(0, 6, 1), Index, "start out of range (expected to be in range of [-5, 5], but got 6)");
    fails(
        x1.split([2, 2], 0),
        Runtime,
        "split_with_sizes expects split_sizes to sum exactly to 5 (input tensor's size at dimension 0), but got split_sizes=[2, 2]",
    );
    fails(x1.split(0, 0), Runtime, "split_size can only be 0 if dimension size is 0, but got dimension size of 5");
    fails(x1.chunk(0, 0), Runtime, "chunk expects `chunks` to be greater than 0, got: 0");
    fails(
        x1.hsplit(2),
        Runtime,
        "torch.hsplit attempted to split along dimension 0, but the size of the dimension 5 is not divisible by the split_size 2!",
    );
    fails(x0.unbind(0), Index, "Dimension specified as 0 but tensor has no dimensions");
    fails(Tensor::cat(&[&x2, &x1], 0), Runtime, "Tensors must have same number of dimensions: got 2 and 1");
    fails(
        Tensor::stack(&[&x1, &x2], 0),
        Runtime,
        "stack expects each tensor to be equal size, but got [5] at entry 0 and [2, 3] at entry 1",
    );
    fails(x3.diag(0), Runtime, "diag(): Supports 1D or 2D tensors. Got 3D");
    fails(x2.roll([1, 1], 0), Runtime, "shifts and dimensions must align. shifts: 2, dims:1");
    fails(x2.repeat([2, -1]), Runtime, "Trying to create tensor with negative dimension -3: [4, -3]");
    fails(Tensor::zeros([-1]), Runtime, "zeros: Dimension size must be non-negative.");
    fails(Tensor::arange_with(0, 5, 0, TensorOptions::new()), Runtime, "step must be nonzero");
    fails(
        Tensor::full_with(2, 300, firebrick_core::DType::I8),
        Runtime,
        "value cannot be converted to type int8_t without overflow",
    );
}

#[test]
fn wrong_indices_are_refused_in_pytorchs_words() {
    use ErrorKind::{Index, Runtime, Value};
    let (x0, x1, x2) = (Tensor::scalar(1.0).unwrap(), range(&[5]), range(&[2, 3]));
    let long = |list: &[i64]| Tensor::new(list).unwrap();
    fails(x1.i(5), Index, "index 5 is out of bounds for dimension 0 with size 5");
    fails(x2.i((0, 5)), Index, "index 5 is out of bounds for dimension 1 with size 3");
    fails(x2.i((Ellipsis, 0, 0, 0)), Index, "too many indices for tensor of dimension 2");
    fails(
        x0.i(0),
        Index,
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number",
    );
    fails(x0.i(..), Index, "slice() cannot be applied to a 0-dim tensor.");
    fails(x1.i(Slice::new(None, None).step(0)), Value, "slice step cannot be zero");
    fails(x1.i(Slice::new(None, None).step(-1)), Value, "step must be greater than zero");
    fails(x2.i(long(&[-3])), Index, "index -3 is out of bounds for dimension 0 with size 2");
    fails(
        x2.i((long(&[0, 1]), long(&[0, 1, 2]))),
        Index,
        "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]",
    );
    fails(
        x2.i(Tensor::new([true]).unwrap()),
        Index,
        "The shape of the mask [1] at index 0 does not match the shape of the indexed tensor [2, 3] at index 0",
    );
    fails(
        x2.i(Tensor::new([1.0f32]).unwrap()),
        Index,
        "tensors used as indices must be long, int, byte or bool tensors",
    );
    fails(x2.index_select(0, &long(&[2])), Index, "index out of range in self");
    fails(
        x2.gather(1, &Tensor::new([[3i64]]).unwrap()),
        Runtime,
        "index 3 is out of bounds for dimension 1 with size 3",
    );
    fails(x2.take(&long(&[6])), Index, "out of range: tried to access index 6 on a tensor of 6 elements.");
    fails(
        x2.index_copy(0, &long(&[2]), &range(&[1, 3])),
        Index,
        "index_copy_(): index 2 is out of bounds for dimension 0 with size 2",
    );
    fails(
        x1.set(0..3, range(&[2])),
        Runtime,
        "The expanded size of the tensor (3) must match the existing size (2) at non-singleton dimension 0.  Target sizes: [3].  Tensor sizes: [2]",
    );
}

#[test]
fn grad_fn_has_pytorchs_name() -> Result<()> {
    let x = || recorded(&[2, 3, 4]);
    let named = |t: Result<Tensor>, name: &str| assert_eq!(t.unwrap().grad_fn(), Some(name));
    named(x().transpose(0, 1)?.reshape(24), "UnsafeViewBackward0");
    named(x().transpose(0, 1)?.ravel(), "ViewBackward0");
    named(x().swapaxes(0, 1), "TransposeBackward0");
    named(x().T(), "PermuteBackward0");
    named(x().i(Ellipsis), "AliasBackward0");
    named(x().i(NewAxis), "UnsqueezeBackward0");
    named(x().i((0, 1..2)), "SliceBackward0");
    named(x().chunk(2, 0).map(|c| c[0].clone()), "SplitBackward0");
    named(x().split([1, 1], 0).map(|c| c[0].clone()), "SplitWithSizesBackward0");
    named(x().tensor_split(2, 0).map(|c| c[0].clone()), "SliceBackward0");
    named(x().unbind(1).map(|c| c[2].clone()), "UnbindBackward0");
    named(x().i(Tensor::new([0i64])?), "IndexBackward0");
    named(x().repeat_interleave(2, 0), "ViewBackward0");
    named(x().select(0, 0)?.diag(0), "DiagonalBackward0_copy");
    Ok(())
}

#[test]
fn basic_indices_give_what_a_slow_reference_gives() -> Result<()> {
    let x = range(&[4, 3, 5]);
    let bounds = [None, Some(-7), Some(-2), Some(0), Some(1), Some(3), Some(9)];
    for start in bounds {
        for stop in bounds {
            for step in 1..4 {
                let wrap = |b: i64, n: i64| if b < 0 { (b + n).max(0) } else { b.min(n) };
                let (from, to) = (wrap(start.unwrap_or(0), 5), wrap(stop.unwrap_or(5), 5));
                let columns: Vec<i64> = (from..to).step_by(step as usize).collect();
                let expected: Vec<f64> =
                    (0..4).flat_map(|i| columns.iter().map(move |k| (i * 15 + 5 + k) as f64)).collect();
                let got = x.i((.., 1, Slice::new(start, stop).step(step)))?;
                assert_eq!(
                    (values(&got), got.shapes()),
                    (expected, vec![4, columns.len()]),
                    "{start:?}:{stop:?}:{step}"
                );
            }
        }
    }
    Ok(())
}

trait Shapes {
    fn shapes(&self) -> Vec<usize>;
}

impl Shapes for Tensor {
    fn shapes(&self) -> Vec<usize> {
        self.shape().to_vec()
    }
}

#[test]
fn index_tensors_follow_the_rules_of_advanced_indexing() -> Result<()> {
    let x = range(&[2, 3, 4]);
    let pair = Tensor::new([0i64, 1])?;
    let column = Tensor::new([[0i64], [1]])?;
    assert_eq!(x.i((.., &pair, &pair))?.shapes(), [2, 2]);
    assert_eq!(x.i((&pair, .., &pair))?.shapes(), [2, 3]);
    assert_eq!(values(&x.i((&pair, .., &pair))?), [0., 4., 8., 13., 17., 21.]);
    assert_eq!(x.i((.., &column))?.shapes(), [2, 2, 1, 4]);
    assert_eq!(x.i((&pair, NewAxis, &pair))?.shapes(), [2, 1, 4]);
    assert_eq!(x.i(true)?.shapes(), [1, 2, 3, 4]);
    assert_eq!(x.i(false)?.shapes(), [0, 2, 3, 4]);
    let mask = x.select(2, 0)?.gt(4.0)?;
    assert_eq!(values(&x.i((&mask, 0))?), [8., 12., 16., 20.]);
    Ok(())
}

#[test]
fn what_is_set_is_read_back_and_nothing_else_changes() -> Result<()> {
    let x = range(&[3, 4]).transpose(0, 1)?;
    x.set((1..3, 0), -1)?;
    x.set((Ellipsis, 2), Tensor::new([7.0f64, 8.0, 9.0, 10.0])?)?;
    x.set(&x.lt(0.0)?, 50)?;
    x.set((Tensor::new([0i64, -1])?, Tensor::new([0i64, 1])?), Tensor::new([90.0f64, 91.0])?)?;
    assert_eq!(values(&x), [90., 4., 7., 50., 5., 8., 50., 6., 9., 3., 91., 10.]);
    Ok(())
}

#[test]
fn scatter_writes_in_the_order_of_the_index_whatever_the_layout() -> Result<()> {
    let index = Tensor::new([[0i64, 2, 0], [1, 1, 1]])?;
    let source = range(&[2, 3]).add(1.0)?;
    for x in [Tensor::zeros_with([2, 3], firebrick_core::DType::F64)?, range(&[3, 2]).mul(0.0)?.t()?] {
        assert_eq!(values(&x.scatter(1, &index, &source)?), [3., 0., 2., 0., 6., 0.]);
        assert_eq!(values(&x.scatter_add(1, &index, &source)?), [4., 0., 2., 0., 15., 0.]);
    }
    Ok(())
}

#[test]
fn as_strided_knows_where_its_base_lies() -> Result<()> {
    // torch.arange(6.).view(2, 3).t().requires_grad_(): gradient of x.as_strided((4,), (1,), 1).pow(2).sum()
    let x = range(&[2, 3]).t()?.detach();
    x.requires_grad_(true)?;
    let y = x.as_strided(4, 1, 1)?;
    y.mul(&y)?.sum()?.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [0., 6., 2., 8., 4., 0.]);
    Ok(())
}

#[test]
fn patterns_are_pytorchs() -> Result<()> {
    use firebrick_core::DType::{BF16, F16, I64, U8};
    assert_eq!(Tensor::arange_with(0, 2.7, 0.3, TensorOptions::new())?.numel(), 10);
    assert_eq!(Tensor::arange_with(0, 5, 1.5, I64)?.to_vec::<i64>()?, [0, 1, 2, 3]);
    assert_eq!(Tensor::arange_with(0, 300, 1, U8)?.to_vec::<i64>()?[297..], [41, 42, 43]);
    assert_eq!(Tensor::linspace_with(10, 0, 7, I64)?.to_vec::<i64>()?, [10, 8, 6, 5, 3, 1, 0]);
    assert_eq!(Tensor::linspace_with(0, 10, 4, F16)?.to_vec::<f64>()?, [0.0, 3.333984375, 6.66796875, 10.0]);
    let bf16 = [0.0, 0.1669921875, 0.333984375, 0.5, 0.66796875, 0.83203125, 1.0];
    assert_eq!(Tensor::linspace_with(0, 1, 7, BF16)?.to_vec::<f64>()?, bf16);
    assert_eq!(Tensor::logspace(0, 2, 4, 10.0, I64)?.to_vec::<i64>()?, [1, 4, 21, 100]);
    assert_eq!(Tensor::eye_with(3, 2, U8)?.to_vec::<i64>()?, [1, 0, 0, 1, 0, 0]);
    assert_eq!(Tensor::tril_indices(2, 3, 1, I64)?.to_vec::<i64>()?, [0, 0, 1, 1, 1, 0, 1, 0, 1, 2]);
    Ok(())
}
