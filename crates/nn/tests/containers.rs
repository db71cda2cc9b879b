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
    assert_eq!((list.len(), list.get(-1)?.numel()?), (4, 4));
    assert_eq!(message(list.get(10)), "index 10 is out of range");
    assert!(list.slice(1..3).get(0)?.ptr_eq(list.get(1)?));
    list.set(0, p(9)?)?;
    assert_eq!(list.iter().map(|p| p.numel()).collect::<Result<Vec<_>>>()?, [9, 2, 3, 4]);
    list += [p(5)?];
    assert_eq!((list.len(), list.slice(-2..).len(), list.slice(..-9).len()), (5, 2, 0));

    let mut dict = nn::ParameterDict::new();
    dict.update([("a", p(1)?), ("b", p(2)?)])?;
    dict.set_default("z", p(3)?)?;
    assert_eq!(dict.set_default("a", p(7)?)?.numel()?, 1);
    assert_eq!(dict.keys().collect::<Vec<_>>(), ["a", "b", "z"]);
    assert_eq!(message(dict.get("nope")), "'ParameterDict' object has no attribute 'nope'");
    assert_eq!(dict.pop("b")?.numel()?, 2);
    assert_eq!(message(dict.pop("b")), "'ParameterDict' object has no attribute 'b'");
    let copy = dict.copy();
    assert_eq!(dict.pop_item()?.0, "z");
    assert_eq!((dict.len(), copy.len()), (1, 2));
    assert!(copy.get("a")?.ptr_eq(dict.get("a")?));
    let joined = copy | nn::ParameterDict::from_keys(["n", "a"], &p(5)?)?;
    assert_eq!(joined.keys().collect::<Vec<_>>(), ["a", "z", "n"]);
    assert!(joined.get("n")?.ptr_eq(joined.get("a")?), "one parameter under both names");
    assert_eq!(joined.keys().next_back(), Some("n"));
    dict.clear();
    assert_eq!(message(dict.pop_item()), "popitem(): dictionary is empty");
    for (name, error) in [
        ("", "parameter name can't be empty string \"\""),
        ("a.b", "parameter name can't contain \".\""),
        ("keys", "attribute 'keys' already exists"),
        ("train", "attribute 'train' already exists"),
    ] {
        assert_eq!(message(dict.insert(name, p(1)?)), error);
    }
    dict.insert("training", p(1)?)?;
    Ok(())
}

#[test]
fn ranges_are_pythons_slices() -> Result<()> {
    let list: nn::ModuleList<_> = (0..4).map(|_| Arc::new(nn::ReLU::new())).collect();
    let lengths =
        [list.slice(1..3), list.slice(-2..), list.slice(5..), list.slice(-10..2), list.slice(..), list.slice(..=-1)];
    assert_eq!(lengths.map(|part| part.len()), [2, 2, 0, 2, 4, 4]);
    let lengths = [list.slice(..-1), list.slice(..=-5), list.slice(isize::MIN..isize::MAX)];
    assert_eq!(lengths.map(|part| part.len()), [3, 0, 4]);
    assert!(Arc::ptr_eq(list.slice(-1..).get(0)?, list.get(3)?));
    Ok(())
}

#[test]
fn parts_of_a_model_share_its_layers_under_their_names() -> Result<()> {
    let mut net =
        nn::Sequential::new().add_named("a", nn::Linear::new(1, 2)?)?.add_named("b", nn::Linear::new(2, 1)?)?;
    let tail = net.share(1..);
    assert_eq!(names(tail.named_parameters()), ["b.weight", "b.bias"]);
    assert!(tail.get_parameter("b.weight")?.ptr_eq(net.get_parameter("b.weight")?));
    let again = net.share(-1..);
    assert!(again.get_parameter("b.weight")?.ptr_eq(net.get_parameter("b.weight")?));
    assert_eq!(net.call(Tensor::ones([1, 1])?)?.shape(), [1, 1]);
    net.set_submodule("b", nn::boxed(nn::Identity::new()))?;
    assert_eq!((tail.len(), net.get(-1)?.type_name()), (1, "Identity"), "the part keeps its layer");
    let mut list = nn::ModuleList::from([relu(), nn::boxed(nn::Linear::new(1, 1)?)]);
    let part = list.share(1..);
    assert!(part.parameters()[0].ptr_eq(&list.parameters()[0]));
    Ok(())
}

#[test]
fn sums_and_products_of_models_are_numbered() -> Result<()> {
    let model = || nn::Sequential::new().add_named("a", nn::ReLU::new())?.add_named("b", nn::Identity::new());
    assert_eq!(names((model()? + model()?).named_children()), ["0", "1", "2", "3"]);
    let mut net = model()?;
    net += model()?;
    assert_eq!(names(net.named_children()), ["a", "b", "2", "3"]);
    let twice = (model()? * 2)?;
    assert_eq!(
        (twice.len(), names(twice.named_children())),
        (4, vec!["0".to_owned(), "1".to_owned()]),
        "shared ones once"
    );
    assert_eq!(
        message(model()? * 0),
        "Non-positive multiplication factor 0 for <class 'torch.nn.modules.container.Sequential'>"
    );
    let mut list = nn::ModuleList::from([relu()]) + [identity()];
    list += vec![relu()];
    assert_eq!(types(list.named_children()), named([("0", "ReLU"), ("1", "Identity"), ("2", "ReLU")]));
    Ok(())
}

#[test]
fn a_sequential_counts_negative_places_from_its_end() -> Result<()> {
    for (index, expected) in [(-1, 2), (-3, 0), (3, 3), (0, 0)] {
        let mut net = nn::Sequential::new().add(nn::ReLU::new()).add(nn::ReLU::new()).add(nn::ReLU::new());
        net.insert(index, nn::Identity::new())?;
        assert_eq!(net.iter().position(|layer| layer.type_name() == "Identity"), Some(expected), "at {index}");
    }
    let mut net = nn::Sequential::new().add(nn::ReLU::new());
    assert_eq!(message(net.insert(-2, nn::ReLU::new())), "Index out of range: -2");
    assert_eq!(message(net.insert(2, nn::ReLU::new())), "Index out of range: 2");
    assert_eq!(message(net.pop(-2)), "index -2 is out of range");
    Ok(())
}
