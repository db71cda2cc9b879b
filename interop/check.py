#!/usr/bin/env python3
"""Exchanges files between Firebrick and PyTorch, both ways, and compares what arrives.

    python3 interop/check.py

needs torch, numpy and safetensors. Prints a line for each check; exit code 0 only if all hold. Firebrick's half, in `src`,
is built first.
"""
import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import safetensors.torch
import torch

import training
from content import difference, raw, sharing

HERE = Path(__file__).resolve().parent
RECORDED = HERE.parent.parent / "shared" / "oracle" / "checkpoints"
PATTERN = bytes(range(48))
failures, count = [], 0


def check(name, problem=None):
    """Notes a check; `problem` says what is wrong."""
    global count
    count += 1
    if problem:
        failures.append(name)
    print(f"{'FAILED' if problem else 'ok'}  {name}{f': {problem}' if problem else ''}", flush=True)


def attempt(name, f):
    """A check that fails, too, if `f` raises; `f` returns what is wrong."""
    try:
        check(name, f())
    except Exception as error:
        check(name, f"{type(error).__name__}: {error}")


def build():
    command = ["cargo", "build", "-p", "interop", "--message-format", "json"]
    lines = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    messages = (json.loads(line) for line in lines)
    return [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "interop"][-1]


def firebrick(*words):
    """Runs Firebrick's half; what it prints. Raises what it says when it fails."""
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def load(path):
    return torch.load(path, weights_only=True)


def pattern(dtype):
    """The tensor of a dtype that Firebrick writes: bytes 0, 1, 2 ...; for bools 0, 1, 0 ...."""
    data = bytes(b % 2 for b in PATTERN) if dtype == torch.bool else PATTERN
    return torch.frombuffer(bytearray(data), dtype=torch.uint8).view(dtype)


def dtypes(folder):
    file = load(folder / "dtypes.pt")
    for name, tensor in file.items():
        attempt(f".pt dtype {name}", lambda: difference(tensor, pattern(getattr(torch, name))))
    whole = safetensors.torch.load_file(folder / "dtypes.safetensors")
    for name, tensor in whole.items():
        attempt(f"safetensors dtype {name}", lambda: difference(tensor, pattern(getattr(torch, name))))
    attempt("safetensors has all dtypes", lambda: None if len(whole) == 11 else sorted(whole))
    attempt("safetensors shards", lambda: shards(folder, whole))
    for path in sorted(folder.glob("*.npy")):
        name = path.stem
        if name != "fortran":
            attempt(f".npy dtype {name}", lambda: numpy_difference(path, pattern(getattr(torch, name)).numpy()))
    attempt(".npy in Fortran's order", lambda: numpy_difference(
        folder / "fortran.npy", numpy.arange(12, dtype=numpy.float32).reshape(3, 4).T))


def shards(folder, whole):
    index = json.loads((folder / "shards.safetensors.index.json").read_text())
    found = {name: safetensors.torch.load_file(folder / file)[name] for name, file in index["weight_map"].items()}
    if len(set(index["weight_map"].values())) < 3:
        return "too few shards to show anything"
    return difference({name: found[name] for name in sorted(found)}, {name: whole[name] for name in sorted(whole)})


def numpy_difference(path, expected):
    array = numpy.load(path)
    same = array.dtype == expected.dtype and array.shape == expected.shape and array.strides == expected.strides
    return None if same and array.tobytes() == expected.tobytes() else f"{array!r} is not {expected!r}"


def views(folder):
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    expected = {
        "transposed": base.t(), "part": base.narrow(1, 1, 2), "row": base[2], "expanded": base[:, 3:].expand(3, 5),
        "windows": base.as_strided((4, 4), (2, 1), 1), "base": base, "again": base, "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(2.5, dtype=torch.float64),
    }
    found = load(folder / "views.pt")
    attempt(".pt views: strides, offsets, numbers", lambda: difference(found, expected))
    attempt(".pt views: shared memory", lambda: difference(sharing(found), sharing(expected)))


def nested(folder):
    deep = 7
    for _ in range(50):
        deep = [deep]
    expected = {
        "values": (None, True, -2**63, 2**100, -0.5, float("inf"), 1 - 2j, "text \U0001f525 \n'\"", b"\x00\xff\n",
                   torch.Size([2, 3]), torch.bfloat16, torch.device("cuda:1")),
        "set": {1, "x"},
        "ordered": collections.OrderedDict(z=[], a=()),
        "numbered": {-5: "negative", (1, "x"): None},
        "deep": deep,
        "parameter": torch.nn.Parameter(torch.arange(2.)),
        "requires_grad": torch.arange(2.).requires_grad_(),
    }
    attempt(".pt nested containers and values of all kinds", lambda: difference(load(folder / "nested.pt"), expected))


