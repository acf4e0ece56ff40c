//! Reads the partitions that the group gives us, on one thread.

use crate::breaker::Pace;
use crate::class::{is_cut_off, is_not_signed_in, is_out_of_range, is_turned_away};
use crate::connection::{log, tell};
use crate::intake::Intake;
use crate::schema::{Header, Incoming};
use crate::{Class, Connection, Error, Group, Pulse, headers};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::statistics::{self, Statistics};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Message, Offset, TopicPartitionList};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A record of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Offset in its partition.
    pub offset: i64,
    /// Milliseconds since the Unix epoch, as the producer or the broker set it.
    pub timestamp: Option<i64>,
    /// The key.
    pub key: Option<Box<[u8]>>,
    /// The value.
    pub value: Option<Box<[u8]>>,
    /// The headers, in order; those whose names are not UTF-8 are left out.
    pub headers: Vec<Header>,
}

impl Record {
    /// Bytes that the record takes in a queue.
    pub fn bytes(&self) -> usize {
        let length = |b: &Option<Box<[u8]>>| b.as_ref().map_or(0, |b| b.len());
        let headers = headers::bytes(&self.headers);
        size_of::<Record>() + length(&self.key) + length(&self.value) + headers
    }

    /// The record as a decoder takes it.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming {
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            timestamp: self.timestamp,
            headers: &self.headers,
        }
    }
}

/// What may be committed of partitions that were given up.
pub type Released = BTreeMap<i32, i64>;

/// Who computes the partitions. Every call comes from the polling thread.
pub trait Owner: Send + Sync {
    /// These partitions are ours now. Gives the offset of the first record to be read of each.
    ///
    /// # Errors
    /// When it cannot be found out where to begin; the source then stops.
    fn assign(&self, partitions: &[i32]) -> Result<BTreeMap<i32, i64>, Error>;
    /// These records came, in the order of their offsets. Waits while there is no room for them,
    /// but no longer than `patience`.
    ///
    /// # Errors
    /// Gives them back when there was no room. Their partition is then paused, and they are offered
    /// again; this is the brake, and the worker remains a member of its group meanwhile.
    fn take(
        &self,
        partition: i32,
        records: Vec<Record>,
        patience: Duration,
    ) -> Result<(), Vec<Record>>;
    /// Records that a batch of a partition may have at most.
    fn batch(&self) -> usize;
    /// These partitions will be another's: finishes what is in hand and tells what may be
    /// committed.
    fn revoke(&self, partitions: &[i32]) -> Released;
    /// These partitions are another's already: nothing may be committed.
    fn lose(&self, partitions: &[i32]);
    /// Partitions that turned out since the last call to be another's, although the group says
    /// that they are ours. If it goes on to say so, they are lost and assigned again.
    fn estranged(&self) -> Vec<i32>;
    /// What may be committed since the last call; with `again`, the newest of every partition,
    /// since nobody tells whether it was committed.
    fn commits(&self, again: bool) -> BTreeMap<i32, i64>;
    /// The partitions of which no records are wanted for now. They are paused, while the others
    /// are read and the membership goes on.
    fn unwanted(&self) -> BTreeSet<i32>;
    /// The offsets of the first record of a partition that still exists, and after the last one.
    fn ends(&self, partition: i32, first: i64, end: i64);
}

/// Bytes that are handed over together at most, but for the last record.
const BATCH_BYTES: usize = 256 << 10;
/// How long records are gathered at most after the first one came.
const BATCH_TIME: Duration = Duration::from_millis(5);
/// How long there may be no room for records until their partition is paused. A pause throws away
/// what was fetched ahead, so that short ones would cost more than they save.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a poll waits for a first record while others are held, for which there may be room.
const POLL: Duration = Duration::from_millis(20);
/// How often it is looked where paused partitions end, and how long that may take for each.
const LOOK: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(100);
/// How often offsets are committed. After a crash, what was put out since is put out again.
const COMMIT: Duration = Duration::from_millis(100);
/// How often they are committed although they are no others: a commit may be refused, as in the
/// middle of a rebalance, and the client says nothing of those for which nobody waits.
const AGAIN: Duration = Duration::from_secs(5);

