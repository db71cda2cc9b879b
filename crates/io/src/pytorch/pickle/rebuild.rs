//! What the classes and functions that a pickle may call would make: plain values and storages.

use super::super::array::Form;
use super::super::error::PickleProblem;
use super::super::{Array, DictKind, Dtype, Layout, Object};
use super::args::Args;
use super::globals::Global;
use super::machine::{Machine, Result, wrong};
use super::{Id, Node, Part};
use firebrick_core::Complex;

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
            Global::RebuildFromCpuTensor => self.device_tensor(args)?,
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
            let items = self.list_arg(args.what, given)?.to_vec();
            self.budget.take(size_of_val(items.as_slice()))?;
            return Ok(Node::Set(items));
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
                if matches!(encoding, "utf8" | "utf-8") {
                    Some(text.as_bytes().to_vec())
                } else {
                    text.chars().map(encode).collect()
                }
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
        match view {
            [view] if !matches!(self.nodes[*view], Node::Leaf(Object::None)) => {
                let items = self.tuple_arg(WHAT, *view)?;
                let [_, begin, length] = Args { what: WHAT, items }.exactly()?;
                let (begin, length) = (self.count_arg(WHAT, begin)?, self.count_arg(WHAT, length)?);
                match begin.checked_add(length).filter(|&end| end <= numel) {
                    Some(end) => Ok(Part { storage, dtype, elements: Some(begin..end) }),
                    None => Err(PickleProblem::Impossible("a part of a storage reaches beyond it".to_owned())),
                }
            }
            _ => Ok(Part { storage, dtype, elements: None }),
        }
    }
}

impl Part {
    /// A view of the part.
    pub(super) fn array(&self, mut form: Form) -> Result<Array> {
        if let Some(elements) = &self.elements {
            // A view of a part must not reach what follows it.
            let inside = form.dtype == self.dtype && form.end().is_some_and(|end| end <= elements.len());
            if !inside {
                return Err(PickleProblem::Impossible("a tensor does not fit into its part of a storage".to_owned()));
            }
            form.offset = form.offset.saturating_add(elements.start);
        }
        Array::with_form(self.storage.clone(), form).map_err(PickleProblem::Impossible)
    }
}
