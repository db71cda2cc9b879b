"""Writes text.txt and python.txt, the texts that tests/text.rs expects, with the PyTorch installed.

    python text.py [number of random tensors [seed]]

A case of text.txt is a block of `key value` lines, then the expected text behind `| `.
"""

import random
import struct
import sys
from pathlib import Path

import torch

FLOATS = ["float32", "float64", "float16", "bfloat16"]
HERE = Path(__file__).parent
blocks = []


def number(value):
    if isinstance(value, complex):
        return f"{value.real!r} {value.imag!r}"
    return repr(value)


def case(values, dtype="float32", shape=None, grad=None, options=None, default="float32", device=False,
         parameter=False, linear=None):
    """Prints the tensor of `values`, or of `i * scale + offset` for `linear = (scale, offset)`."""
    lines = [f"dtype {dtype}"]
    if linear:
        numel = torch.Size(shape).numel()
        scale, offset = linear
        tensor = (torch.arange(numel, dtype=torch.float64) * scale + offset).to(getattr(torch, dtype))
        lines.append(f"linear {scale} {offset}")
    else:
        tensor = torch.tensor(values, dtype=getattr(torch, dtype))
        lines.append("values " + " ".join(number(v) for v in tensor.reshape(-1).tolist()))
    tensor = tensor.reshape(shape) if shape is not None else tensor
    lines.insert(1, "shape " + " ".join(map(str, tensor.shape)))
    if grad:
        tensor.requires_grad_()
    if grad and grad is not True:
        tensor = grad(tensor)
        lines.append(f"grad_fn {type(tensor.grad_fn).__name__}")
    elif parameter:
        tensor = torch.nn.Parameter(tensor, requires_grad=bool(grad))
        lines.append("parameter True")
    if grad:
        lines.append("requires_grad True")
    for key, value in (options or {}).items():
        lines.append(f"{key} {value}")
    if default != "float32":
        lines.append(f"default_dtype {default}")
    if device:
        lines.append("device cpu")
    lines += ["| " + line for line in printed(tensor, options or {}, default, device).split("\n")]
    blocks.append("\n".join(line.rstrip() for line in lines))


def printed(tensor, options, default, device):
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**options)
    torch.set_default_dtype(getattr(torch, default))
    get_default_device = torch._C._get_default_device
    if device:  # torch prints the device of a tensor that is not on the default one
        torch._C._get_default_device = lambda: "cuda"
    try:
        return repr(tensor)
    finally:
        torch._C._get_default_device = get_default_device
        torch.set_default_dtype(torch.float32)


def floats():
    inf, nan = float("inf"), float("nan")
    rows = [
        [], [0.0], [-0.0], [-0.0, 0.0], [1.0], [-1.0, 2.5], [nan], [inf, -inf, nan], [nan, 1.0], [-inf, 1.0],
        [-inf, 1.5], [nan, 1e10], [-inf, 1e-10, 1.0], [0.0, 1e-5], [1e-4], [9.999e-5], [1e8], [1.00000008e8],
        [1e8, 1e5], [1e8, 99999.0], [1.0, 1000.0], [1.0, 1001.0], [0.5, 500.0], [0.5, 500.5], [1000.0, 0.999],
        [0.1, 100.0], [0.1, 100.00001], [0.03125, 0.09375, 0.15625], [0.00005, 0.00015], [0.00025, 0.1],
        [2.5, 3.5], [0.5], [1.5], [12345.678], [65504.0, 1.0], [6e-8, 1.0], [1e-45, 1.0], [3.4e38, -1.0],
        [16777216.0, 1.0], [16777217.0], [99999999.0], [-99999999.0, 3.0], [0.99995], [0.99994, 9.99996],
        [999.99996, 1.0], [0.0001, 0.1], [0.0001, 0.10001], [1e3, -0.0, nan], [1.0, -0.0], [0.5, -0.0],
        [1e-3, -0.0, inf], [7.0] * 26, [7.25] * 13, [-7.25] * 12, [1e9] * 20, [nan] * 30, [inf, 1.0] * 15,
        [1.0, 2.5], [1e-8, 1.0], [1e10, 1.0], [100000.0, 1.5], [0.00012345], [-1.5, 2.0],
        [9.99995e9, 1.0], [9.99985e-6, 9.99995e-6], [1e100 % 1e30, 1.0], [5.00005, 5.00015, 5.00025],
    ]
    for row in rows:
        case(row)
    case([[i / 7 for i in range(3)], [i / 7 for i in range(3, 6)]])
    for dtype in FLOATS[1:]:
        for row in ([], [0.5], [1.0], [0.1, 2.0], [1e-5, 1.0], [65504.0, 0.5], [nan, -inf, 3.0], [2049.0, 1.0]):
            case(row, dtype)
    for row in ([1e300, 1e-300], [5e-324], [1e16, 1.0], [1e8, 1e8 + 0.5], [0.1 + 0.2], [1e-4], [1e5, 99.9]):
        case(row, "float64")
        case([row, [-v for v in row]], "float64", grad=True)
    for value in (0.0, -0.0, 3.0, 0.1, 1e-9, nan, -inf, 123456789.0):
        case(value)
        case(value, "bfloat16", grad=True)


