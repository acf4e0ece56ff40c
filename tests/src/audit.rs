//! What came out of a worker, record by record.

use crate::worker::Worker;
use anyhow::{Context, Result, bail, ensure};
use mesh::schema::Kind;
use mesh::tail::{Begin, Located};
use mesh::{Connection, Tail};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The outputs of a worker since its topics exist.
pub struct Audit {
    tail: Tail,
    /// The value of each output, by its id.
    pub outputs: BTreeMap<String, Vec<u8>>,
    /// The ids in the order of their first arrival, by topic, partition and series.
    pub order: BTreeMap<(String, i32, String), Vec<String>>,
    /// Outputs that came again.
    pub repeated: usize,
}

impl Audit {
    /// Reads the three topics that begin with `output`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of(connection: &Connection, output: &str) -> Result<Audit> {
        let topics = Kind::ALL.map(|kind| format!("{output}.{kind}"));
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let tail = Tail::open(connection, &topics, Begin::First)?;
        Ok(Audit { tail, outputs: BTreeMap::new(), order: BTreeMap::new(), repeated: 0 })
    }

    /// Reads until there are `count` different outputs of this worker.
    ///
    /// # Errors
    /// When they do not come in time, the worker ends, or an output came again with other bytes.
    pub fn read_until(&mut self, count: usize, time: Duration, from: &mut Worker) -> Result<()> {
        let deadline = Instant::now() + time;
        while self.outputs.len() < count {
            if Instant::now() > deadline {
                let (found, log) = (self.outputs.len(), from.log());
                bail!("{found} of {count} outputs came within {time:?}\n{log}");
            }
            from.check()?;
            if let Some(located) = self.tail.next(Duration::from_millis(100))? {
                self.see(located)?;
            }
        }
        Ok(())
    }

    /// Reads the next output, if one comes within `wait`.
    ///
    /// # Errors
    /// When an output came again with other bytes.
    pub fn read(&mut self, wait: Duration) -> Result<()> {
        self.tail.next(wait)?.map_or(Ok(()), |located| self.see(located))
    }

    /// Reads until nothing has come for `quiet`.
    ///
    /// # Errors
    /// When an output came again with other bytes.
    pub fn read_rest(&mut self, quiet: Duration) -> Result<()> {
        while let Some(located) = self.tail.next(quiet)? {
            self.see(located)?;
        }
        Ok(())
    }

    /// The outputs of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &[u8])> {
        let part = format!("/{kind}/");
        let chosen = self.outputs.iter().filter(move |(id, _)| id.contains(&part));
        chosen.map(|(id, value)| (id.as_str(), value.as_slice()))
    }

    /// What came without its repetitions, with `topic` for the name of the input: comparable
    /// with that of another input whose name is as long.
    pub fn neutral(&self, topic: &str) -> BTreeMap<String, String> {
        let blank = |text: &str| text.replace(topic, "<input>");
        let outputs = self.outputs.iter();
        outputs.map(|(id, value)| (blank(id), blank(&String::from_utf8_lossy(value)))).collect()
    }

    /// The first output of a series that came after a later one of the same kind and scale.
    pub fn out_of_order(&self) -> Option<&str> {
        let mut last = BTreeMap::new();
        let ids = self.order.iter().flat_map(|(place, ids)| ids.iter().map(move |id| (place, id)));
        ids.filter_map(|(place, id)| {
            let mut parts = id.rsplitn(4, '/');
            let (scale, kind) = (parts.next()?, parts.next()?);
            let offset: i64 = parts.next()?.parse().ok()?;
            (last.insert((place, kind, scale), offset) > Some(offset)).then_some(id.as_str())
        })
        .next()
    }

    fn see(&mut self, located: Located) -> Result<()> {
        let Located { topic, partition, record, headers } = located;
        let id = headers.get("id").context("an output has no id")?.clone();
        let value = record.value.context("an output has no value")?.into_vec();
        let series = String::from_utf8(record.key.context("an output has no key")?.into())?;
        let place = place(&headers);
        ensure!(id.rsplit('/').nth(2) == place.as_deref(), "{id} is of {place:?} by its headers");
        match self.outputs.get(&id) {
            Some(first) if *first == value => self.repeated += 1,
            Some(first) => bail!(
                "{id} came again with other bytes:\n{}\n{}",
                String::from_utf8_lossy(first),
                String::from_utf8_lossy(&value)
            ),
            None => {
                self.order.entry((topic, partition, series)).or_default().push(id.clone());
                self.outputs.insert(id, value);
            }
        }
        Ok(())
    }
}

/// `<offset>`, or `<offset>.<row>`, of the input record, as the headers have it.
fn place(headers: &BTreeMap<String, String>) -> Option<String> {
    let offset = headers.get("source-offset")?;
    let row = headers.get("source-row").map(|row| format!(".{row}"));
    Some(format!("{offset}{}", row.unwrap_or_default()))
}
