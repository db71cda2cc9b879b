"""Writes python.safetensors, the file that tests/safetensors.rs reads and writes again."""

from pathlib import Path

import torch
from safetensors.torch import save_file

torch.manual_seed(0)
DTYPES = ["bool", "uint8", "int8", "float8_e5m2", "float8_e4m3fn", "float8_e8m0fnu", "float8_e4m3fnuz",
          "float8_e5m2fnuz", "int16", "uint16", "float16", "bfloat16", "int32", "uint32", "float32", "complex64",
          "float64", "int64", "uint64"]
tensors = {f"t.{d}": torch.randint(0, 2, (2, 3)).to(getattr(torch, d)) for d in DTYPES}
tensors |= {
    "scalar": torch.tensor(1.5), "empty": torch.zeros(0, 4), "B": torch.ones(1), "a": torch.ones(2),
    "": torch.ones(3), "größe \"q\"\n\\": torch.ones(1, dtype=torch.int64), "empty wide": torch.zeros(0, dtype=torch.float64),
    "odd": torch.ones(3, dtype=torch.uint8),
}
save_file(tensors, Path(__file__).parent / "python.safetensors", metadata={"format": "pt \u00e9 \"\\"})
