//! Sums, means and largest elements of bags of rows.

use crate::ops::composed;
use crate::ops::devices::{same_device, values_for};
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::storage::check_list;
use crate::{DType, Device, Error, Result, Tensor, TensorOptions};
use std::str::FromStr;

const OP: &str = "embedding_bag";

/// How the rows of a bag become one.
///
/// ```
/// # use firebrick_core::BagMode;
/// assert_eq!(BagMode::Sum.name(), "sum");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BagMode {
    /// Their sum.
    Sum,
    /// Their mean.
    #[default]
    Mean,
    /// The largest element of each column.
    Max,
}

impl BagMode {
    /// PyTorch's name.
    pub fn name(self) -> &'static str {
        match self {
            BagMode::Sum => "sum",
            BagMode::Mean => "mean",
            BagMode::Max => "max",
        }
    }
}

impl FromStr for BagMode {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let all = [BagMode::Sum, BagMode::Mean, BagMode::Max];
        let found = all.into_iter().find(|mode| mode.name() == name);
        found.ok_or_else(|| Error::value(OP, "mode has to be one of sum, mean or max").given(name.to_owned()))
    }
}

/// Mode, weights and bounds of bags; PyTorch's defaults unless set.
///
/// ```
/// # use firebrick_core::{BagMode, BagOptions, Tensor};
/// let table = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
/// let (indices, offsets) = (Tensor::new([0i64, 1, 1])?, Tensor::new([0i64, 2])?);
/// let options = BagOptions::new().mode(BagMode::Sum);
/// let bags = table.embedding_bag(&indices, Some(&offsets), &options)?;
/// assert_eq!(bags.to_vec::<f32>()?, [4.0, 6.0, 3.0, 4.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BagOptions<'t> {
    /// How the rows of a bag become one.
    pub mode: BagMode,
    /// Is a row's gradient divided by how often it was looked up?
    pub scale_grad_by_freq: bool,
    /// One factor for each row that is looked up, for sums.
    pub per_sample_weights: Option<&'t Tensor>,
    /// Do the offsets end with the number of indices? They do not unless set.
    /// [`BagOptions::per_sample_weights`] shows it.
    pub include_last_offset: bool,
    /// The row that counts in no bag and is not trained.
    pub padding_idx: Option<i64>,
}

impl<'t> BagOptions<'t> {
    /// Means.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the rows of a bag become one.
    pub fn mode(mut self, mode: BagMode) -> Self {
        self.mode = mode;
        self
    }

    /// Divides a row's gradient by how often it was looked up; it does not unless set.
    ///
    /// ```
    /// # use firebrick_core::{BagMode, BagOptions, Tensor};
    /// let table = Tensor::new([[1.0f32], [3.0]])?;
    /// table.requires_grad_(true)?;
    /// let options = BagOptions::new().mode(BagMode::Sum).scale_grad_by_freq(true);
    /// let bags = table.embedding_bag(&Tensor::new([[0i64, 1, 1]])?, None, &options)?;
    /// assert_eq!(bags.to_vec::<f32>()?, [7.0]);
    /// bags.sum()?.backward()?;
    /// assert_eq!(table.grad().unwrap().to_vec::<f32>()?, [1.0, 1.0]); // the second row was looked up twice
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scale_grad_by_freq(mut self, on: bool) -> Self {
        self.scale_grad_by_freq = on;
        self
    }

