"""The worker's job as a Python program: points from one topic, diagrams to another.

    python consumer.py --brokers B --group G --input T --output T --window W --hop H --radius R

One thread. Reads points as JSON, keeps the last W of each key, and at every H points writes their
diagrams, computed from nothing by the fastest exact library for such a window: those below are
timed on the first full window, and the faster one stays. Outputs are acknowledged before offsets
are committed, so that none is lost. Runs until it is killed.
"""

import argparse
import sys
import time
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))
from peer import LIBRARIES  # noqa: E402  (sets the thread pools to one thread first)

import numpy as np  # noqa: E402
import orjson  # noqa: E402
from confluent_kafka import Consumer, Producer  # noqa: E402

CANDIDATES = ["redzed-tda", "tda"]
BATCH = 1000
COMMIT_SECONDS = 1.0


def fastest(points, radius):
    """The candidate that is fastest on these points; the best of three runs counts."""

    def cost(name):
        library, times = LIBRARIES[name](), []
        library(points[:20], radius)  # lazy imports
        for _ in range(3):
            start = time.process_time()
            library(points, radius)
            times.append(time.process_time() - start)
        return min(times)

    name = min(CANDIDATES, key=cost)
    print("library", name, flush=True)
    return LIBRARIES[name]()


class Series:
    """The window of one key."""

    def __init__(self, window, hop):
        self.window, self.hop = window, hop
        self.points, self.seen = deque(maxlen=window), 0

    def push(self, values):
        """The points of the window, if diagrams of it are due."""
        self.points.append(values)
        self.seen += 1
        due = self.seen >= self.window and (self.seen - self.window) % self.hop == 0
        return np.array(self.points, float) if due else None


class Job:
    def __init__(self, options, producer):
        self.options, self.producer = options, producer
        self.series, self.compute = {}, None

    def take(self, message):
        point, options = orjson.loads(message.value()), self.options
        series = self.series.get(message.key())
        if series is None:
            series = self.series[message.key()] = Series(options.window, options.hop)
        points = series.push(point["values"])
        if points is None:
            return
        if self.compute is None:
            self.compute = fastest(points, options.radius)
        diagrams = [np.ascontiguousarray(d, np.float32) for d in self.compute(points, options.radius)]
        value = {"time": point["time"], "end": series.seen - 1, "window": options.window, "diagrams": diagrams}
        self.send(message, orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))

    def send(self, message, value):
        while True:
            try:
                self.producer.produce(self.options.output, value, message.key(), message.partition())
                break
            except BufferError:
                self.producer.poll(0.01)
        self.producer.poll(0)


def ready(consumer):
    """What has come: `consume` with a timeout would wait for a whole batch until it is over."""
    first = consumer.poll(0.02)
    return [] if first is None else [first, *consumer.consume(BATCH - 1, timeout=0)]


def run(options):
    consumer = Consumer(
        {
            "bootstrap.servers": options.brokers,
            "group.id": options.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 100,
            # It computes long between two polls.
            "max.poll.interval.ms": 600000,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": options.brokers,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 1,
            "compression.type": "lz4",
            "message.max.bytes": 16777216,
        }
    )
    consumer.subscribe([options.input])
    job, committed = Job(options, producer), time.monotonic()
    while True:
        for message in ready(consumer):
            if message.error():
                raise SystemExit(f"cannot read {options.input}: {message.error()}")
            job.take(message)
        if time.monotonic() - committed > COMMIT_SECONDS and job.series:
            if producer.flush(30) > 0:
                raise SystemExit("outputs are not acknowledged")
            consumer.commit(asynchronous=True)
            committed = time.monotonic()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("brokers", "group", "input", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--window", type=int, required=True)
    parser.add_argument("--hop", type=int, required=True)
    parser.add_argument("--radius", type=float, required=True)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
