//! When a scale emits, and what its points are made of.

mod check;
mod clouds;
mod oracle;

use check::{bits, expected, runner};
use persistence::{Config, ConfigError, Embedding, Emission, Scale};
use proptest::collection::vec;
use proptest::prelude::*;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/regressions/scale.txt");

fn scale(embedding: Embedding, stride: usize, hop: usize, window: usize) -> Scale {
    Scale::new(embedding, stride, hop, &Config::new(1, window, f32::INFINITY))
        .expect("a good scale")
}

/// The samples at which emissions came, with their ends.
fn ends(scale: &mut Scale, samples: usize) -> Vec<(u64, u64)> {
    let emissions = (0..samples).filter_map(|t| scale.push(&[t as f32]).expect("a good sample"));
    emissions.map(|e| (e.sample, e.end)).collect()
}

#[test]
fn emissions_are_due_when_the_window_is_full_and_then_after_every_hop() {
    let mut plain = scale(Embedding::identity(1).unwrap(), 1, 3, 4);
    assert_eq!(ends(&mut plain, 12), [(3, 3), (6, 6), (9, 9)]);
}

#[test]
fn a_hop_longer_than_the_window_skips_points() {
    let mut plain = scale(Embedding::identity(1).unwrap(), 1, 5, 2);
    assert_eq!(ends(&mut plain, 13), [(1, 1), (6, 6), (11, 11)]);
}

#[test]
fn a_stride_keeps_the_first_point_and_then_every_other() {
    let mut strided = scale(Embedding::identity(1).unwrap(), 2, 1, 3);
    assert_eq!(ends(&mut strided, 10), [(4, 2), (6, 3), (8, 4)]);
    let kept: Vec<_> = strided.window().points().map(<[f32]>::to_vec).collect();
    assert_eq!(kept, [[4.0], [6.0], [8.0]]);
    assert_eq!(strided.span(), 5);
}

#[test]
fn an_embedding_waits_for_its_oldest_sample() {
    let mut embedded = scale(Embedding::new(3, 2, 1, None).unwrap(), 2, 2, 2);
    assert_eq!(ends(&mut embedded, 12), [(6, 1), (10, 3)]);
    let kept: Vec<_> = embedded.window().points().map(<[f32]>::to_vec).collect();
    assert_eq!(kept, [[8.0, 6.0, 4.0], [10.0, 8.0, 6.0]]);
    assert_eq!(embedded.span(), 7);
}

#[test]
fn coordinates_go_from_the_newest_sample_to_the_oldest_with_all_channels_of_each() {
    let mut embedding = Embedding::new(2, 3, 3, Some(&[2, 0])).unwrap();
    assert_eq!((embedding.dimension(), embedding.reach()), (4, 3));
    for t in 0..3 {
        let t = t as f32;
        assert_eq!(embedding.push(&[t, t + 10.0, t + 20.0]), Ok(None));
    }
    assert_eq!(embedding.push(&[3.0, 13.0, 23.0]), Ok(Some(&[23.0, 3.0, 20.0, 0.0][..])));
    assert_eq!(embedding.push(&[4.0, 14.0, 24.0]), Ok(Some(&[24.0, 4.0, 21.0, 1.0][..])));
}

#[test]
fn an_emission_says_what_it_is_about() {
    let mut plain = scale(Embedding::new(2, 1, 1, None).unwrap(), 1, 1, 3);
    let emissions: Vec<Emission> =
        [0.0, 1.0, 0.0, 2.0].iter().filter_map(|x| plain.push(&[*x]).unwrap()).collect();
    let [emission] = &emissions[..] else { panic!("{emissions:?}") };
    assert_eq!((emission.end, emission.sample, emission.window), (2, 3, 3));
    assert_eq!(emission.diagrams, plain.window_mut().diagrams());
}

#[test]
fn what_cannot_be_used_is_named() {
    let config = Config::new(1, 4, 1.0);
    let embedding = || Embedding::identity(1).unwrap();
    assert_eq!(Scale::new(embedding(), 0, 1, &config).unwrap_err(), ConfigError::Stride);
    assert_eq!(Scale::new(embedding(), 1, 0, &config).unwrap_err(), ConfigError::Hop);
    let empty = Config::new(1, 0, 1.0);
    assert_eq!(Scale::new(embedding(), 1, 1, &empty).unwrap_err(), ConfigError::Window(0));
}

