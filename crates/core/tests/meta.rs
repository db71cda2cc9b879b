//! Tensors without data: every operation follows their shapes, nothing reads what is not there.
#![allow(clippy::unwrap_used, clippy::panic)]

mod adversary;

use adversary::Failures;
use firebrick_core::ops::{Row, table};
use firebrick_core::{
    DType, Device, Error, ErrorKind, Generator, GridMode, GridPadding, Reduction, Result, ShapesOnly, Tensor, linalg,
};

const META: Device = Device::Meta;

fn meta(shape: &[usize]) -> Tensor {
    Tensor::ones_with(shape, META).unwrap()
}

fn whole(shape: &[usize]) -> Tensor {
    Tensor::ones_with(shape, firebrick_core::TensorOptions::from(DType::I64).device(META)).unwrap()
}

fn rows() -> Vec<&'static Row> {
    let only = std::env::var("OPERATION").ok();
    table().into_iter().filter(|row| only.as_ref().is_none_or(|name| name == row.name)).collect()
}

/// The shape of their results, or of their gradients, follows from what is in the tensors.
const DEPENDS_ON_DATA: [&str; 3] = ["masked_select", "masked_scatter", "repeat_interleave_by"];

/// Shape, dtype and whether a gradient flows, of the result and of every gradient.
fn forms(out: &Tensor, inputs: &[Tensor]) -> Result<Vec<String>> {
    let form = |x: &Tensor| format!("{:?} {}", x.shape(), x.dtype());
    let mut forms = vec![format!("{} {}", form(out), out.requires_grad())];
    if out.requires_grad() {
        out.backward_with(firebrick_core::autograd::Backward::new().gradient(&out.detach().ones_like()?))?;
        forms.extend(inputs.iter().map(|x| x.grad().as_ref().map_or_else(|| "none".to_owned(), form)));
    }
    Ok(forms)
}

#[test]
fn operations_and_their_gradients_have_the_shapes_that_they_have_with_data() {
    let mut failures = Failures::new("shapes without data");
    for row in rows() {
        for (i, sample) in (row.samples)().unwrap().iter().enumerate() {
            failures.run(&format!("{} sample {i}", row.name), || {
                let fresh = |x: &Tensor| {
                    let x = x.detach();
                    x.requires_grad_(true).map(|_| x.clone())
                };
                let real: Vec<Tensor> = sample.inputs.iter().map(|x| fresh(x).unwrap()).collect();
                let expected = (sample.apply)(&real).and_then(|out| forms(&out, &real)).unwrap();
                let _shapes = ShapesOnly::begin();
                let given: Vec<Tensor> = sample.inputs.iter().map(|x| x.form().unwrap()).collect();
                let got = (sample.apply)(&given).and_then(|out| {
                    assert!(out.is_meta(), "the result has data");
                    forms(&out, &given)
                });
                match got {
                    Ok(got) => (got != expected).then(|| format!("{got:?} and not {expected:?}")),
                    Err(error) if error.lacks_data() && DEPENDS_ON_DATA.contains(&row.name) => None,
                    Err(error) => Some(format!("{error:#}")),
                }
            });
        }
    }
    failures.report();
}

#[test]
fn it_prints_as_pytorchs() -> Result<()> {
    let x = meta(&[2, 3]);
    assert_eq!(x.to_string(), "tensor(..., device='meta', size=(2, 3))");
    assert_eq!(x.to(DType::F64)?.to_string(), "tensor(..., device='meta', size=(2, 3), dtype=torch.float64)");
    assert_eq!(whole(&[]).to_string(), "tensor(..., device='meta', size=(), dtype=torch.int64)");
    assert_eq!(meta(&[0]).to_string(), "tensor(..., device='meta', size=(0,))");
    x.requires_grad_(true)?;
    assert_eq!(x.to_string(), "tensor(..., device='meta', size=(2, 3), requires_grad=True)");
    assert_eq!(x.mul(2.0)?.to_string(), "tensor(..., device='meta', size=(2, 3), grad_fn=<MulBackward0>)");
    assert_eq!(x.type_text(), "torch.meta.FloatTensor");
    for text in ["meta", "meta:0"] {
        assert_eq!(text.parse::<Device>()?, META);
    }
    assert_eq!(META.to_string(), "meta");
    Ok(())
}

