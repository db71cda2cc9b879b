//! Einstein's summation.

use super::contract::contract;
use super::equation::{Equation, Label, OP, fail, subscript};
use crate::ops::by_hand;
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Error, Result, Sizes, Tensor};

/// Where each label's dimension lies in the common layout: those of the result in front.
struct Layout {
    /// The place of each letter.
    places: [Option<usize>; 256],
    /// The first of the dimensions under the ellipsis, and how many there are.
    ellipsis: (usize, usize),
    rank: usize,
    outputs: usize,
}

impl Layout {
    fn of(equation: &Equation, ellipsis: usize) -> Layout {
        let mut layout = Layout { places: [None; 256], ellipsis: (0, ellipsis), rank: 0, outputs: 0 };
        let mut placed = false;
        for label in equation.output() {
            layout.place(label, &mut placed);
        }
        layout.outputs = layout.rank;
        for &label in equation.inputs.iter().flatten() {
            layout.place(label, &mut placed);
        }
        layout
    }

    fn place(&mut self, label: Label, ellipsis_placed: &mut bool) {
        match label {
            Label::Letter(letter) if self.places[usize::from(letter)].is_none() => {
                self.places[usize::from(letter)] = Some(self.rank);
                self.rank += 1;
            }
            Label::Ellipsis if !*ellipsis_placed => {
                *ellipsis_placed = true;
                self.ellipsis.0 = self.rank;
                self.rank += self.ellipsis.1;
            }
            _ => {}
        }
    }
}

/// How many dimensions the ellipsis of an operand stands for.
fn under_ellipsis(index: usize, labels: &[Label], rank: usize) -> Result<usize> {
    let letters = labels.iter().filter(|&&l| l != Label::Ellipsis).count();
    if letters == labels.len() && letters != rank {
        return fail(format!(
            "the number of subscripts in the equation ({letters}) does not match the number of dimensions ({rank}) for operand {index} and no ellipsis was given"
        ));
    }
    match rank.checked_sub(letters) {
        Some(under) => Ok(under),
        None => fail(format!(
            "the number of subscripts in the equation ({letters}) is more than the number of dimensions ({rank}) for operand {index}"
        )),
    }
}

/// An operand in the common layout: a repeated label is a diagonal, a missing one a dimension of size 1.
fn laid_out(index: usize, x: &Tensor, labels: &[Label], layout: &Layout, sizes: &mut [usize]) -> Result<Tensor> {
    let under = under_ellipsis(index, labels, x.dim())?;
    let mut x = x.clone();
    let mut dims: Vec<Option<i64>> = vec![None; layout.rank];
    let mut dim = 0;
    for &label in labels {
        let Label::Letter(letter) = label else {
            for i in 0..under {
                // The last ones are aligned.
                let place = layout.ellipsis.0 + layout.ellipsis.1 - under + i;
                check_ellipsis(index, i, x.size(dim)?, &mut sizes[place])?;
                dims[place] = Some(dim);
                dim += 1;
            }
            continue;
        };
        let Some(place) = layout.places[usize::from(letter)] else { continue };
        let size = x.size(dim)?;
        let shown = char::from(letter);
        match dims[place] {
            Some(before) => {
                let first = x.size(before)?;
                if first != size {
                    return fail(format!(
                        "subscript {shown} is repeated for operand {index} but the sizes don't match, {size} != {first}"
                    ));
                }
                x = x.diagonal(0, before, dim)?.movedim(-1, before)?;
            }
            None => {
                if sizes[place] != 1 && size != 1 && sizes[place] != size {
                    return fail(format!(
                        "subscript {shown} has size {size} for operand {index} which does not broadcast with previously seen size {}",
                        sizes[place]
                    ));
                }
                sizes[place] = if size == 1 { sizes[place] } else { size };
                dims[place] = Some(dim);
                dim += 1;
            }
        }
    }
    let order: Sizes = dims.iter().flatten().copied().collect();
    let mut x = x.permute(order)?;
    for (place, _) in dims.iter().enumerate().filter(|(_, dim)| dim.is_none()) {
        x = x.unsqueeze(place as i64)?;
    }
    Ok(x)
}

fn check_ellipsis(index: usize, i: usize, size: usize, seen: &mut usize) -> Result<()> {
    if *seen != 1 && size != 1 && *seen != size {
        return fail(format!(
            "dimension {i} covered by ellipsis in operand {index}has size {size} which does not broadcast with previously seen ellipsis with size {seen} for the respective dimension"
        ));
    }
    *seen = if size == 1 { *seen } else { size };
    Ok(())
}

fn einsum_of(equation: &str, operands: &[Tensor]) -> Result<Tensor> {
    if operands.is_empty() {
        return Err(Error::value(
            OP,
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list",
        ));
    }
    let operands: Vec<Tensor> = operands.iter().map(|x| x.resolve(OP)).collect::<Result<_>>()?;
    same_device(OP, operands.iter().map(Tensor::device))?;
    let equation = Equation::parse(equation, operands.len())?;
    let mut ellipsis = 0;
    for (index, (labels, x)) in equation.inputs.iter().zip(&operands).enumerate() {
        ellipsis = ellipsis.max(under_ellipsis(index, labels, x.dim())?);
    }
    let layout = Layout::of(&equation, ellipsis);
    let mut sizes = vec![1; layout.rank];
    let mut parts = Vec::new();
    for (index, (labels, x)) in equation.inputs.iter().zip(&operands).enumerate() {
        parts.push(laid_out(index, x, labels, &layout, &mut sizes)?);
    }
    multiplied(parts, &layout)
}