def exact():
    for dtype in ("int64", "int32", "int16", "int8", "uint8"):
        case([1, 2, 100], dtype)
        case([], dtype)
        case(7, dtype)
    case([1, -22, 333], "int64", (3, 1))
    case([[1, -22], [333, 4]], "int64")
    case([1, 200], "uint8")
    case(None, "int64", (40, 40), linear=(1, 0))
    case([2**63 - 1, -(2**63), 0], "int64")
    case([-128, 127] * 20, "int8")
    for row in ([True, False], [True], [False] * 15, []):
        case(row, "bool")
    case(False, "bool")
    case([[True, False], [True, True]], "bool")


def complexes():
    inf, nan = float("inf"), float("nan")
    rows = [[], [1j], [1 + 2j, -3 - 4j], [0.5 - 0.25j, 100j], [complex(nan, inf), 1], [complex(-0.0, -0.0)],
            [1e-9j, 1.0], [10 + 1j, 1 + 10j, -100j], [1.5 + 2j] * 9, [complex(1, -nan), complex(-inf, -inf)]]
    for dtype in ("complex64", "complex128"):
        for row in rows:
            case(row, dtype)
    case(2 - 3j, "complex64")
    case(2 - 3j, "complex128", default="float64")
    case([[1 + 1j, 2], [3j, 4]], "complex64", grad=True)
    case(None, "complex64", (40, 40), linear=(0.5, -3))


def shapes():
    for shape in ((0,), (0, 3), (3, 0), (2, 0, 5), (0, 0)):
        for dtype in ("float32", "float64", "int64", "bool"):
            case([], dtype, shape)
    case([], shape=(0,), grad=True)
    case([], "float64", (0, 3), grad=True)
    case([], "float64", (0, 3), default="float64")
    case([], "float32", (0,), default="float64")
    for shape in ((1,), (1, 1), (1, 1, 1), (2, 3), (2, 1, 3), (2, 2, 2), (40,), (2, 2, 2, 2), (1, 2, 1, 2, 1), (3, 20), (2, 30),
                  (5, 1), (2, 3, 11), (1, 1000), (1000,)):
        case(None, shape=shape, linear=(1, 0))
        case(None, shape=shape, linear=(0.125, -2))
        case(None, "int64", shape=shape, linear=(-3, 1))
    for shape in ((1001,), (2000,), (1, 1001), (1001, 1), (7, 143), (6, 200), (40, 40), (2, 3, 400), (10, 11, 12),
                  (7, 2, 7, 12), (3, 7, 3, 20), (1, 1, 5000), (1000000,), (1000, 1000)):
        case(None, shape=shape, linear=(1, 0))
        case(None, shape=shape, linear=(0.25, -100.5), dtype="float64")
    case(None, "int16", (300, 7), linear=(1, 0))


def suffixes():
    clone, view, mul = torch.clone, lambda t: t.view(t.shape), lambda t: t * 1
    long = lambda t: t.unsqueeze(0).squeeze(0).as_strided(t.size(), t.stride())
    for count in range(1, 34):
        case([float(count)] * count, grad=True)
        case([0.5] * count, "float64", grad=[clone, view, mul, long][count % 4])
        case([0.5] * (count % 11 + 1), ["float64", "float16"][count % 2], grad=mul, device=True)
    for parameter in ([1.0, 2.0], [[0.5] * 8] * 2, [], 3.0, [1e-7] * 9):
        case(parameter, grad=True, parameter=True)
        case(parameter, "float64", grad=True, parameter=True, device=True)
        case(parameter, parameter=True)
    for default in FLOATS[1:]:
        case([1.5, 2.0], default=default)
        case([1.5, 2.0], default, default=default)
        case([1j], "complex64", default=default)
    case([1, 2], "int32", device=True)
    case([], "int64", (0, 2), device=True)


