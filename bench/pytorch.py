"""PyTorch's side of `compare.py`: the same workloads, options and JSON lines as the Rust program.

As `--peer pytorch-cl` it keeps images and convolution kernels in channels-last order.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("--workloads", default="all")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--secs", type=float, default=2.0)
parser.add_argument("--peer", default="pytorch")
options = parser.parse_args()

import torch
import torch.nn.functional as F

from models import Gpt, Mlp, ResNet18, lenet

torch.set_num_threads(options.threads)


def arranged(x):
    """A tensor or model in the order of dimensions that was asked for."""
    return x.to(memory_format=torch.channels_last) if options.peer == "pytorch-cl" else x


def resident(key):
    """Megabytes that the system counts for this process."""
    with open("/proc/self/status") as status:
        return next((int(line.split()[1]) / 1024 for line in status if line.startswith(key)), 0.0)


BASE = resident("VmRSS:")
WORKLOADS = {}


def report(name, **fields):
    row = {"peer": options.peer, "workload": name, "threads": options.threads, **fields}
    row |= {"peak_rss_mb": round(resident("VmHWM:"), 1), "base_rss_mb": round(BASE, 1)}
    print(json.dumps(row), flush=True)


def measure(name, work):
    """Prints the median time of `work`. Short work is timed in batches."""
    now = time.perf_counter
    begin, runs = now(), 0
    while runs < 3 or now() - begin < min(0.3, options.secs):
        work()
        runs += 1
    batch = max(1, int(2e-4 / ((now() - begin) / runs)))
    times, begin = [], now()
    while now() - begin < options.secs or len(times) < 5:
        start = now()
        for _ in range(batch):
            work()
        times.append((now() - start) / batch * 1e3)
    report(name, median_ms=round(statistics.median(times), 6), n=len(times) * batch, min_ms=round(min(times), 6))


def workload(run):
    WORKLOADS[run.__name__] = run
    return run


def operation(name, f, *shapes):
    def run(name):
        inputs = [torch.randn(shape) for shape in shapes]
        with torch.no_grad():
            measure(name, lambda: f(*inputs))

    WORKLOADS[name] = run


operation("add_small", torch.add, (16,), (16,))
operation("add", torch.add, (4096, 1024), (4096, 1024))
operation("gelu", F.gelu, (4096, 1024))
operation("softmax", lambda x: F.softmax(x, -1), (4096, 1024))
operation("sum", torch.sum, (4096, 1024))
operation("sum_dim0", lambda x: x.sum(0), (4096, 1024))
operation("matmul_128", torch.matmul, (128, 128), (128, 128))
operation("matmul_512", torch.matmul, (512, 512), (512, 512))
operation("matmul_1024", torch.matmul, (1024, 1024), (1024, 1024))
operation("matmul_2048", torch.matmul, (2048, 2048), (2048, 2048))
operation("bmm_48x128x64x128", torch.bmm, (48, 128, 64), (48, 64, 128))
operation("bmm_1024x16x16x16", torch.bmm, (1024, 16, 16), (1024, 16, 16))


@workload
def layer_norm(name):
    x, weight, bias = torch.randn(4096, 1024), torch.ones(1024), torch.zeros(1024)
    with torch.no_grad():
        measure(name, lambda: F.layer_norm(x, (1024,), weight, bias))


@workload
def add_small_grad(name):
    x, y = torch.randn(16, requires_grad=True), torch.randn(16)
    measure(name, lambda: x + y)


def conv_inputs():
    return arranged(torch.randn(8, 64, 56, 56)), arranged(torch.randn(64, 64, 3, 3) * 0.05)


@workload
def conv_fwd(name):
    x, kernel = conv_inputs()
    with torch.no_grad():
        measure(name, lambda: F.conv2d(x, kernel, padding=1))


@workload
def conv_fwdbwd(name):
    x, kernel = (tensor.requires_grad_() for tensor in conv_inputs())
    g = arranged(torch.randn(8, 64, 56, 56))

    def work():
        x.grad = kernel.grad = None
        (F.conv2d(x, kernel, padding=1) * g).sum().backward()

    measure(name, work)


def step(model, optimizer, x, labels):
    optimizer.zero_grad()
    F.cross_entropy(model(x), labels).backward()
    optimizer.step()


def infer(name, model, x):
    model.eval()
    with torch.no_grad():
        measure(name, lambda: model(x))


def train(name, model, optimizer, x, labels):
    measure(name, lambda: step(model, optimizer, x, labels))


@workload
def mlp1_fwd(name):
    infer(name, Mlp(64, 64, 10), torch.randn(1, 64))


@workload
def mlp_sgd(name):
    model = Mlp(784, 512, 512, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train(name, model, optimizer, torch.randn(128, 784), torch.randint(0, 10, (128,)))


@workload
def mlp_adam(name):
    model = Mlp(784, 512, 512, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(name, model, optimizer, torch.randn(128, 784), torch.randint(0, 10, (128,)))


@workload
def lenet_sgd(name):
    model = arranged(lenet())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train(name, model, optimizer, arranged(torch.randn(64, 1, 28, 28)), torch.randint(0, 10, (64,)))


@workload
def resnet18_infer_b1(name):
    infer(name, arranged(ResNet18()), arranged(torch.randn(1, 3, 32, 32)))


@workload
def resnet18_infer_b32(name):
    infer(name, arranged(ResNet18()), arranged(torch.randn(32, 3, 32, 32)))


@workload
def resnet18_train(name):
    model = arranged(ResNet18())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train(name, model, optimizer, arranged(torch.randn(32, 3, 32, 32)), torch.randint(0, 10, (32,)))


@workload
def gpt_infer(name):
    infer(name, Gpt(), torch.randint(0, 512, (8, 128)))


@workload
def gpt_train(name):
    model = Gpt()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    train(name, model, optimizer, torch.randint(0, 512, (8, 128)), torch.randint(0, 512, (1024,)))


@workload
def memory(name):
    model = Mlp(64, 128, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for count in range(1, 10_001):
        step(model, optimizer, torch.randn(32, 64), torch.randint(0, 10, (32,)))
        if count == 1_000:
            early = resident("VmRSS:")
    late = resident("VmRSS:")
    report(name, step_1000_mb=round(early, 3), step_10000_mb=round(late, 3), difference_mb=round(late - early, 3))


def state():
    return {f"layer{i}.weight": torch.full((1000, 1000), float(i)) for i in range(125)}


def temporary(suffix):
    return os.path.join(tempfile.gettempdir(), f"pytorch-bench-{os.getpid()}.{suffix}")


def touch(tensors):
    """Reads a number of each page: a mapped file is read no sooner."""
    for tensor in tensors.values():
        tensor.view(-1)[::1024].sum()


@workload
def ckpt_save(name):
    tensors, path = state(), temporary("pt")
    try:
        measure(name, lambda: torch.save(tensors, path))
    finally:
        os.remove(path)


@workload
def ckpt_load(name):
    path = temporary("pt")
    torch.save(state(), path)
    try:
        measure(name, lambda: touch(torch.load(path)))
    finally:
        os.remove(path)


@workload
def ckpt_save_st(name):
    from safetensors.torch import save_file

    tensors, path = state(), temporary("safetensors")
    try:
        measure(name, lambda: save_file(tensors, path))
    finally:
        os.remove(path)


@workload
def ckpt_load_st(name):
    from safetensors.torch import load_file, save_file

    path = temporary("safetensors")
    save_file(state(), path)

    try:
        measure(name, lambda: touch(load_file(path)))
    finally:
        os.remove(path)


def main():
    names = list(WORKLOADS) if options.workloads == "all" else options.workloads.split(",")
    if names == ["list"]:
        print("\n".join(WORKLOADS))
        return
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        sys.exit(f"no workload is called {unknown[0]!r}; --workloads list prints them")
    for name in names:
        torch.manual_seed(0)
        WORKLOADS[name](name)


main()