#[test]
fn a_stride_without_end_emits_once() {
    let mut scale = scale(Embedding::identity(1).unwrap(), usize::MAX, usize::MAX, 1);
    assert_eq!(ends(&mut scale, 10), [(0, 0)]);
    let embedding = Embedding::identity(1).unwrap();
    let endless = Scale::new(embedding, usize::MAX, 1, &Config::new(1, 4, 1.0)).unwrap();
    assert_eq!(endless.span(), u64::MAX);
}

#[test]
fn the_dimension_is_that_of_the_embedding() {
    let embedding = Embedding::new(3, 1, 2, None).unwrap();
    let scale = Scale::new(embedding, 1, 1, &Config::new(17, 4, 1.0)).unwrap();
    assert_eq!(scale.window().config().dimension, 6);
}

/// Shape of a scale, and a series long enough for it.
#[derive(Clone, Debug)]
struct Case {
    copies: usize,
    delay: usize,
    stride: usize,
    hop: usize,
    window: usize,
    series: Vec<f32>,
}

fn cases() -> impl Strategy<Value = Case> {
    let series = vec((-4i8..5).prop_map(f32::from), 0..160);
    (1usize..=4, 1usize..=5, 1usize..=4, 1usize..=9, 1usize..=14, series).prop_map(
        |(copies, delay, stride, hop, window, series)| Case {
            copies,
            delay,
            stride,
            hop,
            window,
            series,
        },
    )
}

impl Case {
    fn scale(&self) -> Scale {
        let embedding = Embedding::new(self.copies, self.delay, 1, None);
        let embedding = embedding.expect("a good embedding");
        scale(embedding, self.stride, self.hop, self.window)
    }

    /// The points that the series makes, each with its newest sample.
    fn points(&self) -> Vec<(usize, Vec<f32>)> {
        let reach = (self.copies - 1) * self.delay;
        let point = |t: usize| (0..self.copies).map(|i| self.series[t - i * self.delay]).collect();
        (reach..self.series.len()).step_by(self.stride).map(|t| (t, point(t))).collect()
    }
}

proptest! {
    #![proptest_config(runner(500, REGRESSIONS))]

    #[test]
    fn emissions_are_those_of_the_definition(case in cases()) {
        let points = case.points();
        let mut scale = case.scale();
        let config = scale.window().config().clone();
        let emissions: Vec<Emission> =
            case.series.iter().filter_map(|x| scale.push(&[*x]).unwrap()).collect();
        let due: Vec<usize> = (case.window..=points.len()).step_by(case.hop).collect();
        prop_assert_eq!(emissions.len(), due.len());
        for (emission, seen) in emissions.iter().zip(due) {
            let held: Vec<Vec<f32>> =
                points[seen - case.window..seen].iter().map(|p| p.1.clone()).collect();
            prop_assert_eq!(emission.end, seen as u64 - 1);
            prop_assert_eq!(emission.sample, points[seen - 1].0 as u64);
            prop_assert_eq!(emission.window, case.window);
            prop_assert_eq!(bits(&emission.diagrams), expected(&held, &config));
        }
    }

    /// Recovery: resume at the oldest sample of the span, replay, go on.
    #[test]
    fn a_rebuilt_scale_goes_on_as_if_nothing_had_happened(
        case in cases(),
        crash in any::<prop::sample::Index>(),
    ) {
        let crash = crash.index(case.series.len() + 1);
        let mut undisturbed = case.scale();
        let emissions: Vec<Option<Emission>> =
            case.series.iter().map(|x| undisturbed.push(&[*x]).unwrap()).collect();

        let mut rebuilt = case.scale();
        let oldest = (crash as u64).saturating_sub(rebuilt.span());
        rebuilt.resume_at(oldest);
        let settled = if oldest == 0 { 0 } else { oldest + rebuilt.span() - 1 };
        for (sample, value) in case.series.iter().enumerate().take(crash).skip(oldest as usize) {
            let due = rebuilt.replay(&[*value]).unwrap();
            if sample as u64 >= settled {
                prop_assert_eq!(due, emissions[sample].is_some());
            }
        }
        for (value, expected) in case.series.iter().zip(&emissions).skip(crash) {
            prop_assert_eq!(&rebuilt.push(&[*value]).unwrap(), expected);
        }
    }
}