#[test]
fn asking_for_elements_is_pytorchs_error() {
    const COPY: &str = "Cannot copy out of meta tensor; no data!";
    const ITEM: &str = "Tensor.item() cannot be called on meta tensors";
    let (x, one, cpu) = (meta(&[2, 3]), meta(&[1]), Tensor::ones([2, 3]).unwrap());
    type Read<'a> = Box<dyn Fn() -> Result<()> + 'a>;
    let reads: Vec<(&str, Read)> = vec![
        (COPY, Box::new(|| x.to(Device::Cpu).map(drop))),
        (COPY, Box::new(|| x.to((Device::Cpu, DType::F64)).map(drop))),
        (COPY, Box::new(|| meta(&[0]).to(Device::Cpu).map(drop))),
        (COPY, Box::new(|| x.to_vec::<f32>().map(drop))),
        (COPY, Box::new(|| x.t()?.to_vec::<f64>().map(drop))),
        (COPY, Box::new(|| x.to_bytes().map(drop))),
        (COPY, Box::new(|| x.write_bytes(&mut Vec::<u8>::new()))),
        (COPY, Box::new(|| x.body().storage.with_bytes(|_| ()))),
        (COPY, Box::new(|| cpu.copy_(&x).map(drop))),
        (COPY, Box::new(|| x.nonzero().map(drop))),
        (COPY, Box::new(|| x.masked_select(&x.gt(0)?).map(drop))),
        (COPY, Box::new(|| x.index(&[Some(x.gt(0)?)]).map(drop))),
        (COPY, Box::new(|| x.unique().map(drop))),
        (COPY, Box::new(|| x.equal(&x).map(drop))),
        (COPY, Box::new(|| whole(&[3]).bincount(None, 0).map(drop))),
        (ITEM, Box::new(|| one.item::<f32>().map(drop))),
        (ITEM, Box::new(|| one.item_scalar().map(drop))),
        (ITEM, Box::new(|| one.is_nonzero().map(drop))),
        (ITEM, Box::new(|| x.allclose(&x, 1e-5, 1e-8, false).map(drop))),
        (ITEM, Box::new(|| whole(&[3]).one_hot(-1).map(drop))),
        (ITEM, Box::new(|| Tensor::linspace(&one.squeeze()?, 1, 3).map(drop))),
        (
            "cannot repeat_interleave a meta tensor without output_size",
            Box::new(|| x.repeat_interleave_by(&whole(&[3]), 1).map(drop)),
        ),
    ];
    for (i, (expected, read)) in reads.iter().enumerate() {
        let error = read().unwrap_err();
        assert_eq!((error.to_string().as_str(), error.lacks_data()), (*expected, true), "read {i}");
    }
    assert_eq!(x.to(Device::Cpu).unwrap_err().kind(), ErrorKind::NotImplemented);
    assert_eq!(x.item::<f32>().unwrap_err().to_string(), "a Tensor with 6 elements cannot be converted to Scalar");
}

#[test]
fn no_memory_is_taken_and_no_number_drawn() -> Result<()> {
    let side = 1 << 30;
    let generator = Generator::new().manual_seed(1);
    let before = generator.get_state();
    generator.scope(|| {
        let x = Tensor::randn_with([side, side], META)?;
        x.normal_(0.0, 1.0)?.uniform_(0.0, 1.0)?.bernoulli_(0.5)?.exponential_(1.0)?;
        let kept = x.dropout(0.5, true)?.bernoulli()?.matmul(&x.t()?)?.softmax(-1)?;
        assert_eq!(kept.shape(), [side, side]);
        assert_eq!(x.slice(0, 5, None, 2)?.multinomial(7, true)?.shape(), [side / 2 - 2, 7]);
        assert_eq!(Tensor::arange_with(0, i64::MAX / 8, 1, META)?.numel(), (i64::MAX / 8) as usize);
        assert_eq!(Tensor::randperm_with(side, META)?.dtype(), DType::I64);
        let weight = Tensor::rand_with([side, 8], META)?;
        weight.requires_grad_(true)?;
        x.matmul(&weight)?.relu()?.pow(2)?.mean()?.backward()?;
        let grad = weight.grad().unwrap();
        assert!(grad.is_meta() && grad.shape() == [side, 8]);
        Ok::<_, Error>(())
    })?;
    assert_eq!(generator.get_state(), before);
    assert!(Tensor::ones_with([1i64 << 40, 1 << 24], META).is_err(), "sizes beyond 64 bits");
    Ok(())
}

