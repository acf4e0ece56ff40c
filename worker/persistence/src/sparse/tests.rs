//! The engine against a textbook reduction, over histories of arrivals and departures.

pub(crate) mod clouds;
mod naive;

use std::collections::VecDeque;

use crate::diagram::SquaredPairs;
use crate::simd::Simd;
use crate::{Config, Degree};

use super::{IDS, Sparse};
use clouds::{Cloud, Random};

/// An engine and the points that it should hold.
struct History {
    config: Config,
    engine: Sparse,
    live: VecDeque<(u32, Vec<f32>)>,
    found: SquaredPairs,
}

impl History {
    fn new(config: Config, simd: Simd) -> History {
        let engine = Sparse::with(&config, simd, IDS);
        History { config, engine, live: VecDeque::new(), found: SquaredPairs::default() }
    }

    /// Takes the point, unless an equal one is live.
    fn insert(&mut self, point: Vec<f32>) {
        if self.live.iter().all(|(_, p)| *p != point) {
            let id = self.engine.insert(&point);
            assert!(self.live.back().is_none_or(|(last, _)| *last < id));
            self.live.push_back((id, point));
        }
    }

    fn remove(&mut self, at: usize) -> Vec<f32> {
        let (id, point) = self.live.remove(at).unwrap();
        self.engine.remove(id);
        point
    }

    fn pairs(&mut self) -> naive::Pairs {
        self.found.clear();
        self.engine.pairs(&mut self.found);
        naive::Pairs::of(&self.found)
    }

    fn expected(&self) -> naive::Pairs {
        let points: Vec<&[f32]> = self.live.iter().map(|(_, p)| &p[..]).collect();
        naive::pairs(&points, self.config.max_squared(), self.config.max_degree)
    }

    #[track_caller]
    fn check(&mut self) {
        assert_eq!(self.pairs(), self.expected());
        assert_eq!(self.engine.graph.live, self.live.len());
    }
}

/// Slides a window over a cloud; checks `windows` of them.
#[track_caller]
fn slide(cloud: &Cloud, window: usize, hop: usize, degree: f32, windows: usize) {
    let points = cloud.points(window + hop * windows);
    let radius = clouds::radius_at(&points[..window], degree);
    let config = Config::new(points[0].len(), window, radius);
    let mut history = History::new(config, Simd::detect());
    let mut points = points.into_iter();
    points.by_ref().take(window).for_each(|p| history.insert(p));
    for _ in 0..windows {
        history.check();
        (0..hop.min(history.live.len())).for_each(|_| drop(history.remove(0)));
        points.by_ref().take(hop).for_each(|p| history.insert(p));
    }
    history.check();
}

#[test]
fn circle_slides() {
    slide(&Cloud::Circle, 300, 7, 20.0, 40);
}

#[test]
fn lorenz_slides() {
    slide(&Cloud::Lorenz, 300, 7, 20.0, 40);
}

#[test]
fn torus_slides() {
    slide(&Cloud::Torus, 300, 7, 20.0, 40);
}

/// Few lunes are cones: the only cloud here on which a wrong certificate of connectedness shows.
#[test]
fn clusters_slide() {
    slide(&Cloud::Clusters, 300, 7, 20.0, 40);
    slide(&Cloud::Clusters, 200, 1, 30.0, 60);
}

/// Ties everywhere: the only cloud here on which a wrong order of equal lengths shows.
#[test]
fn lattice_slides() {
    slide(&Cloud::Lattice, 300, 7, 20.0, 40);
    slide(&Cloud::Lattice, 120, 1, 30.0, 80);
}

#[test]
fn all_pairs_slide() {
    slide(&Cloud::Circle, 60, 3, f32::INFINITY, 20);
    slide(&Cloud::Clusters, 60, 1, f32::INFINITY, 20);
    slide(&Cloud::Lattice, 60, 5, f32::INFINITY, 20);
}

/// Points that leave before their turn, and points that come back.
#[test]
fn points_leave_at_any_time() {
    for (seed, cloud) in Cloud::ALL.iter().enumerate() {
        let mut random = Random::new(seed as u64);
        let points = cloud.points(1200);
        let radius = clouds::radius_at(&points[..150], 18.0);
        let mut history = History::new(Config::new(points[0].len(), 150, radius), Simd::detect());
        let mut points = points.into_iter();
        points.by_ref().take(150).for_each(|p| history.insert(p));
        for step in 0..60 {
            for _ in 0..random.below(12) {
                let at = random.below(history.live.len());
                let point = history.remove(at);
                if random.below(3) == 0 {
                    history.insert(point);
                }
            }
            for _ in 0..random.below(6) {
                let oldest = history.remove(0);
                if random.below(2) == 0 {
                    history.insert(oldest);
                }
            }
            while history.live.len() < 150 {
                history.insert(points.next().unwrap());
            }
            if step % 3 != 1 {
                history.check();
            }
        }
    }
}