/// In how many statistics a lost place is searched: those in which one is found may be older than
/// the loss of another.
const SEARCHES: usize = 2;

/// A member of a consumer group, reading one topic.
pub struct Source {
    consumer: BaseConsumer<Membership>,
    topic: String,
    /// How long the group may take to say that a partition is another's: two heartbeats.
    certain: Duration,
}

/// What librdkafka calls while it is polled.
struct Membership {
    owner: Arc<dyn Owner>,
    topic: String,
    owned: Mutex<BTreeSet<i32>>,
    paused: Mutex<BTreeSet<i32>>,
    /// Since when partitions that are owned are to be taken up anew.
    estranged: Mutex<BTreeMap<i32, Instant>>,
    /// How many statistics are to be searched for a partition in which the client has lost its
    /// place: it does not say in which.
    astray: AtomicUsize,
    /// Partitions that left since records were last handed over.
    left: Mutex<BTreeSet<i32>>,
    pulse: Pulse,
    failure: Mutex<Option<Error>>,
}

impl Source {
    /// Joins `group` to read `topic` for `owner`, and tells `pulse` whether brokers are there.
    ///
    /// # Errors
    /// When a property of the connection is refused.
    pub fn join(
        connection: &Connection,
        group: &Group,
        topic: &str,
        owner: Arc<dyn Owner>,
        pulse: &Pulse,
    ) -> Result<Source, Error> {
        let membership = Membership {
            owner,
            topic: topic.into(),
            owned: Mutex::default(),
            paused: Mutex::default(),
            estranged: Mutex::default(),
            astray: AtomicUsize::default(),
            left: Mutex::default(),
            pulse: pulse.clone(),
            failure: Mutex::default(),
        };
        let consumer: BaseConsumer<_> = connection
            .consumer(group)?
            .create_with_context(membership)
            .map_err(Error::kafka("make a consumer"))?;
        consumer.subscribe(&[topic]).map_err(Error::kafka(format!("subscribe to {topic}")))?;
        let certain = group.session / 2;
        Ok(Source { consumer, topic: topic.into(), certain })
    }

    /// Reads at the `pace` it is told, until it is told none; then gives every partition up and
    /// commits what they allow.
    ///
    /// # Errors
    /// When the group, a partition or its owner fails for good. Partitions are then given up
    /// without a commit.
    pub fn run(self, mut pace: impl FnMut() -> Result<Option<Pace>, Error>) -> Result<(), Error> {
        let result = self.read(&mut pace);
        let owned: Vec<i32> = lock(&self.membership().owned).iter().copied().collect();
        let (topic, began) = (self.topic.as_str(), Instant::now());
        match &result {
            Ok(()) => self.commit(&self.membership().owner.revoke(&owned), CommitMode::Sync),
            Err(_) => self.membership().owner.lose(&owned),
        }
        lock(&self.membership().owned).clear();
        tracing::info!(topic, partitions = ?owned, took = ?began.elapsed(), "partitions given up");
        result
    }

