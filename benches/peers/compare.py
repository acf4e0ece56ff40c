"""Measures ours and the peers on the same windows, one process each and in turn.

    python compare.py [--out target/bench/engine.json] [--only TEXT] [--degrees 20,50,100]
                      [--rounds N] [--seconds S]

Each round measures every engine once, so that what the machine does meanwhile meets them all; a
figure is the median over rounds of the medians over windows. Prints a table, and checks that
all find the same number of bars in the windows that both have seen.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

import workloads

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OURS = ROOT / "target/release/bench-engine"
PEERS = ["redzed-tda", "tda", "gudhi", "holos-tda", "giotto-ph", "ripser"]
# From points instead of a neighbour graph: worth a try where nearly all pairs are edges, and the
# only way where equal points would be edges of length 0, which sparse matrices leave out.
PEERS_ON_POINTS = ["redzed-tda", "tda", "gudhi", "holos-tda points", "giotto-ph points", "ripser points"]
LARGEST_ON_POINTS = 400
MAX_WINDOWS = 200


def peers_of(cell):
    if cell.window > LARGEST_ON_POINTS:
        return PEERS
    distinct = len(np.unique(cell.stream, axis=0)) == len(cell.stream)
    return list(dict.fromkeys(PEERS_ON_POINTS + (PEERS if distinct else [])))


def measure(engine, cell, stream, seconds):
    options = ["--window", cell.window, "--radius", cell.radius]
    if engine == "streaming-tda":
        command = [OURS, stream, "--hop", cell.hop, *options]
    else:
        ends = cell.ends()[1:]
        chosen = ends[:: -(-len(ends) // MAX_WINDOWS)]
        np.random.default_rng(2).shuffle(chosen)
        ends = ",".join(map(str, chosen))
        command = [sys.executable, HERE / "peer.py", engine, stream, "--ends", ends, "--seconds", seconds, *options]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{engine} on {cell.workload}, W = {cell.window}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def disagreements(measured):
    """The libraries, and the number of windows, in which they count other bars than ours."""
    ours = {end: bars for run in measured["streaming-tda"] for end, bars in run["bars"].items()}
    found = {}
    for engine, runs in measured.items():
        theirs = {end: bars for run in runs for end, bars in run["bars"].items()}
        other = sum(ours[end] != bars for end, bars in theirs.items())
        if other:
            found[engine] = f"{other} of {len(theirs)}"
    return found


def rows(cell, measured):
    median = {e: statistics.median(statistics.median(r["cpu_ms"]) for r in runs) for e, runs in measured.items()}
    mean = {e: statistics.median(statistics.fmean(r["cpu_ms"]) for r in runs) for e, runs in measured.items()}
    fastest = min((e for e in measured if e != "streaming-tda"), key=median.get)
    ripser = min(median[e] for e in measured if e.startswith("ripser"))
    degree = round(cell.degree(), 1)
    for engine, runs in measured.items():
        yield {
            "workload": cell.workload,
            "dimension": cell.dimension,
            "window": cell.window,
            "hop": cell.hop,
            "degree": degree,
            "engine": engine,
            "cpu_ms_per_emission": median[engine],
            "mean_cpu_ms_per_emission": mean[engine],
            "points_per_cpu_second": 1e3 * cell.hop / mean[engine],
            "peak_bytes": max(r["peak_bytes"] for r in runs),
            "fastest_peer": fastest,
            "ratio_to_fastest_peer": median[fastest] / median[engine],
            "ratio_to_ripser": ripser / median[engine],
        }


def machine():
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": date.today().isoformat(),
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": memory,
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "rustc": subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip(),
        "versions": {p: version(p) for p in ("ripser", "gudhi", "redzed-tda", "tda", "holos-tda", "giotto-ph")},
    }


def table(found):
    """One line a cell: ours, and every peer."""
    lines = []
    for row in found:
        if row["engine"] == "streaming-tda":
            cell = f"{row['workload']:18} R^{row['dimension']} W={row['window']:<5} hop={row['hop']:<3} k={row['degree']:<5}"
            lines.append(
                f"{cell} {row['cpu_ms_per_emission']:9.3f} ms  {row['fastest_peer']} {row['ratio_to_fastest_peer']:.1f}x"
                f"  ripser {row['ratio_to_ripser']:.1f}x  {row['points_per_cpu_second']:.0f} points/s"
                f"  {row['peak_bytes'] / 1e6:.1f} MB"
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "target/bench/engine.json")
    parser.add_argument("--only", default="", help="cells whose name this expression matches, such as 'torus 1000$'")
    parser.add_argument("--degrees", type=lambda text: [int(d) for d in text.split(",")], default=[50])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU time of a peer in a round")
    options = parser.parse_args()

    about, found, differing = machine(), [], []
    for cell in workloads.cells(options.degrees):
        if not re.search(options.only, f"{cell.workload} {cell.window}"):
            continue
        engines = ["streaming-tda", *peers_of(cell)]
        with tempfile.TemporaryDirectory() as folder:
            stream = Path(folder) / "stream.npy"
            np.save(stream, np.ascontiguousarray(cell.stream))
            measured = {e: [] for e in engines}
            for _ in range(options.rounds):
                for engine in engines:
                    measured[engine].append(measure(engine, cell, stream, options.seconds))
        found.extend(rows(cell, measured))
        print(table(found[-len(engines) :]), flush=True)
        for engine, windows in disagreements(measured).items():
            differing.append(f"{engine} on {cell.workload}, W = {cell.window}: {windows} windows")
            print(f"  other bars by {differing[-1]}", flush=True)
    about["load_after"] = os.getloadavg()[0]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": about, "rows": found, "differing": differing}, indent=1) + "\n")
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
