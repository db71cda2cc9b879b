//! Packed sequences and recurrent layers over them, against PyTorch 2.15.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::Generator;
use firebrick::nn::utils::rnn::*;
use firebrick::prelude::*;

fn close(got: &Tensor, expected: &[f32]) {
    let got = values(&got.detach());
    let same = got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-6);
    assert!(same, "got {got:?}, expected {expected:?}");
}

/// `arange(12).reshape(3, 2, 2) / 10`, of which the first sequence has two steps.
fn unsorted() -> Result<(Tensor, PackedSequence)> {
    let x = Tensor::arange(12.0)?.reshape([3, 2, 2])?.div(10.0)?;
    x.requires_grad_(true)?;
    let packed = pack_padded_sequence_with(&x, [2, 3], PackOptions::new().enforce_sorted(false))?;
    Ok((x, packed))
}

fn seeded<T>(make: impl FnOnce() -> Result<T>) -> Result<T> {
    Generator::new().manual_seed(0).scope(make)
}

/// Sums of the absolute gradients of all parameters.
fn sizes(layer: &dyn Module) -> Result<Vec<f64>> {
    let size = |p: Parameter| p.grad().unwrap().to(DType::F64)?.abs()?.sum()?.item::<f64>();
    layer.parameters().into_iter().map(size).collect()
}

fn near(got: &[f64], expected: &[f64]) {
    let same = got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-4);
    assert!(same, "got {got:?}, expected {expected:?}");
}

#[test]
fn a_bidirectional_rnn_reads_each_sequence_from_its_own_end() -> Result<()> {
    let rnn = seeded(|| nn::RNN::builder(2, 3).bidirectional(true).build())?;
    let (x, packed) = unsorted()?;
    let (output, state) = rnn.call(packed)?;
    close(
        &output.data,
        &[
            -0.271_027_2,
            -0.240_847_1,
            0.506_565_8,
            -0.025_801_36,
            0.797_722_5,
            0.095_721_45,
            -0.326_629_7,
            -0.065_562_96,
            0.516_539_9,
            -0.339_217,
            0.601_731_4,
            -0.352_729_4,
            -0.281_143,
            -0.580_075_2,
            0.573_083_2,
            -0.323_200_8,
            0.665_658_9,
            -0.273_596,
            -0.263_285_9,
            -0.479_835_6,
            0.555_902_3,
            0.075_022_35,
            0.573_644_8,
            0.242_521_6,
            -0.314_334_5,
            -0.749_806_5,
            0.631_881_1,
            0.283_539_7,
            0.694_359_7,
            0.535_462_8,
        ],
    );
    close(
        &state,
        &[
            -0.263_285_9,
            -0.479_835_6,
            0.555_902_3,
            -0.314_334_5,
            -0.749_806_5,
            0.631_881_1,
            -0.339_217,
            0.601_731_4,
            -0.352_729_4,
            -0.025_801_36,
            0.797_722_5,
            0.095_721_45,
        ],
    );
    output.data.sum()?.add(&state.mul(2.0)?.sum()?)?.backward()?;
    let expected = [
        1.730_611,
        0.482_298,
        1.566_279,
        1.148_768,
        -2.417_506,
        -0.358_082_7,
        -1.424_966,
        -0.782_253,
        0.0,
        0.0,
        0.459_898_4,
        1.005_691,
    ];
    close(&x.grad().unwrap(), &expected);
    near(&sizes(&rnn)?, &[21.59421, 16.11611, 17.91234, 17.91234, 6.82763, 11.15998, 12.52601, 12.52601]);
    Ok(())
}

