//! Whatever a function or a layer is given, it returns `Ok` or `Err`: it never panics, aborts or hangs.
//!
//! Every call of the recorded cases is made again with each of its arguments replaced in turn: integers at the ends of
//! their range, numbers that are none, tensors of other shapes, dtypes and contents, lists that are empty or too long.
//! Functions and classes without a case get arguments made up. `CALL=prefix` runs the calls whose names begin so, and
//! `TRACE=1` prints each before it is made.
#![allow(clippy::unwrap_used)]

#[path = "../../crates/core/tests/adversary/mod.rs"]
mod adversary;

use adversary::Failures;
use firebrick::{DType, Result, Scalar, Tensor};
use golden::case::{Case, Cases};
use golden::functional::{self, Args};
use golden::value::Value;
use golden::{Out, modules};
use std::collections::HashSet;
use std::path::Path;

/// The cases of the repository, and those of the full set beside it that must fail or whose group is not among them.
fn cases(area: &str) -> Vec<Case> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(area);
    let mut all = Cases::read(&own).unwrap();
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracle").join(area);
    if full.exists() {
        let known: HashSet<String> = all.iter().map(|case| case.id().to_owned()).collect();
        let groups: HashSet<String> = all.iter().map(|case| case.text("group").to_owned()).collect();
        let wanted = |case: &Case| case.flag("expect_error") || !groups.contains(case.text("group"));
        all.extend(Cases::read(&full).unwrap().into_iter().filter(|case| wanted(case) && !known.contains(case.id())));
    }
    all
}

/// Every tensor that takes the place of `x`.
fn other_tensors(x: &Tensor) -> Vec<Value> {
    let (shape, dtype) = (x.shape(), x.dtype());
    let filled = |value: Scalar, dtype: DType| Tensor::full_with(&shape, value, dtype);
    let float = if dtype.is_floating_point() { dtype } else { DType::F32 };
    let made: [Result<Tensor>; 9] = [
        Tensor::zeros_with([0], dtype),
        x.detach().unsqueeze(-1).and_then(|x| x.narrow(-1, 0, 0)),
        Tensor::ones_with((), dtype),
        x.detach().unsqueeze(0),
        filled(f64::NAN.into(), float),
        x.detach().to(DType::I64),
        filled(i64::MAX.into(), DType::I64),
        filled(i64::MIN.into(), DType::I64),
        x.detach().to(DType::Bool),
    ];
    let as_leaf = |new: Tensor| {
        if x.requires_grad() && new.dtype().is_differentiable() {
            let _ = new.requires_grad_(true);
        }
        Value::Tensor(new)
    };
    made.into_iter().flatten().map(as_leaf).collect()
}

/// Every list that differs from `list` in one item, an empty one, and ones that are too long.
fn other_lists(list: &[Value]) -> Vec<Vec<Value>> {
    let mut all = vec![Vec::new()];
    for more in [1, 70] {
        let last = list.last().cloned().unwrap_or(Value::Int(1));
        all.push(list.iter().cloned().chain(std::iter::repeat_n(last, more)).collect());
    }
    for (i, item) in list.iter().enumerate() {
        all.extend(others(item).into_iter().map(|other| {
            let mut list = list.to_vec();
            list[i] = other;
            list
        }));
    }
    all
}

/// Every value that takes the place of `value`.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Int(_) => [0, -1, i64::MAX, i64::MIN].map(Value::Int).to_vec(),
        Value::Float(_) => [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300].map(Value::Float).to_vec(),
        Value::Bool(truth) => vec![Value::Bool(!truth)],
        Value::Text(_) => vec![Value::Text(String::new()), Value::Text("->".to_owned())],
        Value::DType(_) => DType::ALL.into_iter().map(Value::DType).collect(),
        Value::Tensor(x) => other_tensors(x),
        Value::List(list) => other_lists(list).into_iter().map(Value::List).collect(),
        Value::Tuple(list) => other_lists(list).into_iter().map(Value::Tuple).collect(),
        Value::Packed(parts) => {
            let lists = other_lists(&parts[..]).into_iter();
            lists.filter_map(|list| Some(Value::Packed(Box::new(list.try_into().ok()?)))).collect()
        }
        _ => Vec::new(),
    }
}

/// Arguments of a call.
#[derive(Clone)]
struct Given {
    positional: Vec<Value>,
    keywords: Vec<(String, Value)>,
}

impl Given {
    fn args(&self) -> Args {
        Args::new(self.positional.clone(), self.keywords.clone())
    }

    /// These arguments, and every list of arguments with one of them replaced.
    fn each(&self) -> Vec<Given> {
        let mut all = vec![self.clone()];
        for (i, value) in self.positional.iter().enumerate() {
            all.extend(others(value).into_iter().map(|other| {
                let mut given = self.clone();
                given.positional[i] = other;
                given
            }));
        }
        for (i, (_, value)) in self.keywords.iter().enumerate() {
            all.extend(others(value).into_iter().map(|other| {
                let mut given = self.clone();
                given.keywords[i].1 = other;
                given
            }));
        }
        all
    }