    /// One factor for each row that is looked up, for sums.
    ///
    /// ```
    /// # use firebrick_core::{BagMode, BagOptions, Tensor};
    /// let table = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    /// let (indices, offsets) = (Tensor::new([0i64, 1, 1])?, Tensor::new([0i64, 2, 3])?);
    /// let weights = Tensor::new([1.0f32, 1.0, 0.5])?;
    /// let options = BagOptions::new().mode(BagMode::Sum).include_last_offset(true).per_sample_weights(&weights);
    /// let bags = table.embedding_bag(&indices, Some(&offsets), &options)?;
    /// assert_eq!(bags.to_vec::<f32>()?, [4.0, 6.0, 1.5, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn per_sample_weights(mut self, weights: &'t Tensor) -> Self {
        self.per_sample_weights = Some(weights);
        self
    }

    /// Do the offsets end with the number of indices? They do not unless set.
    /// [`BagOptions::per_sample_weights`] shows it.
    pub fn include_last_offset(mut self, on: bool) -> Self {
        self.include_last_offset = on;
        self
    }

    /// The row that counts in no bag and is not trained; negative numbers count from the end.
    ///
    /// ```
    /// # use firebrick_core::{BagOptions, Tensor};
    /// let table = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    /// let bags = table.embedding_bag(&Tensor::new([[0i64, 1]])?, None, &BagOptions::new().padding_idx(0))?;
    /// assert_eq!(bags.to_vec::<f32>()?, [3.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn padding_idx(mut self, row: i64) -> Self {
        self.padding_idx = Some(row);
        self
    }
}

/// The rows that count, and the bag of each.
struct Bags {
    count: usize,
    /// Places among the indices.
    places: Vec<i64>,
    rows: Vec<i64>,
    bags: Vec<i64>,
}

fn kinds(name: &str, number: usize, wanted: &str, got: &Tensor) -> Error {
    Error::runtime(
        OP,
        format!(
            "Expected tensor for argument #{number} '{name}' to have one of the following scalar types: {wanted}; but got {} instead (while checking arguments for embedding_bag)",
            got.type_text()
        ),
    )
}

/// Indices and offsets of one list of bags; a matrix of indices has a bag in each row.
fn listed(
    table: Device,
    indices: &Tensor,
    offsets: Option<&Tensor>,
    options: &BagOptions<'_>,
) -> Result<(Vec<i64>, Vec<i64>)> {
    let refuse = |text: String| Err(Error::value(OP, text));
    let shape = indices.shape();
    if let Some(weights) = options.per_sample_weights.filter(|weights| weights.shape() != shape) {
        return refuse(format!(
            "embedding_bag: If per_sample_weights ({}) is not None, then it must have the same shape as the input ({shape})",
            weights.shape()
        ));
    }
    let whole = |t: &Tensor| matches!(t.dtype(), DType::I64 | DType::I32);
    let offsets = match (shape.len(), offsets) {
        (2, Some(_)) => {
            return refuse(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, found offsets of type <class 'torch.Tensor'>".into(),
            );
        }
        (2, None) => {
            let last = usize::from(options.include_last_offset);
            (0..shape[0] + last).map(|bag| (bag * shape[1]) as i64).collect()
        }
        (1, Some(offsets)) => {
            if offsets.dim() != 1 {
                return refuse("offsets has to be a 1D Tensor".into());
            }
            if !whole(offsets) {
                return Err(kinds("indices", 1, "Long, Int", offsets));
            }
            values_for(OP, table, &offsets.to(DType::I64)?, 0i64)?
        }
        (1, None) => return refuse("offsets has to be a 1D Tensor but got None".into()),
        (rank, _) => return refuse(format!("input has to be 1D or 2D Tensor, but got Tensor of dimension {rank}")),
    };
    if !whole(indices) {
        return Err(kinds("indices", 1, "Long, Int", indices));
    }
    Ok((values_for(OP, table, &indices.to(DType::I64)?, 0i64)?, offsets))
}

