//! What is registered, under which names, in which order, and what is refused.

mod common;

use common::{Bare, Mlp, keys, message, names};
use firebrick::ErrorKind;
use firebrick::nn::Traversal;
use firebrick::prelude::*;
use std::sync::{Arc, Mutex};

fn ones(n: usize) -> Parameter {
    Parameter::new(Tensor::ones([n]).expect("memory"))
}

#[test]
fn fields_are_listed_by_type_in_declaration_order() -> Result<()> {
    #[derive(Module)]
    struct Mixed {
        core: Core,
        running: Buffer, // declared before the parameter on purpose
        scratch: Buffer,
        scale: Parameter,
        embed: nn::Linear,
        widths: Vec<usize>,
        label: String,
        pair: (Parameter, f64),
        heads: Vec<nn::Linear>,
        absent: Option<nn::Linear>,
        #[module(skip)]
        cache: Arc<Mutex<Option<Tensor>>>,
        #[module(skip, default)]
        counter: std::sync::atomic::AtomicUsize,
        #[module(rename = "w")]
        other: Parameter,
    }
    let m = Mixed {
        core: Core::new(),
        running: Buffer::new(Tensor::zeros([2])?),
        scratch: Buffer::non_persistent(Tensor::zeros([1])?),
        scale: ones(2),
        embed: nn::Linear::new(2, 2)?,
        widths: vec![1],
        label: "mixed".into(),
        pair: (ones(1), 0.5),
        heads: vec![nn::Linear::builder(2, 1).bias(false).build()?],
        absent: None,
        cache: Arc::default(),
        counter: Default::default(),
        other: ones(3),
    };
    let own = ["scale", "pair.0", "w", "running"];
    let below = ["embed.weight", "embed.bias", "heads.0.weight"];
    assert_eq!(keys(&m.state_dict()), [&own[..], &below[..]].concat());
    assert_eq!(names(m.named_parameters()), ["scale", "pair.0", "w", "embed.weight", "embed.bias", "heads.0.weight"]);
    assert_eq!(names(m.named_buffers()), ["running", "scratch"]);
    let flat = Traversal::new().recurse(false).prefix("root");
    assert_eq!(names(m.named_parameters_with(&flat)), ["root.scale", "root.pair.0", "root.w"]);
    let copy = m.deep_clone()?;
    assert_eq!((copy.label.as_str(), copy.widths.as_slice(), copy.pair.1), ("mixed", &[1][..], 0.5));
    assert!(copy.absent.is_none() && copy.cache.lock().expect("lock").is_none());
    assert_eq!(copy.counter.into_inner(), 0);
    Ok(())
}

#[test]
fn tuple_structs_list_their_places() -> Result<()> {
    #[derive(Module)]
    struct Pair(Core, nn::ReLU, nn::Linear);
    let pair = Pair(Core::new(), nn::ReLU::new(), nn::Linear::new(1, 1)?);
    assert_eq!(names(pair.named_parameters()), ["2.weight", "2.bias"]);
    assert_eq!(names(pair.named_children()), ["1", "2"]);
    Ok(())
}

#[test]
fn malformed_names_are_pytorchs_key_errors() -> Result<()> {
    let mut m = Bare::new();
    let parameter = |m: &mut Bare, name: &str| message(m.register_parameter(name, Some(ones(1))));
    let buffer = |m: &mut Bare, name: &str| message(m.register_buffer(name, None));
    let module = |m: &mut Bare, name: &str| message(m.add_module(name, nn::ReLU::new()));
    for name in ["a.b", ".", "a."] {
        assert_eq!(parameter(&mut m, name), "parameter name can't contain \".\"");
        assert_eq!(buffer(&mut m, name), "buffer name can't contain \".\"");
        assert_eq!(module(&mut m, name), format!("module name can't contain \".\", got: {name}"));
    }
    assert_eq!(parameter(&mut m, ""), "parameter name can't be empty string \"\"");
    assert_eq!(buffer(&mut m, ""), "buffer name can't be empty string \"\"");
    assert_eq!(module(&mut m, ""), "module name can't be empty string \"\"");
    assert_eq!(module(&mut m, "train"), "attribute 'train' already exists");
    let error = m.register_parameter("a.b", None).expect_err("a dot");
    assert_eq!(error.kind(), ErrorKind::Key);
    assert!(m.named_parameters().is_empty() && m.named_children().is_empty());
    Ok(())
}

#[test]
fn a_name_can_be_registered_again_for_its_kind_only() -> Result<()> {
    let taken = |name: &str| format!("attribute '{name}' already exists");
    let mut m = Bare::new();
    m.register_parameter("w", Some(ones(2)))?;
    m.register_parameter("w", Some(ones(3)))?;
    assert_eq!(m.get_parameter("w")?.shape()?, [3]);
    assert_eq!(message(m.register_buffer("w", None)), taken("w"));
    assert_eq!(message(m.add_module("w", nn::ReLU::new())), taken("w"));
    m.add_module("c", nn::ReLU::new())?;
    m.add_module("c", nn::Identity::new())?;
    assert_eq!(m.get_submodule("c")?.to_string(), "Identity()");
    m.register_buffer("b", Some(Buffer::new(Tensor::zeros([1])?)))?;
    m.register_buffer("b", Some(Buffer::new(Tensor::ones([2])?)))?;
    assert_eq!(m.get_buffer("b")?.to_vec::<f32>()?, [1.0, 1.0]);
    assert_eq!(message(m.register_parameter("b", Some(ones(1)))), taken("b"));
    Ok(())
}

