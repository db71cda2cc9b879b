//! What the functions that a pickle may call would make.

use super::super::array::Form;
use super::super::error::PickleProblem;
use super::super::{Array, Class, DictKind, Dtype, Layout, Object, QScheme, Quantized, Sparse};
use super::args::Args;
use super::globals::Global;
use super::machine::{Machine, Result, wrong};
use super::{Id, Node, Part};
use firebrick_core::Complex;
use indexmap::IndexMap;

impl Machine<'_> {
    /// What a call makes.
    pub(super) fn rebuild(&mut self, global: Global, items: &[Id]) -> Result<Node> {
        let args = Args { what: global.text(), items };
        let made = match global {
            Global::OrderedDict | Global::Counter | Global::Set => return self.container(global, args),
            Global::Complex => {
                let [re, im] = args.exactly()?;
                Object::Complex(Complex::new(self.float_arg(args.what, re)?, self.float_arg(args.what, im)?))
            }
            Global::Encode | Global::ByteArray => self.encoded(global, args)?,
            Global::Size => {
                let [sizes] = args.exactly()?;
                let items = self.tuple_arg(args.what, sizes)?;
                Object::Size(items.iter().map(|&item| self.int_arg(args.what, item)).collect::<Result<_>>()?)
            }
            Global::Device => self.device(args)?,
            Global::GetLayout => {
                let [name] = args.exactly()?;
                let name = self.str_arg(args.what, name)?;
                let layout = name.starts_with("torch.").then(|| Layout::from_name(name)).flatten();
                Object::Layout(layout.ok_or_else(|| PickleProblem::Impossible(format!("there is no layout {name:?}")))?)
            }
            Global::RebuildTensor | Global::RebuildTensorV2 | Global::RebuildTensorV3 => {
                Object::Tensor(self.tensor(global, args)?)
            }
            Global::Parameter | Global::RebuildParameter | Global::RebuildParameterWithState => {
                self.parameter(global, args)?
            }
            Global::RebuildFromType => self.typed(args)?,
            Global::RebuildFromCpuTensor => self.from_cpu(args)?,
            Global::RebuildSparseTensor => self.sparse(args)?,
            Global::RebuildQTensor => self.quantized(args)?,
            Global::RebuildMetaTensor => {
                return Err(PickleProblem::Impossible("a tensor of the device meta has no values".to_owned()));
            }
            Global::Dtype(_) | Global::QScheme(_) | Global::Storage(_) | Global::Tensor => {
                return Err(PickleProblem::Impossible(format!("{} is not to be called", args.what)));
            }
        };
        if let Object::Tensor(array) = &made {
            self.budget.take(size_of::<Form>() + size_of_val(array.shape()) + size_of_val(array.strides()))?;
        }
        Ok(Node::Leaf(made))
    }

    fn container(&mut self, global: Global, args: Args<'_>) -> Result<Node> {
        let ([], given) = args.at_least(1)?;
        let Some(&given) = given.first() else {
            return Ok(match global {
                Global::OrderedDict => Node::dict(DictKind::Ordered),
                Global::Counter => Node::dict(DictKind::Counter),
                _ => Node::Set(Vec::new()),
            });
        };
        if global == Global::Set {
            return self.list_arg(args.what, given).map(|items| Node::Set(items.to_vec()));
        }
        let kind = if global == Global::Counter { DictKind::Counter } else { DictKind::Ordered };
        let entries = match &self.nodes[given] {
            Node::Dict { entries, .. } => entries.clone(),
            // As Python 2 wrote ordered dictionaries.
            Node::List(pairs) => {
                let pair = |&pair: &Id| match &self.nodes[pair] {
                    Node::Tuple(pair) | Node::List(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
                    other => Err(wrong(args.what, "pairs", other)),
                };
                pairs.iter().map(pair).collect::<Result<_>>()?
            }
            other => return Err(wrong(args.what, "a dict", other)),
        };
        self.budget.take(size_of_val(entries.as_slice()))?;
        Ok(Node::Dict { kind, entries, attributes: Vec::new() })
    }

    /// `bytes` and `bytearray`, which protocol 2 writes as text with one character for each byte.
    fn encoded(&self, global: Global, args: Args<'_>) -> Result<Object> {
        let ([], given) = args.at_least(2)?;
        let bytes = match *given {
            [] if global == Global::ByteArray => Vec::new(),
            [bytes] if global == Global::ByteArray => match &self.nodes[bytes] {
                Node::Leaf(Object::Bytes(bytes)) => bytes.clone(),
                other => return Err(wrong(args.what, "bytes", other)),
            },
            [text, encoding] => {
                let (text, encoding) = (self.str_arg(args.what, text)?, self.str_arg(args.what, encoding)?);
                let encode = |c: char| match encoding {
                    "latin1" | "latin-1" | "iso-8859-1" => u8::try_from(c).ok(),
                    "ascii" => u8::try_from(c).ok().filter(u8::is_ascii),
                    _ => None,
                };
                if matches!(encoding, "utf8" | "utf-8") { Some(text.as_bytes().to_vec()) } else { text.chars().map(encode).collect() }
                    .ok_or_else(|| PickleProblem::Impossible(format!("a text cannot be encoded as {encoding:?}")))?
            }
            _ => return Err(PickleProblem::Impossible(format!("{} takes a text and an encoding", args.what))),
        };
        Ok(if global == Global::Encode { Object::Bytes(bytes) } else { Object::ByteArray(bytes) })
    }

    fn device(&self, args: Args<'_>) -> Result<Object> {
        let ([kind], index) = args.at_least(2)?;
        let kind = self.str_arg(args.what, kind)?.to_owned();
        Ok(Object::Device(match index {
            [index] => format!("{kind}:{}", self.count_arg(args.what, *index)?),
            _ => kind,
        }))
    }

    /// The storage that a persistent id names: `("storage", class, key, location, numel)`, and in older files what part
    /// of the storage is meant.
    pub(super) fn storage_part(&mut self, id: Id) -> Result<Part> {
        const WHAT: &str = "a persistent id";
        let items = self.tuple_arg(WHAT, id)?.to_vec();
        let ([kind, class, key, location, numel], view) = Args { what: WHAT, items: &items }.at_least(6)?;
        if self.text_arg(WHAT, kind)? != "storage" {
            return Err(wrong(WHAT, "\"storage\"", &self.nodes[kind]));
        }
        let Node::Global(Global::Storage(dtype)) = self.nodes[class] else {
            return Err(wrong(WHAT, "a class of storages", &self.nodes[class]));
        };
        let dtype = dtype.unwrap_or(Dtype::U8);
        let key = match &self.nodes[key] {
            Node::Leaf(Object::Int(number)) => number.to_string(),
            _ => self.text_arg(WHAT, key)?,
        };
        let location = self.text_arg(WHAT, location)?;
        let numel = self.count_arg(WHAT, numel)?;
        let storage = self.find_storage(dtype, &key, &location, numel)?;
        let whole = Part { storage, dtype, begin: 0, numel };
        match view {
            [view] if !matches!(self.nodes[*view], Node::Leaf(Object::None)) => {
                let items = self.tuple_arg(WHAT, *view)?;
                let [_, begin, numel] = Args { what: WHAT, items }.exactly()?;
                let (begin, numel) = (self.count_arg(WHAT, begin)?, self.count_arg(WHAT, numel)?);
                let fits = begin.checked_add(numel).is_some_and(|end| end <= whole.numel);
                let part = Part { begin, numel, ..whole };
                fits.then_some(part)
                    .ok_or_else(|| PickleProblem::Impossible("a part of a storage reaches beyond it".to_owned()))
            }
            _ => Ok(whole),
        }
    }

    /// `_rebuild_tensor(storage, offset, size, stride)` and its later forms, which add `requires_grad`, hooks, a dtype (v3)
    /// and the bits of lazy conjugation and negation.
    fn tensor(&self, global: Global, args: Args<'_>) -> Result<Array> {
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
            Node::Dict { entries, .. } => {
                for &(key, value) in entries {
                    match self.str_arg(what, key)? {
                        "conj" => bits.0 = self.bool_arg(what, value)?,
                        "neg" => bits.1 = self.bool_arg(what, value)?,
                        other => return Err(PickleProblem::Impossible(format!("{what} does not know {other:?}"))),
                    }
                }
            }
            other => return Err(wrong(what, "a dict", other)),
        }
        Ok(bits)
    }

    /// `Parameter(data, requires_grad)`, and the functions that add hooks and attributes.
    fn parameter(&mut self, global: Global, args: Args<'_>) -> Result<Object> {
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
    fn typed(&mut self, args: Args<'_>) -> Result<Object> {
        let [function, class, given, state] = args.exactly()?;
        let (function, class) = (self.global_arg(args.what, function)?, self.global_arg(args.what, class)?);
        let given = self.tuple_arg(args.what, given)?.to_vec();
        let allowed = [Global::RebuildTensor, Global::RebuildTensorV2, Global::RebuildTensorV3];
        if !allowed.contains(&function) || !matches!(class, Global::Tensor | Global::Parameter) {
            return Err(PickleProblem::Impossible(format!("{} makes no {} by {}", args.what, class.text(), function.text())));
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
    fn from_cpu(&self, args: Args<'_>) -> Result<Object> {
        let [data, dtype, _, grad] = args.exactly()?;
        let array = self.array_arg(args.what, data)?;
        let grad = self.bool_arg(args.what, grad)?;
        if self.global_arg(args.what, dtype)? != Global::Dtype(array.dtype()) {
            return Err(wrong(args.what, "the dtype of the tensor", &self.nodes[dtype]));
        }
        array.reformed(|form| form.requires_grad = grad).map(Object::Tensor).map_err(PickleProblem::Impossible)
    }

    /// `_rebuild_sparse_tensor(layout, (indices.., values, size, coalesced))`.
    fn sparse(&self, args: Args<'_>) -> Result<Object> {
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
    fn quantized(&mut self, args: Args<'_>) -> Result<Object> {
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
            other => return Err(PickleProblem::Impossible(format!("Can't deserialize quantized tensor with qscheme {other}"))),
        };
        if parameters.len() != expected {
            return Err(PickleProblem::Impossible(format!("{scheme} takes {expected} numbers, not {}", parameters.len())));
        }
        let parameters = parameters.iter().map(|&id| self.build(id)).collect::<Result<_>>()?;
        Ok(Object::Quantized(Box::new(Quantized { array, scheme, parameters })))
    }
}

impl Part {
    /// A view of the part.
    pub(super) fn array(&self, mut form: Form) -> Result<Array> {
        let end = self.begin.checked_add(self.numel);
        // In a part, a view must not reach what follows it.
        let inside = self.begin == 0 || form.end().zip(end).is_some_and(|(reach, end)| self.begin + reach <= end);
        form.offset = form.offset.saturating_add(self.begin);
        let fits = inside.then(|| Array::with_form(self.storage.clone(), form));
        fits.unwrap_or_else(|| Err("a tensor does not fit into its part of a storage".to_owned()))
            .map_err(PickleProblem::Impossible)
    }
}
