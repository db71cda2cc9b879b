//! Sorting, picking, sets and histograms at the places where a careless kernel goes wrong. Expected numbers are
//! PyTorch 2.15's.
#![allow(clippy::unwrap_used)]

use firebrick_core::{DType, ErrorKind, Result, Tensor};

const NAN: f32 = f32::NAN;

/// Numbers with many equal ones.
fn many() -> Vec<i64> {
    (0..300).map(|i| i * 7919 % 13).collect()
}

fn indices(x: &Tensor) -> Vec<i64> {
    x.to_vec().unwrap()
}

#[test]
fn nan_is_larger_than_every_number_and_zeros_are_equal() -> Result<()> {
    let x = Tensor::new([3.0f32, NAN, -0.0, 0.0, 1.0, -NAN, f32::NEG_INFINITY, f32::INFINITY])?;
    assert_eq!(indices(&x.argsort(0, false)?), [6, 2, 3, 4, 0, 7, 1, 5]);
    assert_eq!(indices(&x.argsort(0, true)?), [1, 5, 7, 0, 4, 2, 3, 6]);
    let bits = |x: &Tensor| x.to_vec::<f32>().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    // Elements are moved, not made anew.
    assert_eq!(bits(&x.sort(0, false)?.0.narrow(0, 1, 2)?), [(-0.0f32).to_bits(), 0]);
    Ok(())
}

#[test]
fn equal_elements_stay_in_their_order_in_rows_of_any_length() -> Result<()> {
    for len in [2i64, 17, 1000, 40_000] {
        let data: Vec<i64> = (0..len).map(|i| i * 31 % 7).collect();
        for (dtype, descending) in [(DType::U8, false), (DType::F32, true), (DType::I64, false), (DType::F64, true)] {
            let x = Tensor::from_slice(&data, [len])?.to(dtype)?;
            let mut expected: Vec<i64> = (0..len).collect();
            expected.sort_by_key(|&i| if descending { -data[i as usize] } else { data[i as usize] });
            assert_eq!(indices(&x.argsort(0, descending)?), expected, "{len} elements of {dtype}");
        }
    }
    Ok(())
}

#[test]
fn every_dimension_of_a_strided_tensor_is_sorted() -> Result<()> {
    let data: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 61)).collect();
    let x = Tensor::from_vec(data, [3, 4, 5])?.permute([2, 0, 1])?;
    for dim in 0..3 {
        let (values, places) = x.sort(dim, false)?;
        assert!(x.gather(dim, &places)?.equal(&values)?);
        let less = values.size(dim)? as i64 - 1;
        let rises = values.narrow(dim, 1, less)?.gt(values.narrow(dim, 0, less)?)?;
        assert!(rises.all()?.item::<bool>()?, "dimension {dim}");
    }
    Ok(())
}

#[test]
fn ties_fall_as_in_pytorch() -> Result<()> {
    let x = Tensor::from_vec(many(), [300])?;
    assert_eq!(indices(&x.topk(7, 0, true, true)?.1), [240, 19, 201, 110, 266, 58, 279]);
    assert_eq!(indices(&x.topk(2, 0, true, true)?.1), [19, 6]);
    assert_eq!(
        indices(&x.narrow(0, 0, 100)?.topk(50, 0, false, true)?.1)[..10],
        [0, 65, 52, 91, 26, 13, 39, 78, 59, 20]
    );
    let (value, place) = x.kthvalue(150, 0, false)?;
    assert_eq!((value.item::<i64>()?, place.item::<i64>()?), (6, 250));
    let (value, place) = x.mode(0, false)?;
    assert_eq!((value.item::<i64>()?, place.item::<i64>()?), (0, 247));
    Ok(())
}

#[test]
fn nan_equals_nothing_where_equals_are_counted() -> Result<()> {
    let x = Tensor::new([NAN, NAN, 1.0f32, 1.0, NAN])?;
    let (value, place) = x.mode(0, false)?;
    assert_eq!((value.item::<f32>()?, place.item::<i64>()?), (1.0, 3));
    let unique = x.unique_with(None)?;
    assert_eq!(indices(&unique.counts), [2, 1, 1, 1]);
    assert_eq!(indices(&unique.inverse_indices), [1, 2, 0, 0, 3]);
    assert_eq!(x.isin(&x, false)?.to_vec::<bool>()?, [false, false, true, true, false]);
    Ok(())
}

#[test]
fn distinct_slices_come_in_lexicographic_order() -> Result<()> {
    let x = Tensor::new([[2, 1, 2], [1, 9, 1]])?;
    let columns = x.unique_with(1)?;
    assert_eq!(columns.output.shape(), [2, 2]);
    assert_eq!(columns.output.to_vec::<i32>()?, [1, 2, 9, 1]);
    assert_eq!((indices(&columns.inverse_indices), indices(&columns.counts)), (vec![1, 0, 1], vec![1, 2]));
    let runs = x.unique_consecutive_with(1)?;
    assert_eq!(runs.output.to_vec::<i32>()?, x.to_vec::<i32>()?);
    let error = Tensor::zeros([0, 2])?.unique_with(1).unwrap_err();
    assert!(error.to_string().starts_with("There are 0 sized dimensions"), "{error}");
    Ok(())
}

