"""Writes the section of COMPARE.md on end to end from a measurement.

    python report.py target/bench/mesh.json COMPARE.md

What stands between the markers `<!-- mesh -->` and `<!-- /mesh -->` is replaced. A measurement in
which something is missing or wrong is refused: a table must not hide what was not measured.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))
from report import markdown, number, write_section  # noqa: E402

WORKER = "**streaming-tda-worker**"
NONE = "–"
GUARANTEES = ["at_least_once", "exactly_once"]
WORKLOADS = ["circle", "regime", "torus"]
VARIANTS = ["exactly once", "uncompressed", "with features and scores"]
SETTINGS = ["as_it_comes", "hastened"]
# The strongest guarantee that keeps 95 % of the results within this, at this rate, is to be the default.
GOAL_MS = 20
GOAL_RATE = 10_000
# What has to be there: the place in the measurement, and the rows.
EXPECTED = [
    (("worker", "rate"), WORKLOADS),
    (("worker", "rate_of_variants"), VARIANTS),
    (("worker", "scaling"), ["1", "2", "4"]),
    (("worker", "engine_alone"), ["1", "2", "4"]),
    (("worker", "latency"), GUARANTEES),
    (("worker", "latency_of_more"), GUARANTEES),
    (("worker", "recovery"), GUARANTEES),
    (("cpu_seconds_per_million_points",), ["1", "2", "4"]),
    (("peers", "python", "rate"), WORKLOADS),
    (("peers", "python", "latency"), ["at_least_once"]),
    (("peers", "kafka_streams", "rate"), GUARANTEES),
    *((("peers", "kafka_streams", "latency", setting), GUARANTEES) for setting in SETTINGS),
]


def rows(measurement, place):
    for name in place:
        measurement = measurement.get(name) or {}
    return measurement


def missing(measurement):
    for place, names in EXPECTED:
        found = rows(measurement, place)
        yield from (".".join([*place, name]) for name in names if not found.get(name))


def invalid(measurement):
    """Runs of the worker that mean nothing. A latency that means nothing is shown as such."""
    worker = measurement["worker"]
    yield from (f"worker.recovery.{name}" for name, run in worker["recovery"].items() if not run["valid"])
    for workers, runs in worker["scaling"].items():
        yield from (f"worker.scaling.{workers}" for run in runs if not run["valid"])


def check(measurement):
    if absent := list(missing(measurement)):
        sys.exit(f"the measurement lacks {', '.join(absent)}: measure again")
    if useless := list(invalid(measurement)):
        sys.exit(f"the measurement means nothing in {', '.join(useless)}: measure on a quieter machine")
    rates = {name: run["points_per_second"] for name, run in measurement["worker"]["latency"].items()}
    if any(rate != GOAL_RATE for rate in rates.values()):
        sys.exit(f"latency was measured at {rates}, not at {GOAL_RATE:,} points a second: measure again")
    if faults := measurement["faults"]:
        sys.exit("the measurement found faults:\n" + "\n".join(faults))


def guarantees(figures):
    """Name and figure of each guarantee."""
    return [(name.replace("_", " "), figure) for name, figure in figures.items()]


def found(audit):
    return f"{audit['lost']} / {audit['duplicated']} / {audit['reordered']}"


def rate(who, what, drained):
    return [
        who,
        what,
        f"{drained['points_per_cpu_second']:,.0f}",
        f"{drained['points_per_second']:,.0f}",
        f"{1e6 / drained['points_per_cpu_second']:,.1f}",
        f"{drained['resident_bytes'] / 1e6:,.0f}",
        found(drained["audit"]),
    ]


def rates(worker, peers):
    python, streams = peers["python"], peers["kafka_streams"]
    for name, drained in worker["rate"].items():
        yield rate(WORKER, name, drained)
    for variant, drained in worker["rate_of_variants"].items():
        yield rate(WORKER, f"torus, {variant}", drained)
    for name, drained in python["rate"].items():
        yield rate(f"Python, {python['library'][name]}", name, drained)
    for name, drained in guarantees(streams["rate"]):
        yield rate("Kafka Streams, no engine", name, drained)


def milliseconds(paced, figures):
    return [f"{figures[p]:.1f}" if paced["valid"] else NONE for p in ("p50", "p95", "p99")]


def latency(who, what, paced):
    return [
        who,
        what,
        f"{paced['points_per_second']:,.0f}",
        *milliseconds(paced, paced["latency_ms"]),
        *milliseconds(paced, paced["from_append_ms"]),
        f"{paced['cores']:.2f}",
        found(paced["audit"]),
    ]


def latencies(worker, peers):
    for name, paced in guarantees(worker["latency"]):
        yield latency(WORKER, name, paced)
    for name, paced in guarantees(worker["latency_of_more"]):
        yield latency(WORKER, f"{name}, {paced['partitions']} partitions", paced)
    python = peers["python"]
    for name, paced in guarantees(python["latency"]):
        yield latency(f"Python, {python['library']['torus']}", name, paced)
    for setting, figures in peers["kafka_streams"]["latency"].items():
        for name, paced in guarantees(figures):
            yield latency("Kafka Streams, no engine", f"{name}, {setting.replace('_', ' ')}", paced)


def footnote(lines):
    """Why there are figures missing, if there are."""
    if any(NONE in line for line in lines):
        yield (
            f"\n{NONE}: both cores were busy, and the generator was late by more than a tenth of"
            f" {GOAL_MS} ms (P99): the figure would be the machine's."
        )


def default(runs):
    """Which guarantee the rule makes the default, by these runs."""
    figures = {name: run["latency_ms"]["p95"] if run["valid"] else None for name, run in runs.items()}
    kept = [name for name in GUARANTEES if (figures[name] or GOAL_MS) < GOAL_MS]
    words = {name: f"{p95:.1f} ms" if p95 else "not to be had on this machine" for name, p95 in figures.items()}
    told = " and ".join(f"{words[name]} with {name.replace('_', ' ')}" for name in GUARANTEES)
    gives = f"{kept[-1].replace('_', ' ')} is to be the default" if kept else "neither can be the default"
    return (
        f"\nThe strongest guarantee that keeps P95 under {GOAL_MS} ms at {GOAL_RATE:,} points a second is to be the"
        f" default; it was {told}: {gives}."
    )


def scaling(costs, alone):
    alone = {processes: sum(runs) / len(runs) for processes, runs in alone.items()}
    for workers in costs:
        yield [workers, *against_one(costs, workers), *against_one(alone, workers)]


def against_one(costs, workers):
    return number(costs[workers]), f"{100 * (costs[workers] / costs['1'] - 1):+.0f} %"


def recoveries(worker):
    for name, recovered in guarantees(worker["recovery"]):
        audit = recovered["audit"]
        again = f"{audit['duplicated']}, {audit['contradicted']} of them with other bytes"
        paused = recovered["paused_partitions"]
        yield [name, f"{recovered['seconds']:.1f}", paused, audit["lost"], again, audit["reordered"]]


def machine(about):
    python = about["python"]
    packages = ", ".join(f"{name} {version}" for name, version in python["versions"].items())
    return (
        f"Measured on {about['date']}: {about['processor']}, {about['cores']} cores,"
        f" {about['memory_bytes'] / 2**30:.0f} GB, {about['system']}, Linux {about['kernel']};"
        f" load {about['load_before']:.1f} before and {about['load_after']:.1f} after."
        f" Apache Kafka and Kafka Streams {about['kafka']}, {about['java']}, {about['rustc']},"
        f" Python {python['python']} with {packages}."
    )


def report(measurement):
    check(measurement)
    worker, peers = measurement["worker"], measurement["peers"]
    yield machine(measurement["machine"])
    yield "\n### How it is measured\n"
    yield from (f"- {sentence}" for sentence in measurement["method"])
    yield "\n### Rate of one core\n"
    head = ["who", "what", "points per CPU second", "points per second", "CPU seconds per million points", "MB", "lost / again / reordered"]
    yield from markdown(head, rates(worker, peers))
    yield "\n### Latency, ms\n"
    append = [f"{p} from append" for p in ("P50", "P95", "P99")]
    head = ["who", "what", "points per second", "P50", "P95", "P99", *append, "cores", "lost / again / reordered"]
    lines = list(latencies(worker, peers))
    yield from markdown(head, lines)
    yield from footnote(lines)
    yield default(worker["latency"])
    yield "\n### CPU time by number of workers, torus\n"
    head = ["processes", "CPU seconds per million points", "against one", "of the engine alone", "against one"]
    costs = measurement["cpu_seconds_per_million_points"]
    yield from markdown(head, scaling(costs, worker["engine_alone"]))
    yield "\n### After a worker of two was killed\n"
    head = ["guarantee", "seconds until its partitions are served", "partitions that paused", "lost", "came again", "reordered"]
    yield from markdown(head, recoveries(worker))


if __name__ == "__main__":
    write_section("mesh", report)
