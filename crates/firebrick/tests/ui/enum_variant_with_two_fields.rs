// A module enum is one of its modules.
use firebrick::prelude::*;

#[derive(Module)]
enum Block {
    One(nn::Linear),
    Two(nn::Linear, nn::Linear),
}

fn main() {}