def options():
    for setting in ({"precision": 2}, {"precision": 0}, {"precision": 10}, {"linewidth": 20}, {"linewidth": 1},
                    {"linewidth": 200}, {"sci_mode": True}, {"sci_mode": False}, {"edgeitems": 1},
                    {"edgeitems": 0}, {"threshold": 3}, {"threshold": 3, "edgeitems": 1},
                    {"threshold": 3, "edgeitems": 0}, {"threshold": 0, "edgeitems": 2, "linewidth": 30},
                    {"precision": 2, "edgeitems": 2}, {"threshold": 10**9}):
        case([0.0, 1.0, 22.0, 333.0, 4444.0], options=setting)
        case([0.125, 1e-6, 22.0, float("nan")], options=setting, grad=True)
        case([[1.25, 2.5, -3.75, 4.0]] * 3, "float64", options=setting, grad=torch.clone)
        case([[[1, 2, 3]] * 4] * 5, "int32", options=setting)
        case([], shape=(0, 2), options=setting)
        case(0.5, options=setting)
        case([1 + 2j, 0.5j, 30, 4, 5], "complex64", options=setting)
        case([True, False] * 4, "bool", options=setting)


def random_value(rng, scale):
    kind = rng.random()
    if kind < 0.04:
        return rng.choice([0.0, -0.0, float("inf"), float("-inf"), float("nan")])
    value = rng.uniform(-1, 1) * 10.0 ** rng.uniform(scale - rng.choice([0, 1, 3]), scale)
    return float(round(value)) if kind < 0.2 else round(value, 4) if kind < 0.4 else value


def randoms(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        shape = [rng.randint(1, rng.choice([2, 4, 12])) for _ in range(rng.randint(0, 4))]
        numel = torch.Size(shape).numel()
        scale, whole = rng.uniform(-6, 9), rng.random() < 0.2
        values = [random_value(rng, scale) for _ in range(numel)]
        if whole:
            values = [float(round(v)) if v == v and abs(v) < 1e30 else v for v in values]
        setting = {}
        if numel > 60 or rng.random() < 0.3:
            setting = {"threshold": rng.randint(0, 30), "edgeitems": rng.randint(0, 4)}
        if rng.random() < 0.2:
            setting["linewidth"] = rng.randint(5, 120)
        if rng.random() < 0.2:
            setting["precision"] = rng.randint(0, 8)
        if rng.random() < 0.1:
            setting["sci_mode"] = rng.random() < 0.5
        grad = rng.choice([None, True, torch.clone])
        case(values, rng.choice(FLOATS), shape, grad, setting, rng.choice(["float32", "float64"]),
             rng.random() < 0.2, rng.random() < 0.2)


def python_values(floats, seed):
    """A line a float: its bits and its repr; then a line a string: its code points and its repr."""
    rng = random.Random(seed)
    values = [0.0, -0.0, 1.0, -1.0, 0.1, 1e-4, 9.999999999999999e-5, 1e-5, 1e15, 1e16, 9999999999999998.0, 1.5e16,
              123456789012345680.0, 1e22, 1e23, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e-308,
              0.3, 2 / 3, 1e100, -1e-7, 9007199254740993.0, float("inf"), float("-inf"), 1e-3, 0.001234, 100.0]
    values += [2.0**e for e in range(-60, 60)] + [2.0**-1074, 2.0**-1021, 2.0**1000]
    values += [struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))[0] for _ in range(floats)]
    values += [rng.uniform(-1, 1) * 10.0 ** rng.randint(-8, 20) for _ in range(floats)]
    strings = ["", "mean", "it's", 'say "x"', "both ' and \"", "a\\b", "line\nend\r\t", "\0\x1f\x7f\x80\xa0\xad",
               "é ß 中 🙂", "\u200b\u2028\u3000\ufeff", "\ue000\U000f0000\U000e0041", "e\u0301"]
    lines = [f"float {struct.unpack('Q', struct.pack('d', v))[0]:016x} {v!r}" for v in values]
    lines += [f"str {','.join(f'{ord(c):x}' for c in s)} {s!r}" for s in strings]
    (HERE / "python.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    floats(), exact(), complexes(), shapes(), suffixes(), options(), randoms(count, seed)
    (HERE / "text.txt").write_text("\n\n".join(blocks) + "\n")
    python_values(2 * count, seed)
    print(len(blocks), "cases")
