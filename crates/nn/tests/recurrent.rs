//! Recurrent layers and cells against PyTorch 2.15.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::Generator;
use firebrick::prelude::*;

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
