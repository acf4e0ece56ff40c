"""The methods compared. Each gives a score for each emission; all are causal.

The emissions are those of the detector: a score belongs to the newest sample of its
window. Every score but that of single values is turned into a robust z-score by the rule
that the detector uses, over the same memory, delayed by one window.
"""

import json
import subprocess
import time
import warnings
from dataclasses import dataclass

import numpy as np

from series import BINARY, SCRATCH, Series

MEMORY = 600
WARM_UP = 200
FALLBACK_WINDOW = 96
# A matrix profile of more samples takes too long on a small machine.
MATRIX_PROFILE_LIMIT = 250_000


@dataclass
class Scores:
    method: str
    # The newest sample of each emission, and its score.
    ends: np.ndarray
    values: np.ndarray
    seconds: float


@dataclass
class Emissions:
    """Where the detector emits, and what it looked at there."""

    ends: np.ndarray
    window: int
    hop: int
    # Samples between two that are kept, and the offset of the first.
    kept: int

    @property
    def delay(self) -> int:
        return -(-self.window // self.hop)


def topology(series: Series) -> tuple[Emissions, list[Scores]]:
    """The detector with its defaults, its channels, and the largest loop alone."""
    default, view = run(series, "rms")
    loop, _ = run(series, "max")
    ends = np.array([row["sample"] for row in default["rows"]])
    emissions = Emissions(ends, view["window"], view["hop"], series.setting.get("decimate", 1))

    def of(rows: list[dict], key: str) -> np.ndarray:
        return np.array([row["score"][key] if row["score"] else 0.0 for row in rows])

    scores = [
        Scores("topology: max of H0, H1", ends, of(default["rows"], "value"), default["seconds"]),
        Scores("  H0 alone", ends, of(default["rows"], "h0"), default["seconds"]),
        Scores("  H1 alone", ends, of(default["rows"], "h1"), default["seconds"]),
        Scores("  largest loop alone", ends, of(loop["rows"], "h1"), loop["seconds"]),
        Scores("window mean and deviation", ends, of(default["rows"], "level"), default["seconds"]),
    ]
    return emissions, scores


def run(series: Series, loop_score: str) -> tuple[dict, dict]:
    detector = {
        "h1_score": loop_score,
        "memory": {"emissions": MEMORY},
        "warm_up": {"emissions": WARM_UP},
    }
    setting = {**series.setting, "rate": series.rate, "detector": detector}
    path = SCRATCH / "setting.json"
    samples = series.path()
    begun = time.perf_counter()
    finished = None
    for fallback in ({}, {"window": FALLBACK_WINDOW}):
        path.write_text(json.dumps({**setting, **fallback}))
        command = [BINARY, "score", samples, "--setting", path]
        finished = subprocess.run(command, capture_output=True, text=True)
        if finished.returncode == 0:
            break
    if finished.returncode != 0:
        raise RuntimeError(f"{series.name}: {finished.stderr}")
    seconds = time.perf_counter() - begun
    view, *rows = map(json.loads, finished.stdout.splitlines())
    return {"rows": rows, "seconds": seconds}, view


def rolling_z(series: Series, emissions: Emissions) -> Scores:
    """Each value against the running median and MAD of the values before it; an emission has the
    largest of the values since the one before."""
    begun = time.perf_counter()
    values = series.samples[:: emissions.kept].astype(float)
    scores = np.abs(robust_z(values, MEMORY * emissions.hop, 1))
    ends = emissions.ends // emissions.kept
    raw = largest(scores, ends, emissions.hop)
    return Scores("rolling robust z-score", emissions.ends, raw, time.perf_counter() - begun)


def matrix_profile(series: Series, emissions: Emissions) -> Scores | None:
    """The distance of the window from its nearest neighbour in the past (Yeh et al., 2016), all
    of the past remembered; z-normalised, of the detector's window."""
    import stumpy

    values = series.samples[:: emissions.kept].astype(float)
    if len(values) > MATRIX_PROFILE_LIMIT:
        return None
    begun = time.perf_counter()
    window = emissions.window
    with warnings.catch_warnings():
        # Constant stretches, where every distance is zero.
        warnings.simplefilter("ignore", UserWarning)
        left = stumpy.stump(values, m=window)[:, 2].astype(int)
    distances = np.zeros(len(values))
    rows = np.flatnonzero(left >= 0)
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    for at in np.array_split(rows, len(rows) // 5000 + 1):
        gap = normalised(windows[at]) - normalised(windows[left[at]])
        distances[at + window - 1] = np.sqrt((gap**2).sum(axis=1))
    ends = emissions.ends // emissions.kept
    raw = largest(distances, ends, emissions.hop)
    scores = robust_z(raw, MEMORY, emissions.delay)
    return Scores("left matrix profile", emissions.ends, scores, time.perf_counter() - begun)


def normalised(windows: np.ndarray) -> np.ndarray:
    deviation = windows.std(axis=1, keepdims=True)
    return (windows - windows.mean(axis=1, keepdims=True)) / np.where(deviation > 0, deviation, 1)


def largest(scores: np.ndarray, ends: np.ndarray, hop: int) -> np.ndarray:
    ends = np.minimum(ends, len(scores) - 1)
    return np.array([scores[max(0, e - hop + 1) : e + 1].max() for e in ends])


def robust_z(values: np.ndarray, memory: int, delay: int) -> np.ndarray:
    """(value − median) / (1.4826 MAD) over the last `memory` values before the last `delay`, the
    MAD floored as in the detector; 0 in the warm-up."""
    scores = np.zeros(len(values))
    first = None
    for t in range(WARM_UP, len(values)):
        past = values[max(0, t - delay + 1 - memory) : t - delay + 1]
        if len(past) == 0:
            continue
        median = np.median(past)
        mad = np.median(np.abs(past - median))
        first = mad if first is None else first
        mad = max(mad, 0.02 * abs(median), 0.05 * first)
        gap = values[t] - median
        scores[t] = 0.0 if gap == 0 else (gap / (1.4826 * mad) if mad > 0 else np.sign(gap) * np.inf)
    return scores
