"""How scores become alarms, and how alarms are judged. The same for all methods."""

from dataclasses import asdict, dataclass

import numpy as np

from methods import Emissions, Scores
from series import Series

THRESHOLD = 6.0

TEXT = """\
An alarm is an emission whose score reaches 6, unless another came less than one window before.
Alarms and events in the warm-up are not counted (electrocardiograms: 60 s; UCR: the training part;
NAB: its probationary 15 %, at most 750 rows). An event is found when an alarm falls into its
labelled stretch: from 0.25 s before to 1 s after the R peak; 100 samples around the
UCR anomaly; NAB's own windows. Recall is the share of events found, precision the share
of alarms that lie in the stretch of some event, F1 their harmonic mean. False
alarms are the others, per hour outside all stretches. Delays are medians, from the R peak or the
first anomalous sample to the first alarm. "Recall at budget" lets each method choose its threshold
for each series in hindsight, as the lowest with at most 60 false alarms an hour
(electrocardiograms) or 1 a day (NAB). Settings are fixed for each family; window and radius come
from the unlabelled warm-up.
"""


@dataclass
class Result:
    series: str
    family: str
    method: str
    events: int
    found: int
    alarms: int
    false_alarms: int
    hours: float | None
    samples: int
    delays: list[float]
    found_at_budget: int | None
    seconds: float

    def row(self) -> dict:
        recall = self.found / self.events if self.events else None
        precision = 1 - self.false_alarms / self.alarms if self.alarms else None
        both = None if recall is None or precision is None else recall + precision
        row = asdict(self)
        delays = row.pop("delays")
        return row | {
            "recall": recall,
            "precision": precision,
            "f1": 2 * recall * precision / both if both else (0.0 if self.events else None),
            "false_alarms_per_hour": self.false_alarms / self.hours if self.hours else None,
            "false_alarms_per_1000_samples": 1000 * self.false_alarms / max(self.samples, 1),
            "median_delay": float(np.median(delays)) if delays else None,
            "delay_unit": "seconds" if self.hours is not None else "samples",
            "recall_at_budget": (
                self.found_at_budget / self.events
                if self.events and self.found_at_budget is not None
                else None
            ),
        }


def alarms(scores: Scores, threshold: float, rest: int) -> np.ndarray:
    found, last = [], -np.inf
    for end, value in zip(scores.ends, scores.values):
        if value >= threshold and end - last >= rest:
            found.append(end)
            last = end
    return np.array(found, dtype=int)


def judge(series: Series, emissions: Emissions, scores: Scores) -> Result:
    rest = emissions.window * emissions.kept
    events = [e for e in series.events if e[0] >= series.warm_up]
    inside = np.zeros(len(series.samples), bool)
    for first, last, _ in series.events:
        inside[max(0, first) : last + 1] = True
    outside = int((~inside[series.warm_up :]).sum())
    hours = outside / series.rate / 3600 if series.clock else None

    def count(threshold: float) -> tuple[np.ndarray, int, list[float]]:
        raised = alarms(scores, threshold, rest)
        raised = raised[raised >= series.warm_up]
        delays = []
        for first, last, origin in events:
            answers = raised[(raised >= first) & (raised <= last)]
            if len(answers):
                delays.append((answers[0] - origin) / series.rate)
        return raised, int((~inside[raised]).sum()), delays

    raised, wrong, delays = count(THRESHOLD)
    at_budget = None
    if series.budget is not None:
        candidates = np.unique(scores.values[np.isfinite(scores.values)])
        quantiles = np.unique(np.quantile(candidates, np.linspace(0, 1, 200)))
        within = [count(t) for t in quantiles]
        at_budget = max((len(c[2]) for c in within if c[1] <= series.budget * hours), default=0)
    return Result(
        series.name,
        series.family,
        scores.method,
        len(events),
        len(delays),
        len(raised),
        wrong,
        hours,
        outside,
        delays,
        at_budget,
        scores.seconds,
    )


def pooled(name: str, results: list[Result]) -> Result:
    """The counts of many series added up."""
    total = lambda key: sum(getattr(r, key) for r in results)
    return Result(
        name,
        results[0].family,
        results[0].method,
        total("events"),
        total("found"),
        total("alarms"),
        total("false_alarms"),
        total("hours"),
        total("samples"),
        [d for r in results for d in r.delays],
        total("found_at_budget"),
        total("seconds"),
    )
