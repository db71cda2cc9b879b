"""Writes the files in numpy/, which tests/numpy.rs reads and, where that is possible, writes again."""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "numpy"
FOLDER.mkdir(exist_ok=True)

x = np.arange(6).reshape(2, 3)
ARRAYS = {
    **{name: x.astype(name) for name in ["?", "u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16"]},
    "scalar": np.float32(1.5),
    "empty": np.zeros((0, 3)),
    "vector": np.arange(5.0),
    "fortran": x.astype("f4").T,
    "three": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    "column": np.ones((1, 5)).T,
    "big_f8": x.astype(">f8"),
    "big_c8": (x + 1j).astype(">c8").T,
    "u2": x.astype("u2"),
    "object": np.array([None, 1], dtype=object),
    "record": np.zeros(2, dtype=[("größe", "f4"), ("b", "i4")]),
    "text": np.array(["ab"]),
}
for name, array in ARRAYS.items():
    np.save(FOLDER / f"{name.replace('?', 'b1')}.npy", array)
with open(FOLDER / "version_2.npy", "wb") as file:
    np.lib.format.write_array(file, x.astype("f4"), version=(2, 0))
with open(FOLDER / "version_3.npy", "wb") as file:
    np.lib.format.write_array(file, x.astype("f4"), version=(3, 0))
named = {"weight": x.astype("f4"), "layer/bias": x.astype("i8").T, "scalar": np.bool_(True)}
np.savez(FOLDER / "stored.npz", **named)
np.savez_compressed(FOLDER / "packed.npz", **named)
np.savez(FOLDER / "objects.npz", x=x, y=np.array([None]))
