//! What each section shows.

use crate::models::{Affine, CausalMask, DemoNet, LazyCnn, Mlp, Named, Normalize, Stack, Unregistered};
use crate::python::{list, names, truth, tuple};
use firebrick::optim::Optimizer;
use firebrick::prelude::*;

pub fn parameters() -> Result<()> {
    let affine = Affine::new(3, 2, true)?;
    for (name, parameter) in affine.named_parameters() {
        println!("{name} {} {parameter}", tuple(&parameter.shape()?));
    }
    let x = Tensor::randn([4, 3])?;
    let y = affine.call(&x)?;
    println!("{y}");
    y.pow(2)?.mean()?.backward()?;
    for parameter in affine.parameters() {
        if let Some(grad) = parameter.grad() {
            println!("{grad}");
        }
    }
    println!("{}", names(Affine::new(3, 2, false)?.named_parameters()));
    Ok(())
}

pub fn functional_and_module() -> Result<()> {
    let linear = nn::Linear::new(3, 2)?;
    let x = Tensor::randn([4, 3])?;
    println!("{linear}");
    let Some(bias) = &linear.bias else { return Ok(()) };
    let functional = nn::functional::linear(&x, &linear.weight, Some(bias))?;
    println!("{}", truth(linear.call(&x)?.equal(&functional)?));
    println!("{}", linear.call(&x)?);
    println!("{}", bias.addmm(&x, &linear.weight.t()?, 1.0, 1.0)?);
    Ok(())
}

pub fn a_tensor_is_not_a_parameter() -> Result<()> {
    println!("{}", names(Unregistered::new()?.named_parameters()));
    Ok(())
}

pub fn buffers() -> Result<()> {
    let normalize = Normalize::new(Tensor::new([0.5f32, 0.5, 0.5])?, Tensor::new([0.2f32, 0.2, 0.2])?);
    println!("{}", names(normalize.named_parameters()));
    for (name, buffer) in normalize.named_buffers() {
        println!("{name} {buffer}");
    }
    println!("{}", list(normalize.state_dict().keys()));
    println!("{}", normalize.call(Tensor::ones([3])?)?);
    let mask = CausalMask::new(4)?;
    println!("{} {}", names(mask.named_buffers()), list(mask.state_dict().keys()));
    println!("{}", mask.mask);
    Ok(())
}

pub fn submodules() -> Result<()> {
    let mlp = Mlp::new()?;
    println!("{mlp}");
    for (name, parameter) in mlp.named_parameters() {
        println!("{name} {}", parameter.shape()?);
    }
    for child in mlp.children() {
        println!("{child}");
    }
    for (name, child) in mlp.named_children() {
        println!("{name} -> {}", child.type_name());
    }
    for (name, module) in mlp.named_modules() {
        println!("'{name}' -> {}", module.type_name());
    }
    let linears = mlp.named_modules().into_iter().filter(|(_, module)| module.is::<nn::Linear>());
    println!("{}", list(linears.map(|(name, _)| name)));
    println!("{}", mlp.get_submodule("fc1")?);
    println!("{}", mlp.parameters().iter().map(|p| p.numel()).sum::<Result<usize>>()?);
    Ok(())
}

pub fn containers() -> Result<()> {
    let x = Tensor::randn([4, 3])?;
    // All three are built before the first one runs, as in the reference.
    let sequence = || -> Result<nn::Sequential> {
        Ok(nn::Sequential::new().add(nn::Linear::new(3, 8)?).add(nn::ReLU::new()).add(nn::Linear::new(8, 2)?))
    };
    let containers: [Box<dyn nn::Forward>; 3] =
        [Box::new(Stack::new()?), Box::new(Named::new()?), Box::new(sequence()?)];
    for container in containers {
        println!("{container}");
        println!("{}", names(container.named_parameters()));
        println!("{}", container.call(&x)?);
    }
    Ok(())
}

