"""The streams that everything is measured on, and the radius of each."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.distance import pdist

ECG = Path(__file__).parents[2] / "worker/src/demo/data/mitbih-208.i16"
ECG_RATE = 360


@dataclass(frozen=True)
class Cell:
    """One stream of float32 points, and how it is looked at."""

    workload: str
    stream: np.ndarray
    window: int
    hop: int
    radius: float

    @property
    def dimension(self):
        return self.stream.shape[1]

    def ends(self):
        """Index of the newest point of each emission."""
        return list(range(self.window - 1, len(self.stream), self.hop))

    def points(self, end):
        return self.stream[end + 1 - self.window : end + 1]

    def degree(self):
        """Mean number of neighbours within the radius, over five windows."""
        ends = self.ends()
        chosen = ends[:: max(1, len(ends) // 4)]
        return sum(self.degree_at(end) for end in chosen) / len(chosen)

    def degree_at(self, end):
        lengths = pdist(self.points(end).astype(float))
        return 2 * np.count_nonzero(lengths <= self.radius) / self.window


def embed(series, copies, delay):
    reach = (copies - 1) * delay
    return np.stack([series[reach - c * delay : len(series) - c * delay] for c in range(copies)], 1)


def circle(n, window, rng):
    """A noisy circle whose centre drifts by 0.1 in each window."""
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = 1 + 0.1 * rng.standard_normal(n)
    drift = 0.1 * np.arange(n) / window
    return np.stack([radius * np.cos(angle) + drift, radius * np.sin(angle)], 1)


def lorenz(n, window, rng):
    """The Lorenz attractor, Runge-Kutta 4, step 0.02, after 500 steps."""

    def slope(v):
        x, y, z = v
        return np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    state, step, points = 1 + 0.1 * rng.standard_normal(3), 0.02, []
    for _ in range(500 + n):
        a = slope(state)
        b = slope(state + step / 2 * a)
        c = slope(state + step / 2 * b)
        d = slope(state + step * c)
        state = state + step / 6 * (a + 2 * b + 2 * c + d)
        points.append(state)
    return np.array(points[500:])


def regime(n, window, rng):
    """A noisy sine embedded with lag 25 whose frequency changes every two windows."""
    t = np.arange(n + 50)
    frequency = np.where(t // (2 * window) % 2 == 0, 0.01, 0.0173)
    series = np.sin(2 * np.pi * np.cumsum(frequency)) + 0.1 * rng.standard_normal(len(t))
    return embed(series, 3, 25)


def torus(n, window, rng):
    """A noisy Clifford torus."""
    a, b = rng.uniform(0, 2 * np.pi, (2, n))
    points = np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b)], 1)
    return points + 0.05 * rng.standard_normal((n, 4))


def clusters(n, window, rng):
    """Eight Gaussian clusters in eight dimensions."""
    centres = rng.uniform(0, 3, (8, 8))
    return centres[rng.integers(0, 8, n)] + 0.3 * rng.standard_normal((n, 8))


SPARSE = {f.__name__: f for f in (circle, lorenz, torus, regime, clusters)}


def sparse_cell(name, window, hop, degree):
    """Three windows' worth of points; the radius gives the middle one that degree."""
    n = 3 * window
    stream = SPARSE[name](n, window, np.random.default_rng(1)).astype(np.float32)
    lengths = pdist(stream[window : 2 * window].astype(float))
    edge = window * degree // 2
    radius = np.partition(lengths, [edge - 1, edge])[edge - 1 : edge + 1].mean()
    return Cell(name, stream, window, hop, float(np.float32(radius)))


def ecg_millivolts():
    return (np.fromfile(ECG, "<i2") - 1024) / 200


def ecg_cell(name, window, change=lambda millivolts: millivolts):
    """Half a minute of the ECG; the radius is 1.5 times its standard deviation."""
    millivolts = ecg_millivolts()[: 30 * ECG_RATE]
    stream = embed(change(millivolts), 3, 8).astype(np.float32)
    return Cell(name, stream, window, window // 8, float(np.float32(1.5 * millivolts.std())))


def quantised(millivolts):
    """What a coarse converter makes of it: steps of 0.1 mV, so that many samples are equal."""
    return np.round(millivolts * 10) / 10


def flat(millivolts):
    """A sensor that stands still."""
    return np.full_like(millivolts, millivolts[0])


def cells(degrees=(50,)):
    for window, hop in ((1000, 10), (10000, 100)):
        for name in SPARSE:
            for degree in degrees:
                yield sparse_cell(name, window, hop, degree)
    for window in (62, 128, 160, 224, 400):
        yield ecg_cell("ecg", window)
    for window in (160, 400):
        yield ecg_cell("ecg, 0.1 mV steps", window, quantised)
        yield ecg_cell("flat", window, flat)