#[test]
fn a_gru_of_two_layers_computes_pytorchs_numbers() -> Result<()> {
    let gru = seeded(|| nn::GRU::builder(2, 3).num_layers(2).bidirectional(true).build())?;
    let (x, packed) = unsorted()?;
    let (output, state) = gru.call(packed)?;
    close(
        &output.data.narrow(0, 0, 1)?,
        &[-0.100_828_1, -0.322_746_3, -0.170_717_9, 0.378_264_6, -0.169_464_1, 0.426_785_4],
    );
    close(&state.select(0, 3)?, &[0.304_306_7, -0.143_351_8, 0.365_504_6, 0.378_264_6, -0.169_464_1, 0.426_785_4]);
    output.data.sum()?.add(&state.mul(2.0)?.sum()?)?.backward()?;
    let expected = [
        0.121_693_4,
        0.242_818_1,
        0.304_500_3,
        0.199_145_9,
        -0.142_334_7,
        0.476_477_3,
        0.244_050_6,
        0.407_166_7,
        0.0,
        0.0,
        -0.114_841_7,
        0.375_890_9,
    ];
    close(&x.grad().unwrap(), &expected);
    Ok(())
}

#[test]
fn an_lstm_with_projections_computes_pytorchs_numbers() -> Result<()> {
    let lstm = seeded(|| nn::LSTM::builder(2, 3).num_layers(2).bidirectional(true).proj_size(2).build())?;
    let (x, packed) = unsorted()?;
    let (output, (hidden, cell)) = lstm.call(packed)?;
    close(
        &output.data,
        &[
            0.062_470_73,
            0.065_540_69,
            0.016_414_42,
            -0.064_048_5,
            0.061_737_05,
            0.065_264_32,
            0.015_313_86,
            -0.057_553_94,
            0.092_230_51,
            0.096_416_55,
            0.017_978_82,
            -0.057_809_12,
            0.091_771_6,
            0.096_172_15,
            0.013_839_75,
            -0.041_681_95,
            0.107_132_3,
            0.111_759_2,
            0.014_312_87,
            -0.040_405_76,
        ],
    );
    close(&hidden.select(0, 2)?, &[0.091_771_6, 0.096_172_15, 0.107_132_3, 0.111_759_2]);
    close(&cell.select(0, 0)?, &[0.119_781_2, -0.194_539_7, 0.421_640_7, -0.366_280_9, -0.283_364_3, 0.603_611_7]);
    output.data.sum()?.add(&hidden.mul(2.0)?.sum()?)?.add(&cell.mul(2.0)?.sum()?)?.backward()?;
    let expected = [
        -0.435_955_3,
        -0.338_550_3,
        -0.362_060_5,
        -0.357_5,
        -0.821_321_3,
        -0.244_757_4,
        -0.540_436,
        -0.304_751_6,
        0.0,
        0.0,
        -0.478_492_7,
        -0.222_909_3,
    ];
    close(&x.grad().unwrap(), &expected);
    Ok(())
}

#[test]
fn dropout_between_layers_draws_for_the_packed_rows() -> Result<()> {
    let lstm = seeded(|| nn::LSTM::builder(2, 3).num_layers(2).dropout(0.5).build())?;
    let packed = pack_padded_sequence(&Tensor::ones([3, 2, 2])?, [3, 1])?;
    let (output, _) = Generator::new().manual_seed(1).scope(|| lstm.call(packed))?;
    let expected = [
        -0.138_486_5,
        -0.017_383_04,
        -0.047_423_83,
        -0.132_659_7,
        -0.037_694_57,
        -0.044_218_15,
        -0.153_645_2,
        -0.047_304_5,
        -0.045_336_09,
        -0.179_032_9,
        -0.085_671_25,
        -0.058_645_55,
    ];
    close(&output.data, &expected);
    Ok(())
}

#[test]
fn a_packed_batch_gives_what_its_sequences_give_alone() -> Result<()> {
    let gru = nn::GRU::builder(2, 3).bidirectional(true).batch_first(true).build()?;
    let sequences = [Tensor::rand([2, 2])?, Tensor::rand([4, 2])?, Tensor::rand([1, 2])?];
    let first = Tensor::rand([2, 3, 3])?;
    let (output, last) = gru.call((pack_sequence(&sequences, false)?, Some(first.clone())))?;
    for (i, (sequence, together)) in sequences.iter().zip(unpack_sequence(&output)?).enumerate() {
        let own = first.narrow(1, i as i64, 1)?.squeeze_dim(1)?;
        let (alone, state): (Tensor, Tensor) = gru.call((sequence, Some(own)))?;
        close(&together, &values(&alone.detach()));
        close(&last.select(1, i as i64)?, &values(&state.detach()));
    }
    Ok(())
}