#[test]
fn changes_in_place_copies_and_views_keep_their_rules() -> Result<()> {
    let x = meta(&[4, 6]);
    let view = x.t()?;
    assert!(view.shares_storage(&x) && view.stride() == [1, 6]);
    view.add_(1)?.copy_(&Tensor::ones([6, 4])?)?.fill_(2.0)?.zero_()?;
    x.set((.., 0), 5.0)?;
    x.set(1, &Tensor::ones([6])?)?;
    assert_eq!(x.version()?, 6);
    assert!(view.add_(meta(&[7])).is_err() && x.view([5, 5]).is_err());
    assert_eq!(view.copy()?.stride(), [1, 6]);
    let target = Tensor::ones([4, 6])?;
    target.set_data(&x)?;
    assert!(target.is_meta() && target.shares_storage(&x));
    assert!(Tensor::ones([3])?.to(META)?.is_meta());
    let wide = Tensor::from_storage(&x.body().storage, DType::Bool, [2, 3], [3, 1], 0)?;
    assert_eq!(wide.to_string(), "tensor(..., device='meta', size=(2, 3), dtype=torch.bool)");
    let w = meta(&[2]);
    w.requires_grad_(true)?;
    let y = w.sqrt()?;
    y.detach().mul_(2.0)?;
    let error = y.sum()?.backward().unwrap_err().to_string();
    assert!(error.contains("[torch.meta.FloatTensor [2]], which is output 0 of Sqrt"), "{error}");
    Ok(())
}

/// A kernel of the CPU must never see what has no memory.
#[test]
fn operands_with_and_without_data_do_not_mix() -> Result<()> {
    let (x, i) = (Tensor::ones([2, 3])?, Tensor::zeros_with([2, 3], DType::I64)?);
    let (m, w, b) = (meta(&[2, 3]), whole(&[2, 3]), meta(&[2, 3]).gt(0)?);
    let (row, image) = (meta(&[3]), Tensor::ones([1, 1, 4, 4])?);
    let flat = whole(&[2]);
    let results = [
        ("add", x.add(&m)),
        ("add the other way", m.add(&x)),
        ("a number without data", x.add(meta(&[]))),
        ("where", x.where_self(&b, &x)),
        ("masked_fill", x.masked_fill(&b, 0.0)),
        ("masked_fill by a tensor", x.masked_fill(&x.gt(0)?, meta(&[]))),
        ("masked_select", x.masked_select(&b)),
        ("masked_scatter", x.masked_scatter(&b, &x)),
        ("gather", x.gather(1, &w)),
        ("gather the other way", m.gather(1, &i)),
        ("scatter", x.scatter(1, &w, &x)),
        ("scatter a number", x.scatter_value(1, &w, 1.0)),
        ("scatter_add", x.scatter_add(1, &w, &x)),
        ("scatter_reduce", x.scatter_reduce(1, &w, &x, "prod", true)),
        ("index", x.index(&[Some(flat.clone())])),
        ("index_put", x.index_put(&[Some(flat.clone())], &x, false)),
        ("index_select", x.index_select(0, &flat)),
        ("index_add", x.index_add(0, &flat, &x, 1)),
        ("index_copy", x.index_copy(0, &flat, &x)),
        ("index_fill", x.index_fill(0, &flat, 1.0)),
        ("take", x.take(&flat)),
        ("put", x.put(&flat, &Tensor::ones([2])?, false)),
        ("take_along_dim", x.take_along_dim(&w, 1)),
        ("embedding", x.embedding(&w, None, false)),
        ("embedding the other way", m.embedding(&i, None, false)),
        ("matmul", x.matmul(&meta(&[3, 2]))),
        ("linear", x.linear(&Tensor::ones([2, 3])?, Some(&meta(&[2])))),
        ("conv2d", image.conv2d(&meta(&[1, 1, 2, 2]), None, &firebrick_core::ConvOptions::default())),
        ("layer_norm", x.layer_norm([3], Some(&row), None, 1e-5)),
        ("batch_norm", x.batch_norm(None, None, Some(&row), Some(&row), true, 0.1, 1e-5)),
        ("cross_entropy", x.cross_entropy(&flat, None, -100, Reduction::Mean, 0.0)),
        ("nll_loss", x.nll_loss(&Tensor::zeros_with([2], DType::I64)?, Some(&row), -100, Reduction::Mean)),
        ("binary_cross_entropy", x.binary_cross_entropy(&m, None, Reduction::Mean)),
        ("searchsorted", Tensor::ones([3])?.searchsorted(&m, false, None, false)),
        ("isin", x.isin(&m, false)),
        ("cat", Tensor::cat(&[&x, &m], 0)),
        ("stack", Tensor::stack(&[&x, &m], 0)),
        ("max_unpool2d", image.max_unpool2d(&whole(&[1, 1, 4, 4]), [8, 8])),
        ("grid_sample", image.grid_sample(&meta(&[1, 2, 2, 2]), GridMode::Bilinear, GridPadding::Zeros, false)),
        ("cdist", x.cdist(&m, 2.0, "use_mm_for_euclid_dist_if_necessary")),
        ("bincount", Tensor::zeros_with([3], DType::I64)?.bincount(Some(&row), 0)),
        ("bernoulli_", x.copy()?.bernoulli_each_(&m).cloned()),
        ("normal", Tensor::normal(&x, &m)),
        ("solve", linalg::solve(&Tensor::eye(3)?, &meta(&[3, 2]), true)),
        ("lerp", x.lerp(&x, &m)),
        ("copy_", x.copy_(&m).cloned()),
    ];
    for (name, result) in results {
        assert!(result.is_err(), "{name} mixed them");
    }
    assert!(x.allclose(&m, 1e-5, 1e-8, false).is_err() && x.equal(&m).is_err());
    Ok(())
}

