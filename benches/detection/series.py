"""Labelled series, each with how its family is looked at.

Nothing here depends on the labels but the labels themselves: the settings of a family
are the same for all its series, and what differs between series is found in the warm-up.
"""

import json
import subprocess
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target/release/bench-detection"
EXCERPT = ROOT / "worker/src/demo/data/mitbih-208.i16"
SCRATCH = ROOT / "target/bench/detection"


@dataclass
class Series:
    name: str
    family: str
    samples: np.ndarray
    # Samples a second; 1 and `clock` false where the series has no clock.
    rate: float
    # Labelled stretches in which an alarm is right, first and last sample, and the sample from
    # which a delay is counted.
    events: list[tuple[int, int, int]]
    # Samples before which nothing is counted.
    warm_up: int
    # What the detector's `Setting` is made of, beside the warm-up.
    setting: dict = field(default_factory=dict)
    clock: bool = True
    # False alarms an hour at which the recall with a threshold chosen in hindsight is given.
    budget: float | None = None
    note: str = ""

    def path(self) -> Path:
        SCRATCH.mkdir(parents=True, exist_ok=True)
        path = SCRATCH / f"{self.name.replace('/', '-')}.f32"
        self.samples.astype("<f4").tofile(path)
        return path


def ecg(name: str, samples: np.ndarray, rate: float, peaks: np.ndarray, note: str) -> Series:
    """About 120 samples a second, no baseline, periods of 40 to 180 beats a minute."""
    decimate = max(1, round(rate / 120))
    kept = rate / decimate
    before, after = round(0.25 * rate), round(1.0 * rate)
    return Series(
        name=name,
        family="ecg",
        samples=samples,
        rate=rate,
        events=[(int(p) - before, int(p) + after, int(p)) for p in peaks],
        warm_up=round(60 * rate),
        setting={
            "decimate": decimate,
            "high_pass": round(0.63 * kept),
            "calibrate": round(20 * kept),
            "periods": [round(kept / 3), round(1.5 * kept)],
        },
        budget=60.0,
        note=note,
    )


def excerpt() -> Series:
    """The electrocardiogram of the demo, marked by the classical rule on QRS shape."""
    samples = (np.fromfile(EXCERPT, "<i2") - 1024) / np.float32(200)
    series = ecg("mitbih-208-excerpt", samples, 360.0, np.array([], int), "")
    command = [BINARY, "beats", series.path(), "--rate", "360"]
    beats = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    marks = [b["sample"] for b in map(json.loads, beats) if b["abnormal"]]
    note = "marks by a classical rule on QRS shape, a proxy"
    return ecg(series.name, samples, 360.0, np.array(marks), note)


def wfdb_record(record: Path, minutes: float | None) -> Series:
    """The first lead; events are the beats that are annotated as neither normal nor paced."""
    import wfdb

    signal = wfdb.rdrecord(str(record), channels=[0])
    labels = wfdb.rdann(str(record), "atr")
    samples = signal.p_signal[:, 0].astype(np.float32)
    if minutes is not None:
        samples = samples[: round(minutes * 60 * signal.fs)]
    abnormal = np.isin(np.array(labels.symbol), list("AaJSVFejE!"))
    peaks = np.asarray(labels.sample)[abnormal]
    peaks = peaks[peaks < len(samples)]
    return ecg(f"wfdb-{record.name}", samples, float(signal.fs), peaks, "annotated by cardiologists")


def ucr() -> Series:
    """UCR anomaly series 135; an alarm within 100 samples of the anomaly is right, as the archive
    scores it."""
    folder = files("aeon.datasets") / "data/KDD-TSAD_135"
    name = "135_UCR_Anomaly_InternalBleeding16"
    train = pd.read_csv(str(folder / f"{name}_TRAIN.csv"))
    test = pd.read_csv(str(folder / f"{name}_TEST.csv"))
    samples = np.concatenate([train["value"], test["value"]]).astype(np.float32)
    anomaly = len(train) + np.flatnonzero(test["is_anomaly"])
    return Series(
        name="ucr-135",
        family="ucr",
        samples=samples,
        rate=1.0,
        events=[(int(anomaly[0]) - 100, int(anomaly[-1]) + 100, int(anomaly[0]))],
        warm_up=len(train),
        setting={"calibrate": len(train), "periods": [20, len(train) // 3], "hop": 4},
        clock=False,
    )


def nab(folder: Path) -> list[Series]:
    """All series of the Numenta Anomaly Benchmark: its windows, its probationary 15 %."""
    windows = json.loads((folder / "labels/combined_windows.json").read_text())
    found = []
    for name, labels in sorted(windows.items()):
        path = folder / "data" / name
        if not path.exists():
            continue
        table = pd.read_csv(path, parse_dates=["timestamp"])
        times = table["timestamp"]
        step = times.diff().median().total_seconds()
        spans = [[pd.Timestamp(t) for t in label] for label in labels]
        rows = [(int(times.searchsorted(a)), int(times.searchsorted(b, "right")) - 1) for a, b in spans]
        warm_up = min(len(table) * 15 // 100, 750)
        found.append(
            Series(
                name=f"nab/{name.removesuffix('.csv')}",
                family="nab",
                samples=table["value"].to_numpy(np.float32),
                rate=1.0 / step,
                events=[(a, b, a) for a, b in rows],
                warm_up=warm_up,
                setting={"calibrate": warm_up, "periods": [24, warm_up // 3], "hop": 2},
                budget=1.0 / 24,
            )
        )
    return found
