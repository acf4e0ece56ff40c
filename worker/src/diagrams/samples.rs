use std::fs::File;
use std::io;
use std::path::Path;

use super::csv::CsvSamples;
use super::npy::NpySamples;

/// A source of samples: the chosen channels of one row after the other.
pub(crate) trait Samples: Send {
    /// Replaces `sample` by the next one; `false` at the end of the input.
    fn read(&mut self, sample: &mut Vec<f32>) -> Result<bool, InputError>;

    /// What the user calls the input.
    fn name(&self) -> &str;

    /// Bytes read so far.
    fn position(&self) -> u64;

    /// Bytes to read in all, if that is known.
    fn length(&self) -> Option<u64>;
}

/// What is wrong with the input, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("cannot open {name}: {cause}; name an existing file, or - for standard input")]
    Open { name: String, cause: io::Error },
    #[error("cannot read {name}: {cause}")]
    Read { name: String, cause: io::Error },
    #[error("{0}: unknown kind of file; name it .csv or .npy, or pipe it in as CSV and name it -")]
    Kind(String),
    #[error("{name} is not a NumPy array that can be read: {reason}")]
    Npy { name: String, reason: String },
    #[error("{name} was cut off: it has {found} of {expected} bytes; write it again")]
    CutOff { name: String, found: u64, expected: u64 },
    #[error(
        "{name} has {}: channel {channel} does not exist, they count from 0",
        counted(*columns, "column")
    )]
    Channel { name: String, columns: usize, channel: usize },
    #[error(
        "{place} has {}, expected {expected} as in the lines before; repair it (commas separate \
         cells, and a point the decimals)",
        counted(*found, "cell")
    )]
    Ragged { place: String, found: usize, expected: usize },
    #[error(
        "{place}: {text:?} is not a number; repair it, or choose other channels, which count from \
         0 (only a first line without any number is taken for names)"
    )]
    NotANumber { place: String, text: String },
    #[error("{place}: {text:?} is not a number; separate cells by commas, not by {separator}")]
    Separator { place: String, text: String, separator: &'static str },
    #[error("{place}: it is not UTF-8 (UTF-16, perhaps); write it as UTF-8 or ASCII")]
    Encoding { place: String },
    #[error(
        "{place} is blank, but samples come behind it; fill in what is missing, or remove the line"
    )]
    Blank { place: String },
    #[error("{place}: {value} is not finite; remove or repair that row")]
    NotFinite { place: String, value: f64 },
    #[error("{place}: {value:e} does not fit in a float32 (at most {max:e}); rescale that column", max = f32::MAX)]
    OutOfRange { place: String, value: f64 },
}

/// Opens a file, or standard input for `-`; without `channels`, all of its columns.
pub(crate) fn open(
    path: &Path,
    channels: Option<Vec<usize>>,
) -> Result<Box<dyn Samples>, InputError> {
    if path == Path::new("-") {
        let name = "standard input".into();
        return Ok(Box::new(CsvSamples::new(io::stdin(), name, None, channels)));
    }
    let name = path.display().to_string();
    let file = open_file(path, &name)?;
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("npy") => Ok(Box::new(NpySamples::new(file, name, channels)?)),
        Some("csv" | "txt") | None => {
            let length = file.metadata().ok().filter(|m| m.is_file()).map(|m| m.len());
            Ok(Box::new(CsvSamples::new(file, name, length, channels)))
        }
        Some(_) => Err(InputError::Kind(name)),
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn open_file(path: &Path, name: &str) -> Result<File, InputError> {
    let opened = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok(file),
    });
    opened.map_err(|cause| InputError::Open { name: name.into(), cause })
}

/// The `f32` nearest to `value`.
pub(super) fn to_f32(value: f64, place: impl FnOnce() -> String) -> Result<f32, InputError> {
    let nearest = value as f32;
    if nearest.is_finite() {
        return Ok(nearest);
    }
    let place = place();
    match value.is_finite() {
        true => Err(InputError::OutOfRange { place, value }),
        false => Err(InputError::NotFinite { place, value }),
    }
}

/// The channels to use of `columns` columns: those asked for, or all.
pub(super) fn choose(
    channels: Option<&[usize]>,
    columns: usize,
    name: &str,
) -> Result<Vec<usize>, InputError> {
    let Some(channels) = channels else {
        return Ok((0..columns).collect());
    };
    match channels.iter().find(|&&c| c >= columns) {
        Some(&channel) => Err(InputError::Channel { name: name.into(), columns, channel }),
        None => Ok(channels.to_vec()),
    }
}
