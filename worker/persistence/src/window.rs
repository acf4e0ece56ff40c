use std::collections::VecDeque;

use crate::dense::Dense;
use crate::diagram::SquaredPairs;
use crate::engine::{Engine, Load};
use crate::error::check_point;
use crate::locations::Locations;
use crate::metric::squared_distance;
use crate::{Config, ConfigError, Diagrams, PointError};

/// The way in which a window is being computed; chosen by measured density, without influence on
/// the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// All pairs at once, as rows of bits: small windows in which most pairs are edges.
    Dense,
    /// The incremental Morse complex: large windows with few edges at a point.
    Sparse,
}

#[derive(Clone, Copy, Debug)]
struct Arrival {
    location: u32,
    vertex: u32,
    /// The window's start must not pass this without the location being inserted again.
    index: u64,
}

/// The name of no vertex.
const NONE: u32 = u32::MAX;

/// Emissions after which a window follows its load to the other path.
const PROMPT: u32 = 2;

/// The same for a window that was rebuilt. To insert all its points into the sparse engine costs
/// about so many emissions (20 to 35 were measured), and the windows of a worker that has just
/// started wait for one another: they begin on the path that is cheap to begin on.
const REBUILT: u32 = 25;

/// The last `W` points of a stream, and their persistence diagrams.
#[derive(Debug)]
pub struct Window {
    config: Config,
    /// The last `W` points, row by row; point `i` of the stream is row `i mod W`.
    points: Vec<f32>,
    /// The location of each point that the engine has taken, in the same ring.
    location: Vec<u32>,
    /// The engine's name for each location.
    vertex: Vec<u32>,
    locations: Locations,
    /// Locations in the order in which the sparse engine got them, which is the order in which
    /// it best loses them; an entry whose vertex is no longer that of its location is void.
    arrivals: VecDeque<Arrival>,
    engine: Engine,
    /// Whether the path is fixed.
    forced: bool,
    /// How often in a row the other path has promised to be much cheaper.
    leaned: u32,
    /// How often it has to, for the path to change.
    patience: u32,
    /// Distinct points that entered with the last emission.
    entered: usize,
    /// Loops near an edge when the window was last on the dense path.
    crowd: f64,
    found: SquaredPairs,
    /// Stream index of the first point pushed here.
    origin: u64,
    /// Points pushed.
    seen: u64,
    /// Points that the engine has taken, the expired ones included.
    taken: u64,
}

impl Window {
    /// An empty window.
    ///
    /// # Errors
    /// When a field of the configuration cannot be used.
    pub fn new(config: &Config) -> Result<Window, ConfigError> {
        config.validate()?;
        Ok(Window {
            points: Vec::new(),
            location: vec![0; config.window],
            vertex: Vec::new(),
            locations: Locations::new(config.dimension),
            arrivals: VecDeque::new(),
            engine: Engine::new(Path::Dense, config),
            forced: false,
            leaned: 0,
            patience: PROMPT,
            entered: 0,
            crowd: 0.0,
            found: SquaredPairs::default(),
            origin: 0,
            seen: 0,
            taken: 0,
            config: config.clone(),
        })
    }

    /// An empty window that is always computed in one way: to compare the ways.
    #[doc(hidden)]
    pub fn with_path(config: &Config, path: Path) -> Result<Window, ConfigError> {
        let mut window = Window::new(config)?;
        window.engine = Engine::new(path, config);
        window.forced = path == Path::Sparse || config.window <= Dense::MAX_VERTICES;
        Ok(window)
    }

    /// What the window was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Points accepted since the stream began, those that have left the window included.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Points in the window.
    pub fn len(&self) -> usize {
        (self.seen - self.start()) as usize
    }

    /// Whether no point has been pushed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the window holds as many points as it can.
    pub fn is_full(&self) -> bool {
        self.len() == self.config.window
    }

    /// The points in the window, the oldest first.
    pub fn points(&self) -> impl Iterator<Item = &[f32]> {
        (self.start()..self.seen).map(|i| self.row(i))
    }