#[test]
fn packing_and_padding_undo_each_other() -> Result<()> {
    let x = Tensor::arange(12)?.reshape([3, 2, 2])?;
    for batch_first in [false, true] {
        let input = if batch_first { x.transpose(0, 1)? } else { x.clone() };
        let options = PackOptions::new().batch_first(batch_first).enforce_sorted(false);
        let packed = pack_padded_sequence_with(&input, &Tensor::new([1i64, 2])?, options)?;
        assert_eq!(packed.data.to_vec::<i64>()?, [2, 3, 0, 1, 6, 7]);
        assert_eq!(packed.batch_sizes.to_vec::<i64>()?, [2, 1]);
        assert_eq!(packed.sorted_indices.as_ref().unwrap().to_vec::<i64>()?, [1, 0]);
        let options = UnpackOptions::new().batch_first(true).padding_value(-1).total_length(3);
        let (padded, lengths) = pad_packed_sequence_with(&packed, options)?;
        assert_eq!(padded.to_vec::<i64>()?, [0, 1, -1, -1, -1, -1, 2, 3, 6, 7, -1, -1]);
        assert_eq!(lengths.to_vec::<i64>()?, [1, 2]);
    }
    let left = PadSequenceOptions::new().batch_first(true).padding_side("left".parse()?);
    let padded = pad_sequence_with(&[Tensor::ones([2])?, Tensor::ones([1])?], left)?;
    assert_eq!(values(&padded), [1.0, 1.0, 0.0, 1.0]);
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_in_pytorchs_words() -> Result<()> {
    let x = Tensor::zeros([3, 2, 2])?;
    let pack = |lengths: &[i64]| pack_padded_sequence(&x, lengths).map(drop).unwrap_err().to_string();
    assert_eq!(pack(&[3]), "Expected `len(lengths)` to be equal to batch_size, but got 1 (batch_size=2)");
    assert_eq!(
        pack(&[3, 0]),
        "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
    );
    assert!(
        pack(&[1, 3]).starts_with("`lengths` array must be sorted in decreasing order when `enforce_sorted` is True.")
    );
    assert!(pack(&[4, 1]).contains("beyond the 3 steps"));
    let empty = pack_padded_sequence(&Tensor::zeros([0, 2, 2])?, [1, 1]).map(drop).unwrap_err();
    assert_eq!(empty.to_string(), "Cannot pack empty tensors.");
    assert_eq!(pad_sequence::<Tensor>(&[]).unwrap_err().to_string(), "received an empty list of sequences");
    let packed = pack_padded_sequence(&x, [2, 1])?;
    let short = pad_packed_sequence_with(&packed, UnpackOptions::new().total_length(1)).map(drop).unwrap_err();
    assert_eq!(
        short.to_string(),
        "Expected total_length to be at least the length of the longest sequence in input, but got total_length=1 and max sequence length being 2"
    );
    let rnn = nn::RNN::new(2, 3)?;
    let call = |data: Tensor, sizes: &[i64]| -> Result<String> {
        let packed = PackedSequence::new(data, Tensor::from_slice(sizes, [sizes.len()])?, None)?;
        let result: Result<(PackedSequence, Tensor)> = rnn.call(packed);
        Ok(result.map(drop).unwrap_err().to_string())
    };
    assert_eq!(call(Tensor::ones([3])?, &[2, 1])?, "input must have 2 dimensions, got 1");
    assert_eq!(call(Tensor::ones([3, 5])?, &[2, 1])?, "input.size(-1) must be equal to input_size. Expected 2, got 5");
    assert_eq!(call(Tensor::ones([3, 2])?, &[2, 2])?, "start (2) + length (2) exceeds dimension size (3).");
    assert_eq!(
        call(Tensor::ones([3, 2])?, &[1, 2])?,
        "output with shape [1, 3] doesn't match the broadcast shape [2, 3]"
    );
    assert_eq!(call(Tensor::ones([3, 2])?, &[])?, "batch_sizes can not be empty");
    Ok(())
}
