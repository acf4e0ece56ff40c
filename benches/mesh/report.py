"""Writes the section of COMPARE.md on end to end from a measurement.

    python report.py target/bench/mesh.json COMPARE.md

What stands between the markers `<!-- mesh -->` and `<!-- /mesh -->` is replaced.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))
from report import markdown, number, write_section  # noqa: E402

WORKER = "**streaming-tda-worker**"
NONE = "–"


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


def latency(who, what, paced):
    figures = paced["latency_ms"]
    return [
        who,
        what,
        f"{paced['points_per_second']:,.0f}",
        *(f"{figures[p]:.1f}" if paced["valid"] else NONE for p in ("p50", "p95", "p99", "max")),
        f"{paced['cores']:.2f}",
        found(paced["audit"]),
    ]


def latencies(worker, peers):
    for name, paced in guarantees(worker["latency"]):
        yield latency(WORKER, name, paced)
    python = peers["python"]
    if python["latency"]:
        yield latency(f"Python, {python['library']['torus']}", "at least once", python["latency"])
    for setting, figures in peers["kafka_streams"]["latency"].items():
        for name, paced in guarantees(figures):
            yield latency("Kafka Streams, no engine", f"{name}, {setting.replace('_', ' ')}", paced)


def scaling(costs):
    one = costs["1"]
    for workers, seconds in costs.items():
        yield [workers, number(seconds), f"{100 * (seconds / one - 1):+.0f} %"]


def recoveries(worker):
    for name, recovered in guarantees(worker["recovery"]):
        audit = recovered["audit"]
        again = f"{audit['duplicated']}, {audit['contradicted']} of them with other bytes"
        yield [name, f"{recovered['seconds']:.1f}", audit["lost"], again, audit["reordered"]]


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
    worker, peers = measurement["worker"], measurement["peers"]
    yield machine(measurement["machine"])
    yield "\n### How it is measured\n"
    yield from (f"- {sentence}" for sentence in measurement["method"])
    yield "\n### Rate of one core\n"
    head = ["who", "what", "points per CPU second", "points per second", "CPU seconds per million points", "MB", "lost / again / reordered"]
    yield from markdown(head, rates(worker, peers))
    yield "\n### Latency, ms\n"
    head = ["who", "what", "points per second", "P50", "P95", "P99", "max", "cores", "lost / again / reordered"]
    yield from markdown(head, latencies(worker, peers))
    yield "\n### CPU time by number of workers, torus\n"
    head = ["workers", "CPU seconds per million points", "against one"]
    yield from markdown(head, scaling(measurement["cpu_seconds_per_million_points"]))
    yield "\n### After a worker of two was killed\n"
    head = ["guarantee", "seconds until its partitions are served", "lost", "came again", "reordered"]
    yield from markdown(head, recoveries(worker))


if __name__ == "__main__":
    write_section("mesh", report)