    /// Takes the next point of the stream; the oldest one leaves a full window.
    ///
    /// # Errors
    /// When the point has another dimension than the window, or is not finite. The window is
    /// then as it was before.
    pub fn push(&mut self, point: &[f32]) -> Result<(), PointError> {
        check_point(point, self.config.dimension, self.seen)?;
        let positive_zero = point.iter().map(|x| x + 0.0);
        let row = self.slot(self.seen) * self.config.dimension;
        if row == self.points.len() {
            self.points.extend(positive_zero);
        } else {
            let stored = &mut self.points[row..][..self.config.dimension];
            stored.iter_mut().zip(positive_zero).for_each(|(to, from)| *to = from);
        }
        self.seen += 1;
        Ok(())
    }

    /// Goes on as if `point` points had been pushed and had left the window. The next diagrams
    /// come as soon as they can, even if that makes some later ones slower.
    pub fn resume_at(&mut self, point: u64) {
        self.points.clear();
        self.forget();
        (self.origin, self.seen, self.taken) = (point, point, point);
        (self.leaned, self.patience) = (0, REBUILT);
    }

    /// The persistence diagrams of the points in the window, full or not.
    pub fn diagrams(&mut self) -> Diagrams {
        self.slide();
        self.found.clear();
        self.engine.pairs(&mut self.found);
        self.crowd = self.engine.crowd().unwrap_or(self.crowd);
        self.found.diagrams(self.config.max_degree)
    }

    /// The smallest length at which the points of the window have `degree` neighbours on average:
    /// the length of the ⌈n·degree/2⌉-th shortest edge among the n distinct points. Infinite when
    /// there are fewer edges up to the maximal radius.
    pub fn radius_at_degree(&mut self, degree: f32) -> f32 {
        self.slide();
        let edges = (self.locations.len() as f32 * degree / 2.0).ceil().max(1.0) as usize;
        self.engine.edge_length(edges - 1).unwrap_or(f32::INFINITY)
    }

    /// The way in which the window is being computed.
    pub fn path(&self) -> Path {
        self.engine.path()
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.points.capacity() * size_of::<f32>()
            + (self.location.capacity() + self.vertex.capacity()) * size_of::<u32>()
            + self.arrivals.capacity() * size_of::<Arrival>()
            + self.locations.heap_bytes()
            + self.engine.heap_bytes()
            + self.found.heap_bytes()
    }

    /// Brings the engine up to the newest point: first all that leave, then all that enter.
    fn slide(&mut self) {
        if self.taken == self.seen {
            return;
        }
        let (start, taken) = (self.start(), self.taken);
        if start >= taken {
            self.forget();
        } else {
            let oldest = taken.saturating_sub(self.config.window as u64).max(self.origin);
            (oldest..start).for_each(|index| self.leave(index));
        }
        self.choose_path();
        let again = self.take_overdue(start);
        again.into_iter().for_each(|location| self.insert(location, taken));
        let entered = (start.max(taken)..self.seen).filter(|&index| self.enter(index)).count();
        self.entered = entered;
        self.taken = self.seen;
    }

    fn leave(&mut self, index: u64) {
        let location = self.location[self.slot(index)];
        if self.locations.newest(location) == index {
            self.engine.remove(self.vertex[location as usize]);
            self.vertex[location as usize] = NONE;
            self.locations.forget(location);
        }
    }

    /// Gives whether the point is a new location.
    fn enter(&mut self, index: u64) -> bool {
        let slot = self.slot(index);
        let point = &self.points[slot * self.config.dimension..][..self.config.dimension];
        let (location, new) = self.locations.see(point, index);
        self.location[slot] = location;
        if new {
            self.insert(location, index);
        }
        new
    }

