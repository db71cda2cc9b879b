//! The program, run as scripts run it.

#![allow(clippy::unwrap_used)]

use firebrick_core::{DType, StateDict, Tensor};
use firebrick_io::numpy::{load_npy, save_npy};
use firebrick_io::pytorch::{Array, Dtype, Object, Storage};
use firebrick_io::{
    SaveOptions, load, load_safetensors, save, save_safetensors, save_safetensors_sharded, save_safetensors_with,
};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code, output and errors.
fn firebrick(args: &[&str], folder: &Path) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_firebrick")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

/// A folder with `m.safetensors`: two tensors, one of them tied, and metadata.
fn model() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let weight = Tensor::new([[0.0f32, 1.0, 2.0], [3.0, 4.0, 5.0]]).unwrap();
    let state = StateDict::from_iter([
        ("emb.weight", weight.clone()),
        ("out.weight", weight),
        ("steps", Tensor::new([7i64]).unwrap()),
    ]);
    let path = folder.path().join("m.safetensors");
    save_safetensors_with(&path, &state, &SaveOptions::new().ties(true).metadata("format", "pt")).unwrap();
    (folder, path)
}

#[test]
fn inspect_lists_tensors_ties_and_totals() {
    let (folder, _) = model();
    let (code, out, err) = firebrick(&["inspect", "m.safetensors"], folder.path());
    let expected = "\
m.safetensors: safetensors
  format: pt
name        dtype    shape           size
steps       int64    [1]              8 B
emb.weight  float32  [2, 3]          24 B
out.weight  float32  [2, 3]  = emb.weight
2 tensors, 7 elements, 32 B (int64 8 B, float32 24 B)
";
    assert_eq!((code, out.as_str(), err.as_str()), (0, expected, ""));
}

#[test]
fn inspect_describes_values_and_filters() {
    let (folder, _) = model();
    let args = ["inspect", "--stats", "--include", "emb.*", "m.safetensors"];
    let (code, out, _) = firebrick(&args, folder.path());
    assert_eq!(code, 0);
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(
        rows.contains(&vec![
            "emb.weight",
            "float32",
            "[2,",
            "3]",
            "24",
            "B",
            "0",
            "5",
            "2.5",
            "1.87083",
            "1",
            "0",
            "0"
        ]),
        "{out}"
    );
    assert!(!out.contains("steps"));
    let (code, _, err) = firebrick(&["inspect", "--include", "enc.*", "m.safetensors"], folder.path());
    assert_eq!((code, err.as_str()), (2, "error: no tensor in the file matches the pattern \"enc.*\"\n"));
}

#[test]
fn inspect_prints_json() {
    let (folder, _) = model();
    let (code, out, _) = firebrick(&["inspect", "--json", "--stats", "m.safetensors"], folder.path());
    assert_eq!(code, 0);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["kind"], &report["metadata"]["format"]), (&"safetensors".into(), &"pt".into()));
    assert_eq!((&report["total"]["elements"], &report["total"]["bytes"]), (&7.into(), &32.into()));
    let tied = &report["tensors"][2];
    assert_eq!((&tied["name"], &tied["tied_to"]), (&"out.weight".into(), &"emb.weight".into()));
    assert_eq!((&tied["shape"], &tied["stats"]["max"]), (&serde_json::json!([2, 3]), &5.0.into()));
}

#[test]
fn the_kind_is_told_by_the_content() {
    let (folder, path) = model();
    std::fs::copy(&path, folder.path().join("renamed.npy")).unwrap();
    let (code, out, _) = firebrick(&["inspect", "renamed.npy"], folder.path());
    assert!(code == 0 && out.starts_with("renamed.npy: safetensors\n"), "{out}");
    save_npy(folder.path().join("x.bin"), &Tensor::ones([2]).unwrap()).unwrap();
    let (code, out, _) = firebrick(&["inspect", "x.bin"], folder.path());
    assert!(code == 0 && out.starts_with("x.bin: NumPy array\n"), "{out}");
    let index = save_safetensors_sharded(
        path,
        &load_safetensors(folder.path().join("m.safetensors")).unwrap(),
        30,
        &SaveOptions::new().ties(true),
    )
    .unwrap();
    let (code, out, _) = firebrick(&["inspect", index.to_str().unwrap()], folder.path());
    assert!(code == 0 && out.contains(": sharded safetensors\n") && out.contains("= emb.weight"), "{out}");
}