#[test]
fn factories_follow_the_device_of_the_scope() -> Result<()> {
    firebrick_core::accelerator::enable_mock(1);
    let made = |device: Device| {
        device.scope(|| {
            let all = [
                Tensor::new([1.0f32, 2.0])?,
                Tensor::from_vec(vec![1i64, 2], [2])?,
                Tensor::scalar(2.0)?,
                Tensor::zeros([2])?,
                Tensor::full([2], 3)?,
                Tensor::rand([2])?,
                Tensor::randperm(3)?,
                Tensor::arange(3)?,
                Tensor::linspace(0, 1, 3)?,
                Tensor::eye(2)?,
                Tensor::tril_indices(3, 3, 0, DType::I64)?,
            ];
            assert!(all.iter().all(|x| x.device() == device), "{all:?}");
            assert_eq!(Tensor::ones_with([2], Device::Cpu)?.add(1)?.to_vec::<f32>()?, [2.0, 2.0]);
            Device::Cpu.scope(|| Tensor::ones([2]))?.to_vec::<f32>()
        })
    };
    assert_eq!(made(META)?, [1.0, 1.0]);
    assert_eq!(made(Device::Mock(0))?, [1.0, 1.0]);
    let panicked = std::panic::catch_unwind(|| META.scope(|| panic!("inside")));
    assert!(panicked.is_err() && !Tensor::ones([1])?.is_meta());
    Ok(())
}

#[test]
fn while_shapes_are_followed_nothing_that_exists_changes() -> Result<()> {
    let (x, index) = (Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?, Tensor::new([1i64, 0])?);
    let shapes = ShapesOnly::begin();
    x.mul_(2.0)?.zero_()?;
    x.set_data(&Tensor::zeros([7])?)?;
    let picked = x.index_select(0, &index)?;
    assert!(picked.is_meta() && !x.is_meta());
    assert!(x.to(Device::Mock(0))?.is_meta() && x.to(Device::Cpu)?.is_meta());
    // What is there can be looked at; a result cannot.
    assert_eq!((index.to_vec::<i64>()?, x.sum().and_then(|sum| sum.item::<f32>()).is_err()), (vec![1, 0], true));
    {
        let _inner = ShapesOnly::begin();
    }
    assert!(x.add(1)?.is_meta());
    drop(shapes);
    assert_eq!(x.add(1)?.to_vec::<f32>()?, [2.0, 3.0, 4.0, 5.0]);
    Ok(())
}