#[test]
fn what_has_no_derivative_says_so_on_going_backward() -> Result<()> {
    let x = Tensor::new([1.0f32, 2.0, 1.0])?;
    x.requires_grad_(true)?;
    let refused = |out: Tensor| out.sum().and_then(|sum| sum.backward()).unwrap_err();
    let error = refused(x.unique()?);
    assert_eq!(error.to_string(), "the derivative for '_unique2' is not implemented.");
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
    assert_eq!(
        refused(x.histogram(2, None, None, false)?.0).to_string(),
        "derivative for aten::histogram is not implemented"
    );
    let counts = Tensor::new([0i64, 1, 0])?.bincount(Some(&x), 0)?;
    assert_eq!(refused(counts).to_string(), "derivative for aten::bincount is not implemented");
    assert!(!x.histc(2, 0, 3)?.requires_grad());
    Ok(())
}

#[test]
fn quantiles_lie_between_elements_as_the_word_says() -> Result<()> {
    let x = Tensor::new([4.0f32, 0.0, 3.0, 1.0, 2.0])?;
    let q = Tensor::new([0.1f32, 0.375, 0.625, 1.0])?;
    for (word, expected) in [
        ("linear", [0.4, 1.5, 2.5, 4.0]),
        ("lower", [0.0, 1.0, 2.0, 4.0]),
        ("higher", [1.0, 2.0, 3.0, 4.0]),
        ("midpoint", [0.5, 1.5, 2.5, 4.0]),
        ("nearest", [0.0, 2.0, 2.0, 4.0]),
    ] {
        assert_eq!(x.quantile(&q, None, false, word)?.to_vec::<f32>()?, expected, "{word}");
    }
    assert_eq!(x.quantile(&q, 0, true, "linear")?.shape(), [4, 1]);
    assert!(x.quantile(1.5, None, false, "linear").is_err() && x.quantile(0.5, None, false, "middle").is_err());
    Ok(())
}

#[test]
fn quantiles_of_rows_with_nan_are_nan_or_ignore_it() -> Result<()> {
    let x = Tensor::new([[1.0f32, NAN, 2.0], [3.0, 5.0, 4.0], [NAN, NAN, NAN]])?;
    let half = x.quantile(0.5, 1, false, "linear")?.to_vec::<f32>()?;
    assert!(half[0].is_nan() && half[1] == 4.0 && half[2].is_nan());
    let half = x.nanquantile(0.5, 1, false, "linear")?.to_vec::<f32>()?;
    assert!(half[..2] == [1.5, 4.0] && half[2].is_nan());
    Ok(())
}

#[test]
fn elements_on_an_edge_belong_to_the_bin_above_but_for_the_last() -> Result<()> {
    let x = Tensor::new([0.0f32, 1.0, 2.0, 3.0, 3.5, NAN, -1.0])?;
    assert_eq!(x.histc(3, 0, 3)?.to_vec::<f32>()?, [1.0, 1.0, 2.0]);
    let edges = Tensor::new([0.0f32, 1.0, 3.0])?;
    let weight = Tensor::new([1.0f32, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])?;
    let (hist, _) = x.histogram(&edges, None, Some(&weight), false)?;
    assert_eq!(hist.to_vec::<f32>()?, [1.0, 14.0]);
    let (density, _) = x.histogram(&edges, None, None, true)?;
    assert_eq!(density.to_vec::<f32>()?, [0.25, 0.375]);
    Ok(())
}

#[test]
fn counts_beyond_memory_are_errors() -> Result<()> {
    assert!(Tensor::new([1i64 << 50])?.bincount(None, 0).is_err());
    assert!(Tensor::new([i64::MAX])?.bincount(None, 0).is_err());
    assert!(Tensor::ones([3])?.histc(i64::MAX, 0, 0).is_err());
    assert!(Tensor::ones([3])?.nonzero_static(i64::MAX, 0).is_err());
    assert!(Tensor::ones([100])?.combinations(50, true).is_err());
    assert!(Tensor::ones([1])?.combinations(i64::MAX, true).is_err());
    Ok(())
}

#[test]
fn combinations_are_those_of_places() -> Result<()> {
    let x = Tensor::new([5, 6, 7])?;
    assert_eq!(x.combinations(3, true)?.shape(), [10, 3]);
    assert_eq!(x.combinations(2, true)?.to_vec::<i32>()?, [5, 5, 5, 6, 5, 7, 6, 6, 6, 7, 7, 7]);
    assert_eq!(x.combinations(4, false)?.shape(), [0, 4]);
    assert_eq!(x.combinations(0, false)?.shape(), [0]);
    Ok(())
}