#[test]
fn convert_casts_renames_and_keeps_ties() {
    let (folder, _) = model();
    let args = [
        "convert",
        "--dtype",
        "bf16",
        "--rename",
        "weight=w",
        "--add-prefix",
        "model.",
        "m.safetensors",
        "new.safetensors",
    ];
    assert_eq!(firebrick(&args, folder.path()), (0, String::new(), String::new()));
    let new = load_safetensors(folder.path().join("new.safetensors")).unwrap();
    assert_eq!(new.keys().collect::<Vec<_>>(), ["model.steps", "model.emb.w", "model.out.w"]);
    let (emb, out) = (new.get("model.emb.w").unwrap(), new.get("model.out.w").unwrap());
    assert!(emb.ptr_eq(out) && emb.dtype() == DType::BF16);
    assert_eq!(new.get("model.steps").unwrap().dtype(), DType::I64);
    // The file is there now.
    let (code, _, err) = firebrick(&args, folder.path());
    assert!(code == 2 && err.contains("--force"), "{err}");
    assert_eq!(firebrick(&[&args[..], &["--force"]].concat(), folder.path()).0, 0);
}

#[test]
fn convert_writes_other_kinds_and_warns_of_what_float16_loses() {
    let (folder, _) = model();
    let args = ["convert", "--include", "steps", "m.safetensors", "steps.npy"];
    assert_eq!(firebrick(&args, folder.path()).0, 0);
    assert_eq!(load_npy(folder.path().join("steps.npy")).unwrap().to_vec::<i64>().unwrap(), [7]);
    let (code, _, err) = firebrick(&["convert", "m.safetensors", "all.npy"], folder.path());
    assert!(code == 2 && err.contains("3 tensors are chosen"), "{err}");
    let (code, _, err) = firebrick(&["convert", "m.safetensors", "all.xyz"], folder.path());
    assert!(code == 2 && err.contains("--kind"), "{err}");

    save_safetensors(folder.path().join("large.safetensors"), [("x", &Tensor::new([1e6f32, 1.0]).unwrap())]).unwrap();
    let (code, _, err) =
        firebrick(&["convert", "--dtype", "float16", "large.safetensors", "half.safetensors"], folder.path());
    assert_eq!((code, err.as_str()), (0, "warning: x: 1 values became infinite in float16\n"));
}

#[test]
fn convert_writes_and_reads_eight_bit_floating_point() {
    let (folder, _) = model();
    let run = |args: &[&str]| firebrick(args, folder.path());
    let large = StateDict::from_iter([
        ("x", Tensor::new([1e6f32, 3.1, -0.0, f32::NAN]).unwrap()),
        ("n", Tensor::new([7i64]).unwrap()),
    ]);
    save_safetensors(folder.path().join("x.safetensors"), &large).unwrap();
    let (code, _, err) = run(&["convert", "--dtype", "float8_e4m3fn", "x.safetensors", "x.pt"]);
    assert_eq!((code, err.as_str()), (0, "warning: x: 1 values are beyond 448, the largest of float8_e4m3fn\n"));
    let (code, out, _) = run(&["inspect", "--stats", "x.pt"]);
    assert!(code == 0 && out.contains("float8_e4m3fn") && out.contains("448"), "{out}");
    // Kept as it is, from one kind of file to another and back.
    assert_eq!(run(&["convert", "x.pt", "y.safetensors"]), (0, String::new(), String::new()));
    assert_eq!(run(&["convert", "y.safetensors", "y.pt"]), (0, String::new(), String::new()));
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(bytes("x.pt") == bytes("y.pt") && bytes("y.safetensors").ends_with(&[0x7e, 0x44, 0x80, 0x7f]));
    assert_eq!(run(&["diff", "x.pt", "y.safetensors"]).0, 0);
    assert_eq!(run(&["verify", "y.pt"]).0, 0);
    assert_eq!(run(&["convert", "--dtype", "f16", "y.pt", "half.safetensors"]).0, 0);
    let half = load_safetensors(folder.path().join("half.safetensors")).unwrap();
    let values = half.get("x").unwrap().to_vec::<f32>().unwrap();
    assert!(values[..3] == [448.0, 3.0, 0.0] && values[2].is_sign_negative() && values[3].is_nan(), "{values:?}");
    let (code, _, err) = run(&["convert", "y.pt", "y.npz"]);
    assert!(code == 2 && err.contains("NumPy has no float8_e4m3fn") && err.contains("--dtype float32"), "{err}");
}

