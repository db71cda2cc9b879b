// "No module" is a module too.
use firebrick::prelude::*;

#[derive(Module)]
enum Activation {
    Relu(nn::ReLU),
    None,
}

fn main() {}
