//! The electrocardiogram that the demo plays: its source and licence are in `data/README.md`.

/// Samples a second.
pub const SAMPLE_RATE: f64 = 360.0;

/// The unit of the values.
pub const UNIT: &str = "mV";

const SAMPLES: &[u8] = include_bytes!("data/mitbih-208.i16");

/// The five minutes of MIT-BIH record 208, lead MLII: 108,000 values in millivolts at
/// [`SAMPLE_RATE`].
pub fn millivolts() -> Vec<f32> {
    SAMPLES.chunks_exact(2).map(|pair| millivolt(i16::from_le_bytes([pair[0], pair[1]]))).collect()
}

/// The converter has 200 steps a millivolt and reads 1024 at rest.
fn millivolt(step: i16) -> f32 {
    f32::from(step - 1024) / 200.0
}

#[cfg(test)]
mod tests {
    use super::millivolts;

    #[test]
    fn the_excerpt_is_whole_and_in_millivolts() {
        let ecg = millivolts();
        assert_eq!(ecg.len(), 108_000);
        assert_eq!(ecg[..3], [-0.245, -0.215, -0.185]);
        assert_eq!(ecg[107_997..], [-0.405, -0.395, -0.385]);
        let mean = ecg.iter().map(|&value| f64::from(value)).sum::<f64>() / ecg.len() as f64;
        assert!((mean + 0.165_108_75).abs() < 1e-6, "{mean}");
    }
}