#[test]
fn a_checkpoint_that_is_converted_keeps_its_ties_and_its_views() {
    let (folder, _) = model();
    let run = |args: &[&str]| firebrick(args, folder.path());
    assert_eq!(run(&["convert", "--dtype", "bf16", "m.safetensors", "half.pt"]).0, 0);
    assert_eq!(run(&["convert", "--rename", "weight=w", "half.pt", "again.pt"]).0, 0);
    let state = load(folder.path().join("again.pt")).unwrap().state_dict().unwrap();
    assert_eq!(state.keys().collect::<Vec<_>>(), ["steps", "emb.w", "out.w"]);
    let (emb, out) = (state.get("emb.w").unwrap(), state.get("out.w").unwrap());
    assert!(emb.dtype() == DType::BF16 && std::sync::Arc::ptr_eq(&emb.body().storage, &out.body().storage));
    assert_eq!(emb.to_vec::<f32>().unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn a_checkpoint_that_is_converted_keeps_the_versions_of_its_modules_under_their_new_names() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| assert_eq!(firebrick(args, folder.path()), (0, String::new(), String::new()));
    let names = ["body.w", "body.norm.gamma", "head.w"];
    let mut model = StateDict::from_iter(names.map(|name| (name, Tensor::ones([2]).unwrap())));
    for (module, version) in [("", 1), ("body", 1), ("body.norm", 2), ("body.act", 1), ("head", 3)] {
        model.metadata.entry(module.to_owned()).or_default().insert("version".to_owned(), version);
    }
    save(&model, folder.path().join("m.pt")).unwrap();
    let versions = |name: &str| {
        let state = load(folder.path().join(name)).unwrap().state_dict().unwrap();
        state.metadata.iter().map(|(module, facts)| (module.clone(), facts["version"])).collect::<Vec<_>>()
    };
    let named =
        |pairs: &[(&str, i64)]| pairs.iter().map(|&(name, version)| (name.to_owned(), version)).collect::<Vec<_>>();

    run(&["convert", "m.pt", "same.pt"]);
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(bytes("same.pt") == bytes("m.pt"));
    run(&["convert", "--dtype", "float16", "--add-prefix", "net.", "m.pt", "net.pt"]);
    let all = [("net", 1), ("net.body", 1), ("net.body.norm", 2), ("net.body.act", 1), ("net.head", 3)];
    assert_eq!(versions("net.pt"), named(&all));
    run(&["convert", "--rename", "gamma=weight", "--include", "body.*", "--strip-prefix", "body.", "m.pt", "body.pt"]);
    assert_eq!(versions("body.pt"), named(&[("", 1), ("norm", 2), ("act", 1)]));
    run(&["convert", "--exclude", "body.norm.*", "m.pt", "less.pt"]);
    assert_eq!(versions("less.pt"), named(&[("", 1), ("body", 1), ("body.act", 1), ("head", 3)]));
}

#[test]
fn tensors_whose_elements_lie_on_each_other_are_listed_whatever_they_would_take() {
    let folder = tempfile::tempdir().unwrap();
    let one = Storage::from_bytes(Dtype::F64, &[0; 8]).unwrap();
    let all = |size: usize| Array::new(one.clone(), Dtype::F64, &[size], &[0], 0).unwrap().into();
    save(Object::dict([("a", all(1 << 62)), ("b", all(3 << 61))]), folder.path().join("wide.pt")).unwrap();
    let (code, out, err) = firebrick(&["inspect", "wide.pt"], folder.path());
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("a     float64  [4611686018427387904]  18.4 EB\n"), "{out}");
    assert_eq!(firebrick(&["convert", "wide.pt", "again.pt"], folder.path()), (0, String::new(), String::new()));
}

