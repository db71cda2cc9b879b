//! What operations refuse, and what they make of numbers that do not fit.

use super::describe::{returned, tensor};
use super::{does_not_compile, facts};
use firebrick::TensorOptions;
use firebrick::prelude::*;
use serde_json::{Map, Value as Json};

facts! { FACTS;
    "autograd/a3c9cd61" errors()?;
}

/// What came of a call by name.
struct Results(Map<String, Json>);

impl Results {
    fn add(&mut self, name: &str, call: impl FnOnce() -> Result<Tensor>) -> Result<()> {
        self.with(name, call, |x| tensor(&x))
    }

    fn all<T>(&mut self, name: &str, call: impl FnOnce() -> Result<Vec<T>>) -> Result<()> {
        self.with(name, call, |parts| Ok(parts.len().into()))
    }

    fn with<T>(
        &mut self,
        name: &str,
        call: impl FnOnce() -> Result<T>,
        show: impl FnOnce(T) -> Result<Json>,
    ) -> Result<()> {
        self.0.insert(name.to_owned(), returned(call(), show)?);
        Ok(())
    }
}

fn errors() -> Result<Json> {
    let mut all = Results(Map::new());
    products(&mut all)?;
    shapes(&mut all)?;
    indices(&mut all)?;
    parts(&mut all)?;
    reductions(&mut all)?;
    by_index(&mut all)?;
    dtypes(&mut all)?;
    creation(&mut all)?;
    numbers(&mut all)?;
    Ok(all.0.into())
}

fn ones(shape: &[usize]) -> Result<Tensor> {
    Tensor::ones(shape)
}

fn products(all: &mut Results) -> Result<()> {
    all.add("add", || ones(&[2, 3])?.add(&ones(&[2])?))?;
    all.add("matmul", || ones(&[2, 3])?.matmul(&ones(&[2, 3])?))?;
    all.add("mm dim", || ones(&[2])?.mm(&ones(&[2, 3])?))?;
    all.add("matmul 0-dim", || ones(&[])?.matmul(&ones(&[2])?))?;
    all.add("dot", || ones(&[2])?.dot(&ones(&[3])?))?;
    all.add("bmm", || ones(&[2, 3, 4])?.bmm(&ones(&[3, 4, 4])?))?;
    all.add("einsum", || Tensor::einsum("ij,jk->ik", &[ones(&[2, 3])?, ones(&[4, 2])?]))?;
    all.add("einsum ops", || Tensor::einsum("ij,jk->ik", &[ones(&[2, 3])?]))?;
    all.add("mixed dtype matmul", || ones(&[2, 2])?.matmul(&ones(&[2, 2])?.to(DType::F64)?))
}

fn shapes(all: &mut Results) -> Result<()> {
    all.add("cat", || Tensor::cat(&[ones(&[2, 3])?, ones(&[2, 4])?], 0))?;
    all.add("cat empty list", || Tensor::cat::<Tensor>(&[], 0))?;
    all.add("cat dims", || Tensor::cat(&[ones(&[2, 3])?, ones(&[2])?], 0))?;
    let legacy = || Tensor::cat(&[ones(&[0])?, ones(&[2, 3])?], 0);
    all.with("cat legacy empty", legacy, |x| Ok(x.shape().to_vec().into()))?;
    all.add("stack", || Tensor::stack(&[ones(&[2])?, ones(&[3])?], 0))?;
    all.add("view", || ones(&[6])?.view([4]))?;
    all.add("view noncontig", || ones(&[2, 3])?.t()?.view([6]))?;
    all.add("reshape two -1", || ones(&[6])?.reshape([-1, -1]))?;
    all.add("reshape -1 of 0", || ones(&[0])?.reshape([0, -1]))?;
    all.add("expand", || ones(&[2])?.expand([3]))?;
    all.add("expand fewer dims", || ones(&[2, 2])?.expand([2]))?;
    all.add("permute", || ones(&[2, 3])?.permute([0, 0]))?;
    all.add("permute len", || ones(&[2, 3])?.permute([0]))?;
    all.add("transpose", || ones(&[2, 3])?.transpose(0, 2))?;
    all.add("squeeze dim", || ones(&[1])?.squeeze_dim(3))?;
    all.add("unsqueeze", || ones(&[1])?.unsqueeze(3))?;
    all.add("unflatten", || ones(&[6])?.unflatten(0, [4, 2]))?;
    all.add("flatten", || ones(&[2, 3])?.flatten(1, 0))?;
    all.add("repeat", || ones(&[2, 3])?.repeat([2]))?;
    all.add("roll", || ones(&[2])?.roll(1, 1))?;
    all.add("as_strided", || ones(&[2])?.as_strided([3], [1], None))
}

