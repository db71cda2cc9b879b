//! What the functions that tensors are rebuilt by would make.

use super::super::array::Form;
use super::super::error::PickleProblem;
use super::super::{Array, Class, Layout, Object, QScheme, Quantized, Sparse};
use super::args::Args;
use super::globals::Global;
use super::machine::{Machine, Result, wrong};
use super::{Id, Node};
use indexmap::IndexMap;

impl Machine<'_> {
    /// `_rebuild_tensor(storage, offset, size, stride)` and its later forms, which add `requires_grad`, hooks, a dtype (v3)
    /// and the bits of lazy conjugation and negation.
    pub(super) fn tensor(&self, global: Global, args: Args<'_>) -> Result<Array> {
        let ([storage, offset, size, stride], rest) = args.at_least(8)?;
        let (what, part) = (args.what, self.storage_arg(args.what, storage)?);
        let (grad, dtype, bits) = match (global, rest) {
            (Global::RebuildTensor, []) => (None, None, None),
            (Global::RebuildTensorV2, &[grad, _hooks]) => (Some(grad), None, None),
            (Global::RebuildTensorV2, &[grad, _hooks, bits]) => (Some(grad), None, Some(bits)),
            (Global::RebuildTensorV3, &[grad, _hooks, dtype]) => (Some(grad), Some(dtype), None),
            (Global::RebuildTensorV3, &[grad, _hooks, dtype, bits]) => (Some(grad), Some(dtype), Some(bits)),
            _ => return Err(PickleProblem::Impossible(format!("{what} was given {} arguments", args.items.len()))),
        };
        let dtype = match dtype {
            None => part.dtype,
            Some(dtype) => match self.global_arg(what, dtype)? {
                Global::Dtype(dtype) => dtype,
                _ => return Err(wrong(what, "a dtype", &self.nodes[dtype])),
            },
        };
        let (shape, strides) = (self.counts_arg(what, size)?, self.counts_arg(what, stride)?);
        let mut form = Form::new(dtype, shape, strides, self.count_arg(what, offset)?);
        if let Some(grad) = grad {
            form.requires_grad = self.bool_arg(what, grad)?;
        }
        if let Some(bits) = bits {
            (form.conj, form.neg) = self.lazy_bits(what, bits)?;
        }
        part.array(form)
    }

    /// The dictionary `{"conj": bool, "neg": bool}`, of which either may be left out.
    fn lazy_bits(&self, what: &'static str, id: Id) -> Result<(bool, bool)> {
        let mut bits = (false, false);
        match &self.nodes[id] {
            Node::Leaf(Object::None) => {}
            Node::Dict { entries, .. } if entries.len() <= 2 => {
                for &(key, value) in entries {
                    match self.str_arg(what, key)? {
                        "conj" => bits.0 = self.bool_arg(what, value)?,
                        "neg" => bits.1 = self.bool_arg(what, value)?,
                        other => return Err(PickleProblem::Impossible(format!("{what} does not know {other:?}"))),
                    }
                }
            }
            other => return Err(wrong(what, "a dict of two truth values", other)),
        }
        Ok(bits)
    }

    /// `Parameter(data, requires_grad)`, and the functions that add hooks and attributes.
    pub(super) fn parameter(&mut self, global: Global, args: Args<'_>) -> Result<Object> {
        let ([data], rest) = args.at_least(4)?;
        let most = match global {
            Global::Parameter => 1,
            Global::RebuildParameter => 2,
            _ => 3,
        };
        if rest.len() > most || (global != Global::Parameter && rest.len() < most) {
            return Err(PickleProblem::Impossible(format!("{} was given {} arguments", args.what, args.items.len())));
        }
        let requires_grad = rest.first().map_or(Ok(true), |&grad| self.bool_arg(args.what, grad))?;
        let attributes = rest.get(2).map(|&state| self.attributes(args.what, state)).transpose()?;
        let array = self.array_arg(args.what, data)?;
        let parameter = array.reformed(|form| {
            (form.class, form.requires_grad) = (Class::Parameter, requires_grad);
            form.attributes = attributes.unwrap_or_default();
        });
        parameter.map(Object::Tensor).map_err(PickleProblem::Impossible)
    }

    /// `_rebuild_from_type_v2(function, class, arguments, attributes)`.
    pub(super) fn typed(&mut self, args: Args<'_>) -> Result<Object> {
        let [function, class, given, state] = args.exactly()?;
        let (function, class) = (self.global_arg(args.what, function)?, self.global_arg(args.what, class)?);
        let given = self.tuple_arg(args.what, given)?.to_vec();
        let allowed = [Global::RebuildTensor, Global::RebuildTensorV2, Global::RebuildTensorV3];
        if !allowed.contains(&function) || !matches!(class, Global::Tensor | Global::Parameter) {
            return Err(PickleProblem::Impossible(format!(
                "{} makes no {} by {}",
                args.what,
                class.text(),
                function.text()
            )));
        }
        let array = self.tensor(function, Args { what: function.text(), items: &given })?;
        let attributes = self.attributes(args.what, state)?;
        let class = if class == Global::Parameter { Class::Parameter } else { Class::Tensor };
        let typed = array.reformed(|form| (form.class, form.attributes) = (class, attributes));
        typed.map(Object::Tensor).map_err(PickleProblem::Impossible)
    }

    /// What was attached to a tensor: a dictionary, or a pair of those, the second one from slots.
    fn attributes(&mut self, what: &'static str, state: Id) -> Result<IndexMap<String, Object>> {
        let dicts = match &self.nodes[state] {
            Node::Tuple(pair) if pair.len() == 2 => pair.clone(),
            _ => vec![state],
        };
        let mut attributes = IndexMap::new();
        for dict in dicts {
            let entries = match &self.nodes[dict] {
                Node::Dict { entries, .. } => entries.clone(),
                Node::Leaf(Object::None) => Vec::new(),
                other => return Err(wrong(what, "a dict of attributes", other)),
            };
            for (name, value) in entries {
                let name = self.str_arg(what, name)?.to_owned();
                let value = self.build(value)?;
                attributes.insert(name, value);
            }
        }
        Ok(attributes)
    }

    /// `_rebuild_device_tensor_from_cpu_tensor(data, dtype, device, requires_grad)`: tensors of accelerators that have no
    /// storages are written this way.
    pub(super) fn device_tensor(&self, args: Args<'_>) -> Result<Object> {
        let [data, dtype, _, grad] = args.exactly()?;
        let array = self.array_arg(args.what, data)?;
        let grad = self.bool_arg(args.what, grad)?;
        if self.global_arg(args.what, dtype)? != Global::Dtype(array.dtype()) {
            return Err(wrong(args.what, "the dtype of the tensor", &self.nodes[dtype]));
        }
        array.reformed(|form| form.requires_grad = grad).map(Object::Tensor).map_err(PickleProblem::Impossible)
    }

    /// `_rebuild_sparse_tensor(layout, (indices.., values, size, coalesced))`.
    pub(super) fn sparse(&self, args: Args<'_>) -> Result<Object> {
        let (what, [layout, data]) = (args.what, args.exactly()?);
        let Node::Leaf(Object::Layout(layout)) = self.nodes[layout] else {
            return Err(wrong(what, "a layout", &self.nodes[layout]));
        };
        let data = Args { what, items: self.tuple_arg(what, data)? };
        let (indices, values, size, coalesced) = match layout {
            Layout::SparseCoo => {
                let ([indices, values, size], coalesced) = data.at_least(4)?;
                (vec![indices], values, size, coalesced.first())
            }
            _ => {
                let [compressed, plain, values, size] = data.exactly()?;
                (vec![compressed, plain], values, size, None)
            }
        };
        let coalesced = coalesced.filter(|&&id| !matches!(self.nodes[id], Node::Leaf(Object::None)));
        let indices = indices.into_iter().map(|id| self.array_arg(what, id).cloned()).collect::<Result<_>>()?;
        let sparse = Sparse {
            layout,
            shape: self.counts_arg(what, size)?,
            indices,
            values: self.array_arg(what, values)?.clone(),
            coalesced: coalesced.map(|&id| self.bool_arg(what, id)).transpose()?,
        };
        sparse.check_form().map_err(PickleProblem::Impossible)?;
        Ok(Object::Sparse(Box::new(sparse)))
    }

    /// `_rebuild_qtensor(storage, offset, size, stride, quantizer, requires_grad, hooks)`.
    pub(super) fn quantized(&mut self, args: Args<'_>) -> Result<Object> {
        let (what, [storage, offset, size, stride, quantizer, grad, _]) = (args.what, args.exactly()?);
        let part = self.storage_arg(what, storage)?.clone();
        let (shape, strides) = (self.counts_arg(what, size)?, self.counts_arg(what, stride)?);
        let mut form = Form::new(part.dtype, shape, strides, self.count_arg(what, offset)?);
        form.requires_grad = self.bool_arg(what, grad)?;
        let array = part.array(form)?;
        let quantizer = self.tuple_arg(what, quantizer)?.to_vec();
        let (Some(&scheme), parameters) = (quantizer.first(), quantizer.get(1..).unwrap_or_default()) else {
            return Err(PickleProblem::Impossible(format!("{what} takes a quantizer")));
        };
        let Global::QScheme(scheme) = self.global_arg(what, scheme)? else {
            return Err(wrong(what, "a scheme", &self.nodes[scheme]));
        };
        let expected = match scheme {
            QScheme::PerTensorAffine => 2,
            QScheme::PerChannelAffine | QScheme::PerChannelAffineFloat => 3,
            other => {
                return Err(PickleProblem::Impossible(format!(
                    "Can't deserialize quantized tensor with qscheme {other}"
                )));
            }
        };
        if parameters.len() != expected {
            return Err(PickleProblem::Impossible(format!(
                "{scheme} takes {expected} numbers, not {}",
                parameters.len()
            )));
        }
        let parameters = parameters.iter().map(|&id| self.build(id)).collect::<Result<_>>()?;
        Ok(Object::Quantized(Box::new(Quantized { array, scheme, parameters })))
    }
}
