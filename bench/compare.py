#!/usr/bin/env python3
"""Times Firebrick and PyTorch in turn on the same workloads and prints one table.

    python3 bench/compare.py --python PYTHON [--workloads a,b|all] [--threads 2] [--secs 2] [--rounds 5]
                             [--peer NAME=COMMAND ...] [--machine GFLOP,READ,MOVED]

PYTHON is an interpreter with torch and safetensors. Firebrick is built first, in the release profile. PyTorch is timed a
second time with channels last where there are convolutions. A further peer is any program that takes the options and
prints the lines of JSON of the two programs here. Each workload runs in a process of its own.

Times are medians over the rounds of each program's own median. A ratio is Firebrick's time over the peer's, so less than 1
is faster. The limit is the time that the arithmetic and the memory traffic of a workload take at the machine's rates, and
none where neither decides. The rates are measured first or given: GFLOP/s of arithmetic, GB/s of memory that is read, GB/s
of memory that is copied, where both sides count. Run it on an otherwise idle machine.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RATES = ("gflop", "read_gb", "moved_gb")
WITH_CONVOLUTIONS = ("lenet", "resnet", "conv")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--workloads", default="all")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--secs", default="2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--machine", metavar="GFLOP,READ,MOVED")
    return parser.parse_args()


def build():
    """Builds the Rust program; returns its path."""
    command = ["cargo", "build", "--release", "-p", "bench", "--message-format", "json"]
    lines = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    messages = (json.loads(line) for line in lines)
    programs = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "bench"]
    return programs[-1]


def environment(threads):
    """PyTorch's threads spin while they wait, which collapses when two of them share a core: pin them."""
    cores = ",".join("{%d}" % core for core in range(int(threads)))
    counts = {f"{name}_NUM_THREADS": threads for name in ("OMP", "MKL", "RAYON")}
    return {**os.environ, **counts, "OMP_PROC_BIND": "close", "OMP_PLACES": cores}


def run(peer, command, args, workload):
    """One workload in a process of its own; its row, or None with the reason on stderr."""
    words = [*command, "--workloads", workload, "--threads", args.threads, "--secs", args.secs, "--peer", peer]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(args.threads))
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not rows or "error" in rows[-1]:
        print(f"{shlex.join(words)}: {rows[-1]['error'] if rows else done.stderr.strip()}", file=sys.stderr)
        return None
    return rows[-1]


def machine(args, firebrick):
    """The machine's rates, a second."""
    if args.machine:
        return dict(zip(RATES, map(float, args.machine.split(",")), strict=True))
    row = run("firebrick", firebrick, args, "machine") or sys.exit("the machine's rates were not measured")
    return {rate: row[rate] for rate in RATES}


def median(rows, field):
    return statistics.median(row[field] for row in rows) if rows and field in rows[0] else None


def rounds(args, peers, workload):
    """The rows of each peer, which take turns."""
    rows = {peer: [] for peer in peers}
    for _ in range(args.rounds):
        for peer, command in peers.items():
            if peer == "pytorch-cl" and not workload.startswith(WITH_CONVOLUTIONS):
                continue
            if row := run(peer, command, args, workload):
                rows[peer].append(row)
    return rows


def limit(rows, rates):
    """Milliseconds that the workload takes at the machine's rates, or None."""
    return 1e3 * sum(rows[0].get(rate, 0.0) / rates[rate] for rate in RATES) or None if rows else None


def text(number, form="{:.4g}"):
    return "-" if number is None else form.format(number)


def cells(rows, rates, ratios):
    """The cells of a line between name and peaks; adds to the ratios of each peer."""
    growths = {peer: median(of, "difference_mb") for peer, of in rows.items()}
    if any(growth is not None for growth in growths.values()):
        # Memory between two steps of training instead of a time.
        return ["-", "-", *(text(growth, "{:+.1f} MB") for growth in growths.values())]
    times = {peer: median(of, "median_ms") for peer, of in rows.items()}
    ours, best = times["firebrick"], limit(rows["firebrick"], rates)
    result = [text(best), text(best and ours and 100 * best / ours, "{:.0f} %")]
    for peer, time in times.items():
        ratio = ours / time if ours and time and peer != "firebrick" else None
        if ratio:
            ratios[peer].append(ratio)
        result.append(text(time) + (f" ({ratio:.2f}x)" if ratio else ""))
    return result


def line(*texts):
    print("| " + " | ".join(texts) + " |", flush=True)


def main():
    args = arguments()
    firebrick, pytorch = [build()], [args.python, str(HERE / "pytorch.py")]
    peers = {"firebrick": firebrick, "pytorch": pytorch, "pytorch-cl": pytorch}
    peers |= {name: shlex.split(command) for name, command in (peer.split("=", 1) for peer in args.peer)}
    names = args.workloads.split(",")
    if names == ["all"]:
        names = subprocess.check_output([*firebrick, "--workloads", "list"], text=True).split()
    rates = machine(args, firebrick)
    print("machine: {gflop:.0f} GFLOP/s, {read_gb:.1f} GB/s read, {moved_gb:.1f} GB/s copied\n".format(**rates))
    line("workload", "limit ms", "of limit", *(f"{peer} ms" for peer in peers), *(f"{peer} peak MB" for peer in peers))
    line(*["---"] * (3 + 2 * len(peers)))
    ratios = {peer: [] for peer in peers}
    for name in names:
        rows = rounds(args, peers, name)
        peaks = (text(median(of, "peak_rss_mb"), "{:.0f}") for of in rows.values())
        line(name, *cells(rows, rates, ratios), *peaks)
    means = (f"{statistics.geometric_mean(values):.2f}x" if values else "-" for values in ratios.values())
    line("geometric mean", "-", "-", *means, *["-"] * len(peers))


main()
