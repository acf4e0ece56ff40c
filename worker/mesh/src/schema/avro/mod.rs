//! Avro's binary encoding (Avro 1.12, "Binary Encoding"), read with the writer's schema: only the
//! fields of a point are taken, the others are passed over without being built. What is passed
//! over is bounded in depth and in work, whatever the bytes say.

mod read;
mod schema;

use super::cell::{Cell, Mapping, Path};
use super::{Point, Rejection};
use read::Reader;
use schema::{Node, Schema};

/// How to find a point's fields in the values of a schema.
#[derive(Debug)]
pub(super) struct Plan {
    schema: Schema,
    root: Select,
}

/// What is done with a value.
#[derive(Debug)]
enum Select {
    Skip(usize),
    /// The node, and the cells that it fills.
    Take(usize, Vec<usize>),
    Record(Vec<Select>),
    /// Of the branch that was written.
    Union(Vec<Select>),
}

impl Plan {
    /// The plan for the last of `texts`, which may name types of those before it.
    pub(super) fn new(texts: &[&str], mapping: &Mapping) -> Result<Plan, Rejection> {
        let (schema, root) = Schema::parse(texts).map_err(Rejection::Schema)?;
        let wanted: Vec<_> = mapping.paths.iter().map(|p| &p.steps[..]).enumerate().collect();
        let mut found = vec![false; wanted.len()];
        let root = select(&schema, root, &wanted, &mut found);
        let missing = |(path, found): (&Path, bool)| !found && !path.optional;
        match mapping.paths.iter().zip(found).find(|&pair| missing(pair)) {
            Some((path, _)) => Err(path.missing()),
            None => Ok(Plan { schema, root }),
        }
    }

    /// The point in a value.
    pub(super) fn decode(&self, value: &[u8], mapping: &Mapping) -> Result<Point, Rejection> {
        let mut cells = mapping.cells();
        let mut reader = Reader::new(&self.schema, value);
        self.read(&self.root, &mut reader, &mut cells).map_err(Rejection::Avro)?;
        reader.finish().map_err(Rejection::Avro)?;
        mapping.point(cells)
    }

    fn read(
        &self,
        select: &Select,
        reader: &mut Reader<'_>,
        cells: &mut [Cell],
    ) -> Result<(), String> {
        match select {
            Select::Skip(node) => reader.skip(*node),
            Select::Take(node, slots) => {
                let cell = reader.cell(*node)?;
                slots.iter().for_each(|&slot| cells[slot] = cell.clone());
                Ok(())
            }
            Select::Record(fields) => {
                fields.iter().try_for_each(|field| self.read(field, reader, cells))
            }
            Select::Union(branches) => {
                let branch = reader.branch(branches.len())?;
                self.read(&branches[branch], reader, cells)
            }
        }
    }
}

/// A cell, and what of its path is ahead.
type Wanted<'a> = (usize, &'a [String]);

fn select(schema: &Schema, node: usize, wanted: &[Wanted<'_>], found: &mut [bool]) -> Select {
    if wanted.is_empty() {
        return Select::Skip(node);
    }
    let ends: Vec<usize> = wanted.iter().filter(|w| w.1.is_empty()).map(|w| w.0).collect();
    if !ends.is_empty() {
        ends.iter().for_each(|&slot| found[slot] = true);
        return Select::Take(node, ends);
    }
    match &schema.nodes[node] {
        Node::Record(fields) => {
            let field = |(name, node): &(String, usize)| {
                let inside = wanted.iter().filter(|w| w.1[0] == *name).map(|w| (w.0, &w.1[1..]));
                select(schema, *node, &inside.collect::<Vec<_>>(), found)
            };
            Select::Record(fields.iter().map(field).collect())
        }
        Node::Union(branches) => {
            let branch = |&node: &usize| select(schema, node, wanted, found);
            Select::Union(branches.iter().map(branch).collect())
        }
        _ => Select::Skip(node),
    }
}
