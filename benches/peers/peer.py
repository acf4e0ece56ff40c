"""Measures one library on windows of one stream, and prints the result as one line of JSON.

    python peer.py LIBRARY STREAM.npy --window W --radius R --ends E,E,... --seconds S

One thread. A window's time is the CPU time of this process from its points (float64) to its H0
and H1 diagrams, the distances or the neighbour graph included. Memory is what the process grew
by at most (Linux).
"""

import argparse
import json
import os
import time

for pool in ("OMP", "OPENBLAS", "MKL", "RAYON", "NUMBA", "TBB"):
    os.environ[f"{pool}_NUM_THREADS"] = "1"

import numpy as np


def neighbours(points, radius):
    """The pairs of points within the radius, and their distances."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(radius, output_type="ndarray")
    a, b = pairs.T
    return a, b, np.linalg.norm(points[a] - points[b], axis=1)


def graph(points, radius):
    from scipy.sparse import coo_matrix

    a, b, lengths = neighbours(points, radius)
    return coo_matrix((lengths, (a, b)), shape=(len(points), len(points)))


def of_triples(triples):
    pairs = [[], []]
    for degree, birth, death in triples:
        pairs[degree].append((birth, np.inf if death is None else death))
    return [np.array(p, float).reshape(-1, 2) for p in pairs]


def ripser_graph():
    from ripser import ripser

    return lambda p, r: ripser(graph(p, r).tocsr(), maxdim=1, distance_matrix=True)["dgms"]


def ripser_points():
    from ripser import ripser

    return lambda p, r: ripser(p, maxdim=1, thresh=r)["dgms"]


def giotto_graph():
    from gph import ripser_parallel

    return lambda p, r: ripser_parallel(graph(p, r), maxdim=1, thresh=r, metric="precomputed")["dgms"]


def giotto_points():
    from gph import ripser_parallel

    return lambda p, r: ripser_parallel(p, maxdim=1, thresh=r)["dgms"]


def gudhi():
    from gudhi.sklearn.rips_persistence import RipsPersistence

    def diagrams(p, r):
        rips = RipsPersistence([0, 1], threshold=r, homology_coeff_field=2)
        return rips.fit_transform([p])[0]

    return diagrams


def holos_graph():
    from holos_tda import rips_sparse

    def diagrams(p, r):
        edges = list(zip(*(column.tolist() for column in neighbours(p, r))))
        return of_triples(rips_sparse(len(p), edges, threshold=r, max_dim=1, threads=1))

    return diagrams


def holos_points():
    from holos_tda import rips_points

    return lambda p, r: of_triples(rips_points(p.tolist(), threshold=r, max_dim=1, threads=1))


def redzed():
    from redzed_tda import rips
    from scipy.spatial.distance import pdist

    return lambda p, r: rips(pdist(p), maxdim=1, threshold=r)


def tda():
    from tda import persistent_homology

    return lambda p, r: persistent_homology(
        p.astype(np.float32), max_dim=1, threshold=r, parallel=False, peel=False
    )


LIBRARIES = {
    "ripser": ripser_graph,
    "ripser points": ripser_points,
    "giotto-ph": giotto_graph,
    "giotto-ph points": giotto_points,
    "gudhi": gudhi,
    "holos-tda": holos_graph,
    "holos-tda points": holos_points,
    "redzed-tda": redzed,
    "tda": tda,
}


def bars(diagram, shortest):
    pairs = np.asarray(diagram, float).reshape(-1, 2)
    return int(np.count_nonzero(pairs[:, 1] - pairs[:, 0] > shortest))


def resident(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))


def forget_peak():
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("peer", choices=LIBRARIES, metavar="library")
    parser.add_argument("stream")
    parser.add_argument("--window", type=int, required=True)
    parser.add_argument("--radius", type=float, required=True)
    parser.add_argument("--ends", type=lambda text: [int(e) for e in text.split(",")], required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()

    stream = np.load(options.stream).astype(float)
    diagrams = LIBRARIES[options.peer]()
    diagrams(stream[:20], options.radius)  # lazy imports
    forget_peak()
    before = resident("VmRSS")
    milliseconds, found, spent = [], {}, 0.0
    for end in options.ends:
        points = np.ascontiguousarray(stream[end + 1 - options.window : end + 1])
        start = time.process_time()
        result = diagrams(points, options.radius)
        elapsed = time.process_time() - start
        milliseconds.append(1e3 * elapsed)
        found[end] = [bars(d, 1e-5 * options.radius) for d in result]
        spent += elapsed
        if spent > options.seconds:
            break
    peak = resident("VmHWM") - before
    print(json.dumps({"cpu_ms": milliseconds, "peak_bytes": peak, "bars": found}))


if __name__ == "__main__":
    main()
