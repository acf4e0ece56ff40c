//! Heart beats of an unusual shape, by a classical rule without topology.
//!
//! A reference to compare alerts with where no annotations by a cardiologist are at hand. It is a
//! proxy, not ground truth: it finds ventricular beats by the shape of their QRS complex, and
//! misses those that come too early but look like the others.

use std::f64::consts::PI;

/// The band of frequencies that holds the energy of QRS complexes, in hertz.
const BAND: (f64, f64) = (5.0, 18.0);
/// The correlation with the template below which a beat is abnormal.
const NORMAL: f64 = 0.85;
/// Seconds after a beat in which there is no other.
const REFRACTORY: f64 = 0.25;

/// The share of the squared loudest sample that energy cannot be told from rounding below.
const ROUNDING: f64 = 1e-12;

/// A heart beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beat {
    /// 0-based index of the sample at its R peak.
    pub sample: u64,
    /// Its time, in seconds after the first sample.
    pub seconds: f64,
    /// The correlation of its QRS complex with that of most beats, from −1 to 1.
    pub correlation: f32,
    /// Whether that is below 0.85.
    pub abnormal: bool,
}

/// The beats of an electrocardiogram of `rate` samples a second, in their order.
///
/// R peaks are the maxima of the energy between 5 and 18 Hz (Pan and Tompkins, 1985, in its main
/// idea) that stand out of the ten seconds around. Each QRS complex, 0.1 s to either side, is
/// aligned with the template, the median of all complexes, by at most 0.04 s, and
/// compared by correlation. Not causal: it looks at the whole recording. Recordings shorter than
/// a second have no beats.
pub fn beats(samples: &[f32], rate: f64) -> Vec<Beat> {
    if samples.len() < rate.max(1.0) as usize {
        return Vec::new();
    }
    let band = band_pass(samples, rate);
    let loudest = samples.iter().map(|x| f64::from(x.abs())).fold(0.0, f64::max);
    let peaks = peaks(&energy(&band, rate), &band, ROUNDING * loudest * loudest, rate);
    let shift = (0.04 * rate).round() as usize;
    let half = (0.1 * rate).round() as usize;
    let template = template(&band, &peaks, half);
    let inside = |p: &&usize| **p >= half + shift && **p + half + shift < band.len();
    let beat = |&peak: &usize| {
        let aligned = (peak - shift..=peak + shift).map(|p| &band[p - half..=p + half]);
        let correlation = aligned.map(|qrs| correlation(qrs, &template)).fold(-1.0, f64::max);
        Beat {
            sample: peak as u64,
            seconds: peak as f64 / rate,
            correlation: correlation as f32,
            abnormal: correlation < NORMAL,
        }
    };
    peaks.iter().filter(inside).map(beat).collect()
}

/// The part of the samples in the band: a windowed-sinc filter of half a second, centred.
fn band_pass(samples: &[f32], rate: f64) -> Vec<f64> {
    let half = (0.25 * rate).round() as i64;
    let sinc = |f: f64, i: i64| match i {
        0 => 2.0 * f / rate,
        _ => (2.0 * PI * f / rate * i as f64).sin() / (PI * i as f64),
    };
    let tap = |i: i64| {
        let window = 0.54 + 0.46 * (PI * i as f64 / half as f64).cos();
        (sinc(BAND.1, i) - sinc(BAND.0, i)) * window
    };
    let mut taps: Vec<f64> = (-half..=half).map(tap).collect();
    let mean = taps.iter().sum::<f64>() / taps.len() as f64;
    taps.iter_mut().for_each(|tap| *tap -= mean);
    let last = samples.len() as i64 - 1;
    let at = |t: i64| f64::from(samples[t.clamp(0, last) as usize]);
    (0..=last)
        .map(|t| taps.iter().zip(-half..=half).map(|(tap, i)| tap * at(t + i)).sum())
        .collect()
}

/// The mean square over 0.12 s around each sample.
fn energy(band: &[f64], rate: f64) -> Vec<f64> {
    let half = (0.06 * rate).round() as usize;
    let mut sums = vec![0.0];
    sums.extend(band.iter().scan(0.0, |sum, x| {
        *sum += x * x;
        Some(*sum)
    }));
    let mean = |t: usize| {
        let (from, to) = (t.saturating_sub(half), (t + half + 1).min(band.len()));
        (sums[to] - sums[from]) / (to - from) as f64
    };
    (0..band.len()).map(mean).collect()
}

