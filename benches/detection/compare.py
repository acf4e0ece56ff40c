"""Scores the detector on labelled series beside methods without topology.

Writes a table, and `target/bench/detection.json`.
"""

import argparse
import json
from pathlib import Path

import methods
import protocol
import series as sources
from series import ROOT, Series


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nab", type=Path, help="a folder of the Numenta Anomaly Benchmark")
    parser.add_argument("--wfdb", type=Path, action="append", default=[], metavar="RECORD",
                        help="a record in WFDB's format with annotations (.atr), without extension")
    parser.add_argument("--minutes", type=float, help="use only the first minutes of WFDB records")
    arguments = parser.parse_args()

    groups = {"ucr-135": [sources.ucr()], "mitbih-208-excerpt": [sources.excerpt()]}
    for record in arguments.wfdb:
        found = sources.wfdb_record(record, arguments.minutes)
        groups[found.name] = [found]
    if arguments.nab:
        for found in sources.nab(arguments.nab):
            groups.setdefault(f"nab/{found.name.split('/')[1]}", []).append(found)

    rows, details = [], []
    print(protocol.TEXT)
    print(HEADER)
    for name, members in groups.items():
        results = [judge_all(member) for member in members]
        details += [result.row() for found in results for result in found]
        columns = list(zip(*results))
        merged = [column[0] if len(members) == 1 else protocol.pooled(name, list(column))
                  for column in columns]
        for result in merged:
            rows.append(result.row() | {"note": members[0].note, "series_count": len(members)})
            print(line(rows[-1]), flush=True)
    target = ROOT / "target/bench/detection.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"protocol": protocol.TEXT, "rows": rows, "series": details}, indent=1))
    print(f"\nwritten: {target.relative_to(ROOT)}")


def judge_all(member: Series) -> list[protocol.Result]:
    emissions, scores = methods.topology(member)
    scores.append(methods.rolling_z(member, emissions))
    profile = methods.matrix_profile(member, emissions)
    if profile is not None:
        scores.append(profile)
    return [protocol.judge(member, emissions, score) for score in scores]


HEADER = (
    f"{'series':24} {'method':26} {'events':>6} {'found':>5} {'false':>5} {'per hour':>8} "
    f"{'/1000':>6} {'prec.':>5} {'F1':>5} {'delay':>7} {'recall':>6} {'at budget':>9} {'s':>6}"
)


def line(row: dict) -> str:
    def number(key: str, form: str) -> str:
        return "–" if row[key] is None else format(row[key], form)

    unit = "s" if row["delay_unit"] == "seconds" else ""
    return (
        f"{row['series']:24} {row['method']:26} {row['events']:6} {row['found']:5} "
        f"{row['false_alarms']:5} {number('false_alarms_per_hour', '.3g'):>8} "
        f"{number('false_alarms_per_1000_samples', '.2f'):>6} {number('precision', '.2f'):>5} "
        f"{number('f1', '.2f'):>5} {number('median_delay', '.3g') + unit:>7} "
        f"{number('recall', '.2f'):>6} {number('recall_at_budget', '.2f'):>9} {row['seconds']:6.1f}"
    )


if __name__ == "__main__":
    main()
