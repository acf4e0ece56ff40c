//! Beats marked by a classical rule, and which of them an alert belongs to.

use detection::qrs;

/// Seconds after a marked beat within which an alert belongs to it: a beat stays in the window of
/// the electrocardiogram for 0.65 s (62 points and the reach of the embedding, at 120 Hz), and the
/// filters before it lag by less than 0.1 s.
pub(super) const PATIENCE: f64 = 0.75;

/// What the marks are, in the words of every place that shows them.
pub(super) const RULE: &str = "marked by a classical QRS-shape rule (proxy, not ground truth)";

/// The times, in seconds from its start, of the beats of unusual shape in a recording that is
/// played again and again.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    times: Vec<f64>,
    length: f64,
}

impl Marks {
    /// Marks the beats of an electrocardiogram of `rate` samples a second.
    pub(super) fn of(samples: &[f32], rate: f64) -> Marks {
        let abnormal = qrs::beats(samples, rate).into_iter().filter(|beat| beat.abnormal);
        let times = abnormal.map(|beat| beat.seconds).collect();
        Marks { times, length: samples.len() as f64 / rate }
    }

    /// The marks at `from` or later and before `to`, in order; after the end of the recording
    /// come those of its next pass.
    pub(super) fn between(&self, from: f64, to: f64) -> Vec<f64> {
        let passes = (from / self.length) as u64..=(to / self.length) as u64;
        let pass = |pass: u64| self.times.iter().map(move |t| t + pass as f64 * self.length);
        passes.flat_map(pass).filter(|t| (from..to).contains(t)).collect()
    }
}

/// The marked beat that an alert at `time` belongs to: the last one within [`PATIENCE`] before it.
/// `marks` are in order.
pub(super) fn beat_of(marks: &[f64], time: f64) -> Option<f64> {
    let before = marks.partition_point(|&mark| mark <= time);
    marks[..before].last().copied().filter(|mark| time - mark <= PATIENCE)
}

/// How many of `marks` have an alert within [`PATIENCE`] after them. Both are in order.
pub(super) fn alerted(marks: &[f64], alerts: &[f64]) -> usize {
    let found = |mark: f64| {
        let next = alerts.partition_point(|&alert| alert < mark);
        alerts.get(next).is_some_and(|alert| alert - mark <= PATIENCE)
    };
    marks.iter().filter(|&&mark| found(mark)).count()
}

#[cfg(test)]
mod tests {
    use super::{Marks, PATIENCE, alerted, beat_of};

    #[test]
    fn an_alert_belongs_to_the_last_mark_shortly_before_it() {
        let marks = [1.0, 2.0, 2.5, 9.0];
        assert_eq!(beat_of(&marks, 0.9), None);
        assert_eq!(beat_of(&marks, 1.0), Some(1.0));
        assert_eq!(beat_of(&marks, 1.0 + PATIENCE), Some(1.0));
        assert_eq!(beat_of(&marks, 1.8), None);
        assert_eq!(beat_of(&marks, 2.6), Some(2.5));
        assert_eq!(beat_of(&marks, 8.999), None);
        assert_eq!(beat_of(&[], 1.0), None);
    }

    #[test]
    fn marks_are_counted_once_whatever_the_number_of_alerts() {
        assert_eq!(alerted(&[1.0, 1.2, 5.0], &[1.3, 1.5]), 2);
        assert_eq!(alerted(&[1.0], &[0.9, 1.8]), 0);
        assert_eq!(alerted(&[], &[1.0]), 0);
    }

    #[test]
    fn marks_go_on_in_the_next_pass() {
        let marks = Marks { times: vec![0.5, 9.5], length: 10.0 };
        assert_eq!(marks.between(0.0, 10.0), [0.5, 9.5]);
        assert_eq!(marks.between(0.5, 9.5), [0.5]);
        assert_eq!(marks.between(9.0, 21.0), [9.5, 10.5, 19.5, 20.5]);
        assert!(marks.between(11.0, 11.0).is_empty());
    }

    #[test]
    fn the_electrocardiogram_has_about_a_hundred_marks() {
        let marks = Marks::of(&super::super::ecg::millivolts(), super::super::ecg::SAMPLE_RATE);
        let count = marks.between(0.0, 300.0).len();
        assert!((90..130).contains(&count), "{count}");
        // The first premature beat comes after 16 s of normal ones.
        assert!(marks.times[0] > 15.0, "{}", marks.times[0]);
    }
}
