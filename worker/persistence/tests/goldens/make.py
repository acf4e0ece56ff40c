"""Records what Ripser and GUDHI find for points of several kinds, for `tests/goldens.rs`.

Run it from this folder, with Python 3.11 or later; it writes the files of this folder anew:

    python3 -m venv /tmp/goldens
    /tmp/goldens/bin/pip install --requirement requirements.txt
    /tmp/goldens/bin/python make.py

cases.csv         name, size of the window, radius ("inf": none)
NAME.points.csv   one point a row, each number the shortest decimal of its float32
NAME.TOOL.csv     degree, birth, death ("inf": alive at the radius) of the last window of the points

Both tools are given the distances between the float32 points computed in float64. Ripser rounds
them to float32, GUDHI does not, and the engines of this crate compute in float32: lengths differ
by rounding, and by stability so do the ends of the bars. What would make the comparison depend on
rounding is refused here: a distance close to the radius, and a bar about as long as the shortest
one that is compared.
"""

import gudhi
import numpy
from ripser import ripser
from scipy.spatial.distance import cdist


def circle(random):
    angle = random.uniform(0, 2 * numpy.pi, 260)
    radius = 1 + 0.1 * random.normal(size=260)
    return numpy.column_stack([radius * numpy.cos(angle), radius * numpy.sin(angle)])


def torus(random):
    a, b = random.uniform(0, 2 * numpy.pi, (2, 1060))
    surface = numpy.column_stack([numpy.cos(a), numpy.sin(a), numpy.cos(b), numpy.sin(b)])
    return surface + 0.05 * random.normal(size=surface.shape)


def lorenz(random):
    state = random.normal(size=3)
    states = []
    for _ in range(900):
        for _ in range(5):
            x, y, z = state
            state = state + 0.006 * numpy.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])
        states.append(state)
    return numpy.array(states[500:])


def clusters(random):
    centres = random.uniform(0, 3, (8, 8))
    return centres[random.integers(8, size=300)] + 0.3 * random.normal(size=(300, 8))


def lattice(random):
    """Ties everywhere, and equal points."""
    return random.integers(14, size=(320, 2)).astype(float)


def signal(random):
    """Delay coordinates of beats, rounded as a converter does, with a stretch that is flat."""
    phase = numpy.arange(500) % 62 / 62 - 0.5
    beats = numpy.exp(-300 * phase**2) - 0.3 * numpy.exp(-60 * (phase - 0.2) ** 2)
    series = numpy.round((beats + 0.01 * random.normal(size=500)) * 200) / 200
    series[200:260] = series[200]
    delayed = [series[16 - 8 * copy : 500 - 8 * copy] for copy in range(3)]
    return numpy.column_stack(delayed)[:460]


# points, size of the window, about the radius
CASES = [
    (circle, 200, numpy.inf),
    (torus, 1000, 0.45),
    (lorenz, 350, 12.0),
    (clusters, 220, 2.2),
    (lattice, 250, 3.3),
    (signal, 300, 0.32),
]


def radius_near(distances, wanted):
    """The middle of the widest gap between distances within 2 % of `wanted`."""
    near = numpy.sort(distances[abs(distances - wanted) < 0.02 * wanted])
    if len(near) < 2:
        return wanted
    widest = numpy.diff(near).argmax()
    return float(numpy.float32((near[widest] + near[widest + 1]) / 2))


def by_ripser(distances, radius):
    return ripser(distances, distance_matrix=True, maxdim=1, thresh=radius, coeff=2)["dgms"]


def by_gudhi(distances, radius):
    rips = gudhi.RipsComplex(distance_matrix=distances, max_edge_length=radius)
    tree = rips.create_simplex_tree(max_dimension=2)
    tree.compute_persistence(homology_coeff_field=2)
    return [tree.persistence_intervals_in_dimension(degree) for degree in range(2)]


def tolerance(distances, radius):
    """The same as in the test."""
    return 3e-6 * max(1.0, min(radius, distances.max()))


def refuse_close_calls(name, distances, radius, diagrams):
    slack = tolerance(distances, radius)
    if numpy.any(abs(distances - radius) < 5 * slack):
        raise SystemExit(f"{name}: a distance is too close to the radius {radius}")
    for degree, bars in enumerate(diagrams):
        length = bars[:, 1] - bars[:, 0]
        if numpy.any((length > slack) & (length < 5 * slack)):
            raise SystemExit(f"{name}: a bar of degree {degree} is neither short nor long")


def write(name, rows):
    with open(name, "w", encoding="ascii") as file:
        file.writelines(",".join(str(x) for x in row) + "\n" for row in rows)


def main():
    cases = []
    for number, (source, window, wanted) in enumerate(CASES):
        name = source.__name__
        points = source(numpy.random.default_rng(number)).astype(numpy.float32)
        distances = cdist(points[-window:].astype(float), points[-window:].astype(float))
        radius = radius_near(distances, wanted)
        cases.append((name, window, radius))
        write(f"{name}.points.csv", points)
        for tool in (by_ripser, by_gudhi):
            diagrams = tool(distances, radius)
            refuse_close_calls(name, distances, radius, diagrams)
            bars = [(k, *bar) for k, bars in enumerate(diagrams) for bar in bars.astype(numpy.float32)]
            write(f"{name}.{tool.__name__[3:]}.csv", sorted(bars))
            print(name, tool.__name__, [len(bars) for bars in diagrams])
    write("cases.csv", cases)


if __name__ == "__main__":
    main()
