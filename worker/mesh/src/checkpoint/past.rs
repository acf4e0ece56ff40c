use crate::Error;
use crate::checkpoint::Saved;
use std::collections::HashMap;

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

    /// The offset of the first record of a partition of the topic `input` that still exists.
    ///
    /// # Errors
    /// When the partition ends before `next`, or cannot be asked about.
    fn first(&self, input: &str, partition: i32, next: i64) -> Result<i64, Error>;
}
