//! The points of a series in a checkpoint.

use crate::filter::Filters;
use crate::history::History;

/// The version of the encoding.
const VERSION: u8 = 1;

/// What the filters and windows of a series hold, all that a sample to come is computed with.
///
/// As bytes: the version, the channels (u32), the index of the first filtered sample (u64), the
/// number of values in each part (three u64), and the values (f32, bit by bit); all of them little
/// endian.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Points {
    /// The last inputs of the decimation.
    pub(crate) raw: Vec<f32>,
    /// The last inputs of the high-pass.
    pub(crate) decimated: Vec<f32>,
    /// The filtered samples.
    pub(crate) filtered: History,
}

impl Points {
    /// Brings the filters to where they were after so many samples.
    pub(crate) fn resume(&self, filters: &mut Filters, sample: u64, channels: usize) {
        filters.resume_with(sample, self.filtered.next(), [&self.raw, &self.decimated], channels);
    }

    pub(crate) fn to_bytes(&self, channels: usize) -> Vec<u8> {
        let filtered: Vec<f32> = self.filtered.values().collect();
        let parts = [&self.raw, &self.decimated, &filtered];
        let values: usize = parts.iter().map(|part| part.len()).sum();
        let mut bytes = Vec::with_capacity(37 + 4 * values);
        bytes.push(VERSION);
        bytes.extend((channels as u32).to_le_bytes());
        bytes.extend(self.filtered.first().to_le_bytes());
        parts.iter().for_each(|part| bytes.extend((part.len() as u64).to_le_bytes()));
        bytes.extend(parts.into_iter().flatten().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// The points in these bytes; `None` when there are none of so many channels.
    pub(crate) fn from_bytes(channels: usize, bytes: &[u8]) -> Option<Points> {
        let (&[version], rest) = bytes.split_first_chunk()?;
        let (found, rest) = rest.split_first_chunk()?;
        if version != VERSION || u32::from_le_bytes(*found) as usize != channels {
            return None;
        }
        let (first, mut rest) = number(rest)?;
        let mut lengths = [0; 3];
        for length in &mut lengths {
            (*length, rest) = number(rest)?;
        }
        let total = lengths.iter().try_fold(0u64, |sum, length| sum.checked_add(*length))?;
        if total.checked_mul(4)? != rest.len() as u64
            || lengths.iter().any(|l| l % channels as u64 > 0)
        {
            return None;
        }
        let mut values = rest.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let mut part = |length: u64| values.by_ref().take(length as usize).collect::<Vec<f32>>();
        let (raw, decimated, filtered) = (part(lengths[0]), part(lengths[1]), part(lengths[2]));
        Some(Points { raw, decimated, filtered: History::of(channels, first, filtered) })
    }
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Points {
        let filtered = History::of(2, 77, vec![-0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, 0.1]);
        Points { raw: vec![1.5, -2.5], decimated: Vec::new(), filtered }
    }

    #[test]
    fn every_bit_comes_back() {
        let bytes = points().to_bytes(2);
        let back = Points::from_bytes(2, &bytes).unwrap();
        assert_eq!(back, points());
        assert_eq!(back.to_bytes(2), bytes, "the sign of zero too");
    }

    #[test]
    fn the_encoding_stays_as_it_is() {
        let digest = mesh::checkpoint::fingerprint(&points().to_bytes(2));
        assert_eq!(digest, "9ea22fffb3043cf2");
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = points().to_bytes(2);
        for length in 0..bytes.len() {
            assert_eq!(Points::from_bytes(2, &bytes[..length]), None);
        }
        assert_eq!(Points::from_bytes(1, &bytes), None);
        let mut huge = bytes.clone();
        huge[13..21].fill(0xff);
        assert_eq!(Points::from_bytes(2, &huge), None);
        let mut later = bytes;
        later[0] += 1;
        assert_eq!(Points::from_bytes(2, &later), None);
    }
}