    fn insert(&mut self, location: u32, index: u64) {
        let vertex = self.engine.insert(self.locations.point(location));
        if location as usize >= self.vertex.len() {
            self.vertex.resize(location as usize + 1, NONE);
        }
        self.vertex[location as usize] = vertex;
        if self.path() == Path::Sparse {
            self.arrivals.push_back(Arrival { location, vertex, index });
        }
    }

    /// Takes the locations out of the sparse engine that were inserted before `start` and are
    /// still seen: inserted again, they are young, and the oldest vertex is the next to leave.
    fn take_overdue(&mut self, start: u64) -> Vec<u32> {
        let mut overdue = Vec::new();
        while let Some(arrival) = self.arrivals.pop_front_if(|a| a.index < start) {
            if self.vertex[arrival.location as usize] == arrival.vertex {
                self.engine.remove(arrival.vertex);
                overdue.push(arrival.location);
            }
        }
        overdue
    }

    /// Changes the engine when another one has promised to be much cheaper often enough in a row,
    /// or when this one cannot take what enters.
    fn choose_path(&mut self) {
        let entering = (self.seen - self.start().max(self.taken)) as usize;
        let vertices = (self.locations.len() + entering).min(self.config.window);
        let empty = self.locations.len() == 0;
        let path = match (self.forced, empty) {
            (true, _) => self.path(),
            (false, true) => self.first_path(),
            (false, false) => self.load(vertices).path(Some(self.path())),
        };
        self.leaned = if path == self.path() { 0 } else { self.leaned + 1 };
        let changes = self.leaned > 0 && (empty || self.leaned >= self.patience);
        if changes || !self.engine.has_room(vertices, entering) {
            self.rebuild(path);
        }
        if changes && !empty {
            self.patience = PROMPT;
        }
    }

    /// The path to begin on.
    fn first_path(&self) -> Path {
        match self.patience == REBUILT && self.len() <= Dense::MAX_VERTICES {
            true => Path::Dense,
            false => self.sampled_load().path(None),
        }
    }

    fn load(&self, vertices: usize) -> Load {
        let (entering, crowd) = (self.entered, self.crowd);
        Load { vertices, edges: self.engine.edges(), entering, crowd }
    }

    /// The load that a sample of pairs of points lets expect, when all of them enter at once;
    /// later a fiftieth of them may.
    fn sampled_load(&self) -> Load {
        const PAIRS: u64 = 1024;
        let (start, points) = (self.start(), self.len() as u64);
        let max = self.config.max_squared();
        let is_edge = |i: &u64| {
            let (a, b) = (i * 7919 % points, (i * 7919 + 1 + i * 104_729 % (points - 1)) % points);
            squared_distance(self.row(start + a), self.row(start + b)) <= max
        };
        let pairs = points * (points - 1) / 2;
        let close = if points < 2 { 0 } else { (0..PAIRS).filter(is_edge).count() as u64 };
        Load {
            vertices: points as usize,
            edges: (pairs * close / PAIRS) as usize,
            entering: points.div_ceil(50) as usize,
            crowd: self.crowd,
        }
    }

    /// Makes a new engine with what is in the window.
    fn rebuild(&mut self, path: Path) {
        self.leaned = 0;
        self.engine = Engine::new(path, &self.config);
        self.arrivals.clear();
        let mut live: Vec<u32> = self.locations.iter().collect();
        live.sort_unstable_by_key(|&location| self.locations.newest(location));
        for location in live {
            self.insert(location, self.locations.newest(location));
        }
    }

    /// Empties the engine.
    fn forget(&mut self) {
        self.engine = Engine::new(self.path(), &self.config);
        self.locations = Locations::new(self.config.dimension);
        self.vertex.clear();
        self.arrivals.clear();
    }

    /// Stream index of the oldest point in the window.
    fn start(&self) -> u64 {
        self.seen.saturating_sub(self.config.window as u64).max(self.origin)
    }

    fn slot(&self, index: u64) -> usize {
        ((index - self.origin) % self.config.window as u64) as usize
    }

