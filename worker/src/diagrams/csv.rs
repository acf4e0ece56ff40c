use std::io::{Chain, Read};

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator, Trim};

use super::samples::{InputError, Samples, choose, to_f32};

/// One sample a line, its channels separated by commas.
pub(super) struct CsvSamples<R> {
    name: String,
    length: Option<u64>,
    /// The line end behind the input ends a last line that has none.
    reader: Reader<Chain<R, &'static [u8]>>,
    record: ByteRecord,
    channels: Option<Vec<usize>>,
    /// Cells in the first line; 0 before it.
    columns: usize,
    /// The first blank line behind the last sample.
    blank: Option<u64>,
}

impl<R: Read + Send> CsvSamples<R> {
    pub(super) fn new(
        input: R,
        name: String,
        length: Option<u64>,
        channels: Option<Vec<usize>>,
    ) -> CsvSamples<R> {
        // A carriage return before the line end is trimmed with the other blanks.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(input.chain(&b"\n"[..]));
        let record = ByteRecord::new();
        CsvSamples { name, length, reader, record, channels, columns: 0, blank: None }
    }

    /// Goes to the next line that is not blank.
    fn advance(&mut self) -> Result<bool, InputError> {
        let mut behind = self.reader.position().line();
        while self.advance_line()? {
            let lines = self.record.as_slice().iter().filter(|&&b| b == b'\n').count() as u64 + 1;
            let blank = self.record.len() == 1 && self.record[0].is_empty();
            let end = self.reader.position().line();
            // The reader passes over empty lines itself.
            if blank || end > behind + lines {
                self.blank.get_or_insert(behind);
            }
            if !blank {
                return Ok(true);
            }
            behind = end;
        }
        Ok(false)
    }

    /// Blank lines are nothing before the first sample and after the last. Between two they stand
    /// for one that is missing, as some programs write it.
    fn is_whole(&mut self, begun: bool) -> Result<(), InputError> {
        match self.blank.take() {
            Some(line) if begun => {
                Err(InputError::Blank { place: format!("{}, line {line}", self.name) })
            }
            _ => Ok(()),
        }
    }

    fn advance_line(&mut self) -> Result<bool, InputError> {
        self.reader.read_byte_record(&mut self.record).map_err(|e| {
            let reason = e.to_string();
            let cause = match e.into_kind() {
                csv::ErrorKind::Io(cause) => cause,
                _ => std::io::Error::other(reason),
            };
            InputError::Read { name: self.name.clone(), cause }
        })
    }

    fn begin(&mut self) -> Result<(), InputError> {
        self.columns = self.record.len();
        self.channels = Some(choose(self.channels.as_deref(), self.columns, &self.name)?);
        Ok(())
    }

    fn is_header(&self) -> bool {
        self.cells().all(|(_, cell)| number(cell).is_none())
    }

    /// The chosen cells and their columns.
    fn cells(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.channels.iter().flatten().map(|&c| (c, &self.record[c]))
    }

    fn line(&self) -> String {
        format!("{}, line {}", self.name, self.reader.position().line() - 1)
    }

    fn parse(&self, sample: &mut Vec<f32>) -> Result<(), InputError> {
        if self.record.len() != self.columns {
            let (found, expected) = (self.record.len(), self.columns);
            return Err(InputError::Ragged { place: self.line(), found, expected });
        }
        sample.clear();
        for (column, cell) in self.cells() {
            let place = || format!("{}, channel {column}", self.line());
            let value = number(cell).ok_or_else(|| not_a_number(place(), cell))?;
            sample.push(to_f32(value, place)?);
        }
        Ok(())
    }
}

impl<R: Read + Send> Samples for CsvSamples<R> {
    fn read(&mut self, sample: &mut Vec<f32>) -> Result<bool, InputError> {
        if !self.advance()? {
            return Ok(false);
        }
        let begun = self.columns > 0;
        if !begun {
            self.begin()?;
            if self.is_header() && !self.advance()? {
                return Ok(false);
            }
        }
        self.is_whole(begun)?;
        self.parse(sample).map(|()| true)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

/// Read as an `f64` and rounded to `f32` afterwards, so that the same number gives the same bits
/// in every format of input.
fn number(cell: &[u8]) -> Option<f64> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}

/// Says so, and what has been taken for commas, if anything.
fn not_a_number(place: String, cell: &[u8]) -> InputError {
    let text = excerpt(cell);
    let inside = |byte: u8| cell.contains(&byte);
    let separator = match () {
        () if inside(0) => return InputError::Encoding { place },
        () if inside(b';') => "semicolons",
        () if inside(b'\t') => "tabs",
        () if is_row_of_numbers(cell) => "blanks",
        () => return InputError::NotANumber { place, text },
    };
    InputError::Separator { place, text, separator }
}

fn is_row_of_numbers(cell: &[u8]) -> bool {
    let mut parts = cell.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(|part| number(part).is_some())
}

fn excerpt(cell: &[u8]) -> String {
    const LONGEST: usize = 40;
    let text = String::from_utf8_lossy(cell);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
