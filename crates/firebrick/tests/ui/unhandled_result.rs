// Every operation returns a `Result`; forgetting `?` is an error, not silence.
#![deny(unused_must_use)]
use firebrick::prelude::*;

fn main() -> Result<()> {
    let linear = nn::Linear::new(2, 2)?;
    linear.to(DType::F64);
    linear.weight.add(1)?.relu();
    Ok(())
}