#[test]
fn of_a_file_that_is_nothing_the_name_says_what_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("a.pt", "the file is empty"),
        ("a.npy", "not a .npy file"),
        ("a.npz", "the archive has no directory"),
        ("a.safetensors", "not a safetensors file"),
        ("a", "not a safetensors file"),
    ];
    for (name, text) in cases {
        std::fs::write(folder.path().join(name), []).unwrap();
        let (code, _, err) = firebrick(&["inspect", name], folder.path());
        assert_eq!(code, 2, "{name}");
        assert!(err.contains(text), "{name}: {err}");
    }
}

#[test]
fn a_refused_file_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.pt"), b"PK\x03\x04 and nothing else").unwrap();
    for args in [&["inspect", "bad.pt"][..], &["convert", "bad.pt", "new.pt"], &["diff", "bad.pt", "bad.pt"]] {
        let (code, _, err) = firebrick(args, folder.path());
        assert!(code == 2 && err.matches("bad.pt").count() == 1, "{err}");
    }
}

#[test]
fn diff_names_every_difference() {
    let (folder, path) = model();
    let state = load_safetensors(&path).unwrap();
    let changed = state.get("emb.weight").unwrap().copy().unwrap();
    changed.narrow(0, 1, 1).unwrap().narrow(1, 2, 1).unwrap().add_(0.5).unwrap();
    let steps = state.get("steps").unwrap();
    let other = StateDict::from_iter([
        ("emb.weight", changed),
        ("steps", steps.to(DType::I32).unwrap()),
        ("new", Tensor::ones([2]).unwrap()),
    ]);
    save_safetensors(folder.path().join("n.safetensors"), &other).unwrap();
    let (code, out, err) = firebrick(&["diff", "m.safetensors", "n.safetensors"], folder.path());
    let expected = "\
~ steps  dtype int64 and int32
~ emb.weight  1 of 6 values differ, by at most 0.5 (at [1, 2]: 5 and 5.5)
- out.weight  float32 [2, 3]
+ new  float32 [2]
0 tensors the same, 2 different, 1 only in the first file, 1 only in the second
";
    assert_eq!((code, out.as_str(), err.as_str()), (1, expected, ""));
    assert_eq!(
        firebrick(&["diff", "-q", "m.safetensors", "n.safetensors"], folder.path()),
        (1, String::new(), String::new())
    );
    let close = ["diff", "--atol", "0.5", "--include", "emb.*", "m.safetensors", "n.safetensors"];
    assert_eq!(firebrick(&close, folder.path()).0, 0);
    assert_eq!(firebrick(&["diff", "m.safetensors", "m.safetensors"], folder.path()).0, 0);
    let (code, _, err) = firebrick(&["diff", "m.safetensors", "missing.safetensors"], folder.path());
    assert!(code == 2 && err.contains("missing.safetensors"), "{err}");
}

#[test]
fn verify_tells_whole_from_damaged_and_from_missing() {
    let (folder, path) = model();
    let (code, out, _) = firebrick(&["verify", "m.safetensors"], folder.path());
    assert_eq!((code, out.as_str()), (0, "whole: m.safetensors, safetensors, 3 tensors, 32 B\n"));
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(folder.path().join("cut.safetensors"), &bytes[..bytes.len() - 1]).unwrap();
    let (code, out, _) = firebrick(&["verify", "cut.safetensors"], folder.path());
    assert!(code == 1 && out.starts_with("damaged: the tensors take 32 bytes, but 31 follow"), "{out}");
    assert_eq!(firebrick(&["verify", "missing.safetensors"], folder.path()).0, 2);
    save_safetensors(folder.path().join("nan.safetensors"), [("x", &Tensor::new([f32::NAN, 1.0]).unwrap())]).unwrap();
    let (code, out, _) = firebrick(&["verify", "nan.safetensors"], folder.path());
    assert!(code == 0 && out.starts_with("warning: x: 1 values are NaN\nwhole: "), "{out}");
}

