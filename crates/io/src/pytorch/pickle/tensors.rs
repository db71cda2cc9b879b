//! Writing tensors, as calls of the functions that PyTorch rebuilds them by.

use super::super::{Array, Class, Dtype, Quantized, Sparse};
use super::globals::Global;
use super::opcode::*;
use super::writer::{Memo, Result, Writer};

impl<'o> Writer<'o, '_> {
    pub(super) fn array(&mut self, array: &'o Array) -> Result<()> {
        if let Some(problem) = array.without_values() {
            return self.fail(problem);
        }
        self.once(Memo::Array(array.id()), |w| match array.class() {
            Class::Storage => w.persistent(array, array.dtype()),
            Class::Tensor => w.tensor(array, array.requires_grad()),
            Class::Parameter => w.parameter(array),
        })
    }

    fn parameter(&mut self, array: &'o Array) -> Result<()> {
        let attributes = array.attributes();
        let plain = attributes.is_empty();
        let function = if plain { Global::RebuildParameter } else { Global::RebuildParameterWithState };
        self.call(function, |w| {
            w.call_tensor(array, false)?;
            w.bool(array.requires_grad())?;
            w.hooks()?;
            if plain { Ok(()) } else { w.named(attributes) }
        })
    }

    fn tensor(&mut self, array: &'o Array, requires_grad: bool) -> Result<()> {
        if array.attributes().is_empty() {
            return self.call_tensor(array, requires_grad);
        }
        self.call(Global::RebuildFromType, |w| {
            w.global(function_of(array.dtype()))?;
            w.global(Global::Tensor)?;
            w.tuple(|w| w.tensor_args(array, requires_grad))?;
            w.named(array.attributes())
        })
    }

    fn call_tensor(&mut self, array: &'o Array, requires_grad: bool) -> Result<()> {
        self.call(function_of(array.dtype()), |w| w.tensor_args(array, requires_grad))
    }

    fn tensor_args(&mut self, array: &'o Array, requires_grad: bool) -> Result<()> {
        let (dtype, form) = (array.dtype(), array.form());
        self.place(array)?;
        self.bool(requires_grad)?;
        self.hooks()?;
        if dtype.storage_class().is_none() {
            self.global(Global::Dtype(dtype))?;
        }
        let bits = [("conj", form.conj), ("neg", form.neg)];
        if bits.iter().all(|(_, set)| !set) {
            return Ok(());
        }
        self.op(EMPTY_DICT)?;
        self.op(MARK)?;
        for (name, _) in bits.into_iter().filter(|(_, set)| *set) {
            self.text(name)?;
            self.bool(true)?;
        }
        self.op(SETITEMS)
    }

    /// Storage, offset, size and stride.
    fn place(&mut self, array: &Array) -> Result<()> {
        self.persistent(array, array.dtype())?;
        self.count(array.offset())?;
        self.counts(array.shape())?;
        self.counts(array.strides())
    }

    fn counts(&mut self, counts: &[usize]) -> Result<()> {
        self.tuple(|w| counts.iter().try_for_each(|&count| w.count(count)))
    }

    /// A reference to a storage; dtypes without a class of storages are saved by way of bytes.
    fn persistent(&mut self, array: &Array, dtype: Dtype) -> Result<()> {
        let class = dtype.storage_class().map(|_| dtype);
        let saved_as = class.unwrap_or(Dtype::U8);
        let storage = array.storage();
        let key = match self.storages.key(storage, saved_as) {
            Ok(key) => key,
            Err(problem) => return self.fail(problem),
        };
        self.tuple(|w| {
            w.text("storage")?;
            w.global(Global::Storage(class))?;
            w.new_text(&key.to_string())?;
            w.text("cpu")?;
            w.count(storage.bytes() / saved_as.size())
        })?;
        self.op(BINPERSID)
    }

    /// The hooks that PyTorch no longer saves.
    fn hooks(&mut self) -> Result<()> {
        self.call(Global::OrderedDict, |_| Ok(()))
    }

    pub(super) fn sparse(&mut self, sparse: &'o Sparse) -> Result<()> {
        self.call(Global::RebuildSparseTensor, |w| {
            w.call(Global::GetLayout, |w| w.new_text(&sparse.layout.to_string()))?;
            w.tuple(|w| {
                sparse.indices.iter().chain([&sparse.values]).try_for_each(|part| w.array(part))?;
                w.call(Global::Size, |w| w.counts(&sparse.shape))?;
                sparse.coalesced.map_or(Ok(()), |coalesced| w.bool(coalesced))
            })
        })
    }

    pub(super) fn quantized(&mut self, quantized: &'o Quantized) -> Result<()> {
        self.call(Global::RebuildQTensor, |w| {
            w.place(&quantized.array)?;
            w.tuple(|w| {
                w.global(Global::QScheme(quantized.scheme))?;
                quantized.parameters.iter().try_for_each(|parameter| w.object(parameter))
            })?;
            w.bool(quantized.array.requires_grad())?;
            w.hooks()
        })
    }
}

fn function_of(dtype: Dtype) -> Global {
    if dtype.storage_class().is_some() { Global::RebuildTensorV2 } else { Global::RebuildTensorV3 }
}