class Net(torch.nn.Module):
    """The network of `src/net.rs`."""

    def __init__(self):
        super().__init__()
        self.fc1, self.norm = torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8)
        self.fc2, self.fc3 = torch.nn.Linear(8, 8), torch.nn.Linear(8, 8)
        self.fc3.weight = self.fc2.weight

    def forward(self, x):
        return self.fc3(torch.tanh(self.fc2(torch.tanh(self.norm(self.fc1(x))))))


def model(folder):
    state, given = load(folder / "model.pt"), load(folder / "forward.pt")
    net = Net().eval()
    attempt("state dict: keys and order", lambda: difference(list(state), list(net.state_dict())))
    attempt("state dict: class", lambda: None if type(state) is collections.OrderedDict else type(state))
    attempt("state dict: versions of modules", lambda: difference(dict(state._metadata), dict(net.state_dict()._metadata)))
    attempt("state dict: ties", lambda: difference(sharing(state), sharing(net.state_dict())))
    attempt("state dict: PyTorch computes the same", lambda: (net.load_state_dict(state), close(net(given["x"]), given["y"]))[1])
    fresh = Net().eval()
    attempt("safetensors model with ties: PyTorch computes the same", lambda: (
        safetensors.torch.load_model(fresh, folder / "model.safetensors"), close(fresh(given["x"]), given["y"]))[1])
    torch.save(Net().state_dict(), folder / "theirs.pt")
    net.load_state_dict(load(folder / "theirs.pt"))
    torch.save(given["x"], folder / "input.pt")
    attempt("state dict of PyTorch: Firebrick computes the same", lambda: (
        firebrick("forward", folder / "theirs.pt", folder / "input.pt", folder / "output.pt"),
        close(load(folder / "output.pt"), net(given["x"])))[1])


def close(a, b):
    return None if torch.allclose(a, b, rtol=1e-5, atol=1e-6) else f"{a} is not {b}"


def rewritten(folder):
    """Files of PyTorch that Firebrick read and wrote again."""
    weight = torch.arange(6.).reshape(2, 3)
    quantized = torch.quantize_per_tensor(weight, 0.5, 3, torch.qint8)
    made = {"sparse": [weight.to_sparse(), weight.to_sparse_csr()], "quantized": quantized,
            "adam": training_state(), "legacy": {"x": weight, "y": weight.t()}}
    files = []
    for name, value in made.items():
        torch.save(value, folder / f"{name}.pt", _use_new_zipfile_serialization=name != "legacy")
        files.append(folder / f"{name}.pt")
    if (RECORDED / "cases.json").exists():
        cases = json.loads((RECORDED / "cases.json").read_text())
        files += [RECORDED / c["file"] for c in cases if c["must"] == "load" and c["file"].endswith(".pt") and c["torch"]["loads"]]
    for path in files:
        attempt(f"read and written again: {path.stem}", lambda: rewrite(folder, path))
    safetensors.torch.save_file({"a": weight, "b": weight.to(torch.bfloat16)}, folder / "theirs.safetensors", {"format": "pt"})
    attempt("read and written again: safetensors", lambda: (
        firebrick("rewrite", folder / "theirs.safetensors", folder / "again.safetensors"),
        difference(*(safetensors.torch.load_file(folder / f"{name}.safetensors") for name in ("again", "theirs"))))[1])
    for name, array in {"big": numpy.arange(3, dtype=">f8"), "column": numpy.asfortranarray(weight.numpy())}.items():
        numpy.save(folder / f"{name}.in.npy", array)
        attempt(f"read and written again: .npy {name}", lambda: (
            firebrick("rewrite", folder / f"{name}.in.npy", folder / f"{name}.out.npy"),
            numpy_difference(folder / f"{name}.out.npy", array.astype(array.dtype.newbyteorder("="))))[1])


FLOAT8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")


