"""Writes layouts.txt, the strides that tests/layouts.rs expects, with the PyTorch installed.

    python layouts.py [number of random cases [seed]]

A line is `operation operand.. = strides`; an operand is `shape/strides`, `i:` before it makes it an int32 one.
"""

import random
import sys
from pathlib import Path

import torch

OPERATIONS = {
    "neg": lambda x: x.neg(),
    "exp": lambda x: x.exp(),
    "add_number": lambda x: x + 2,
    "number_sub": lambda x: 2 - x,
    "clamp": lambda x: x.clamp(0, 5),
    "to_f64": lambda x: x.to(torch.float64),
    "copy": lambda x: x.clone(),
    "zeros_like": lambda x: torch.zeros_like(x),
    "add": lambda x, y: x + y,
    "lt": lambda x, y: x < y,
    "masked_fill": lambda x, y: x.masked_fill(y > 0, 1.0),
    "where": lambda x, y, z: torch.where(x > 0, y, z),
    "addcmul": lambda x, y, z: x.addcmul(y, z),
}
# What people meet: rows and columns, images with their channels last, biases, slices, single channels and pixels.
CHOSEN = [
    "neg 2,3/1,2", "neg 2,3,4/12,1,3", "neg 2,3,4,5/60,1,15,3", "neg 2,3,4,5,6/360,1,90,18,3", "neg 2,3/6,2", "neg 3,2/2,6",
    "neg 2,3/0,1", "neg 2,3/1,0", "neg 2,3/0,0", "neg /", "neg 5/2", "neg 2,1,4,5/20,1,5,1", "neg 2,3,1,1/3,1,3,3", "neg 0,3/1,5",
    "neg 3,0/1,3", "neg 1,3/1,1", "neg 3,1/1,7", "neg 3,1,2/2,9,1", "exp i:2,3/1,2", "exp i:2,3/1,0",
    "add_number 2,3/1,2", "add_number 2,1,4,5/20,1,5,1", "add_number 2,1,4,5/20,20,5,1", "add_number 2,3,1,1/3,1,3,3",
    "add_number 0,1/1,1", "number_sub 2,3,4/1,2,6", "clamp 2,3,4,5/60,1,15,3", "to_f64 2,3/1,2", "to_f64 3,2/2,6",
    "copy 2,3/0,1", "copy 3,1,2/2,9,1", "copy 2,3,4/24,8,2", "zeros_like 2,3,4,5/60,1,15,3", "zeros_like 2,3/1,4",
    "add 2,3/1,2 2,3/1,2", "add 2,3/1,2 2,3/3,1", "add 2,3/3,1 2,3/1,2", "add 2,3/1,2 3/1", "add 3/1 2,3/1,2", "add 2,3/1,2 2,1/1,1",
    "add 2,3,4,5/60,1,15,3 3,1,1/1,1,1", "add 3,1,1/1,1,1 2,3,4,5/60,1,15,3", "add 2,3,4,5/60,1,15,3 2,3,4,5/60,20,5,1",
    "add 2,3,4,5/60,20,5,1 2,3,4,5/60,1,15,3", "add 2,1,4,5/20,20,5,1 2,3,4,5/60,1,15,3", "add 2,3,4,5/0,0,0,0 2,3,4,5/60,1,15,3",
    "add 2,3/6,1 2,3/1,2", "add 3,1/1,1 3,1/2,5", "add 2,1,4,5/20,1,5,1 2,1,4,5/20,1,5,1", "add 3,1/1,1 1,4/4,1",
    "add 4,1/1,4 1,3/1,1", "add i:2,3/1,2 2,3/3,1", "add i:2,3/1,0 2,3/1,2", "add 2,3/3,1 i:2,3/1,2", "add / 2,3/1,2", "add 0,3/3,1 0,3/1,0",
    "lt 2,3/1,2 2,3/1,2", "lt 3/1 2,3/1,2", "masked_fill 2,3/1,2 2,3/1,2", "where 2,3/1,2 2,3/3,1 2,3/3,1",
    "where 2,1/1,1 2,3/1,2 3/1", "where 2,3/3,1 / 2,3/1,2", "addcmul 2,3/1,2 2,3/3,1 2,3/3,1", "addcmul / 2,3/1,2 3/1",
]


def made(operand):
    dtype = torch.int32 if operand.startswith("i:") else torch.float32
    shape, strides = ([int(n) for n in part.split(",") if n] for part in operand.removeprefix("i:").split("/"))
    reach = sum((n - 1) * s for n, s in zip(shape, strides) if n) + 1
    return (torch.arange(reach) % 7 - 3).to(dtype).as_strided(shape, strides)


def random_operand(shape, rng):
    """Dimensions in any order, some of them of size 1, stretched, with gaps, or missing in front."""
    shape = [1 if rng.random() < 0.15 else n for n in shape]
    shape = shape[rng.randrange(len(shape) + 1):] if rng.random() < 0.2 else shape
    strides, step = [0] * len(shape), 1
    for d in rng.sample(range(len(shape)), len(shape)) if rng.random() < 0.6 else reversed(range(len(shape))):
        strides[d] = 0 if rng.random() < 0.1 else step
        step *= shape[d] + (rng.random() < 0.1)
    return ("i:" if rng.random() < 0.1 else "") + ",".join(map(str, shape)) + "/" + ",".join(map(str, strides))


def random_case(rng):
    name, operation = rng.choice(list(OPERATIONS.items()))
    shape = [rng.choice([1, 2, 3, 4] if rng.random() < 0.9 else [0, 1, 2]) for _ in range(rng.randint(2, 5))]
    return " ".join([name] + [random_operand(shape, rng) for _ in range(operation.__code__.co_argcount)])


def main():
    count, seed = [int(n) for n in sys.argv[1:]] + [120, 0][len(sys.argv) - 1:]
    rng = random.Random(seed)
    lines = []
    for case in CHOSEN + [random_case(rng) for _ in range(count)]:
        name, *operands = case.split(" ")
        try:
            result = OPERATIONS[name](*map(made, operands))
        except RuntimeError:
            continue  # Shapes that do not broadcast.
        lines.append(f"{case} = {','.join(map(str, result.stride()))}\n")
    Path(__file__).with_name("layouts.txt").write_text("".join(lines))


main()
