"""Writes diagrams.json: distances and features as other packages find them.

    pip install gudhi==3.13.0 persim==0.4.1 numpy==2.3.5
    python make.py
"""

import json
from pathlib import Path

import gudhi
import gudhi.hera
import numpy as np
import persim
from persim.landscapes import PersLandscapeExact
from persim.persistent_entropy import persistent_entropy

random = np.random.default_rng(2)


def bars(count: int, flat: bool, scale: float) -> np.ndarray:
    births = np.zeros(count) if flat else random.random(count)
    # Rounded to f32, so that both sides compute with the same numbers.
    pairs = np.stack([births, births + 0.001 + scale * random.random(count) ** 2], axis=1)
    return pairs.astype(np.float32).astype(float)


def noisy_circle(count: int) -> np.ndarray:
    """The loops and components of a window that goes around once."""
    angles = np.sort(random.random(count)) * 2 * np.pi
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) + 0.1 * random.normal(size=(count, 2))
    tree = gudhi.RipsComplex(points=points, max_edge_length=3).create_simplex_tree(max_dimension=2)
    tree.compute_persistence(persistence_dim_max=False)
    loops = tree.persistence_intervals_in_dimension(1)
    merges = tree.persistence_intervals_in_dimension(0)
    found = np.concatenate([loops, merges[np.isfinite(merges[:, 1])]])
    found = found.astype(np.float32).astype(float)
    return found[found[:, 0] < found[:, 1]]


def case(a: np.ndarray, b: np.ndarray) -> dict:
    hera = lambda order: gudhi.hera.wasserstein_distance(a, b, order=order, internal_p=np.inf, delta=1e-9)
    found = {
        "a": a.tolist(),
        "b": b.tolist(),
        "bottleneck": gudhi.bottleneck_distance(a, b),
        "wasserstein": [hera(1.0), hera(2.0)],
    }
    if len(a) and len(b):
        assert abs(persim.bottleneck(a, b) - found["bottleneck"]) < 1e-6
    if len(a):
        found["entropy"] = float(persistent_entropy([a])[0])
        landscape = PersLandscapeExact(dgms=[a], hom_deg=0)
        found["landscape"] = [float(landscape.p_norm(p=1)), float(landscape.p_norm(p=2))]
    return found


sizes = [(0, 4), (1, 1), (2, 7), (12, 9), (30, 33), (64, 50)]
cases = [case(bars(n, flat, 0.6), bars(m, flat, 0.6)) for n, m in sizes for flat in (False, True)]
cases += [case(noisy_circle(n), noisy_circle(n)) for n in (20, 62)]
Path(__file__).with_name("diagrams.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
