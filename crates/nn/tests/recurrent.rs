//! Recurrent layers and cells against PyTorch 2.15.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::Generator;
use firebrick::autograd::Grad;
use firebrick::prelude::*;
use nn::utils::rnn::pack_padded_sequence;

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
}

#[test]
fn an_lstm_computes_pytorchs_numbers() -> Result<()> {
    let lstm = Generator::new().manual_seed(0).scope(|| nn::LSTM::new(2, 3))?;
    let (output, (hidden, cell)) = lstm.call(Tensor::ones([2, 1, 2])?)?;
    let expected = [-0.269_299_9, -0.123_973_12, 0.074_403_51, -0.388_922_6, -0.191_874_28, 0.118_304_11];
    assert!(close(&values(&output.detach()), &expected));
    assert!(close(&values(&hidden.detach()), &expected[3..]));
    assert!(close(&values(&cell.detach()), &[-0.852_977_16, -0.303_110_54, 0.290_133_2]));
    Ok(())
}

#[test]
fn a_layer_is_its_cell_step_by_step() -> Result<()> {
    let (gru, cell) = (nn::GRU::new(2, 3)?, nn::GRUCell::new(2, 3)?);
    for name in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] {
        cell.get_parameter(name)?.set_data(&gru.get_parameter(&format!("{name}_l0"))?.detach())?;
    }
    let x = Tensor::rand([4, 2, 2])?;
    let (output, _): (Tensor, Tensor) = gru.call(&x)?;
    let mut state: Option<Tensor> = None;
    for step in x.unbind(0)? {
        state = Some(cell.call((step, state))?);
    }
    let last = output.select(0, 3)?.detach();
    assert!(close(&values(&last), &values(&state.unwrap().detach())));
    Ok(())
}

#[test]
fn copies_have_parameters_of_their_own() -> Result<()> {
    let rnn = nn::RNN::builder(2, 2).num_layers(2).build()?;
    let copy = rnn.deep_clone()?;
    nn::init::zeros_(copy.get_parameter("weight_ih_l1")?)?;
    assert!(values(&rnn.get_parameter("weight_ih_l1")?.detach()).iter().any(|&v| v != 0.0));
    assert_eq!(copy.state_dict().len(), 8);
    Ok(())
}

#[test]
fn recurrent_layers_say_what_does_not_fit() -> Result<()> {
    let lstm = nn::LSTM::builder(3, 5).num_layers(2).build()?;
    let x = Tensor::zeros([4, 2, 3])?;
    let states = |hidden: [i64; 3], cell: [i64; 3]| -> Result<String> {
        let pair = (Tensor::zeros(hidden)?, Tensor::zeros(cell)?);
        let result: Result<(Tensor, (Tensor, Tensor))> = lstm.call((&x, Some(pair)));
        Ok(result.map(drop).unwrap_err().to_string())
    };
    assert_eq!(states([1, 2, 5], [2, 2, 5])?, "Expected hidden[0] size (2, 2, 5), got [1, 2, 5]");
    assert_eq!(states([2, 2, 5], [2, 3, 5])?, "Expected hidden[1] size (2, 2, 5), got [2, 3, 5]");
    let wrong: Result<(Tensor, (Tensor, Tensor))> = lstm.call(Tensor::zeros([4, 2, 7])?);
    assert_eq!(
        wrong.map(drop).unwrap_err().to_string(),
        "input.size(-1) must be equal to input_size. Expected 3, got 7"
    );
    let refused = |layer: Result<nn::RNN>| layer.map(drop).unwrap_err().to_string();
    assert_eq!(refused(nn::RNN::new(0, 5)), "input_size must be greater than zero");
    assert_eq!(refused(nn::RNN::builder(3, 5).num_layers(0).build()), "num_layers must be greater than zero");
    Ok(())
}

/// An LSTM with options, in double precision.
fn lstm(layers: usize, both_ways: bool, bias: bool, projection: usize) -> Result<nn::LSTM> {
    let lstm = nn::LSTM::builder(3, 4).num_layers(layers).bidirectional(both_ways).bias(bias).proj_size(projection);
    Generator::new().manual_seed(1).scope(|| lstm.dtype(DType::F64).build())
}

/// Input, hidden state and cell for 5 steps of 2 sequences.
fn inputs(lstm: &nn::LSTM, projection: usize) -> Result<[Parameter; 3]> {
    let parameters = lstm.parameters();
    let states =
        parameters.iter().filter(|p| p.shape().is_ok_and(|shape| shape.len() == 2 && shape[0] == 16)).count() / 2;
    let width = if projection > 0 { projection } else { 4 };
    let draw = |shape: [usize; 3]| Tensor::randn_with(shape, DType::F64).map(Parameter::new);
    Generator::new().manual_seed(2).scope(|| Ok([draw([5, 2, 3])?, draw([states, 2, width])?, draw([states, 2, 4])?]))
}

