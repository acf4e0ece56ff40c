"""Writes the tables of COMPARE.md from a measurement.

    python report.py target/bench/engine.json COMPARE.md

What stands between the markers `<!-- engine -->` and `<!-- /engine -->` is replaced.
"""

import json
import re
import sys
from pathlib import Path

OURS = "streaming-tda"


def number(x):
    return f"{x:.0f}" if x >= 100 else f"{x:.2g}" if x < 0.1 else f"{x:.3g}"


def markdown(head, lines):
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    yield from (f"| {' | '.join(map(str, line))} |" for line in lines)


def cells(rows):
    """The rows of each cell, by engine."""
    found = {}
    for row in rows:
        key = (row["workload"], row["window"], row["hop"], row["degree"])
        found.setdefault(key, {})[row["engine"]] = row
    return list(found.values())


def cost(cell):
    ours = cell[OURS]
    return [
        ours["workload"],
        f"R{'⁰¹²³⁴⁵⁶⁷⁸⁹'[ours['dimension']]}",
        ours["window"],
        ours["hop"],
        f"{ours['degree']:.0f}",
        f"**{number(ours['cpu_ms_per_emission'])}**",
        f"{ours['fastest_peer']} {number(cell[ours['fastest_peer']]['cpu_ms_per_emission'])}",
        f"**{number(ours['ratio_to_fastest_peer'])}×**",
        f"{number(ours['ratio_to_ripser'])}×",
        f"{ours['points_per_cpu_second']:,.0f}",
    ]


def best(cell, library, field):
    found = [row[field] for engine, row in cell.items() if engine.split()[0] == library]
    return number(min(found)) if found else "–"


def megabytes(cell, library):
    found = [row["peak_bytes"] for engine, row in cell.items() if engine.split()[0] == library]
    return f"{min(found) / 1e6:.1f}" if found else "–"


def report(measurement):
    about, found = measurement["machine"], cells(measurement["rows"])
    libraries = [OURS, *about["versions"]]
    name = lambda cell: [cell[OURS]["workload"], cell[OURS]["window"], cell[OURS]["hop"]]
    versions = ", ".join(f"{library} {v}" for library, v in about["versions"].items())
    yield (
        f"Measured on {about['date']}: {about['processor']}, {about['cores']} cores,"
        f" {about['memory_bytes'] / 2**30:.0f} GB, {about['system']}, Python {about['python']},"
        f" {about['rustc']}; load {about['load_before']:.1f} before and {about['load_after']:.1f} after."
        f" {versions}."
    )
    differing = measurement["differing"]
    agreed = f"In these windows, other numbers of bars were found by {'; '.join(differing)}."
    yield "\n" + (agreed if differing else "All libraries found the same number of bars in every window.")
    yield "\n### CPU time of an emission, ms\n"
    head = ["workload", "space", "W", "hop", "mean degree", "ours", "fastest peer", "ratio", "ratio to ripser", "points per CPU second"]
    yield from markdown(head, map(cost, found))
    yield "\n### The same by library, ms (the faster of its two inputs: points, or the neighbour graph)\n"
    head = ["workload", "W", "hop", *libraries]
    yield from markdown(head, (name(c) + [best(c, l, "cpu_ms_per_emission") for l in libraries] for c in found))
    yield "\n### Peak memory, MB\n"
    yield from markdown(head, (name(c) + [megabytes(c, l) for l in libraries] for c in found))


def write_section(name, report):
    """Replaces what stands between the markers of `name` in a document by the report of a measurement."""
    measurement, document = map(Path, sys.argv[1:])
    text = "\n".join(report(json.loads(measurement.read_text())))
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(f"({begin}\n).*?({end})", re.DOTALL)
    if not pattern.search(document.read_text()):
        sys.exit(f"{document} has no markers {begin} and {end}")
    document.write_text(pattern.sub(lambda m: f"{m[1]}{text}\n{m[2]}", document.read_text()))


if __name__ == "__main__":
    write_section("engine", report)
