//! Plays a series into the input topic.

use super::arguments::Speed;
use super::progress::Progress;
use super::signal::Signal;
use mesh::Feed;
use mesh::schema::Point;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the feeder sleeps when nothing is due. Points come in packets, as from a monitor: the
/// broker inside the process looks for an offset packet by packet, from its first one on.
const REST: Duration = Duration::from_millis(8);

/// What is played, how fast, and under which name.
#[derive(Clone, Debug)]
pub(super) struct Feeder<'a> {
    /// The samples.
    pub(super) signal: &'a Signal,
    /// The name of the series.
    pub(super) series: &'a str,
    /// Time of the first sample, milliseconds since the Unix epoch.
    pub(super) epoch: f64,
    /// How fast.
    pub(super) speed: Speed,
    /// How long; without end when `None`.
    pub(super) seconds: Option<f64>,
}

impl Feeder<'_> {
    /// Appends points as they become due, until the time is over or it is told to stop. It waits
    /// while too many are on their way: the broker inside the process drops what is not read in
    /// time.
    ///
    /// # Errors
    /// When the broker refuses a point.
    pub(super) fn run(
        &self,
        feed: &Feed,
        progress: &Progress,
        stop: &AtomicBool,
    ) -> Result<(), mesh::Error> {
        while !stop.load(Ordering::Relaxed) {
            let (wall, number) = (progress.wall(), progress.appended());
            if self.is_over(wall) && (self.speed == Speed::Max || number >= self.due(wall)) {
                break;
            }
            if number >= self.due(wall) || !progress.has_room() {
                std::thread::sleep(REST);
                continue;
            }
            progress.append();
            feed.append(Some(0), self.series, &self.point(number))?;
        }
        feed.finish(Duration::from_secs(20))
    }

    fn is_over(&self, wall: Duration) -> bool {
        self.seconds.is_some_and(|seconds| wall.as_secs_f64() >= seconds)
    }

    /// Points that should have been appended after `wall` of playing.
    fn due(&self, wall: Duration) -> u64 {
        let played = wall.as_secs_f64().min(self.seconds.unwrap_or(f64::INFINITY));
        match self.speed {
            Speed::Max => u64::MAX,
            Speed::Times(factor) => (played * self.signal.rate * factor).round() as u64,
        }
    }

    /// The JSON of point `number`.
    fn point(&self, number: u64) -> Vec<u8> {
        let point = Point {
            series: None,
            time: Some(self.epoch + number as f64 * 1000.0 / self.signal.rate),
            values: vec![self.signal.at(number)],
        };
        serde_json::to_vec(&point).expect("a point has string keys only")
    }

    /// The number of the point that was measured at `time`, milliseconds since the Unix epoch.
    pub(super) fn number(&self, time: f64) -> u64 {
        ((time - self.epoch) * self.signal.rate / 1000.0).round().max(0.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feeder(signal: &Signal, speed: Speed) -> Feeder<'_> {
        Feeder { signal, series: "208", epoch: 1_764_000_000_123.0, speed, seconds: None }
    }

    #[test]
    fn points_become_due_at_the_speed() {
        let signal = Signal::electrocardiogram();
        let due = |speed, millis| feeder(&signal, speed).due(Duration::from_millis(millis));
        assert_eq!(due(Speed::Times(1.0), 1000), 360);
        assert_eq!(due(Speed::Times(5.0), 60_000), 108_000);
        assert_eq!(due(Speed::Times(0.5), 1000), 180);
        assert_eq!(due(Speed::Max, 0), u64::MAX);
        let minute = Feeder { seconds: Some(60.0), ..feeder(&signal, Speed::Times(5.0)) };
        assert_eq!(minute.due(Duration::from_secs(99)), 108_000);
    }

    #[test]
    fn the_time_of_a_point_tells_its_number() {
        let signal = Signal::electrocardiogram();
        let feeder = feeder(&signal, Speed::Max);
        for number in [0, 1, 2, 107_999, 108_000, 50_000_000] {
            let point: Point = serde_json::from_slice(&feeder.point(number)).unwrap();
            assert_eq!(feeder.number(point.time.unwrap()), number);
            assert_eq!(point.values, [signal.at(number)]);
        }
    }
}
