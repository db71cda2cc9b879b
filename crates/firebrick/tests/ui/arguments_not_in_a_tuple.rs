// Several inputs are one tuple.
use firebrick::prelude::*;

fn main() -> Result<()> {
    let loss = nn::MSELoss::new();
    let (x, y) = (Tensor::zeros([1])?, Tensor::zeros([1])?);
    loss.call(&x, &y)?;
    Ok(())
}
