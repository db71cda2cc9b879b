//! The methods of the containers: names after changes, negative indices, errors.

mod common;

use common::{message, names};
use firebrick::prelude::*;
use std::sync::Arc;

fn relu() -> Box<dyn nn::Forward> {
    nn::boxed(nn::ReLU::new())
}
fn identity() -> Box<dyn nn::Forward> {
    nn::boxed(nn::Identity::new())
}
fn types(listed: Vec<(String, &dyn Module)>) -> Vec<(String, &'static str)> {
    listed.into_iter().map(|(name, m)| (name, m.type_name())).collect()
}
fn named<const N: usize>(expected: [(&str, &'static str); N]) -> Vec<(String, &'static str)> {
    expected.map(|(name, ty)| (name.to_owned(), ty)).to_vec()
}

#[test]
fn a_list_renames_what_moves() -> Result<()> {
    let mut list = nn::ModuleList::new();
    list.append(relu()).extend([relu(), relu()]);
    list.insert(1, identity())?;
    assert_eq!(types(list.named_children()), named([("0", "ReLU"), ("1", "Identity"), ("2", "ReLU"), ("3", "ReLU")]));
    assert_eq!(list.get(-3)?.type_name(), "Identity");
    assert_eq!(list.pop(1)?.type_name(), "Identity");
    assert_eq!((list.len(), list.iter().len(), list[2].type_name()), (3, 3, "ReLU"));
    list.set(-1, identity())?;
    let tail = list.drain(1..);
    assert_eq!(tail.to_string(), "ModuleList(\n  (0): ReLU()\n  (1): Identity()\n)");
    assert_eq!(names(list.named_children()), ["0"]);
    list.insert(1, identity())?;
    list.insert(-2, identity())?;
    assert_eq!(types(list.named_children()), named([("0", "Identity"), ("1", "ReLU"), ("2", "Identity")]));
    Ok(())
}

#[test]
fn a_list_refuses_places_it_does_not_have() -> Result<()> {
    let mut list = nn::ModuleList::from([nn::ReLU::new(), nn::ReLU::new()]);
    assert_eq!(message(list.get(2)), "index 2 is out of range");
    assert_eq!(message(list.get(-3)), "index -3 is out of range");
    assert_eq!(message(list.pop(5)), "index 5 is out of range");
    assert_eq!(message(list.insert(100, nn::ReLU::new())), "Index out of range: 100");
    assert_eq!(list.len(), 2);
    let shared: nn::ModuleList<_> = [1, 2, 3].iter().map(|_| Arc::new(nn::ReLU::new())).collect();
    let slice = shared.slice(1..9);
    assert_eq!((slice.len(), Arc::ptr_eq(slice.get(0)?, shared.get(1)?)), (2, true));
    Ok(())
}

#[test]
fn a_dict_keeps_the_order_of_first_use() -> Result<()> {
    let mut dict = nn::ModuleDict::from_entries([("z", relu()), ("a", relu())])?;
    dict.update([("m", relu()), ("b", relu())])?;
    assert_eq!(dict.insert("a", identity())?.map(|m| m.type_name()), Some("ReLU"));
    assert_eq!(types(dict.named_children()), named([("z", "ReLU"), ("a", "Identity"), ("m", "ReLU"), ("b", "ReLU")]));
    assert_eq!(dict.pop("a")?.to_string(), "Identity()");
    assert!(!dict.contains_key("a") && dict.contains_key("z"));
    assert_eq!(dict.keys().collect::<Vec<_>>(), ["z", "m", "b"]);
    let table = [
        (message(dict.get("nope")), "'nope'"),
        (message(dict.pop("nope")), "'nope'"),
        (message(dict.insert("a.b", relu())), "module name can't contain \".\", got: a.b"),
        (message(dict.insert("keys", relu())), "attribute 'keys' already exists"),
        (message(dict.insert("", relu())), "module name can't be empty string \"\""),
    ];
    for (given, expected) in table {
        assert_eq!(given, expected);
    }
    assert_eq!(dict.iter().len(), dict.values().len());
    dict.clear();
    assert!(dict.is_empty());
    Ok(())
}

#[test]
fn a_sequential_is_edited_like_a_list() -> Result<()> {
    let mut net = nn::Sequential::new().add(nn::ReLU::new()).add(nn::Identity::new()).add(nn::ReLU::new());
    assert_eq!(message(net.get(3)), "index 3 is out of range");
    assert_eq!(message(net.get(-4)), "index -4 is out of range");
    assert_eq!(net.pop(1)?.type_name(), "Identity");
    assert_eq!(names(net.named_children()), ["0", "1"]);
    net.insert(0, nn::Identity::new())?.append(nn::Identity::new());
    let expected = [("0", "Identity"), ("1", "ReLU"), ("2", "ReLU"), ("3", "Identity")];
    assert_eq!(types(net.named_children()), named(expected));
    assert_eq!(message(net.insert(100, nn::ReLU::new()).map(drop)), "Index out of range: 100");
    assert_eq!(net.len(), 4);
    net.extend(nn::Sequential::new().add(nn::ReLU::new()));
    assert_eq!(net.get(4)?.type_name(), "ReLU");
    assert_eq!(net.set(-1, nn::Identity::new())?.type_name(), "ReLU");
    assert_eq!(net.drain(1..).len(), 4);
    assert_eq!(net.to_string(), "Sequential(\n  (0): Identity()\n)");
    let x = Tensor::ones([1])?;
    assert_eq!(nn::Sequential::new().call(&x)?.to_vec::<f32>()?, [1.0], "no layers: the input");
    Ok(())
}

#[test]
fn a_sequential_of_named_layers() -> Result<()> {
    let mut net = nn::Sequential::new().add_named("a", nn::ReLU::new())?.add_named("b", nn::Identity::new())?;
    net.append(nn::ReLU::new());
    assert_eq!(names(net.named_children()), ["a", "b", "2"]);
    assert_eq!(net.get(0)?.type_name(), "ReLU");
    assert_eq!(
        message(nn::Sequential::new().add_named("a.b", nn::ReLU::new())),
        "module name can't contain \".\", got: a.b"
    );
    assert_eq!(message(nn::Sequential::new().add_named("pop", nn::ReLU::new())), "attribute 'pop' already exists");
    net.pop(0)?;
    assert_eq!(names(net.named_children()), ["0", "1"]);
    Ok(())
}

#[test]
fn a_repeated_sequential_shares_its_layers() -> Result<()> {
    let net = || Ok::<_, Error>(nn::Sequential::new().add(nn::Linear::new(1, 1)?).add(nn::ReLU::new()));
    let twice = net()?.repeat(2)?;
    assert_eq!(types(twice.named_children()), named([("0", "Linear"), ("1", "ReLU")]));
    assert_eq!(twice.len(), 4);
    assert_eq!(twice.state_dict().len(), 4);
    assert_eq!(
        message(net()?.repeat(0)),
        "Non-positive multiplication factor 0 for <class 'torch.nn.modules.container.Sequential'>"
    );
    Ok(())
}

#[test]
fn parameter_containers_hold_parameters() -> Result<()> {
    let p = |n: usize| Ok::<_, Error>(Parameter::new(Tensor::ones([n])?));
    let mut list = nn::ParameterList::from(vec![p(1)?, p(2)?]);
    list.append(p(3)?).extend([p(4)?]);
    assert_eq!(names(list.named_parameters()), ["0", "1", "2", "3"]);
    assert_eq!((list.len(), list.get(-1)?.numel()), (4, 4));
    assert_eq!(message(list.get(10)), "index 10 is out of range");
    assert!(list.slice(1..3).get(0)?.ptr_eq(list.get(1)?));
    list.set(0, p(9)?)?;
    assert_eq!(list.iter().map(|p| p.numel()).collect::<Vec<_>>(), [9, 2, 3, 4]);

    let mut dict = nn::ParameterDict::new();
    dict.update([("a", p(1)?), ("b", p(2)?)])?;
    dict.set_default("z", p(3)?)?;
    assert_eq!(dict.set_default("a", p(7)?)?.numel(), 1);
    assert_eq!(dict.keys().collect::<Vec<_>>(), ["a", "b", "z"]);
    assert!(dict.get("nope").is_none());
    assert_eq!(dict.pop("b")?.numel(), 2);
    assert_eq!(message(dict.pop("b")), "'b'");
    let copy = dict.copy();
    assert_eq!(dict.pop_item().map(|(name, _)| name), Some("z".to_owned()));
    assert_eq!((dict.len(), copy.len()), (1, 2));
    assert!(copy.get("a").is_some_and(|a| dict.get("a").is_some_and(|b| a.ptr_eq(b))));
    Ok(())
}
