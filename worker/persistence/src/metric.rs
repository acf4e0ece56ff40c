//! The one formula for the length of an edge.

/// The squared Euclidean distance in `f32`: squared differences added in the order of the
/// dimensions, each operation rounded. Symmetric, and never NaN for finite points.
pub(crate) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let mut sum = 0.0;
    for (x, y) in a.iter().zip(b) {
        let difference = x - y;
        sum += difference * difference;
    }
    sum
}
