//! What a worker asks of its node when its resource does not say so.
//!
//! The figures are those that `COMPARE.md` measures, rounded up.
//!
//! - **Memory**: [`BASE_BYTES`], the queues of the threads that compute, and [`POINT_BYTES`] for each
//!   point of each window of each series that may be held. A window of 10,000 points with 50
//!   neighbours each takes 30 MB, one of 400 with 278 neighbours each 2.7 MB. It is the whole of
//!   `series.max`, not a share by pods, since one pod may have all partitions when others are gone.
//!   Beyond [`MOST_BYTES`], which no node should be asked for unasked, it is for the user to say.
//! - **CPU**: [`BASE_MILLICORES`] for what does not depend on scales, and for each scale what
//!   [`POINTS_PER_SECOND`] points cost: 44 µs each for diagrams, and 256 µs with features and scores.
//!   No more than the threads that compute can use.

use crds::StreamingTDASpec;
use crds::spec::{Auto, Scale};

/// What a worker takes without any window: 40 MB, and room for its clients' buffers.
pub const BASE_BYTES: i64 = 64 << 20;
/// What a window takes for each of its points.
pub const POINT_BYTES: i64 = 4 << 10;
/// The largest request that is made unasked.
pub const MOST_BYTES: i64 = 2 << 30;
/// What clients and HTTP take.
pub const BASE_MILLICORES: i64 = 100;
/// The rate that a request is made for.
pub const POINTS_PER_SECOND: i64 = 1000;

const DIAGRAM_MICROSECONDS: i64 = 50;
const DETECTION_MICROSECONDS: i64 = 260;

/// Memory, in bytes; whole mebibytes.
pub fn memory(spec: &StreamingTDASpec) -> i64 {
    let points: i64 = spec.scales.iter().map(window).fold(0, i64::saturating_add);
    let windows = points.saturating_mul(POINT_BYTES).saturating_mul(spec.series.max.into());
    let threads = spec.engine.threads.unwrap_or(1);
    let queues = i64::from(threads) * i64::from(spec.engine.queue_bytes);
    let bytes = BASE_BYTES.saturating_add(queues).saturating_add(windows).min(MOST_BYTES);
    bytes.saturating_add((1 << 20) - 1) >> 20 << 20
}

/// Thousandths of a core.
pub fn millicores(spec: &StreamingTDASpec) -> i64 {
    let scales: i64 = spec.scales.iter().map(cost).sum();
    let computing = scales * POINTS_PER_SECOND / 1000;
    let most = spec.engine.threads.map_or(1, i64::from) * 1000;
    BASE_MILLICORES + computing.min(most)
}

/// Microseconds for a point.
fn cost(scale: &Scale) -> i64 {
    let all = if scale.detection.is_some() { DETECTION_MICROSECONDS } else { DIAGRAM_MICROSECONDS };
    (all / i64::from(scale.stride.max(1))).max(1)
}

/// Points in a window; where that is found out, the longest period that is looked for.
fn window(scale: &Scale) -> i64 {
    match (&scale.window, &scale.calibration) {
        (Auto::Fixed(points), _) => (*points).into(),
        (Auto::Word(_), Some(calibration)) => {
            calibration.max_period.unwrap_or(calibration.samples / 3).into()
        }
        (Auto::Word(_), None) => 0,
    }
}