    fn read(&self, pace: &mut dyn FnMut() -> Result<Option<Pace>, Error>) -> Result<(), Error> {
        let (mut intake, mut looked) = (Intake::default(), Instant::now());
        let (mut committed, mut again) = (Instant::now(), Instant::now());
        while let Some(pace) = pace()? {
            // The client waits for whole milliseconds, and spins for what remains of one.
            let spare = COMMIT.saturating_sub(committed.elapsed()).as_millis() as u64 + 1;
            let spare = Duration::from_millis(spare);
            self.step(pace, &mut intake, spare)?;
            if committed.elapsed() >= COMMIT {
                let all = again.elapsed() >= AGAIN;
                self.commit(&self.membership().owner.commits(all), CommitMode::Async);
                committed = Instant::now();
                again = if all { committed } else { again };
            }
            if looked.elapsed() >= LOOK {
                self.look_at_ends();
                looked = Instant::now();
            }
            self.reclaim()?;
            if let Some(error) = lock(&self.membership().failure).take() {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Tells where paused partitions end: of the others, the answers with their records tell it.
    fn look_at_ends(&self) {
        let paused = lock(&self.membership().paused).clone();
        for partition in paused {
            match self.consumer.fetch_watermarks(&self.topic, partition, GLANCE) {
                Ok((first, end)) => self.membership().owner.ends(partition, first, end),
                // A broker that is away would cost as much time for each.
                Err(_) => return,
            }
        }
    }

    /// Takes partitions up anew that another delivered for, or whose records are not those that
    /// were there, when the group has had the time to say that they are not ours, and has not.
    fn reclaim(&self) -> Result<(), Error> {
        let Membership { owner, owned, estranged, .. } = self.membership();
        let mut estranged = lock(estranged);
        for partition in owner.estranged() {
            estranged.entry(partition).or_insert_with(Instant::now);
        }
        estranged.retain(|partition, _| lock(owned).contains(partition));
        let certain = estranged.iter().filter(|(_, since)| since.elapsed() >= self.certain);
        let certain: Vec<i32> = certain.map(|(&partition, _)| partition).collect();
        if certain.is_empty() {
            return Ok(());
        }
        estranged.retain(|partition, _| !certain.contains(partition));
        drop(estranged);
        tracing::info!(topic = self.topic, partitions = ?certain, "still ours: taken up anew");
        self.membership().take_up_anew(&self.consumer, &certain)
    }

    /// Hands over what is held and what has arrived, as far as `pace` allows and there is room.
    /// There are `spare` moments to wait for a first record, if none is held.
    fn step(&self, pace: Pace, intake: &mut Intake, spare: Duration) -> Result<(), Error> {
        self.forget_what_left(intake);
        let mut batches = match pace {
            Pace::Flow => usize::MAX,
            Pace::Probe => 1,
            Pace::Wait => 0,
        };
        for partition in intake.partitions() {
            if batches > 0 {
                let records = intake.release(partition);
                self.offer(partition, records, Duration::ZERO, intake, &mut batches);
            }
        }
        self.membership().pause(&self.consumer, pace, intake)?;
        let spare = if intake.is_empty() { spare } else { spare.min(POLL) };
        let arrived = self.gather(spare)?;
        self.forget_what_left(intake);
        let patience = Instant::now() + PATIENCE;
        for (partition, records) in arrived {
            // A partition may have been revoked by the very polls that read these.
            if !lock(&self.membership().owned).contains(&partition) {
                continue;
            }
            if batches == 0 || intake.holds(partition) {
                intake.hold(partition, records);
            } else {
                let patience = patience.saturating_duration_since(Instant::now());
                self.offer(partition, records, patience, intake, &mut batches);
            }
        }
        Ok(())
    }

    /// Hands a batch over, or holds it.
    fn offer(
        &self,
        partition: i32,
        records: Vec<Record>,
        patience: Duration,
        intake: &mut Intake,
        batches: &mut usize,
    ) {
        match self.membership().owner.take(partition, records, patience) {
            Ok(()) => *batches -= 1,
            Err(records) => intake.hold(partition, records),
        }
    }

    /// Records of a partition that left are another's, even if it came back at once.
    fn forget_what_left(&self, intake: &mut Intake) {
        for partition in std::mem::take(&mut *lock(&self.membership().left)) {
            intake.release(partition);
        }
    }

    /// What has arrived: waits for a first record, then takes what there is, until a batch is as
    /// large as it may be.
    fn gather(&self, mut wait: Duration) -> Result<BTreeMap<i32, Vec<Record>>, Error> {
        let mut batches: BTreeMap<i32, Vec<Record>> = BTreeMap::new();
        let most = self.membership().owner.batch();
        let (mut bytes, mut end) = (0, None);
        while bytes < BATCH_BYTES && end.is_none_or(|end| Instant::now() < end) {
            let Some((partition, record)) = self.next(wait)? else { break };
            bytes += record.bytes();
            let batch = batches.entry(partition).or_default();
            batch.push(record);
            if batch.len() >= most {
                break;
            }
            wait = Duration::ZERO;
            end = end.or_else(|| Some(Instant::now() + BATCH_TIME));
        }
        if !batches.is_empty() {
            self.membership().pulse.reachable(true);
        }
        Ok(batches)
    }

    fn next(&self, wait: Duration) -> Result<Option<(i32, Record)>, Error> {
        match self.consumer.poll(wait) {
            None => Ok(None),
            Some(Ok(message)) => Ok(Some((message.partition(), record(&message)))),
            Some(Err(error)) => match Class::of(&error) {
                _ if is_out_of_range(&error) => {
                    let topic = self.topic.as_str();
                    tracing::warn!(topic, "records that were to be read next are not there");
                    self.membership().astray.store(SEARCHES, Ordering::Relaxed);
                    Ok(None)
                }
                // Whether that is for good was decided when the context heard why.
                _ if is_not_signed_in(&error) => Ok(None),
                Class::Fatal => Err(Error::kafka(format!("read {}", self.topic))(error)),
                _ => {
                    tell(&format!("reading {}", self.topic), &error, "");
                    Ok(None)
                }
            },
        }
    }

    fn commit(&self, offsets: &BTreeMap<i32, i64>, mode: CommitMode) {
        commit(&self.consumer, &self.topic, offsets, mode);
    }

    fn membership(&self) -> &Membership {
        self.consumer.context()
    }
}

pub(crate) fn record(message: &impl Message) -> Record {
    Record {
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(Into::into),
        value: message.payload().map(Into::into),
        headers: headers::read(message),
    }
}

/// Commits; what fails here is not an error: what is not committed is put out again.
fn commit(
    consumer: &BaseConsumer<Membership>,
    topic: &str,
    offsets: &BTreeMap<i32, i64>,
    mode: CommitMode,
) {
    if offsets.is_empty() {
        return;
    }
    let mut list = TopicPartitionList::new();
    for (&partition, &offset) in offsets {
        list.add_partition(topic, partition)
            .set_offset(Offset::Offset(offset))
            .expect("a checkpoint's offset is not negative");
    }
    if let Err(error) = consumer.commit(&list, mode) {
        tell(&format!("committing offsets of {topic}"), &error, "");
    }
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.pulse.reachable(true);
        }
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        self.look_for_strays(topic);
        for (&partition, of) in topic.partitions.iter().filter(|(_, of)| of.ls_offset >= 0) {
            self.owner.ends(partition, of.lo_offset, of.ls_offset);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if is_cut_off(&error) {
            self.pulse.reachable(false);
        }
        tell("consuming", &error, reason);
        if is_turned_away(&error, reason) {
            // A new password is read by a new client.
            let error = Error::kafka(format!("read {}", self.topic))(error);
            lock(&self.failure).get_or_insert(error);
        }
    }
}

impl ConsumerContext for Membership {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        error: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let partitions: Vec<i32> = list.elements().iter().map(|e| e.partition()).collect();
        let result = if error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.assign(consumer, &partitions, list)
        } else {
            self.revoke(consumer, &partitions);
            consumer.incremental_unassign(list).map_err(Error::kafka("give partitions up"))
        };
        if let Err(error) = result {
            lock(&self.failure).get_or_insert(error);
        }
    }
}

