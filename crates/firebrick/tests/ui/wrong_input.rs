// Two tensors for a module that takes one.
use firebrick::prelude::*;

fn main() -> Result<()> {
    let fc = nn::Linear::new(2, 2)?;
    let x = Tensor::zeros([1, 2])?;
    fc.call((&x, &x))?;
    Ok(())
}