/// The product of operands in one layout, from left to right; a dimension is summed with the last operand that has it.
fn multiplied(parts: Vec<Tensor>, layout: &Layout) -> Result<Tensor> {
    let last = |d: usize| parts.iter().rposition(|x| x.shape()[d] != 1).unwrap_or(0);
    let mut due = vec![Vec::new(); parts.len()];
    (layout.outputs..layout.rank).for_each(|d| due[last(d)].push(d));
    let sum = |x: Tensor, dims: &[usize]| match dims.is_empty() {
        true => Ok(x),
        false => x.sum_dim(dims.iter().map(|&d| d as i64).collect::<Sizes>(), true),
    };
    let single = parts.len() == 1;
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else { return fail("no operand".to_owned()) };
    let summed = |x: &Tensor, dims: &[usize]| -> Vec<usize> {
        let shape = x.shape();
        dims.iter().copied().filter(|&d| shape[d] != 1).collect()
    };
    // A single operand is summed over dimensions of size 1, too: it makes an int64 of integers.
    let dims = if single { due[0].clone() } else { summed(&first, &due[0]) };
    let mut out = sum(first, &dims)?;
    for (x, due) in parts.zip(&due[1..]) {
        let (of_out, of_x) = (summed(&out, due), summed(&x, due));
        let both: Vec<usize> = of_out.iter().copied().filter(|d| of_x.contains(d)).collect();
        let alone = |dims: &[usize]| dims.iter().copied().filter(|d| !both.contains(d)).collect::<Vec<_>>();
        let (left, right) = (sum(out, &alone(&of_out))?, sum(x, &alone(&of_x))?);
        out = if both.is_empty() { left.mul(&right)? } else { contract(&left, &right, &both)? };
    }
    let rest: Sizes = (layout.outputs..layout.rank).map(|d| d as i64).collect();
    if rest.is_empty() { Ok(out) } else { out.squeeze_dim(rest) }
}

impl Tensor {
    /// Sums of products after Einstein: each operand's dimensions are named by letters, those of the result after `->`;
    /// letters that the result does not have are summed over. `...` stands for dimensions without names, which
    /// broadcast; a letter twice in one operand is its diagonal. Without `->` the result has the letters that appear once,
    /// in alphabetical order (upper case first). Spaces do not count.
    ///
    /// # Errors
    /// PyTorch's, for equations that do not fit the operands.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?, Tensor::new([[1.0f32, 0.0], [1.0, 1.0]])?);
    /// assert_eq!(Tensor::einsum("ij,jk->ik", &[&a, &b])?.to_vec::<f32>()?, [3.0, 2.0, 7.0, 4.0]);
    /// assert_eq!(Tensor::einsum("ii", &[&a])?.item::<f32>()?, 5.0);
    /// assert_eq!(Tensor::einsum("ij->ji", &[&a])?.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn einsum(equation: &str, operands: &[impl AsRef<Tensor>]) -> Result<Tensor> {
        let operands: Vec<Tensor> = operands.iter().map(|x| x.as_ref().clone()).collect();
        einsum_of(equation, &operands)
    }

    /// [`Tensor::einsum`] with numbers in place of letters: a list of subscripts for each operand, and one for the result;
    /// `None` among them is the ellipsis.
    ///
    /// # Errors
    /// A number outside `0..52`, and those of the equation with letters.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let a = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    /// let turned = Tensor::einsum_lists(&[(&a, &[Some(0), Some(1)])], Some(&[Some(1), Some(0)]))?;
    /// assert_eq!(turned.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn einsum_lists(operands: &[(&Tensor, &[Option<i64>])], output: Option<&[Option<i64>]>) -> Result<Tensor> {
        let text = |list: &[Option<i64>]| list.iter().map(|&s| subscript(s)).collect::<Result<String>>();
        let inputs = operands.iter().map(|(_, list)| text(list)).collect::<Result<Vec<_>>>()?;
        let mut equation = inputs.join(",");
        if let Some(output) = output {
            equation.push_str("->");
            equation.push_str(&text(output)?);
        }
        let operands: Vec<Tensor> = operands.iter().map(|(x, _)| (*x).clone()).collect();
        einsum_of(&equation, &operands)
    }
}

fn samples() -> Result<Vec<Sample>> {
    let cases: [(&'static str, &[&[usize]]); 11] = [
        ("ij,jk->ik", &[&[2, 3], &[3, 4]]),
        ("ij,jk->ki", &[&[2, 0], &[0, 4]]),
        ("i->", &[&[3]]),
        ("ij->ji", &[&[2, 3]]),
        ("iji->j", &[&[2, 3, 2]]),
        ("...ii->...i", &[&[2, 3, 3]]),
        ("i,j->ij", &[&[2], &[3]]),
        ("bij,bjk,kl->bil", &[&[2, 2, 3], &[1, 3, 2], &[2, 2]]),
        ("...i,...i->...", &[&[2, 1, 3], &[4, 3]]),
        ("ab,cd,ad", &[&[2, 3], &[3, 2], &[2, 2]]),
        ("ij,kj->", &[&[2, 3], &[4, 1]]),
    ];
    let mut all = Vec::new();
    for (equation, shapes) in cases {
        let traits = if shapes[0].contains(&0) { Trait::Empty } else { Trait::Plain };
        let inputs = shapes.iter().zip(1..).map(|(shape, seed)| ANY.tensor(shape, seed)).collect::<Result<_>>()?;
        all.push(sample::one(traits, inputs, move |x| Tensor::einsum(equation, x)));
    }
    let strided = vec![ANY.strided(&[2, 3], 1)?, ANY.strided(&[3, 2], 2)?];
    all.push(sample::one(Trait::Strided, strided, |x| Tensor::einsum("ij,jk->ik", x)));
    Ok(all)
}

by_hand! {
    table: EINSUM;
    einsum: samples();
}