/// The gradients, and with `twice` those of the sum of their squares, of input, states and parameters, from all results
/// of `call`.
fn gradients(
    lstm: &nn::LSTM,
    inputs: &[Parameter; 3],
    twice: bool,
    call: impl Fn(Tensor, (Tensor, Tensor)) -> Result<[Tensor; 3]>,
) -> Result<Vec<f64>> {
    let [x, hidden, cell] = inputs.each_ref().map(|p| (**p).clone());
    let results = call(x, (hidden, cell))?;
    let mut loss = Tensor::zeros_with((), DType::F64)?;
    for (result, factor) in results.iter().zip([1.0, 0.7, -0.4]) {
        loss = loss.add(&result.square()?.sum()?.mul(factor)?)?;
    }
    let parameters = lstm.parameters();
    let wanted: Vec<&Tensor> = inputs.iter().chain(&parameters).map(|p| &**p).collect();
    let mut grads = Grad::new(&[&loss], &wanted).create_graph(twice).run()?;
    if twice {
        let mut sum = Tensor::zeros_with((), DType::F64)?;
        for grad in &grads {
            sum = sum.add(&grad.square()?.sum()?)?;
        }
        grads = Grad::new(&[&sum], &wanted).run()?;
    }
    let all = grads.iter().map(|grad| grad.detach().to_vec::<f64>()).collect::<Result<Vec<_>>>()?;
    Ok(all.concat())
}

/// Packed sequences run step by step, by operations that have gradients of their own.
#[test]
fn gradients_of_an_lstm_are_those_of_its_steps() -> Result<()> {
    for (layers, both_ways, bias, projection) in
        [(1, false, true, 0), (2, true, true, 0), (1, true, false, 0), (1, false, true, 2), (2, true, false, 3)]
    {
        let lstm = lstm(layers, both_ways, bias, projection)?;
        let inputs = inputs(&lstm, projection)?;
        for twice in [false, true] {
            let whole = gradients(&lstm, &inputs, twice, |x, states| {
                let (all, (hidden, cell)) = lstm.call((x, Some(states)))?;
                Ok([all, hidden, cell])
            })?;
            let steps = gradients(&lstm, &inputs, twice, |x, states| {
                let (all, (hidden, cell)) = lstm.call((pack_padded_sequence(&x, [5, 5])?, Some(states)))?;
                Ok([all.data, hidden, cell])
            })?;
            assert!(whole.iter().any(|v| v.abs() > 0.1) && whole.len() == steps.len());
            let off = whole.iter().zip(&steps).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f64::max);
            assert!(off < 1e-10, "{layers} {both_ways} {bias} {projection} {twice}: {off}");
        }
    }
    Ok(())
}

#[test]
fn an_lstm_gives_gradients_to_what_wants_them_alone() -> Result<()> {
    let lstm = lstm(1, false, true, 0)?;
    let [x, ..] = inputs(&lstm, 0)?;
    let frozen = lstm.get_parameter("weight_hh_l0")?;
    frozen.requires_grad_(false)?;
    // The last hidden state alone.
    let (_, (hidden, _)): (Tensor, (Tensor, Tensor)) = lstm.call(&x)?;
    hidden.sum()?.backward()?;
    let sized = |p: &Parameter| p.grad().map(|grad| grad.abs()?.sum()?.item::<f64>()).transpose();
    assert!(sized(&x)?.is_some_and(|size| size > 0.0));
    assert!(sized(lstm.get_parameter("bias_hh_l0")?)?.is_some_and(|size| size > 0.0));
    assert_eq!(sized(frozen)?, None);
    Ok(())
}

#[test]
fn an_lstm_computes_with_the_tensors_that_stand_in_for_its_weights() -> Result<()> {
    let lstm = lstm(1, false, true, 0)?;
    let [x, ..] = inputs(&lstm, 0)?;
    let factor = Parameter::new(Tensor::new([2.0f64])?);
    let doubled = lstm.get_parameter("weight_hh_l0")?.detach().mul(&*factor)?;
    let given = StateDict::from_iter([("weight_hh_l0", doubled)]);
    let (with, _): (Tensor, (Tensor, Tensor)) = nn::functional_call(&lstm, &given, &x)?;
    let (without, _): (Tensor, (Tensor, Tensor)) = lstm.call(&x)?;
    assert!(with.sub(&without)?.abs()?.max()?.item::<f64>()? > 1e-3);
    with.sum()?.backward()?;
    assert!(factor.grad().is_some());
    assert!(lstm.get_parameter("weight_hh_l0")?.grad().is_none());
    Ok(())
}