#[test]
fn degree_zero_alone() {
    for cloud in Cloud::ALL {
        let points = cloud.points(400);
        let radius = clouds::radius_at(&points[..100], 12.0);
        let mut config = Config::new(points[0].len(), 100, radius);
        config.max_degree = Degree::H0;
        let mut history = History::new(config, Simd::detect());
        for (i, point) in points.into_iter().enumerate() {
            history.insert(point);
            if history.live.len() > 100 {
                history.remove(0);
            }
            if i % 5 == 0 {
                history.remove(i % history.live.len());
            }
            if i % 9 == 0 {
                history.check();
            }
        }
    }
}

#[test]
fn dimensions_one_to_twenty() {
    for dimension in [1, 2, 5, 7, 11, 20] {
        let cloud = Cloud::Gaussian(dimension);
        slide(&cloud, 70, 5, 14.0, 12);
        slide(&cloud, 40, 1, f32::INFINITY, 12);
    }
}

/// Distinct points whose squared distances underflow to zero or overflow to infinity.
#[test]
fn lengths_beyond_the_range_of_floats() {
    let mut random = Random::new(5);
    for scale in [1e-23, 1e-20, 1e18, 3e18, 1e19] {
        let config = Config::new(2, 40, f32::INFINITY);
        let mut history = History::new(config, Simd::detect());
        for _ in 0..90 {
            let point = [random.below(40), random.below(40)].map(|x| x as f32 * scale);
            history.insert(point.to_vec());
            if history.live.len() > 40 {
                history.remove(0);
            }
            history.check();
        }
    }
}

#[test]
fn empty_and_radius_zero() {
    let mut history = History::new(Config::new(3, 10, 0.0), Simd::detect());
    history.check();
    for i in 0..5 {
        history.insert(vec![i as f32 * 1e-30, 0.0, 0.0]);
        history.check();
    }
    while !history.live.is_empty() {
        history.remove(history.live.len() / 2);
        history.check();
    }
    history.insert(vec![1.0; 3]);
    history.check();
}

/// Every width of instructions gives the same engine.
#[test]
fn widths_agree() {
    for cloud in [Cloud::Clusters, Cloud::Lattice, Cloud::Lorenz] {
        let points = cloud.points(500);
        let radius = clouds::radius_at(&points[..200], 25.0);
        let config = Config::new(points[0].len(), 200, radius);
        let widths = Simd::available();
        let mut all: Vec<History> =
            widths.iter().map(|&simd| History::new(config.clone(), simd)).collect();
        for (i, point) in points.iter().enumerate() {
            let mut answers = Vec::new();
            for history in &mut all {
                history.insert(point.clone());
                if history.live.len() > 200 {
                    history.remove((i % 4) * (i % 40));
                }
                if i % 10 == 0 {
                    answers.push(history.pairs());
                }
            }
            assert!(answers.windows(2).all(|w| w[0] == w[1]));
        }
        all.iter_mut().for_each(History::check);
    }
}

#[test]
fn edges_by_rank() {
    let mut history = History::new(Config::new(2, 30, 3.0), Simd::detect());
    Cloud::Lattice.points(80).into_iter().for_each(|p| history.insert(p));
    history.remove(7);
    history.remove(0);
    let points: Vec<&[f32]> = history.live.iter().map(|(_, p)| &p[..]).collect();
    let lengths = naive::lengths(&points, history.config.max_squared());
    assert_eq!(history.engine.edges(), lengths.len());
    for (rank, length) in lengths.iter().enumerate() {
        assert_eq!(history.engine.edge_length(rank), Some(length.sqrt()));
    }
    assert_eq!(history.engine.edge_length(lengths.len()), None);
}

#[test]
fn ids_run_out() {
    let mut engine = Sparse::with(&Config::new(1, 4, 1.0), Simd::detect(), 10);
    for i in 0..10 {
        assert_eq!(engine.arrivals_left(), 10 - i);
        assert_eq!(engine.insert(&[i as f32]), i);
        engine.remove(i);
    }
    assert_eq!(engine.arrivals_left(), 0);
}

/// A stream may go on for ever, in the memory of a few windows.
#[test]
fn memory_is_bounded() {
    let points = Cloud::Clusters.points(6000);
    let radius = clouds::radius_at(&points[..200], 20.0);
    let mut engine = Sparse::new(&Config::new(8, 200, radius));
    let mut found = SquaredPairs::default();
    let mut settled = 0;
    for (i, point) in points.iter().enumerate() {
        if i >= 200 {
            engine.remove(i as u32 - 200);
        }
        engine.insert(point);
        if i % 3 == 0 {
            found.clear();
            engine.pairs(&mut found);
        }
        if i == 2000 {
            settled = engine.heap_bytes();
        }
    }
    assert!(engine.heap_bytes() < settled + settled / 2);
}
