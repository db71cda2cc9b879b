// A list of linear layers holds linear layers; `nn::boxed` forgets types.
use firebrick::prelude::*;

fn main() -> Result<()> {
    let mut layers = nn::ModuleList::from([nn::Linear::new(2, 2)?]);
    layers.append(nn::ReLU::new());
    Ok(())
}
