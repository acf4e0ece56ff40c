use super::schema::{Node, Schema};
use crate::schema::cell::Cell;
use crate::schema::wire::take_long;

/// Reads the values of a schema from bytes.
pub(super) struct Reader<'a> {
    schema: &'a Schema,
    rest: &'a [u8],
    /// Values that may still be passed over: those of some types take no bytes.
    work: usize,
}

/// Values within values at most.
const DEPTH: usize = 64;

impl<'a> Reader<'a> {
    pub(super) fn new(schema: &'a Schema, value: &'a [u8]) -> Reader<'a> {
        Reader { schema, rest: value, work: 4 * value.len() + 16384 }
    }

    /// Everything was read.
    pub(super) fn finish(&self) -> Result<(), String> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(format!("{left} bytes follow the value")),
        }
    }

    fn long(&mut self) -> Result<i64, String> {
        take_long(&mut self.rest).ok_or_else(|| "an integer cannot be read".into())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it ends early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or("it ends early")?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Bytes with their length before them.
    fn bytes(&mut self) -> Result<&'a [u8], String> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| format!("a length is {length}"))?;
        self.take(length)
    }

    /// Which branch of a union was written.
    pub(super) fn branch(&mut self, count: usize) -> Result<usize, String> {
        let branch = self.long()?;
        let index = usize::try_from(branch).ok().filter(|&b| b < count);
        index.ok_or_else(|| format!("branch {branch} of a union of {count}"))
    }

    /// The items in the next block of an array or a map; 0 ends it.
    fn block(&mut self) -> Result<u64, String> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        Ok(count.unsigned_abs())
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self, node: usize) -> Result<(), String> {
        self.skip_within(node, DEPTH)
    }

    fn skip_within(&mut self, node: usize, depth: usize) -> Result<(), String> {
        let depth = depth.checked_sub(1).ok_or("its values are nested too deep")?;
        self.work = self.work.checked_sub(1).ok_or("it has too many values without bytes")?;
        let schema = self.schema;
        match &schema.nodes[node] {
            Node::Null => Ok(()),
            Node::Boolean => self.take(1).map(drop),
            Node::Long(_) | Node::Enum(_) => self.long().map(drop),
            Node::Float => self.take(4).map(drop),
            Node::Double => self.take(8).map(drop),
            Node::Bytes | Node::Text => self.bytes().map(drop),
            Node::Fixed(size) => self.take(*size).map(drop),
            Node::Array(items) => self.blocks(|r| r.skip_within(*items, depth)),
            Node::Map(values) => self.blocks(|r| {
                r.bytes()?;
                r.skip_within(*values, depth)
            }),
            Node::Union(branches) => {
                let branch = self.branch(branches.len())?;
                self.skip_within(branches[branch], depth)
            }
            Node::Record(fields) => {
                fields.iter().try_for_each(|(_, node)| self.skip_within(*node, depth))
            }
        }
    }

    fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Reader<'a>) -> Result<(), String>,
    ) -> Result<(), String> {
        loop {
            let count = self.block()?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                item(self)?;
            }
        }
    }

    /// A value that may be part of a point.
    pub(super) fn cell(&mut self, node: usize) -> Result<Cell, String> {
        let schema = self.schema;
        Ok(match &schema.nodes[node] {
            Node::Null => Cell::Null,
            Node::Long(None) => Cell::Integer(self.long()?.into()),
            Node::Long(Some(unit)) => Cell::Instant(self.long()?.into(), *unit),
            Node::Float => Cell::Float(f32::from_le_bytes(self.chunk()?).into()),
            Node::Double => Cell::Float(f64::from_le_bytes(self.chunk()?)),
            Node::Text => {
                let text = std::str::from_utf8(self.bytes()?);
                Cell::Text(text.map_err(|_| "a string is not UTF-8")?.into())
            }
            Node::Enum(symbols) => Cell::Text(symbols[self.branch(symbols.len())?].clone()),
            Node::Union(branches) => {
                let branch = self.branch(branches.len())?;
                // Unions do not hold unions: this goes no deeper.
                match &schema.nodes[branches[branch]] {
                    Node::Union(_) => return Err("a union holds a union".into()),
                    _ => self.cell(branches[branch])?,
                }
            }
            Node::Array(items) => self.numbers(*items)?,
            other => {
                let kind = other.kind();
                self.skip(node)?;
                Cell::Other(kind)
            }
        })
    }

    fn numbers(&mut self, items: usize) -> Result<Cell, String> {
        let mut numbers = Vec::new();
        let mut others = false;
        self.blocks(|reader| {
            reader.work = reader.work.checked_sub(1).ok_or("it has too many values")?;
            match reader.item(items)? {
                Some(number) => numbers.push(number),
                None => others = true,
            }
            Ok(())
        })?;
        Ok(if others { Cell::Other("a list of others") } else { Cell::Numbers(numbers) })
    }

    fn item(&mut self, node: usize) -> Result<Option<f32>, String> {
        let schema = self.schema;
        Ok(match &schema.nodes[node] {
            Node::Float => Some(f32::from_le_bytes(self.chunk()?)),
            Node::Double => Some(f64::from_le_bytes(self.chunk()?) as f32),
            Node::Long(_) => Some(self.long()? as f32),
            Node::Union(branches) => {
                let branch = branches[self.branch(branches.len())?];
                match &schema.nodes[branch] {
                    Node::Float | Node::Double | Node::Long(_) => self.item(branch)?,
                    _ => {
                        self.skip(branch)?;
                        None
                    }
                }
            }
            _ => {
                self.skip(node)?;
                None
            }
        })
    }
}

impl Node {
    fn kind(&self) -> &'static str {
        match self {
            Node::Boolean => "true or false",
            Node::Bytes | Node::Fixed(_) => "bytes",
            Node::Map(_) => "a map",
            _ => "a record",
        }
    }
}
