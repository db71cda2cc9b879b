//! The printed form, character by character as PyTorch's.

mod common;

use common::{Bare, Mlp};
use firebrick::nn::Custom;
use firebrick::prelude::*;
use indexmap::IndexMap;

fn linear(inputs: usize, outputs: usize) -> Result<nn::Linear> {
    nn::Linear::new(inputs, outputs)
}

const L22: &str = "Linear(in_features=2, out_features=2, bias=True)";

#[test]
fn layers_and_nested_modules() -> Result<()> {
    let net = nn::Sequential::new()
        .add(linear(2, 3)?)
        .add(nn::ReLU::new())
        .add(nn::Linear::builder(3, 1).bias(false).build()?);
    assert_eq!(
        net.to_string(),
        "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n  (1): ReLU()\n  \
         (2): Linear(in_features=3, out_features=1, bias=False)\n)"
    );
    let equal = nn::Sequential::new().add(linear(2, 2)?).add(linear(2, 2)?);
    assert_eq!(equal.to_string(), format!("Sequential(\n  (0): {L22}\n  (1): {L22}\n)"));
    let inner = nn::Sequential::new().add(nn::Sequential::new().add(nn::ReLU::new()));
    let deep = nn::Sequential::new().add(inner);
    assert_eq!(
        deep.to_string(),
        "Sequential(\n  (0): Sequential(\n    (0): Sequential(\n      (0): ReLU()\n    )\n  )\n)"
    );
    assert_eq!(nn::ReLU::new().inplace(true).to_string(), "ReLU(inplace=True)");
    assert_eq!(nn::Identity::new().to_string(), "Identity()");
    Ok(())
}

#[test]
fn lists_count_equal_neighbours() -> Result<()> {
    let layers = vec![
        nn::boxed(linear(2, 2)?),
        nn::boxed(linear(2, 2)?),
        nn::boxed(nn::ReLU::new()),
        nn::boxed(linear(2, 2)?),
        nn::boxed(linear(2, 2)?),
        nn::boxed(linear(2, 3)?),
    ];
    assert_eq!(
        nn::ModuleList::from(layers).to_string(),
        format!(
            "ModuleList(\n  (0-1): 2 x {L22}\n  (2): ReLU()\n  (3-4): 2 x {L22}\n  \
             (5): Linear(in_features=2, out_features=3, bias=True)\n)"
        )
    );
    let blocks = nn::ModuleList::from(vec![Mlp::new(2, 2, 2)?, Mlp::new(2, 2, 2)?]);
    assert_eq!(
        blocks.to_string(),
        format!("ModuleList(\n  (0-1): 2 x Mlp(\n    (fc1): {L22}\n    (fc2): {L22}\n  )\n)")
    );
    Ok(())
}

#[test]
fn empty_containers() {
    assert_eq!(nn::Sequential::new().to_string(), "Sequential()");
    assert_eq!(nn::ModuleList::<nn::ReLU>::new().to_string(), "ModuleList()");
    assert_eq!(nn::ModuleDict::<nn::ReLU>::new().to_string(), "ModuleDict()");
    assert_eq!(nn::ParameterList::new().to_string(), "ParameterList()");
    assert_eq!(nn::ParameterDict::new().to_string(), "ParameterDict()");
}

#[test]
fn dicts_and_parameter_containers() -> Result<()> {
    let dict = nn::ModuleDict::from_entries([("a", nn::boxed(nn::ReLU::new())), ("b", nn::boxed(linear(1, 1)?))])?;
    assert_eq!(
        dict.to_string(),
        "ModuleDict(\n  (a): ReLU()\n  (b): Linear(in_features=1, out_features=1, bias=True)\n)"
    );
    let list =
        nn::ParameterList::from(vec![Parameter::new(Tensor::zeros([2])?), Parameter::new(Tensor::zeros([1, 3])?)]);
    assert_eq!(
        list.to_string(),
        "ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2]\n    \
         (1): Parameter containing: [torch.float32 of size 1x3]\n)"
    );
    let one = nn::ParameterList::from(vec![Parameter::new(Tensor::zeros([2])?)]);
    assert_eq!(one.to_string(), "ParameterList(  (0): Parameter containing: [torch.float32 of size 2])");
    let mut dict = nn::ParameterDict::new();
    dict.insert("a", Parameter::new(Tensor::zeros([2])?))?;
    dict.insert("b", Parameter::new(Tensor::zeros([1])?))?;
    assert_eq!(
        dict.to_string(),
        "ParameterDict(\n    (a): Parameter containing: [torch.FloatTensor of size 2]\n    \
         (b): Parameter containing: [torch.FloatTensor of size 1]\n)"
    );
    Ok(())
}

#[test]
fn plain_containers_print_as_the_modules_they_stand_for() -> Result<()> {
    #[derive(Module)]
    struct Plain {
        core: Core,
        layers: Vec<nn::Linear>,
        heads: IndexMap<String, nn::ReLU>,
        pair: (nn::ReLU, nn::Identity),
        grid: [[nn::ReLU; 2]; 2],
    }
    let relu = nn::ReLU::new;
    let plain = Plain {
        core: Core::new(),
        layers: vec![linear(2, 2)?, linear(2, 2)?],
        heads: IndexMap::from([("left".to_owned(), relu()), ("right".to_owned(), relu())]),
        pair: (relu(), nn::Identity::new()),
        grid: [[relu(), relu()], [relu(), relu()]],
    };
    assert_eq!(
        plain.to_string(),
        format!(
            "Plain(\n  (layers): ModuleList(\n    (0-1): 2 x {L22}\n  )\n  \
             (heads): ModuleDict(\n    (left): ReLU()\n    (right): ReLU()\n  )\n  \
             (pair): ModuleList(\n    (0): ReLU()\n    (1): Identity()\n  )\n  \
             (grid): ModuleList(\n    (0-1): 2 x ModuleList(\n      (0-1): 2 x ReLU()\n    )\n  )\n)"
        )
    );
    Ok(())
}

#[test]
fn extra_text_stands_before_the_children() -> Result<()> {
    #[derive(Module)]
    #[module(custom, name = "Attention")]
    struct Named {
        core: Core,
        text: &'static str,
        out: Option<nn::ReLU>,
    }
    impl Custom for Named {
        fn extra_repr(&self) -> String {
            self.text.to_owned()
        }
    }
    let named = |text, out| Named { core: Core::new(), text, out }.to_string();
    assert_eq!(named("heads=2", None), "Attention(heads=2)");
    assert_eq!(named("heads=2", Some(nn::ReLU::new())), "Attention(\n  heads=2\n  (out): ReLU()\n)");
    assert_eq!(named("a\nb", None), "Attention(\n  a\n  b\n)");
    assert_eq!(named("", None), "Attention()");
    Ok(())
}

#[test]
fn display_and_debug_agree_behind_every_pointer() -> Result<()> {
    let boxed: Box<dyn nn::Forward> = Box::new(linear(2, 2)?);
    assert_eq!((boxed.to_string(), format!("{boxed:?}")), (L22.to_owned(), L22.to_owned()));
    assert_eq!(boxed.as_dyn().to_string(), L22);
    assert_eq!(std::sync::Arc::new(linear(2, 2)?).to_string(), L22);
    let mut bare = Bare::new();
    bare.core.rename(Some("ParametrizedLinear".to_owned()));
    assert_eq!(bare.to_string(), "ParametrizedLinear()");
    assert_eq!(bare.type_name(), "Module");
    Ok(())
}
