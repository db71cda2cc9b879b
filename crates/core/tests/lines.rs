//! Errors of the backward pass name the lines of the forward pass.
#![allow(clippy::unwrap_used)]

use firebrick_core::{Result, Tensor, autograd};

fn leaf(values: [f32; 2]) -> Result<Tensor> {
    let x = Tensor::new(values)?;
    x.requires_grad_(true)?;
    Ok(x)
}

fn at(line: u32) -> String {
    format!("{}:{line}:", file!())
}

#[test]
fn a_change_in_place_is_reported_with_both_lines() -> Result<()> {
    let _lines = autograd::SourceLines::note();
    let x = leaf([1.0, 4.0])?;
    let (root, saved) = (x.sqrt()?, line!());
    let (_, changed) = (root.detach().add_(1.0)?.mul_(2.0)?, line!());
    let error = root.sum()?.backward().unwrap_err();
    assert!(error.to_string().starts_with("one of the variables needed for gradient computation has been modified"));
    assert!(!error.to_string().contains("lines.rs"), "the sentence is PyTorch's alone: {error}");
    let text = format!("{error:#}");
    assert!(text.contains(&format!("saved at {}", at(saved))), "{text}");
    assert!(text.contains(&format!("changed at {}", at(changed))), "{text}");
    Ok(())
}

#[test]
fn operators_views_and_methods_written_by_hand_know_their_line() -> Result<()> {
    let _lines = autograd::SourceLines::note();
    type Change = fn(&Tensor) -> Result<u32>;
    let changes: [Change; 4] = [
        |t| t.zero_().map(|_| line!()),
        |t| t.copy_(&Tensor::ones([2])?).map(|_| line!()),
        |t| t.select(0, 1)?.fill_(3.0).map(|_| line!()),
        |t| t.set(0, 5.0).map(|_| line!()),
    ];
    for change in changes {
        let x = leaf([1.0, 2.0])?;
        let factor = Tensor::ones([2])?;
        let (y, saved) = ((&x * &factor)?, line!());
        let changed = change(&factor)?;
        let text = format!("{:#}", y.sum()?.backward().unwrap_err());
        assert!(text.contains(&format!("saved at {}", at(saved))), "{text}");
        assert!(text.contains(&format!("changed at {}", at(changed))), "{text}");
    }
    Ok(())
}

#[test]
fn what_an_operation_calls_for_itself_belongs_to_its_line() -> Result<()> {
    let _lines = autograd::SourceLines::note();
    let x = leaf([1.0, 2.0])?;
    let (y, line) = (x.square()?, line!());
    x.detach().mul_(2.0)?;
    let text = format!("{:#}", y.sum()?.backward().unwrap_err());
    assert!(text.contains(&format!("saved at {}", at(line))), "{text}");
    Ok(())
}

#[test]
fn anomaly_mode_names_the_forward_line_of_the_gradient_that_is_nan() -> Result<()> {
    let x = leaf([0.0, 1.0])?;
    let mut line = 0;
    let error = autograd::detect_anomaly(|| {
        let root = x.sqrt()?;
        line = line!() - 1;
        root.mul(0.0)?.sum()?.backward()
    });
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "Function 'SqrtBackward0' returned nan values in its 0th output.");
    assert!(format!("{error:#}").contains(&format!("the forward operation at {}", at(line))), "{error:#}");
    Ok(())
}

#[test]
fn a_trace_that_was_not_begun_is_empty() -> Result<()> {
    let x = leaf([0.0, 1.0])?;
    x.exp()?;
    assert!(autograd::finish_trace().path_end(&x).is_none());
    autograd::start_trace();
    x.exp()?;
    let end = autograd::finish_trace().path_end(&x).unwrap();
    assert_eq!((end.kind, end.op), (autograd::PathEndKind::Unused, "ExpBackward0"));
    x.exp()?;
    assert!(autograd::finish_trace().path_end(&x).is_none());
    Ok(())
}

#[test]
fn recorded_operations_are_listed_and_not_kept() -> Result<()> {
    autograd::take_recorded(true);
    let x = leaf([0.0, 1.0])?;
    let kept = x.exp()?;
    x.sin()?;
    let recorded = autograd::take_recorded(false);
    let alive: Vec<_> = recorded.iter().filter_map(std::sync::Weak::upgrade).map(|node| node.name()).collect();
    assert_eq!((recorded.len(), alive), (2, vec!["ExpBackward0"]));
    drop(kept);
    assert!(recorded.iter().all(|node| node.strong_count() == 0));
    assert!(autograd::take_recorded(false).is_empty());
    Ok(())
}

#[test]
fn a_graph_that_was_used_up_names_the_first_backward_pass() -> Result<()> {
    let _lines = autograd::SourceLines::note();
    let x = leaf([1.0, 4.0])?;
    let (root, recorded) = (x.sqrt()?, line!());
    let loss = root.sum()?;
    let (_, first) = (loss.backward()?, line!());
    let error = loss.backward().unwrap_err();
    assert!(error.to_string().starts_with("Trying to backward through the graph a second time"));
    let text = format!("{error:#}");
    assert!(text.contains(&format!("the first backward pass was at {}", at(first))), "{text}");
    assert!(text.contains(&format!("Sqrt ran at {}", at(recorded))), "{text}");
    let y = x.sqrt()?.sum()?;
    let (_, first) = (autograd::grad(&y, &x)?, line!());
    let text = format!("{:#}", y.backward_with(autograd::Backward::new().retain_graph(true)).unwrap_err());
    assert!(text.contains(&format!("the first backward pass was at {}", at(first))), "{text}");
    Ok(())
}
