//! Dotted names and paths, and PyTorch's words for paths that lead nowhere.

mod common;

use common::{Bare, Mlp, message, names};
use firebrick::nn::Traversal;
use firebrick::prelude::*;
use std::sync::Arc;

#[derive(Module)]
#[module(name = "Module")]
struct Net {
    core: Core,
    lin: nn::Linear,
    buf: Buffer,
    x: i64,
}

/// PyTorch's `m.net`: a module with a layer, a buffer and an int.
fn nested() -> Result<Bare> {
    let net = Net { core: Core::new(), lin: nn::Linear::new(2, 3)?, buf: Buffer::new(Tensor::zeros([1])?), x: 3 };
    assert_eq!(net.x, 3);
    let mut m = Bare::new();
    m.add_module("net", net)?;
    Ok(m)
}

#[derive(Module)]
struct Shared {
    core: Core,
    a: Arc<nn::Linear>,
    b: Arc<nn::Linear>,
    c: nn::Linear,
}

fn shared() -> Result<Shared> {
    let a = Arc::new(nn::Linear::new(1, 1)?);
    let mut c = nn::Linear::new(1, 1)?;
    c.weight = a.weight.clone();
    Ok(Shared { core: Core::new(), b: a.clone(), a, c })
}

#[test]
fn tied_and_shared_members_are_listed_once_and_saved_under_each_name() -> Result<()> {
    let m = shared()?;
    assert_eq!(names(m.named_parameters()), ["a.weight", "a.bias", "c.bias"]);
    assert_eq!(m.parameters().len(), 3);
    let all = Traversal::new().remove_duplicate(false);
    let every = ["a.weight", "a.bias", "b.weight", "b.bias", "c.weight", "c.bias"];
    assert_eq!(names(m.named_parameters_with(&all)), every);
    assert_eq!(m.state_dict().keys().collect::<Vec<_>>(), every);
    assert_eq!(names(m.named_modules()), ["", "a", "c"]);
    assert_eq!(names(m.named_modules_with(&all)), ["", "a", "b", "c"]);
    assert_eq!(names(m.named_children()), ["a", "c"]);
    let linear = "Linear(in_features=1, out_features=1, bias=True)";
    assert_eq!(m.to_string(), format!("Shared(\n  (a): {linear}\n  (b): {linear}\n  (c): {linear}\n)"));
    Ok(())
}

#[test]
fn modules_are_listed_parents_first_below_a_prefix() -> Result<()> {
    let net = nn::Sequential::new().add(nn::Linear::new(1, 1)?).add(nn::Sequential::new().add(nn::ReLU::new()));
    let prefixed = Traversal::new().prefix("root");
    assert_eq!(names(net.named_modules_with(&prefixed)), ["root", "root.0", "root.1", "root.1.0"]);
    assert_eq!(names(net.named_modules()), ["", "0", "1", "1.0"]);
    assert_eq!(net.modules().len(), 4);
    Ok(())
}

#[test]
fn paths_find_modules_parameters_and_buffers() -> Result<()> {
    let m = nested()?;
    let lin = "Linear(in_features=2, out_features=3, bias=True)";
    assert_eq!(m.get_submodule("")?.to_string(), format!("Module(\n  (net): Module(\n    (lin): {lin}\n  )\n)"));
    assert_eq!(m.get_submodule("net.lin")?.to_string(), lin);
    assert!(m.get_submodule("net.lin")?.is::<nn::Linear>());
    assert_eq!(m.get_parameter("net.lin.weight")?.shape()?, [3, 2]);
    assert_eq!(m.get_buffer("net.buf")?.shape()?, [1]);
    Ok(())
}

#[test]
fn paths_that_lead_nowhere_say_where_they_end() -> Result<()> {
    let m = nested()?;
    let table = [
        (message(m.get_submodule("net.x")), "`x` is not an nn.Module"),
        (message(m.get_submodule("net.nope.y")), "Module has no attribute `nope`"),
        (message(m.get_submodule("net.lin.weight")), "`weight` is not an nn.Module"),
        (message(m.get_parameter("net.lin")), "`lin` is not an nn.Parameter"),
        (message(m.get_parameter("net.nope")), "Module has no attribute `nope`"),
        (message(m.get_parameter("w")), "Module has no attribute `w`"),
        (message(m.get_buffer("net.lin.weight")), "`weight` is not a buffer"),
        (message(m.get_buffer("net.nope")), "Module has no attribute `nope`"),
        (message(m.get_buffer("net.x")), "`x` is not a buffer"),
        (message(m.get_buffer("")), "Module has no attribute ``"),
    ];
    for (given, expected) in table {
        assert_eq!(given, expected);
    }
    Ok(())
}

#[test]
fn a_plain_list_answers_as_the_list_it_stands_for() -> Result<()> {
    #[derive(Module)]
    struct Stack {
        core: Core,
        layers: Vec<nn::Linear>,
    }
    let stack = Stack { core: Core::new(), layers: vec![nn::Linear::new(1, 2)?, nn::Linear::new(2, 1)?] };
    assert_eq!(names(stack.named_modules()), ["", "layers.0", "layers.1"]);
    assert_eq!(stack.get_submodule("layers.1")?.type_name(), "Linear");
    assert_eq!(stack.get_parameter("layers.1.weight")?.shape()?, [1, 2]);
    assert_eq!(message(stack.get_submodule("layers.2")), "ModuleList has no attribute `2`");
    assert_eq!(message(stack.get_submodule("layers")), "`layers` is not an nn.Module");
    Ok(())
}