impl Bags {
    fn new(table: usize, indices: &[i64], offsets: &[i64], options: &BagOptions<'_>) -> Result<Self> {
        let refuse = |text: String| Err(Error::runtime(OP, text));
        let rows = table as i64;
        let padding = match options.padding_idx {
            Some(row) if row >= rows || row < -rows => {
                return refuse(format!(
                    "padding_idx must be within the number of embeddings, {} through {}, but got {row}",
                    -rows,
                    rows - 1
                ));
            }
            Some(row) => Some(row.rem_euclid(rows)),
            None => None,
        };
        if let Some(&first) = offsets.first().filter(|&&first| first != 0) {
            return refuse(format!(
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got {first}"
            ));
        }
        if let Some(&last) = offsets.last().filter(|&&last| last > indices.len() as i64) {
            let length = indices.len();
            return refuse(format!(
                "offsets[-1] can not be greater than input's length {length} but got offsets[-1] of {last}"
            ));
        }
        if let Some((place, &index)) = indices.iter().enumerate().find(|&(_, &index)| index < 0 || index >= rows) {
            if options.mode == BagMode::Max {
                return Err(Error::index(OP, "index out of range in self").given(index.to_string()));
            }
            return refuse(format!(
                "Index {place} of input takes value {index} which is not in the valid range [0, {rows})"
            ));
        }
        if offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return refuse("offsets must not decrease".into());
        }
        let count = offsets.len().saturating_sub(usize::from(options.include_last_offset));
        let mut bags = Bags { count, places: Vec::new(), rows: Vec::new(), bags: Vec::new() };
        for bag in 0..count {
            let end = offsets.get(bag + 1).copied().unwrap_or(indices.len() as i64);
            for place in offsets[bag]..end {
                let row = indices[place as usize];
                if Some(row) != padding {
                    bags.places.push(place);
                    bags.rows.push(row);
                    bags.bags.push(bag as i64);
                }
            }
        }
        Ok(bags)
    }

    /// How many rows each bag has; one for those that have none.
    fn sizes(&self) -> Vec<f64> {
        let mut sizes = vec![0.0f64; self.count];
        self.bags.iter().for_each(|&bag| sizes[bag as usize] += 1.0);
        sizes.iter().map(|size| size.max(1.0)).collect()
    }

    /// For each bag and column the place among the rows of the first largest element; `rows` where a bag has none.
    fn largest(&self, values: &[f64], columns: usize) -> Vec<i64> {
        let mut winners = vec![self.rows.len() as i64; self.count * columns];
        for (place, &bag) in self.bags.iter().enumerate() {
            for c in 0..columns {
                let winner = &mut winners[bag as usize * columns + c];
                let best = values.get(*winner as usize * columns + c);
                if best.is_none_or(|&best| values[place * columns + c] > best) {
                    *winner = place as i64;
                }
            }
        }
        winners
    }
}

fn check_weights(table: &Tensor, options: &BagOptions<'_>) -> Result<()> {
    let Some(weights) = options.per_sample_weights else { return Ok(()) };
    if options.mode != BagMode::Sum {
        return Err(Error::not_implemented(
            OP,
            format!(
                "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='{}'). Please open a feature request on GitHub.",
                options.mode.name()
            ),
        ));
    }
    if weights.dtype() != table.dtype() {
        return Err(Error::runtime(
            OP,
            format!(
                "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but type {} does not equal {} (while checking arguments for embedding_bag)",
                table.type_text(),
                weights.type_text()
            ),
        ));
    }
    Ok(())
}