    fn row(&self, index: u64) -> &[f32] {
        &self.points[self.slot(index) * self.config.dimension..][..self.config.dimension]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch;
    use crate::simd::Simd;
    use crate::sparse::Sparse;

    /// Points around the unit circle, no two of them equal.
    fn ring(t: u64) -> [f32; 2] {
        let (angle, radius) = (t as f64 * 2.399_963_2, 1.0 + 0.1 * (t as f64 * 0.7).sin());
        [(angle.cos() * radius) as f32, (angle.sin() * radius) as f32]
    }

    fn assert_equals_batch(window: &mut Window) {
        let points: Vec<f32> = window.points().flatten().copied().collect();
        let expected = batch::diagrams(&points, window.config()).expect("the points are finite");
        assert_eq!(window.diagrams(), expected);
    }

    #[test]
    fn path_follows_density() {
        let path = |size: usize, radius| {
            let mut window = Window::new(&Config::new(2, size, radius)).unwrap();
            for t in 0..size as u64 + 50 {
                window.push(&ring(t)).unwrap();
                if t >= size as u64 && t % 10 == 9 {
                    window.diagrams();
                }
            }
            window.path()
        };
        assert_eq!(path(60, 2.0), Path::Dense);
        assert_eq!(path(2000, 0.1), Path::Sparse);
    }

    /// The paths of a thousand points on a ring at emissions after every tenth point.
    fn paths(window: &mut Window, from: u64) -> Vec<Path> {
        let mut paths = Vec::new();
        for t in from..from + 1400 {
            window.push(&ring(t)).unwrap();
            if t >= from + 999 && t % 10 == 9 {
                window.diagrams();
                paths.push(window.path());
            }
        }
        paths
    }

    #[test]
    fn a_rebuilt_window_begins_on_the_path_that_is_cheap_to_begin_on() {
        let mut window = Window::new(&Config::new(2, 1000, 0.2)).unwrap();
        assert_eq!(paths(&mut window, 0)[0], Path::Sparse);
        window.resume_at(500);
        let paths = paths(&mut window, 500);
        let changed = paths.iter().position(|path| *path == Path::Sparse).unwrap();
        assert_eq!(changed, REBUILT as usize);
        assert!(paths[changed..].iter().all(|path| *path == Path::Sparse));
        assert_equals_batch(&mut window);
    }

    #[test]
    fn diagrams_survive_a_change_of_path() {
        let mut window = Window::new(&Config::new(2, 700, 0.15)).unwrap();
        let mut paths = Vec::new();
        for t in 0..4000 {
            let near = if (1500..2500).contains(&t) { 0.1 } else { 1.0 };
            window.push(&ring(t).map(|x| x * near)).unwrap();
            if t % 400 == 0 {
                assert_equals_batch(&mut window);
            } else if t % 2 == 0 {
                window.diagrams();
            }
            paths.push(window.path());
        }
        paths.dedup();
        assert_eq!(paths, [Path::Dense, Path::Sparse, Path::Dense, Path::Sparse]);
    }

    #[test]
    fn window_outlives_the_names_of_the_sparse_engine() {
        let config = Config::new(2, 40, 0.8);
        let mut window = Window::with_path(&config, Path::Sparse).unwrap();
        window.engine = Engine::Sparse(Box::new(Sparse::with(&config, Simd::detect(), 100)));
        for t in 0..500 {
            window.push(&ring(t)).unwrap();
            if t % 7 == 0 {
                assert_equals_batch(&mut window);
            }
        }
    }

    #[test]
    fn standing_still_is_one_vertex() {
        for path in [Path::Dense, Path::Sparse] {
            let mut window = Window::with_path(&Config::new(2, 100, 1.0), path).unwrap();
            for t in 0..1000 {
                window.push(&[3.0, if t == 500 { 4.0 } else { 3.0 }]).unwrap();
                if t % 10 == 0 {
                    window.diagrams();
                    assert!(window.locations.len() <= 2 && window.engine.edges() <= 1);
                }
            }
            assert_equals_batch(&mut window);
        }
    }
}