impl Membership {
    /// A partition of which the client has lost its place is one that it does not fetch.
    fn look_for_strays(&self, topic: &statistics::Topic) {
        let searches = self.astray.load(Ordering::Relaxed);
        if searches == 0 {
            return;
        }
        let owned = lock(&self.owned).clone();
        let idle = topic.partitions.iter().filter(|(_, of)| of.fetch_state == "none");
        let strays: Vec<i32> = idle.map(|(&p, _)| p).filter(|p| owned.contains(p)).collect();
        // What was told may be older than the error.
        let found = searches < SEARCHES || !strays.is_empty();
        self.astray.store(searches - usize::from(found), Ordering::Relaxed);
        let mut estranged = lock(&self.estranged);
        strays.into_iter().for_each(|p| _ = estranged.entry(p).or_insert_with(Instant::now));
    }

    /// As if they left and came back. To seek does not do: the client refuses it in a partition of
    /// which it has lost its place.
    fn take_up_anew(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) -> Result<(), Error> {
        self.forget_pauses(consumer, partitions);
        let mut list = self.list(partitions.iter().copied().collect());
        consumer.incremental_unassign(&list).map_err(Error::kafka("give partitions up"))?;
        self.owner.lose(partitions);
        lock(&self.left).extend(partitions);
        self.assign(consumer, partitions, &mut list)
    }

