#!/usr/bin/env python3
"""Times Firebrick and PyTorch in turn on the same workloads and prints one table.

    python3 bench/compare.py --python PYTHON [--workloads a,b|all] [--threads 2] [--secs 2] [--rounds 3]

PYTHON is an interpreter with torch and safetensors. Firebrick is built first, in the release profile. Times are medians over the rounds of
each program's own median; the ratio is Firebrick's time over PyTorch's, so less than 1 is faster. Run it on an
otherwise idle machine.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--workloads", default="all")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--secs", default="2")
    parser.add_argument("--rounds", type=int, default=3)
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
    counts = {f"{name}_NUM_THREADS": threads for name in ("OMP", "MKL")}
    return {**os.environ, **counts, "OMP_PROC_BIND": "close", "OMP_PLACES": cores}


def run(command, args, workload):
    """One workload in a process of its own; its row, or None with the reason on stderr."""
    words = [*command, "--workloads", workload, "--threads", args.threads, "--secs", args.secs]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(args.threads))
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not rows or "error" in rows[-1]:
        print(f"{' '.join(words)}: {rows[-1]['error'] if rows else done.stderr.strip()}", file=sys.stderr)
        return None
    return rows[-1]


def median(rows, field):
    return statistics.median(row[field] for row in rows) if rows and field in rows[0] else None


def line(workload, ours, theirs):
    """A row of the table."""
    if median(ours, "difference_mb") is not None or median(theirs, "difference_mb") is not None:
        texts = ["-" if not rows else f"{median(rows, 'difference_mb'):+.1f} MB" for rows in (ours, theirs)]
        ratio = "growth from step 1,000 to 10,000"
    else:
        a, b = median(ours, "median_ms"), median(theirs, "median_ms")
        texts = ["-" if value is None else f"{value:.4g}" for value in (a, b)]
        ratio = "-" if a is None or b is None else f"{a / b:.2f}x"
    peaks = [median(rows, "peak_rss_mb") for rows in (ours, theirs)]
    peaks = ["-" if peak is None else f"{peak:.0f}" for peak in peaks]
    return f"| {workload} | {texts[0]} | {texts[1]} | {ratio} | {peaks[0]} | {peaks[1]} |"


def main():
    args = arguments()
    firebrick, pytorch = [build()], [args.python, str(HERE / "pytorch.py")]
    names = args.workloads.split(",")
    if names == ["all"]:
        names = subprocess.run([*firebrick, "--workloads", "list"], check=True, capture_output=True, text=True).stdout.split()
    print("| workload | Firebrick ms | PyTorch ms | ratio | Firebrick peak MB | PyTorch peak MB |\n|---|---|---|---|---|---|")
    for name in names:
        rows = {"firebrick": [], "pytorch": []}
        for _ in range(args.rounds):
            for peer, command in (("firebrick", firebrick), ("pytorch", pytorch)):
                row = run(command, args, name)
                if row:
                    rows[peer].append(row)
        print(line(name, rows["firebrick"], rows["pytorch"]), flush=True)


main()