#[test]
fn a_field_is_assigned_rather_than_registered() -> Result<()> {
    let mut m = Mlp::new(2, 2, 1)?;
    let error = m.register_parameter("fc1", Some(ones(1))).expect_err("fc1 is a field");
    assert_eq!(error.to_string(), "attribute 'fc1' already exists");
    assert!(format!("{error:#}").contains("`fc1` is a field of Mlp"));
    Ok(())
}

#[test]
fn registered_members_come_after_declared_ones_and_keep_their_place() -> Result<()> {
    let mut m = Mlp::new(2, 2, 1)?;
    m.register_parameter("gate", Some(ones(1)))?;
    m.register_parameter("bias", Some(ones(1)))?;
    m.register_buffer("step", Some(Buffer::new(Tensor::zeros([1])?)))?;
    m.register_buffer("scratch", Some(Buffer::non_persistent(Tensor::zeros([1])?)))?;
    m.add_module("extra", nn::Linear::builder(2, 2).bias(false).build()?)?;
    m.register_parameter("gate", Some(ones(4)))?;
    let expected = ["gate", "bias", "step", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "extra.weight"];
    assert_eq!(keys(&m.state_dict()), expected);
    assert_eq!(m.core().parameter("gate").and_then(|p| p.numel().ok()), Some(4));
    assert!(m.core().buffer("step").is_some() && m.core().module("extra").is_some());
    assert!(m.unregister("gate") && !m.unregister("gate"));
    assert_eq!(names(m.named_parameters())[0], "bias");
    Ok(())
}

#[test]
fn a_non_persistent_buffer_is_listed_but_not_saved() -> Result<()> {
    let mut m = Bare::new();
    m.register_buffer("p", Some(Buffer::new(Tensor::zeros([1])?)))?;
    m.register_buffer("np", Some(Buffer::non_persistent(Tensor::zeros([1])?)))?;
    assert_eq!(keys(&m.state_dict()), ["p"]);
    assert_eq!(names(m.named_buffers()), ["p", "np"]);
    let mut state = m.state_dict();
    assert_eq!(m.load_state_dict(&state)?.to_string(), "<All keys matched successfully>");
    state.insert("np", Tensor::zeros([1])?);
    assert_eq!(
        message(m.load_state_dict(&state)),
        "Error(s) in loading state_dict for Module:\n\tUnexpected key(s) in state_dict: \"np\". "
    );
    Ok(())
}

#[test]
fn an_empty_slot_is_registered_but_holds_nothing() -> Result<()> {
    let mut m = Bare::new();
    m.register_parameter("w", None)?;
    m.register_buffer("b", None)?;
    m.add_empty_module("c")?;
    assert!(m.named_parameters().is_empty() && m.named_buffers().is_empty() && m.state_dict().is_empty());
    assert_eq!(names(m.named_children()), Vec::<String>::new());
    assert_eq!(m.to_string(), "Module(\n  (c): None\n)");
    assert_eq!(message(m.get_parameter("w")), "`w` is not an nn.Parameter");
    assert_eq!(message(m.register_buffer("w", None)), "attribute 'w' already exists");
    m.register_parameter("w", Some(ones(1)))?;
    assert_eq!(names(m.named_parameters()), ["w"]);
    let unbiased = nn::Linear::builder(1, 1).bias(false).build()?;
    assert_eq!(message(unbiased.get_parameter("bias")), "`bias` is not an nn.Parameter");
    Ok(())
}

#[test]
fn modules_can_be_made_and_used_on_any_thread() -> Result<()> {
    fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<Mlp>();
    send_and_sync::<Box<dyn nn::Forward>>();
    let m = Arc::new(Mlp::new(2, 3, 1)?);
    let other = m.clone();
    let shape = std::thread::spawn(move || {
        other.eval();
        other.call(Tensor::ones([1, 2])?).map(|y| y.shape())
    });
    assert_eq!(shape.join().expect("no panic")?, [1, 1]);
    assert!(!m.is_training());
    Ok(())
}

#[test]
fn only_leaves_are_registered() -> Result<()> {
    let x = Tensor::ones([1])?;
    x.requires_grad_(true)?;
    let mut m = Bare::new();
    let computed = Parameter::from_handle(x.mul(2)?);
    assert_eq!(
        message(m.register_parameter("w", Some(computed))),
        "Cannot assign non-leaf Tensor to parameter 'w'. Model parameters must be created explicitly. To express 'w' as \
         a function of another Tensor, compute the value in the forward() method."
    );
    m.register_parameter("w", None)?;
    assert!(m.parameters().is_empty() && m.state_dict().is_empty() && m.core().parameter("w").is_none());
    assert_eq!(message(m.get_parameter("w")), "`w` is not an nn.Parameter");
    assert_eq!(m.load_state_dict(&StateDict::new())?.to_string(), "<All keys matched successfully>");
    assert_eq!(
        message(m.load_state_dict(&StateDict::from_iter([("w", Tensor::ones([1])?)]))),
        "Error(s) in loading state_dict for Module:\n\tUnexpected key(s) in state_dict: \"w\". "
    );
    m.register_buffer("b", None)?;
    assert!(m.buffers().is_empty());
    m.add_empty_module("c")?;
    assert_eq!(message(m.get_submodule("c")), "`c` is not an nn.Module");
    assert_eq!(m.apply(|_| Ok(()))?.to_string(), "Module(\n  (c): None\n)");
    Ok(())
}
