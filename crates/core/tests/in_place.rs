//! Changing tensors in place: what PyTorch 2.15 refuses, and how the history is rewritten.
#![allow(clippy::unwrap_used)]

use firebrick_core::autograd::{self, inference_mode, no_grad};
use firebrick_core::{Result, Tensor};

fn leaf(values: &[f64]) -> Tensor {
    let x = Tensor::new(values).unwrap();
    x.requires_grad_(true).unwrap();
    x
}

fn grad(x: &Tensor) -> Vec<f64> {
    x.grad().unwrap().to_vec().unwrap()
}

#[track_caller]
fn fails<T>(result: Result<T>, start: &str) {
    let Err(error) = result else { panic!("no error: {start}") };
    assert!(error.to_string().starts_with(start), "{error}\n{start}");
}

const NO_GRAD: &str = "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden.";
const MANY: &str =
    "is a view and is being modified inplace. This view is the output of a function that returns multiple views.";

#[test]
fn a_view_of_a_leaf_is_refused() -> Result<()> {
    let x = leaf(&[1., 2.]);
    let text = "a view of a leaf Variable that requires grad is being used in an in-place operation.";
    fails(x.view([2])?.add_(1.0), text);
    fails(x.i(0..1)?.mul_(2.0), text);
    fails(x.set(0, 5.0), text);
    let view = Tensor::new([1.0f64])?.view([1])?;
    view.requires_grad_(true)?;
    fails(view.add_(1.0), text);
    Ok(())
}

#[test]
fn under_no_grad_a_leaf_changes_and_its_version_counts() -> Result<()> {
    let x = leaf(&[1., 2.]);
    no_grad(|| x.add_(1.0).map(drop))?;
    assert!(x.requires_grad() && x.is_leaf());
    x.detach().add_(1.0)?;
    assert_eq!((x.to_vec::<f64>()?, x.version()?), (vec![3., 4.], 2));
    Ok(())
}

#[test]
fn one_of_many_views_is_refused_by_name_and_number() -> Result<()> {
    let x = leaf(&[1., 2., 3., 4.]).mul(1.0)?;
    fails(x.split(2, 0)?[0].add_(1.0), &format!("Output 0 of Split {MANY}"));
    fails(x.chunk(2, 0)?[1].add_(1.0), &format!("Output 1 of Split {MANY}"));
    fails(x.split([1, 3], 0)?[1].add_(1.0), &format!("Output 1 of SplitWithSizes {MANY}"));
    fails(x.unbind(0)?[1].add_(1.0), &format!("Output 1 of Unbind {MANY}"));
    fails(x.split(2, 0)?[0].view([2, 1])?.add_(1.0), &format!("Output 0 of View {MANY}"));
    let piece = x.tensor_split(2, 0)?[1].clone();
    piece.add_(1.0)?;
    assert_eq!(piece.grad_fn(), Some("AsStridedBackward0"));
    let plain = Tensor::new([1.0f64, 2.0])?;
    plain.split(1, 0)?[0].add_(1.0)?;
    assert_eq!(plain.to_vec::<f64>()?, [2., 2.]);
    Ok(())
}

#[test]
fn a_view_taken_without_recording_is_refused() -> Result<()> {
    let x = leaf(&[1., 2., 3., 4.]).mul(1.0)?;
    let view = no_grad(|| x.view([2, 2]))?;
    fails(view.add_(1.0), NO_GRAD);
    fails(
        view.select(0, 0)?.add_(1.0),
        "Output 0 of Select is a view of a view which was created in no_grad mode and is being modified",
    );
    let view = inference_mode(|| x.view([2, 2]))?;
    fails(view.add_(1.0), "A view was created in inference mode and is being modified inplace in normal mode.");
    let plain = Tensor::new([1.0f64, 2.0])?;
    let view = no_grad(|| plain.view([2]))?;
    fails(view.mul_(leaf(&[1., 1.])), NO_GRAD);
    Ok(())
}

#[test]
fn a_view_taken_without_recording_is_unusable_once_its_base_changed() -> Result<()> {
    let text = "A view was created in no_grad mode and its base or another view of its base has been modified inplace with grad mode enabled.";
    let x = leaf(&[1., 2.]).mul(1.0)?;
    let view = no_grad(|| x.view([2]))?;
    x.add_(1.0)?;
    fails(view.mul(2.0), text);
    no_grad(|| view.mul(2.0))?;
    let plain = Tensor::new([1.0f64, 2.0])?;
    let piece = plain.split(1, 0)?[0].clone();
    plain.mul_(leaf(&[1., 1.]))?;
    assert!(piece.requires_grad());
    fails(piece.mul(2.0), text);
    Ok(())
}

#[test]
fn overlap_in_part_is_refused() -> Result<()> {
    let text = "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location.";
    let x = Tensor::new([1.0f64, 2.0, 3.0])?;
    fails(x.i(1..)?.copy_(&x.i(..2)?), text);
    fails(x.i(1..)?.add_(&x.i(..2)?), text);
    let text =
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location.";
    fails(x.expand([2, 3])?.add_(1.0), text);
    fails(
        Tensor::ones([2])?.add_(&Tensor::ones([3, 2])?),
        "output with shape [2] doesn't match the broadcast shape [3, 2]",
    );
    Ok(())
}