pub fn state_dict() -> Result<()> {
    let mlp = Mlp::new()?;
    for (key, value) in mlp.state_dict().iter() {
        println!("{key} {}", value.shape());
    }
    let folder = std::env::temp_dir().join(format!("firebrick-tour-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("model.safetensors");
    firebrick::io::save_safetensors(&path, &mlp.state_dict())?;
    let restored = Mlp::new()?;
    println!("{}", restored.load_state_dict(&firebrick::io::load_safetensors(&path)?)?);
    std::fs::remove_dir_all(&folder)?;
    let x = Tensor::randn([4, 3])?;
    println!("{}", truth(mlp.call(&x)?.equal(&restored.call(&x)?)?));
    let mut partial = mlp.state_dict();
    partial.remove("fc2.bias");
    partial.insert("fc3.weight", Tensor::zeros([1])?);
    println!("{}", restored.load_state_dict_with(&partial, &nn::LoadOptions::new().strict(false))?);
    let mut misshapen = mlp.state_dict();
    misshapen.insert("fc1.weight", Tensor::zeros([8, 4])?);
    for broken in [partial, misshapen] {
        if let Err(error) = restored.load_state_dict(&broken) {
            println!("{error}");
        }
    }
    Ok(())
}

pub fn train_and_eval() -> Result<()> {
    let dropout = nn::Dropout::new(0.5)?;
    let x = Tensor::ones([5])?;
    println!("{}", dropout.train(true).call(&x)?);
    println!("{}", dropout.eval().call(&x)?);
    let norm = nn::BatchNorm1d::new(3)?;
    let x = Tensor::randn([4, 3])?;
    println!("{}", norm.call(&x)?);
    let statistics: Vec<String> = norm.buffers().iter().map(|buffer| buffer.to_string()).collect();
    println!("{}", statistics.join(" "));
    println!("{}", norm.eval().call(&x)?);
    let mlp = Mlp::new()?;
    let modes = [mlp.is_training(), mlp.eval().is_training(), mlp.fc1.is_training(), mlp.train(true).is_training()];
    println!("{}", modes.map(truth).join(" "));
    mlp.eval();
    let x = Tensor::randn([4, 3])?;
    x.requires_grad_(true)?;
    println!("{}", truth(mlp.call(&x)?.requires_grad()));
    println!("{}", truth(autograd::no_grad(|| mlp.call(&x))?.requires_grad()));
    let out = autograd::inference_mode(|| mlp.call(&x))?;
    println!("{} {}", truth(out.requires_grad()), truth(out.is_inference()));
    Ok(())
}

fn print_kinds(module: &dyn Module) {
    for (name, parameter) in module.named_parameters() {
        let kind = if parameter.is_uninitialized() { "UninitializedParameter" } else { "Parameter" };
        println!("{name} {kind}");
    }
}

pub fn lazy_modules() -> Result<()> {
    let lazy = nn::Linear::lazy(2)?;
    println!("{lazy}");
    print_kinds(&lazy);
    if let Err(error) = lazy.weight.shape() {
        println!("{error}");
    }
    println!("{}", lazy.call(Tensor::randn([4, 3])?)?.shape());
    println!("{lazy}");
    for (name, parameter) in lazy.named_parameters() {
        println!("{name} {parameter}");
    }
    if let Err(error) = lazy.call(Tensor::randn([4, 5])?) {
        println!("{error}");
    }
    let conv = nn::Conv2d::lazy_builder(16, 3).padding(1).build()?;
    println!("{conv}");
    println!("{}", conv.call(Tensor::randn([4, 3, 32, 32])?)?.shape());
    println!("{conv}");

    let cnn = LazyCnn::new(10)?;
    println!("{cnn}");
    let y = cnn.call(Tensor::randn([4, 1, 28, 28])?)?;
    println!("{cnn}");
    println!("{y}");
    for (key, value) in cnn.state_dict().iter() {
        println!("{key} {}", value.shape());
    }
    Ok(())
}

pub fn one_model_with_everything() -> Result<()> {
    let demo = DemoNet::new(3, 8, 2)?;
    println!("{demo}");
    println!("{}", names(demo.named_parameters()));
    println!("{}", names(demo.named_buffers()));
    println!("{}", list(demo.state_dict().keys()));
    for (name, module) in demo.named_modules() {
        println!("'{name}' -> {}", module.type_name());
    }
    let (x, target) = (Tensor::randn([16, 3])?, Tensor::randint(0, 2, [16])?);
    let mut optimizer = optim::SGD::new(demo.parameters(), 0.1).momentum(0.9).build()?;
    for step in 0..5 {
        optimizer.zero_grad()?;
        let loss = nn::functional::cross_entropy(&demo.call(&x)?, &target)?;
        loss.backward()?;
        optimizer.step()?;
        println!("{step} {:.4}", loss.item::<f64>()?);
    }
    demo.eval();
    println!("{}", autograd::inference_mode(|| demo.call(x.narrow(0, 0, 4)?))?);
    Ok(())
}

pub fn hooks() -> Result<()> {
    let mlp = Mlp::new()?;
    let handle = mlp.fc1.register_forward_pre_hook(|module, _| {
        println!("before {}", module.type_name());
        Ok(None)
    });
    mlp.relu.register_forward_hook(|_, _, output| Ok(Some(output.mul(2)?)));
    mlp.fc2.register_full_backward_hook(nn::HookOptions::new(), |_, grad_input, grad_output| {
        if let (Some(Some(input)), Some(Some(output))) = (grad_input.first(), grad_output.first()) {
            println!("backward {} {}", tuple(&input.shape()), tuple(&output.shape()));
        }
        Ok(None)
    });
    let x = Tensor::randn([4, 3])?;
    mlp.call(&x)?.sum()?.backward()?;
    handle.remove();
    println!("{}", mlp.call(&x)?);
    Ok(())
}
