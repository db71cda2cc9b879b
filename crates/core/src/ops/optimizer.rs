//! The step of an optimizer: checks, then one pass of the backend over all parameters.

use crate::autograd::{inplace, no_grad};
use crate::backend::{self, Rule, Update};
use crate::ops::devices::same_device;
use crate::tensor::Body;
use crate::{Device, Error, Result, Tensor};
use smallvec::SmallVec;

/// Updates parameters in place: each entry is a rule with the parameter, its gradient and the rule's buffers.
///
/// Nothing is recorded. Versions of what is written rise.
///
/// # Errors
/// The tensors of an entry differ in shape, dtype or device; nothing has changed then.
pub fn optimizer_step(entries: Vec<(Rule, SmallVec<[Tensor; 5]>)>) -> Result<()> {
    let mut by_device: SmallVec<[(Device, Vec<Update>); 1]> = SmallVec::new();
    for (rule, tensors) in &entries {
        let mut bodies =
            tensors.iter().map(|t| Ok(t.resolve("step")?.body())).collect::<Result<SmallVec<[Body; 5]>>>()?;
        check(rule, tensors, &bodies)?;
        if bodies[0].dtype.is_complex() {
            // Each part is a parameter of its own, as in PyTorch.
            bodies.iter_mut().for_each(|body| *body = body.as_real());
        }
        let device = bodies[0].device();
        let update = Update { rule: *rule, bodies };
        match by_device.iter_mut().find(|(of, _)| *of == device) {
            Some((_, updates)) => updates.push(update),
            None => by_device.push((device, vec![update])),
        }
    }
    for (device, updates) in by_device {
        backend::of(device)?.optimizer_step(&updates)?;
    }
    let tensors = entries.iter().flat_map(|(_, tensors)| tensors.iter().enumerate());
    tensors.filter(|&(slot, _)| slot != backend::GRAD).for_each(|(_, tensor)| tensor.changed());
    Ok(())
}

fn check(rule: &Rule, tensors: &[Tensor], bodies: &[Body]) -> Result<()> {
    const OP: &str = "step";
    let wanted = rule.bodies();
    if bodies.len() != wanted {
        return Err(Error::runtime(OP, "a rule has another number of tensors")
            .given(format!("{}", bodies.len()))
            .expected(format!("{wanted}")));
    }
    let param = &bodies[0];
    for (tensor, body) in tensors.iter().zip(bodies) {
        same_device(OP, [param.device(), body.device()])?;
        if body.shape != param.shape || body.dtype != param.dtype || !body.dtype.is_differentiable() {
            return Err(Error::runtime(OP, "a parameter differs from its gradient or from the optimizer's state")
                .given(format!("{:?} {} with {:?} {}", param.shape, param.dtype, body.shape, body.dtype))
                .remedy("build a new optimizer after a change of the parameter's shape"));
        }
        no_grad(|| inplace::check(OP, tensor, &[]))?;
    }
    Ok(())
}