/// The R peaks: where the energy is largest within the refractory time to both sides, and above
/// a fifth of what the tallest peaks around it reach; there, the largest deflection.
fn peaks(energy: &[f64], band: &[f64], least: f64, rate: f64) -> Vec<usize> {
    let rest = (REFRACTORY * rate).round() as usize;
    let threshold = thresholds(energy, rate);
    let largest = |t: &usize| {
        let (before, after) = (t.saturating_sub(rest), (t + rest).min(energy.len() - 1));
        let higher = energy[before..*t].iter().all(|e| *e < energy[*t]);
        higher && energy[*t..=after].iter().all(|e| *e <= energy[*t])
    };
    let crests = (0..energy.len()).filter(|&t| energy[t] > threshold[t].max(least)).filter(largest);
    let reach = (0.08 * rate).round() as usize;
    let deflection = |t: usize| {
        let around = t.saturating_sub(reach)..(t + reach + 1).min(band.len());
        around.max_by(|&a, &b| band[a].abs().total_cmp(&band[b].abs())).unwrap_or(t)
    };
    crests.map(deflection).collect()
}

/// A fifth of the median of the largest energies of the ten seconds around, second by second.
fn thresholds(energy: &[f64], rate: f64) -> Vec<f64> {
    let second = (rate.round() as usize).max(1);
    let largest: Vec<f64> =
        energy.chunks(second).map(|chunk| chunk.iter().copied().fold(0.0, f64::max)).collect();
    let around = |t: usize| {
        let s = t / second;
        let mut near = largest[s.saturating_sub(5)..(s + 6).min(largest.len())].to_vec();
        near.sort_by(f64::total_cmp);
        near[near.len() / 2] / 5.0
    };
    (0..energy.len()).map(around).collect()
}

/// The median of all complexes, sample by sample.
fn template(band: &[f64], peaks: &[usize], half: usize) -> Vec<f64> {
    let inside = peaks.iter().filter(|&&p| p >= half && p + half < band.len());
    let complexes: Vec<&[f64]> = inside.map(|&p| &band[p - half..=p + half]).collect();
    let median = |i: usize| {
        let mut values: Vec<f64> = complexes.iter().map(|c| c[i]).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    (0..=2 * half).map(median).collect()
}

/// Pearson's; 0 when either is constant.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        both += (x - mean_a) * (y - mean_b);
        square_a += (x - mean_a).powi(2);
        square_b += (y - mean_b).powi(2);
    }
    let scale = (square_a * square_b).sqrt();
    if scale > 0.0 { both / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beats as bumps `width` seconds wide, with a slow wander of the baseline.
    fn recording(beats: &[(f64, f64)], rate: f64, seconds: f64) -> Vec<f32> {
        let at = |t: f64| {
            let bumps = beats.iter().map(|(peak, width)| (-((t - peak) / width).powi(2)).exp());
            0.5 * (2.0 * PI * t / 7.0).sin() + bumps.sum::<f64>()
        };
        (0..(seconds * rate) as usize).map(|i| at(i as f64 / rate) as f32).collect()
    }

    #[test]
    fn a_wide_beat_among_narrow_ones_is_abnormal() {
        let mut shapes: Vec<(f64, f64)> = (1..20).map(|i| (0.8 * f64::from(i), 0.02)).collect();
        shapes[9].1 = 0.06;
        let found = beats(&recording(&shapes, 250.0, 16.0), 250.0);
        let seconds: Vec<f64> = found.iter().map(|b| b.seconds).collect();
        assert_eq!(seconds.len(), 19, "{seconds:?}");
        for (beat, (peak, _)) in found.iter().zip(&shapes) {
            assert!((beat.seconds - peak).abs() < 0.03, "{} is not {peak}", beat.seconds);
        }
        let abnormal: Vec<usize> = (0..19).filter(|&i| found[i].abnormal).collect();
        assert_eq!(abnormal, [9]);
        assert!(found[0].correlation > 0.95);
    }

    #[test]
    fn too_short_or_flat_recordings_have_no_beats() {
        assert_eq!(beats(&[], 360.0), []);
        assert_eq!(beats(&[1.0; 100], 360.0), []);
        assert_eq!(beats(&[1.0; 2000], 360.0), []);
    }
}
