"""What two values have in common: content, kind, and for tensors dtype, shape, strides and shared memory."""
import math

import torch


def raw(tensor):
    """The bytes of the elements, row by row."""
    tensor = tensor.detach().resolve_conj().resolve_neg().contiguous()
    return bytes(tensor.untyped_storage())[tensor.storage_offset() * tensor.element_size():][:tensor.numel() * tensor.element_size()]


def same_number(a, b):
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


def tensors(value):
    """The dense tensors of a value, in order."""
    if isinstance(value, torch.Tensor):
        if value.layout == torch.strided and not value.is_quantized:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors(item)


def sharing(value):
    """For each tensor, the number of the first that has its storage."""
    first = {}
    return [first.setdefault(t.untyped_storage().data_ptr() if t.untyped_storage().nbytes() else -1, i)
            for i, t in enumerate(tensors(value))]


def difference(a, b, path="value"):
    """Where two values differ, in words; None if they do not."""
    if type(a) is not type(b):
        return f"{path}: {type(a).__name__} is not {type(b).__name__}"
    if isinstance(a, torch.Tensor):
        return tensor_difference(a, b, path)
    if isinstance(a, dict):
        if list(a) != list(b):
            return f"{path}: keys {list(a)} are not {list(b)}"
        here = [(f"{path}[{key!r}]", a[key], b[key]) for key in a]
        here.append((f"{path}._metadata", getattr(a, "_metadata", None), getattr(b, "_metadata", None)))
        return next(filter(None, (difference(x, y, name) for name, x, y in here)), None)
    if isinstance(a, (list, tuple)) and not isinstance(a, torch.Size):
        if len(a) != len(b):
            return f"{path}: {len(a)} items are not {len(b)}"
        return next(filter(None, (difference(x, y, f"{path}[{i}]") for i, (x, y) in enumerate(zip(a, b)))), None)
    return None if same_number(a, b) else f"{path}: {a!r} is not {b!r}"


def tensor_difference(a, b, path):
    facts = lambda t: (t.dtype, t.shape, t.layout, t.requires_grad, t.is_quantized)
    if facts(a) != facts(b):
        return f"{path}: {facts(a)} is not {facts(b)}"
    if a.layout == torch.sparse_coo:
        pair = [(t._indices(), t._values()) for t in (a, b)]
        return difference(*pair, path)
    if a.layout in (torch.sparse_csr, torch.sparse_bsr):
        return difference(*[(t.crow_indices(), t.col_indices(), t.values()) for t in (a, b)], path)
    if a.layout in (torch.sparse_csc, torch.sparse_bsc):
        return difference(*[(t.ccol_indices(), t.row_indices(), t.values()) for t in (a, b)], path)
    if a.is_quantized:
        return None if str(a.qscheme()) == str(b.qscheme()) and torch.equal(a.dequantize(), b.dequantize()) else f"{path}: other quantized numbers"
    if (a.stride(), a.storage_offset()) != (b.stride(), b.storage_offset()):
        return f"{path}: strides {a.stride()} from {a.storage_offset()} are not {b.stride()} from {b.storage_offset()}"
    return None if raw(a) == raw(b) else f"{path}: other numbers"