    /// The kinds of the arguments, with the integers and the shapes of tensors.
    fn described(&self) -> String {
        let one = |value: &Value| match value {
            Value::Int(n) => n.to_string(),
            Value::Tensor(x) => format!("{}{:?}", x.dtype(), x.shape()),
            Value::List(list) | Value::Tuple(list) => format!("list of {}", list.len()),
            other => other.kind().to_owned(),
        };
        let named = self.keywords.iter().map(|(name, value)| format!("{name}={}", one(value)));
        self.positional.iter().map(one).chain(named).collect::<Vec<_>>().join(", ")
    }
}

fn selected(name: &str) -> bool {
    std::env::var("CALL").is_ok_and(|prefix| name.starts_with(&prefix)) || std::env::var_os("CALL").is_none()
}

/// Makes a call, and runs backward from what it returns.
fn attempt(failures: &mut Failures, name: &str, given: &Given, call: impl FnOnce() -> Out<Value>) {
    failures.run(&format!("{name}({})", given.described()), || {
        for output in call().map(|value| value.tensors()).unwrap_or_default() {
            if output.requires_grad()
                && let Ok(total) = output.sum()
            {
                let _ = total.backward();
            }
        }
        None
    });
}

/// Arguments for what has no case: tensors, then integers.
fn made_up() -> Vec<Given> {
    let tensor = |shape: [usize; 2]| Value::Tensor(Tensor::ones(shape).unwrap());
    let (x, n) = (tensor([2, 2]), Value::Int(2));
    let lists: [&[&Value]; 8] = [&[], &[&x], &[&n], &[&x, &x], &[&x, &n], &[&n, &n], &[&x, &x, &x], &[&n, &n, &n]];
    let given = |list: &[&Value]| Given { positional: list.iter().map(|&v| v.clone()).collect(), keywords: Vec::new() };
    lists.into_iter().map(given).collect()
}

#[test]
fn functions_do_no_harm_whatever_they_are_given() {
    let mut failures = Failures::new("functions");
    let mut called = HashSet::new();
    for case in cases("functional") {
        let name = functional::plain_name(case.text("op"));
        called.insert(name.to_owned());
        let read = || -> Out<Given> {
            let mut positional = vec![case.value("input")?];
            positional.extend(case.list("args")?);
            Ok(Given { positional, keywords: case.map("kwargs")? })
        };
        let Ok(given) = read() else { continue };
        for given in given.each().into_iter().filter(|_| selected(name)) {
            attempt(&mut failures, name, &given, || functional::call(name, given.args()));
        }
    }
    for name in functional::names().filter(|name| selected(name)) {
        let short = name.strip_prefix("nn.functional.").unwrap_or(name);
        if called.contains(name) || called.contains(short) {
            continue;
        }
        for given in made_up().iter().flat_map(Given::each) {
            attempt(&mut failures, name, &given, || functional::call(name, given.args()));
        }
    }
    failures.report();
}

#[test]
fn layers_do_no_harm_whatever_they_are_made_with_and_given() {
    let mut failures = Failures::new("layers");
    let mut called = HashSet::new();
    for case in cases("modules") {
        let class = case.text("class").trim_start_matches("torch.nn.").to_owned();
        called.insert(class.clone());
        let given = |name: &str| {
            modules::arguments(&case.json[name], &case).map(|args| {
                let (positional, keywords) = args.into_parts();
                Given { positional, keywords }
            })
        };
        let (Ok(made), Ok(inputs)) = (given("ctor"), given("inputs")) else { continue };
        if selected(&class) {
            layer(&mut failures, &class, &made, &inputs, DType::from_name(case.text("dtype")));
        }
    }
    let x = Given { positional: vec![Value::Tensor(Tensor::ones([2, 2]).unwrap())], keywords: Vec::new() };
    for class in modules::names().filter(|class| !called.contains(*class) && selected(class)) {
        made_up().iter().for_each(|made| layer(&mut failures, class, made, &x, None));
    }
    failures.report();
}

/// Makes a layer and calls it, with one of its arguments or inputs replaced.
fn layer(failures: &mut Failures, class: &str, made: &Given, inputs: &Given, dtype: Option<DType>) {
    let call = |made: &Given, inputs: &Given| {
        let layer = modules::construct(class, &mut made.args())?;
        if let Some(dtype) = dtype {
            let _ = firebrick::nn::ModuleExt::to(layer.module(), dtype);
        }
        layer.call(&mut inputs.args())
    };
    for made in made.each() {
        attempt(failures, class, &made, || call(&made, inputs));
    }
    for inputs in inputs.each().into_iter().skip(1) {
        attempt(failures, &format!("{class}()"), &inputs, || call(made, &inputs));
    }
}
