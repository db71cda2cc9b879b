// State changes through `&`, structure only through `&mut`.
use firebrick::prelude::*;

fn grow(net: &nn::Sequential) -> Result<()> {
    net.set_submodule("0", nn::boxed(nn::ReLU::new()))
}

fn main() {}