def float8(folder):
    """Any numbers as eight bits, and all numbers of eight bits as wider ones."""
    every = torch.arange(-32768, 32768).to(torch.int16)
    any_bits = torch.randint(-2**31, 2**31, (20_000,), generator=torch.Generator().manual_seed(0)).to(torch.int32)
    near = torch.cat([torch.arange(256).to(torch.uint8).view(getattr(torch, name)).float() for name in FLOAT8])
    middle = (near[1:] + near[:-1]) / 2
    wide = {"float32": torch.cat([any_bits.view(torch.float32), near, middle, middle * (1 + 2**-20), middle * (1 - 2**-20)]),
            "float16": every.view(torch.float16), "bfloat16": every.clone().view(torch.bfloat16)}
    torch.save(wide, folder / "wide.pt")
    firebrick("float8", folder / "wide.pt", folder / "float8.pt")
    found = load(folder / "float8.pt")
    for name in FLOAT8:
        dtype, all_bytes = getattr(torch, name), torch.arange(256).to(torch.uint8)
        for source, values in wide.items():
            attempt(f"{source} to {name}", lambda: difference(found[f"{source} to {name}"], values.to(dtype)))
            # Which NaN it is differs between PyTorch's own ways to the 16-bit types.
            attempt(f"{name} to {source}", lambda: difference(*(
                torch.where(t.isnan(), torch.nan, t) for t in (found[f"{name} to {source}"], all_bytes.view(dtype).to(values.dtype)))))


def parts(folder):
    """One module's state out of a checkpoint."""
    net = Net()
    torch.save({"epoch": 3, "model": net.state_dict(), "moments": [torch.ones(2)]}, folder / "whole.pt")
    for prefix, module in (("model.", net), ("model.norm.", net.norm), ("model.fc2.", net.fc2)):
        attempt(f"part of a checkpoint: {prefix}", lambda: (
            firebrick("part", folder / "whole.pt", prefix, folder / "part.pt"),
            difference(load(folder / "part.pt"), module.state_dict()))[1])


def training_state():
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), amsgrad=True)
    net(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def rewrite(folder, path):
    firebrick("rewrite", path, folder / "again.pt")
    mine, theirs = load(folder / "again.pt"), torch.load(path, weights_only=True, map_location="cpu")
    return difference(mine, theirs) or difference(sharing(mine), sharing(theirs), "sharing")


def trainings(folder):
    """Ten epochs in PyTorch against five here and five there, both ways."""
    training.begin(folder / "begin.pt")
    for name in training.OPTIMIZERS:
        expected = training.go_on(name, folder / "begin.pt", 10, folder / "whole.pt")
        half = len(expected) // 2

        def ours(source, target):
            return [float(line) for line in firebrick("train", name, source, 5, target).split()]

        def here_there():
            losses = ours(folder / "begin.pt", folder / "ours.pt")
            return apart(losses + training.go_on(name, folder / "ours.pt", 5, folder / "end.pt"), expected)

        def there_here():
            losses = training.go_on(name, folder / "begin.pt", 5, folder / "theirs.pt")
            return apart(losses + ours(folder / "theirs.pt", folder / "end.pt"), expected)

        attempt(f"training with {name}: Firebrick begins, PyTorch goes on", here_there)
        attempt(f"training with {name}: PyTorch begins, Firebrick goes on", there_here)
        attempt(f"training with {name}: checkpoints of the same form", lambda: form(folder))
        assert half * 2 == len(expected)


def apart(losses, expected):
    worst = max(abs(a - b) / abs(b) for a, b in zip(losses, expected, strict=True))
    return None if worst < 1e-9 else f"losses differ by {worst:.1e} of themselves"


def form(folder):
    """Both programs' checkpoints after five epochs have the same entries, states and random numbers."""
    ours, theirs = load(folder / "ours.pt"), load(folder / "theirs.pt")
    for path in (("rng_state",), ("generators", "order")):
        a, b = ours, theirs
        for key in path:
            a, b = a[key], b[key]
        if raw(a) != raw(b):
            return f"{path}: other states"
    outline = lambda value: {k: outline(v) for k, v in value.items()} if isinstance(value, dict) else type(value).__name__
    parts = {part: difference(sorted_keys(outline(ours[part])), sorted_keys(outline(theirs[part])), part) for part in theirs}
    return next(filter(None, parts.values()), None)


def sorted_keys(value):
    if not isinstance(value, dict):
        return value
    return {key: sorted_keys(value[key]) for key in sorted(value, key=str)}


def main():
    global PROGRAM
    PROGRAM = build()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        firebrick("write", folder)
        for part in (dtypes, views, nested, model, rewritten, float8, parts, trainings):
            part(folder)
    print(f"{count - len(failures)} of {count} checks hold")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