fn indices(all: &mut Results) -> Result<()> {
    all.add("index", || ones(&[2])?.i(2))?;
    all.add("index neg", || ones(&[2])?.i(-3))?;
    all.add("too many indices", || ones(&[2])?.i((0, 0)))?;
    all.add("index tensor", || ones(&[2])?.i(Tensor::new([2i64])?))?;
    all.add("float index", || ones(&[2])?.i(Tensor::new([0.0f32])?))?;
    all.add("bool mask size", || ones(&[2])?.i(Tensor::new([true, false, true])?))
}

fn parts(all: &mut Results) -> Result<()> {
    all.add("narrow", || ones(&[3])?.narrow(0, 2, 2))?;
    all.add("select", || ones(&[3])?.select(0, 3))?;
    all.all("split", || ones(&[5])?.split([2, 2], 0))?;
    all.all("split -1", || ones(&[5])?.split(-1, 0))?;
    all.all("chunk 0", || ones(&[5])?.chunk(0, 0))?;
    all.add("triu 1d", || ones(&[2])?.triu(0))?;
    all.add("diag 3d", || ones(&[2, 2, 2])?.diag(0))
}

fn reductions(all: &mut Results) -> Result<()> {
    all.add("sum dim", || ones(&[2])?.sum_dim(1, false))?;
    all.add("sum dims twice", || ones(&[2])?.sum_dim([0, 0], false))?;
    all.add("max empty", || ones(&[0])?.max())?;
    all.add("argmax empty", || ones(&[0])?.argmax())?;
    all.add("mean int", || ones(&[2])?.to(DType::I64)?.mean())?;
    all.add("topk", || Ok(ones(&[2])?.topk(3, -1, true, true)?.0))?;
    all.add("kthvalue", || Ok(ones(&[2])?.kthvalue(3, -1, false)?.0))
}

fn by_index(all: &mut Results) -> Result<()> {
    let flags = Tensor::new([1i64, 0])?;
    all.add("gather", || ones(&[2, 2])?.gather(1, &Tensor::new([[2i64]])?))?;
    all.add("gather dtype", || ones(&[2])?.gather(0, &Tensor::new([0i32])?))?;
    all.add("scatter", || ones(&[2])?.scatter_value(0, &Tensor::new([5i64])?, 1.0))?;
    all.add("index_select", || ones(&[2])?.index_select(0, &Tensor::new([2i64])?))?;
    all.add("masked_fill dtype", || ones(&[2])?.masked_fill(&flags, 0.0))?;
    all.add("where dtype", || Tensor::where_(&flags, &ones(&[2])?, &ones(&[2])?))?;
    all.add("one_hot", || Tensor::new([3i64])?.one_hot(3))?;
    all.add("one_hot neg", || Tensor::new([-1i64])?.one_hot(3))
}

fn dtypes(all: &mut Results) -> Result<()> {
    let (truth, zero, one) = (Tensor::new([true])?, Tensor::new([0i64])?, Tensor::new([1i64])?);
    all.add("neg bool", || truth.neg())?;
    all.add("sub bool", || truth.sub(&truth))?;
    // Tensors have no operator `!`.
    all.0.insert("~ float".to_owned(), does_not_compile());
    all.add("int div by zero", || one.floor_divide(&zero))?;
    all.add("int % zero", || one.remainder(&zero))?;
    all.add("int pow neg", || Tensor::new([2i64])?.pow(-1))?;
    all.add("softmax int", || Tensor::new([1i64, 2])?.softmax(0))?;
    all.with("exp int dtype", || one.exp(), |x| Ok(x.dtype().name().into()))
}

fn creation(all: &mut Results) -> Result<()> {
    all.add("tensor ragged", || Tensor::new(vec![vec![1i64, 2], vec![1]]))?;
    all.add("empty neg", || Tensor::zeros([-1]))?;
    all.add("arange", || Tensor::arange_with(5, 0, 1, TensorOptions::new()))?;
    all.add("linspace", || Tensor::linspace(0, 1, -1))?;
    all.add("out of range fill", || Tensor::zeros_with([1], DType::U8)?.fill_(300).cloned())?;
    all.add("full overflow", || Tensor::full_with([1], 300, DType::I8))
}

fn numbers(all: &mut Results) -> Result<()> {
    all.add("long overflow", || Tensor::new([i64::MAX])?.add(1))?;
    all.add("uint8 wrap", || Tensor::new([255u8])?.add(1))?;
    all.add("float->uint8", || Tensor::new([300.0f32, 2.7])?.to(DType::U8))?;
    all.add("-1->uint8", || Tensor::new([-1i64])?.to(DType::U8))?;
    all.add("int8 scalar add", || Tensor::new([1i8])?.add(300))
}
