// `forward` would skip hooks and lazy initialization, so it is not in scope.
use firebrick::prelude::*;

fn main() -> Result<()> {
    let fc = nn::Linear::new(2, 2)?;
    fc.forward(Tensor::zeros([1, 2])?)?;
    Ok(())
}
