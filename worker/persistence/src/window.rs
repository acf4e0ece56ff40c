use crate::dense::Dense;
use crate::diagram::SquaredPairs;
use crate::error::check_point;
use crate::locations::Locations;
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
    engine: Dense,
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
            engine: Dense::new(config),
            found: SquaredPairs::default(),
            origin: 0,
            seen: 0,
            taken: 0,
            config: config.clone(),
        })
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

    /// Goes on as if `point` points had been pushed and had left the window.
    pub fn resume_at(&mut self, point: u64) {
        let config = self.config.clone();
        *self = Window::new(&config).expect("the configuration was valid before");
        (self.origin, self.seen, self.taken) = (point, point, point);
    }

    /// The persistence diagrams of the points in the window, full or not.
    pub fn diagrams(&mut self) -> Diagrams {
        self.slide();
        self.found.clear();
        self.engine.pairs(&mut self.found);
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
        Path::Dense
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.points.capacity() * size_of::<f32>()
            + (self.location.capacity() + self.vertex.capacity()) * size_of::<u32>()
            + self.locations.heap_bytes()
            + self.engine.heap_bytes()
            + self.found.heap_bytes()
    }

    /// Brings the engine up to the newest point: first all that leave, then all that enter.
    fn slide(&mut self) {
        let start = self.start();
        let entering = start.max(self.taken)..self.seen;
        for index in self.taken.saturating_sub(self.config.window as u64).max(self.origin)
            ..start.min(self.taken)
        {
            self.leave(index);
        }
        for index in entering {
            self.enter(index);
        }
        self.taken = self.seen;
    }

    fn leave(&mut self, index: u64) {
        let location = self.location[self.slot(index)];
        if self.locations.newest(location) == index {
            self.engine.remove(self.vertex[location as usize]);
            self.locations.forget(location);
        }
    }

    fn enter(&mut self, index: u64) {
        let slot = self.slot(index);
        let point = &self.points[slot * self.config.dimension..][..self.config.dimension];
        let (location, new) = self.locations.see(point, index);
        self.location[slot] = location;
        if new {
            let vertex = self.engine.insert(point);
            if location as usize == self.vertex.len() {
                self.vertex.push(vertex);
            } else {
                self.vertex[location as usize] = vertex;
            }
        }
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