#[test]
fn wrong_arguments_end_with_2_and_help_has_examples() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(firebrick(&["inspect"], folder.path()).0, 2);
    assert_eq!(firebrick(&["convert", "--dtype", "int8", "a.npy", "b.npy"], folder.path()).0, 2);
    for command in ["inspect", "convert", "diff", "verify"] {
        let (code, out, _) = firebrick(&[command, "--help"], folder.path());
        assert!(code == 0 && out.contains(&format!("Examples:\n  firebrick {command} ")), "{out}");
    }
}

#[test]
fn names_in_files_cannot_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    save_safetensors(folder.path().join("x.safetensors"), [("a\x1b[31m", &Tensor::ones([1]).unwrap())]).unwrap();
    let (code, out, _) = firebrick(&["inspect", "x.safetensors"], folder.path());
    assert!(code == 0 && !out.contains('\x1b') && out.contains("\"a\\u{1b}[31m\""), "{out}");
}

#[test]
fn npz_goes_through_every_command() {
    let (folder, _) = model();
    assert_eq!(firebrick(&["convert", "m.safetensors", "m.npz"], folder.path()).0, 0);
    let (code, out, _) = firebrick(&["inspect", "m.npz"], folder.path());
    assert!(
        code == 0 && out.starts_with("m.npz: NumPy archive\n") && out.contains("emb.weight  float32  [2, 3]  24 B\n"),
        "{out}"
    );
    assert_eq!(firebrick(&["diff", "m.safetensors", "m.npz"], folder.path()).0, 0);
    assert_eq!(firebrick(&["verify", "m.npz"], folder.path()).0, 0);
    let path = folder.path().join("m.npz");
    let mut bytes = std::fs::read(&path).unwrap();
    let data = bytes.windows(4).position(|bytes| bytes == 5.0f32.to_le_bytes()).unwrap();
    bytes[data] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (code, out, _) = firebrick(&["verify", "m.npz"], folder.path());
    assert!(code == 1 && out.contains("its checksum differs"), "{out}");
}

#[test]
fn checkpoints_go_through_every_command_and_keep_their_ties() {
    let (folder, _) = model();
    assert_eq!(firebrick(&["convert", "m.safetensors", "m.pt"], folder.path()).0, 0);
    let (code, out, _) = firebrick(&["inspect", "m.pt"], folder.path());
    assert!(
        code == 0
            && out.starts_with("m.pt: PyTorch checkpoint\n")
            && out.contains("out.weight  float32  [2, 3]  = emb.weight\n"),
        "{out}"
    );
    assert_eq!(firebrick(&["diff", "m.safetensors", "m.pt"], folder.path()).0, 0);
    assert_eq!(firebrick(&["verify", "m.pt"], folder.path()).0, 0);
    assert_eq!(firebrick(&["convert", "--dtype", "float16", "m.pt", "half.safetensors"], folder.path()).0, 0);
    let half = load_safetensors(folder.path().join("half.safetensors")).unwrap();
    assert_eq!(half.get("out.weight").unwrap().dtype(), DType::F16);
    let path = folder.path().join("m.pt");
    let mut bytes = std::fs::read(&path).unwrap();
    let data = bytes.windows(4).position(|bytes| bytes == 5.0f32.to_le_bytes()).unwrap();
    bytes[data] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let (code, out, _) = firebrick(&["verify", "m.pt"], folder.path());
    assert!(code == 1 && out.contains("damaged"), "{out}");
    let directory = bytes.windows(8).rposition(|bytes| bytes == b"data.pkl").unwrap();
    bytes[directory] = b'D';
    std::fs::write(&path, bytes).unwrap();
    let (code, out, err) = firebrick(&["inspect", "m.pt"], folder.path());
    assert!(code == 2 && out.is_empty() && err.contains("m.pt"), "{code} {out} {err}");
}