#[test]
fn set_submodule_replaces_and_adds() -> Result<()> {
    let mut m = nested()?;
    let table = [
        (message(m.set_submodule("", nn::ReLU::new())), "Cannot set the submodule without a target name!"),
        (message(m.set_submodule("net.x", nn::ReLU::new())), "`x` is not an nn.Module"),
        (message(m.set_submodule("q.r", nn::ReLU::new())), "Module has no attribute `q`"),
        (message(m.set_submodule_strict("net.new", nn::ReLU::new())), "Module has no attribute `new`"),
        (message(m.set_submodule("net.lin", nn::ReLU::new())), "`net.lin` cannot hold a module of another type"),
    ];
    for (given, expected) in table {
        assert_eq!(given, expected);
    }
    m.set_submodule("net.lin", nn::Linear::new(5, 7)?)?;
    assert_eq!(m.get_parameter("net.lin.weight")?.shape()?, [7, 5]);
    m.set_submodule("net.new", nn::ReLU::new())?;
    m.set_submodule_strict("net.new", nn::Identity::new())?;
    assert_eq!(m.get_submodule("net.new")?.to_string(), "Identity()");
    m.set_submodule("net", nn::ReLU::new())?;
    assert_eq!(m.to_string(), "Module(\n  (net): ReLU()\n)");
    Ok(())
}

#[test]
fn set_submodule_reaches_into_lists_boxes_and_sequentials() -> Result<()> {
    let mut net = nn::Sequential::new().add(nn::Linear::new(2, 3)?).add(nn::ReLU::new()).add(Mlp::new(3, 3, 1)?);
    net.set_submodule("1", nn::boxed(nn::Linear::new(3, 3)?))?;
    net.set_submodule("2.fc2", nn::Linear::new(3, 9)?)?;
    assert_eq!(net.call(Tensor::ones([1, 2])?)?.shape(), [1, 9]);
    let error = net.set_submodule("1", nn::ReLU::new()).expect_err("a box of another type");
    assert!(format!("{error:#}").contains("nn::boxed"), "{error:#}");
    assert!(net.get_submodule("2.fc1")?.is::<nn::Linear>());
    Ok(())
}

#[test]
fn a_module_with_several_owners_cannot_change_its_structure() -> Result<()> {
    let mut m = shared()?;
    let error = message(m.set_submodule("a.extra", nn::ReLU::new()));
    assert_eq!(error, "the module is shared by several owners, so its structure cannot change");
    m.b = Arc::new(nn::Linear::new(1, 1)?);
    m.set_submodule("a.extra", nn::ReLU::new())?;
    assert_eq!(names(m.a.named_children()), ["extra"]);
    m.set_submodule("a", Arc::new(nn::Linear::new(4, 4)?))?;
    assert_eq!(m.a.weight.shape()?, [4, 4]);
    Ok(())
}

/// One module under two names, its weight as a parameter of the parent, one buffer under two names.
#[derive(Module)]
struct Twins {
    core: Core,
    a: Arc<nn::Linear>,
    b: Arc<nn::Linear>,
    p: Parameter,
    q: Buffer,
    r: Buffer,
}

#[test]
fn listings_combine_prefix_recursion_and_duplicates_as_pytorch_does() -> Result<()> {
    let (a, q) = (Arc::new(nn::Linear::new(1, 1)?), Buffer::new(Tensor::ones([1])?));
    let m = Twins { core: Core::new(), p: a.weight.clone(), b: a.clone(), a, r: q.clone(), q };
    let (usual, all) = (Traversal::new(), Traversal::new().remove_duplicate(false));
    let parameters = |options: &Traversal| names(m.named_parameters_with(options));
    assert_eq!(parameters(&usual), ["p", "a.bias"]);
    assert_eq!(parameters(&all), ["p", "a.weight", "a.bias", "b.weight", "b.bias"]);
    assert_eq!(parameters(&usual.clone().recurse(false)), ["p"]);
    assert_eq!(parameters(&usual.clone().prefix("z")), ["z.p", "z.a.bias"]);
    assert_eq!(parameters(&all.clone().prefix("z").recurse(false)), ["z.p"]);
    assert_eq!(names(m.named_buffers()), ["q"]);
    assert_eq!(names(m.named_buffers_with(&all)), ["q", "r"]);
    assert_eq!(names(m.named_modules_with(&all)), ["", "a", "b"]);
    assert_eq!(names(m.named_modules_with(&usual.prefix("m"))), ["m", "m.a"]);
    assert_eq!(names(m.named_children()), ["a"]);
    assert_eq!((m.parameters_with(&all).len(), m.buffers_with(&all).len()), (5, 2));
    Ok(())
}

#[test]
fn odd_paths_have_pytorchs_errors() -> Result<()> {
    let mut net = nn::Sequential::new().add(nn::ReLU::new());
    net.set_submodule("new", nn::boxed(nn::Tanh::new()))?;
    assert_eq!(net.to_string(), "Sequential(\n  (0): ReLU()\n  (new): Tanh()\n)");
    let relu = || nn::boxed(nn::ReLU::new());
    assert_eq!(message(net.set_submodule_strict("1", relu())), "Sequential has no attribute `1`");
    assert_eq!(message(net.set_submodule("a.b", relu())), "Sequential has no attribute `a`");
    assert_eq!(message(net.set_submodule("training", relu())), "`training` is not an nn.Module");
    assert_eq!(message(net.get_submodule("0.x.y")), "ReLU has no attribute `x`");
    assert_eq!(message(net.get_parameter("0.")), "ReLU has no attribute ``");
    assert_eq!(message(net.get_parameter("0")), "`0` is not an nn.Parameter");
    assert_eq!(message(net.get_buffer("training")), "`training` is not a buffer");
    Ok(())
}