#[test]
fn a_change_through_detach_is_noticed() -> Result<()> {
    let y = leaf(&[1., 2.]).exp()?;
    y.detach().zero_()?;
    fails(
        y.sum()?.backward(),
        "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.DoubleTensor [2]], which is output 0 of Exp, is at version 1; expected version 0 instead.",
    );
    let d = Tensor::ones_with([2], firebrick_core::DType::F64)?;
    let detached = d.detach();
    detached.mul_(leaf(&[1., 1.]))?;
    assert!(detached.requires_grad() && !d.requires_grad());
    Ok(())
}

#[test]
fn changed_views_of_any_kind_send_gradients_to_the_right_places() -> Result<()> {
    type View = fn(&Tensor) -> Result<Tensor>;
    let views: [(View, [f64; 6]); 6] = [
        (|y| y.t(), [3.; 6]),
        (|y| y.i((1, ..)), [1., 1., 1., 3., 3., 3.]),
        (|y| y.diagonal(0, 0, 1), [3., 1., 1., 1., 3., 1.]),
        (|y| y.view([3, 2])?.i((0..2, 1)), [1., 3., 1., 3., 1., 1.]),
        (|y| y.t()?.unsqueeze(0)?.slice(1, 0, None, 2), [3., 1., 3., 3., 1., 3.]),
        (|y| y.as_strided([2], [3], 1), [1., 3., 1., 1., 3., 1.]),
    ];
    for (view, expected) in views {
        let x = leaf(&[1., 2., 3., 4., 5., 6.]);
        let y = x.view([2, 3])?.mul(1.0)?;
        view(&y)?.mul_(3.0)?;
        assert_eq!(y.grad_fn(), Some("CopySlices"));
        y.sum()?.backward()?;
        assert_eq!(grad(&x), expected);
    }
    Ok(())
}

#[test]
fn as_strided_writes_into_the_history_of_a_base_in_another_order() -> Result<()> {
    let x = leaf(&[1., 2., 3., 4., 5., 6.]);
    // [3, 2] with strides (1, 3): element 1 of the memory is row 1, column 0.
    let y = x.view([2, 3])?.t()?.copy()?;
    assert_eq!(y.stride(), [1, 3]);
    y.as_strided(2, 1, 1)?.mul_(10.0)?;
    y.sum()?.backward()?;
    assert_eq!(grad(&x), [1., 10., 10., 1., 1., 1.]);
    Ok(())
}

#[test]
fn rows_with_an_index_change_in_place() -> Result<()> {
    let (x, source) = (leaf(&[1., 2., 3.]), leaf(&[5., 6.]));
    let y = x.mul(2.0)?;
    y.index_add_(0, &Tensor::new([2i64, 2])?, &source, 3)?;
    y.i(0..2)?.index_fill_(0, &Tensor::new([0i64])?, 9.0)?;
    assert_eq!(y.to_vec::<f64>()?, [9., 4., 39.]);
    y.sum()?.backward()?;
    assert_eq!((grad(&x), grad(&source)), (vec![0., 2., 2.], vec![3., 3.]));
    Ok(())
}

#[test]
fn set_sends_gradients_to_the_value_and_not_to_what_it_replaced() -> Result<()> {
    let (x, value) = (leaf(&[1., 2., 3., 4.]), leaf(&[5.]));
    let y = x.view([2, 2])?.mul(1.0)?;
    y.set((.., 1), &value)?;
    y.set((0, 0), 7.0)?;
    y.set(Tensor::new([[false, false], [true, false]])?, &value)?;
    y.mul(&Tensor::new([[1.0f64, 2.0], [3.0, 4.0]])?)?.sum()?.backward()?;
    assert_eq!((grad(&x), grad(&value)), (vec![0.; 4], vec![9.]));
    Ok(())
}

#[test]
fn gradients_of_pieces_that_were_not_used_are_zero() -> Result<()> {
    let x = leaf(&[1., 2., 3., 4., 5.]);
    let pieces = x.split(2, 0)?;
    pieces[0].sum()?.add(&pieces[2].sum()?.mul(3.0)?)?.backward()?;
    assert_eq!(grad(&x), [1., 1., 0., 0., 3.]);
    let second = autograd::grad(&x.view([5, 1])?.unbind(0)?[4].sum()?, &x)?;
    assert_eq!(second.to_vec::<f64>()?, [0., 0., 0., 0., 1.]);
    Ok(())
}

#[test]
fn views_cannot_be_detached_in_place_and_only_leaves_change_their_flag() -> Result<()> {
    let y = leaf(&[1.]).mul(1.0)?;
    fails(y.view([1])?.detach_(), "Can't detach views in-place. Use detach() instead.");
    fails(y.view([1])?.requires_grad_(false), "you can only change requires_grad flags of leaf variables.");
    y.detach_()?;
    assert!(y.is_leaf() && !y.requires_grad());
    Ok(())
}
