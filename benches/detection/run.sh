#!/usr/bin/env bash
# Scores the detector on labelled series beside two methods without topology.
# Usage: benches/detection/run.sh [--nab DIR] [--wfdb RECORD] [--minutes N]
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=target/venv/detection
if [ ! -x "$venv/bin/python" ] || [ benches/detection/requirements.txt -nt "$venv/.complete" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement benches/detection/requirements.txt
  touch "$venv/.complete"
fi
cargo build --quiet --release -p streaming-tda-benches --bin bench-detection
exec "$venv/bin/python" benches/detection/compare.py "$@"
