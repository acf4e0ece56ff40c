use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use npyz::{DType, Deserialize, NpyHeader, Order, TypeRead};

use super::samples::{InputError, Samples, choose, to_f32};

/// The rows of a NumPy array.
pub(super) struct NpySamples {
    name: String,
    number: Number,
    rows: u64,
    row: u64,
    row_bytes: u64,
    layout: Layout,
    /// The chosen numbers of the current row, and their columns.
    values: Vec<(usize, f64)>,
}

/// How numbers are stored.
enum Number {
    Single(<f32 as Deserialize>::TypeReader),
    Double(<f64 as Deserialize>::TypeReader),
}

/// In which order they are stored.
enum Layout {
    /// Row by row (C order).
    Rows { data: BufReader<Section>, width: u64, channels: Vec<usize> },
    /// Column by column (Fortran order): each chosen one is read on its own.
    Columns(Vec<(usize, BufReader<Section>)>),
}

/// A file from some byte on. Several of them read one file side by side.
struct Section {
    file: Arc<File>,
    offset: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl Number {
    fn new(dtype: &DType) -> Option<(Number, u64)> {
        let single = || Some((Number::Single(f32::reader(dtype).ok()?), 4));
        single().or_else(|| Some((Number::Double(f64::reader(dtype).ok()?), 8)))
    }

    fn read(&self, from: &mut impl Read) -> io::Result<f64> {
        match self {
            Number::Single(single) => single.read_one(from).map(f64::from),
            Number::Double(double) => double.read_one(from),
        }
    }
}

impl NpySamples {
    pub(super) fn new(
        file: File,
        name: String,
        channels: Option<Vec<usize>>,
    ) -> Result<NpySamples, InputError> {
        let unusable = |reason: String| InputError::Npy { name: name.clone(), reason };
        let (header, start) = header(&file).map_err(|e| unusable(e.to_string()))?;
        let Some((number, size)) = Number::new(&header.dtype()) else {
            let found = header.dtype().descr();
            return Err(unusable(format!("it holds {found}; save it with .astype('float32')")));
        };
        let (rows, columns) = shape(&header).map_err(unusable)?;
        let column_bytes = rows.saturating_mul(size);
        let expected = column_bytes.saturating_mul(columns).saturating_add(start);
        let found = file.metadata().map_err(|e| unusable(e.to_string()))?.len();
        if found < expected {
            return Err(InputError::CutOff { name, found, expected });
        }
        let channels = choose(channels.as_deref(), columns as usize, &name)?;
        let file = Arc::new(file);
        let section = |offset| BufReader::new(Section { file: Arc::clone(&file), offset });
        let layout = match header.order() {
            Order::C => Layout::Rows { data: section(start), width: columns, channels },
            Order::Fortran => {
                let column = |&c: &usize| (c, section(start + c as u64 * column_bytes));
                Layout::Columns(channels.iter().map(column).collect())
            }
        };
        Ok(NpySamples {
            name,
            number,
            rows,
            row: 0,
            row_bytes: size * columns,
            layout,
            values: Vec::new(),
        })
    }

    /// Reads the chosen numbers of a row, each with its column.
    fn advance(&mut self) -> io::Result<()> {
        self.values.clear();
        match &mut self.layout {
            Layout::Rows { data, width, channels } => {
                let row = (0..*width).map(|_| self.number.read(data));
                let row = row.collect::<io::Result<Vec<f64>>>()?;
                self.values.extend(channels.iter().map(|&c| (c, row[c])));
            }
            Layout::Columns(columns) => {
                for (column, data) in columns {
                    self.values.push((*column, self.number.read(data)?));
                }
            }
        }
        Ok(())
    }
}

impl Samples for NpySamples {
    fn read(&mut self, sample: &mut Vec<f32>) -> Result<bool, InputError> {
        if self.row == self.rows {
            return Ok(false);
        }
        self.advance().map_err(|cause| InputError::Read { name: self.name.clone(), cause })?;
        sample.clear();
        for &(column, value) in &self.values {
            let place = || format!("{}, row {}, channel {column}, from 0", self.name, self.row);
            sample.push(to_f32(value, place)?);
        }
        self.row += 1;
        Ok(true)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn position(&self) -> u64 {
        self.row * self.row_bytes
    }

    fn length(&self) -> Option<u64> {
        Some(self.rows * self.row_bytes)
    }
}

/// The header, and where the numbers begin.
fn header(file: &File) -> io::Result<(NpyHeader, u64)> {
    /// No header of an array of numbers comes near this.
    const LONGEST: u64 = 4096;
    const MAGIC: &[u8] = b"\x93NUMPY";
    let mut magic = [0; MAGIC.len()];
    let read = Section { file: Arc::new(file.try_clone()?), offset: 0 }.read_exact(&mut magic);
    if read.is_err() || magic != *MAGIC {
        return Err(io::Error::other("it does not begin as one; write it with numpy.save"));
    }
    let mut head = Read::take(Section { file: Arc::new(file.try_clone()?), offset: 0 }, LONGEST);
    let header = NpyHeader::from_reader(&mut head)?;
    Ok((header, head.into_inner().offset))
}

/// Rows and columns.
fn shape(header: &NpyHeader) -> Result<(u64, u64), String> {
    const WIDEST: u64 = 1 << 24;
    match *header.shape() {
        [rows] => Ok((rows, 1)),
        [rows, columns] if (1..=WIDEST).contains(&columns) => Ok((rows, columns)),
        ref shape => Err(format!("its shape is {shape:?}; save it with one point a row")),
    }
}