    fn assign(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &[i32],
        list: &mut TopicPartitionList,
    ) -> Result<(), Error> {
        let starts = self.owner.assign(partitions)?;
        for (&partition, &start) in &starts {
            list.set_partition_offset(&self.topic, partition, Offset::Offset(start))
                .map_err(Error::kafka("choose where to begin"))?;
        }
        lock(&self.owned).extend(partitions);
        tracing::info!(topic = self.topic, ?starts, "partitions assigned");
        consumer.incremental_assign(list).map_err(Error::kafka("take partitions"))
    }

    /// Pauses the partitions of which no records are wanted, and resumes the others.
    fn pause(
        &self,
        consumer: &BaseConsumer<Self>,
        pace: Pace,
        intake: &Intake,
    ) -> Result<(), Error> {
        let (owned, mut paused) = (lock(&self.owned), lock(&self.paused));
        let unwanted = match pace {
            Pace::Wait => owned.clone(),
            _ => &(&self.owner.unwanted() | &intake.unwanted(&owned)) & &owned,
        };
        if unwanted == *paused {
            return Ok(());
        }
        let (pause, resume) = (self.list(&unwanted - &paused), self.list(&*paused - &unwanted));
        consumer.pause(&pause).map_err(Error::kafka("pause partitions"))?;
        consumer.resume(&resume).map_err(Error::kafka("resume partitions"))?;
        tracing::debug!(topic = self.topic, paused = ?unwanted, "partitions that wait");
        *paused = unwanted;
        Ok(())
    }

    /// Partitions that leave are resumed: the client would remember the pause when they come back.
    fn forget_pauses(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) {
        let mut paused = lock(&self.paused);
        let resumed = partitions.iter().copied().filter(|p| paused.remove(p)).collect();
        if let Err(error) = consumer.resume(&self.list(resumed)) {
            tracing::debug!(%error, "resuming partitions that leave");
        }
    }

    fn list(&self, partitions: BTreeSet<i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        partitions.iter().for_each(|&p| _ = list.add_partition(&self.topic, p));
        list
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) {
        let began = Instant::now();
        let owned: Vec<i32> = {
            let mut owned = lock(&self.owned);
            partitions.iter().copied().filter(|p| owned.remove(p)).collect()
        };
        self.forget_pauses(consumer, &owned);
        lock(&self.left).extend(&owned);
        if consumer.assignment_lost() {
            self.owner.lose(&owned);
        } else {
            let released = self.owner.revoke(&owned);
            commit(consumer, &self.topic, &released, CommitMode::Sync);
        }
        // Those that were given up at the end are revoked once more.
        if !owned.is_empty() {
            let (topic, took) = (self.topic.as_str(), began.elapsed());
            tracing::info!(topic, partitions = ?owned, ?took, "partitions revoked");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