fn embedding_bag(
    table: &Tensor,
    indices: &Tensor,
    offsets: Option<&Tensor>,
    options: &BagOptions<'_>,
) -> Result<Tensor> {
    same_device(OP, [table.device(), indices.device()])?;
    let (numbers, offsets) = listed(table.device(), indices, offsets, options)?;
    if options.mode == BagMode::Max && options.scale_grad_by_freq {
        return Err(Error::value(OP, "max mode does not support scaling the gradient by the frequency"));
    }
    check_weights(table, options)?;
    if !table.is_floating_point() {
        return Err(kinds("weight", 1, "Half, BFloat16, Float, Double", table));
    }
    let shape = table.shape();
    if shape.len() != 2 {
        return Err(Error::runtime(OP, "'weight' must be 2-D").given(format!("{shape:?}")));
    }
    let bags = Bags::new(shape[0], &numbers, &offsets, options)?;
    let on = |list: &[i64]| Tensor::from_slice_with(list, [list.len()], table.device());
    let mut rows = table.embedding(&on(&bags.rows)?, None, options.scale_grad_by_freq)?;
    if let Some(weights) = options.per_sample_weights {
        rows = rows.mul(&weights.reshape([-1])?.index_select(0, &on(&bags.places)?)?.unsqueeze(1)?)?;
    }
    let columns = shape[1];
    if options.mode == BagMode::Max {
        check_list(bags.count.saturating_mul(columns), size_of::<i64>())?;
        let values = rows.detach().to(DType::F64)?.values_or(0.0f64)?;
        let winners = on(&bags.largest(&values, columns))?.reshape([bags.count, columns])?;
        let padded = rows.constant_pad_nd([0, 0, 0, 1], 0)?;
        return padded.gather(0, &winners);
    }
    let sums = table.detach().new_zeros([bags.count, columns])?.index_add(0, &on(&bags.bags)?, &rows, 1)?;
    if options.mode == BagMode::Sum {
        return Ok(sums);
    }
    let options = TensorOptions::from(table.dtype()).device(table.device());
    let sizes = Tensor::from_slice_with(&bags.sizes(), [bags.count, 1], options)?;
    sums.div(&sizes)
}

fn samples() -> Result<Vec<Sample>> {
    let sample = |traits: Trait, table: Tensor, numbers: &[i64], mode: BagMode| -> Result<Sample> {
        let indices = Tensor::from_slice(numbers, [numbers.len()])?;
        let offsets = Tensor::new([0i64, numbers.len().min(2) as i64])?;
        let weights = ANY.tensor(&[numbers.len()], 9)?;
        Ok(sample::one(traits, vec![table, weights], move |x| {
            let mut options = BagOptions::new().mode(mode).padding_idx(3);
            options.per_sample_weights = (mode == BagMode::Sum).then_some(&x[1]);
            let bags = x[0].embedding_bag(&indices, Some(&offsets), &options)?;
            if mode == BagMode::Sum { Ok(bags) } else { bags.add(&x[1].sum()?) }
        }))
    };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[4, 2], 1)?, &[0, 2, 3, 1, 1], BagMode::Sum)?,
        sample(Trait::Plain, ANY.tensor(&[4, 2], 2)?, &[0, 2, 3, 1, 1], BagMode::Mean)?,
        sample(Trait::Strided, ANY.strided(&[4, 2], 3)?, &[0, 2, 3, 1, 1], BagMode::Max)?,
        sample(Trait::Empty, ANY.tensor(&[4, 2], 4)?, &[], BagMode::Sum)?,
    ])
}

composed! {
    table: BAGS;

    /// Bags of rows of this `[rows, columns]` table: their sums, means or largest elements.
    ///
    /// `indices` are a list, with the place in it at which each bag begins as `offsets`, or a matrix with a bag in each
    /// row. An empty bag is zero.
    ///
    /// # Errors
    /// Indices out of range; offsets that do not start at 0 or go beyond the indices; weights for anything but sums.
    ///
    /// ```
    /// # use firebrick_core::{BagMode, BagOptions, Tensor};
    /// let table = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    /// let bags = table.embedding_bag(&Tensor::new([[0i64, 1]])?, None, &BagOptions::new().mode(BagMode::Sum))?;
    /// assert_eq!(bags.to_vec::<f32>()?, [4.0, 6.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn embedding_bag(&table, indices: &Tensor, offsets: Option<&Tensor>, options: &BagOptions<'_>) -> Tensor {
        let weights = options.per_sample_weights.map(|weights| weights.resolve(OP)).transpose()?;
        let options = BagOptions { per_sample_weights: weights.as_ref(), ..options.clone() };
        embedding_bag(&table.resolve(OP)?, &indices.resolve(OP)?, offsets, &options)
    }
    samples: samples();
}
