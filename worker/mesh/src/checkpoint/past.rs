use crate::Error;
use crate::checkpoint::{Saved, Witness};
use std::collections::{BTreeMap, HashMap};

/// What a new owner of a partition asks about it. The brokers of Kafka know it; a simulation may.
pub trait Past: Send {
    /// The checkpoints of `partitions` of the topic `input`; a partition without one is left out.
    ///
    /// # Errors
    /// When they cannot be read to the end.
    fn read(&self, input: &str, partitions: &[i32]) -> Result<HashMap<i32, Saved>, Error>;

    /// The offsets that the group has committed of `partitions` of the topic `input`; a partition
    /// without one is left out. Waits for transactions that are about to end.
    ///
    /// # Errors
    /// When the brokers do not tell.
    fn committed(&self, input: &str, partitions: &[i32]) -> Result<HashMap<i32, i64>, Error>;

    /// The offsets of the first record of a partition of the topic `input` that still exists, and
    /// after its last one.
    ///
    /// # Errors
    /// When the brokers do not tell.
    fn ends(&self, input: &str, partition: i32) -> Result<(i64, i64), Error>;

    /// The first records at or after these offsets of partitions of the topic `input`; a partition
    /// that ends before is left out.
    ///
    /// # Errors
    /// When they cannot be read.
    fn witnesses(
        &self,
        input: &str,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<HashMap<i32, Witness>, Error>;
}
