//! The coordinator of the consumer group: members, generations, assignments, offsets.

use super::super::tape::Tape;
use std::collections::{BTreeMap, BTreeSet};

/// A member, as the coordinator names it. A member that was thrown out comes back under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::simulation) struct Member(u32);

/// Why the coordinator refuses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulation) enum Refused {
    /// The member was thrown out.
    Unknown,
    /// The group has gone on without it having noticed.
    Generation,
}

/// What a member hears at a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulation) enum Beat {
    Fine,
    /// Join again, and say what you own.
    Join,
    /// An assignment is ready.
    Sync,
    /// You were thrown out.
    Unknown,
}

#[derive(Clone, Debug, Default)]
struct Place {
    owned: BTreeSet<i32>,
    assigned: BTreeSet<i32>,
    joined: bool,
    synced: bool,
}

/// A group with the cooperative protocol: a partition is given to a member only after the one
/// that has it has given it up, or was thrown out.
#[derive(Clone, Debug, Default)]
pub(in crate::simulation) struct Group {
    generation: u32,
    born: u32,
    members: BTreeMap<Member, Place>,
    rebalancing: bool,
    committed: BTreeMap<i32, i64>,
}

impl Group {
    /// A new member, which owns nothing.
    pub(in crate::simulation) fn enter(&mut self) -> Member {
        self.born += 1;
        let member = Member(self.born);
        self.members.insert(member, Place { joined: true, ..Place::default() });
        self.rebalance();
        member
    }

    /// A member joins again; it says what it owns.
    pub(in crate::simulation) fn join(
        &mut self,
        member: Member,
        owned: &BTreeSet<i32>,
    ) -> Result<(), Refused> {
        let place = self.members.get_mut(&member).ok_or(Refused::Unknown)?;
        place.owned.clone_from(owned);
        place.joined = true;
        self.rebalance();
        Ok(())
    }

    /// A member leaves, or is thrown out: its partitions are free.
    pub(in crate::simulation) fn remove(&mut self, member: Member) {
        if self.members.remove(&member).is_some() {
            self.rebalance();
        }
    }

    pub(in crate::simulation) fn beat(&self, member: Member) -> Beat {
        match self.members.get(&member) {
            None => Beat::Unknown,
            Some(place) if self.rebalancing && !place.joined => Beat::Join,
            Some(place) if !self.rebalancing && !place.synced => Beat::Sync,
            Some(_) => Beat::Fine,
        }
    }

    /// Whether all members have joined a rebalance that is under way.
    pub(in crate::simulation) fn is_complete(&self) -> bool {
        self.rebalancing && self.members.values().all(|p| p.joined)
    }

    pub(in crate::simulation) fn members(&self) -> Vec<Member> {
        self.members.keys().copied().collect()
    }

    /// Shares `partitions` among the members and begins the next generation.
    pub(in crate::simulation) fn complete(&mut self, partitions: i32, tape: &mut Tape) {
        self.generation += 1;
        self.rebalancing = false;
        let mut target = self.share(partitions, tape);
        for (member, place) in &mut self.members {
            place.assigned = target.remove(member).unwrap_or_default();
            (place.joined, place.synced) = (false, false);
        }
        // What another still owns is given at the next rebalance, which its giving up begins.
        let owned: Vec<_> = self.members.iter().map(|(&m, p)| (m, p.owned.clone())).collect();
        for (member, place) in &mut self.members {
            for (_, others) in owned.iter().filter(|(m, _)| m != member) {
                place.assigned.retain(|p| !others.contains(p));
            }
        }
    }

    /// A member learns what it is assigned in this generation.
    pub(in crate::simulation) fn sync(&mut self, member: Member) -> (u32, BTreeSet<i32>) {
        let place = self.members.get_mut(&member).expect("the beat said so");
        place.synced = true;
        (self.generation, place.assigned.clone())
    }

    /// Takes offsets, from a member of this generation only.
    pub(in crate::simulation) fn commit(
        &mut self,
        member: Member,
        generation: u32,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<(), Refused> {
        if !self.members.contains_key(&member) {
            return Err(Refused::Unknown);
        }
        if generation != self.generation {
            return Err(Refused::Generation);
        }
        self.committed.extend(offsets);
        Ok(())
    }

    /// Takes an offset as part of a transaction, for which nobody needs to be a member.
    pub(in crate::simulation) fn commit_memberless(&mut self, partition: i32, offset: i64) {
        self.committed.insert(partition, offset);
    }

    pub(in crate::simulation) fn committed(&self, partition: i32) -> Option<i64> {
        self.committed.get(&partition).copied()
    }

    fn rebalance(&mut self) {
        self.rebalancing = true;
    }

    /// An equal share for each, as it was as far as possible; at times dealt out anew.
    fn share(&self, partitions: i32, tape: &mut Tape) -> BTreeMap<Member, BTreeSet<i32>> {
        let mut target: BTreeMap<Member, BTreeSet<i32>> =
            self.members.keys().map(|&m| (m, BTreeSet::new())).collect();
        if target.is_empty() {
            return target;
        }
        let anew = tape.chance(100);
        let most = (partitions as usize).div_ceil(target.len());
        let mut free = Vec::new();
        for partition in 0..partitions {
            let owner = self.members.iter().find(|(_, p)| p.owned.contains(&partition));
            match owner.and_then(|(member, _)| target.get_mut(member)) {
                Some(share) if !anew && share.len() < most => _ = share.insert(partition),
                _ => free.push(partition),
            }
        }
        for partition in free {
            let least = target.values().map(BTreeSet::len).min().unwrap_or(0);
            let mut poorest: Vec<_> = target.iter_mut().filter(|(_, s)| s.len() == least).collect();
            let chosen = tape.below(poorest.len());
            poorest[chosen].1.insert(partition);
        }
        target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(partitions: &[i32]) -> BTreeSet<i32> {
        partitions.iter().copied().collect()
    }

    #[test]
    fn a_partition_moves_after_it_was_given_up_and_old_generations_commit_nothing() {
        let (mut group, mut tape) = (Group::default(), Tape::replayed(Vec::new()));
        let a = group.enter();
        group.complete(2, &mut tape);
        let (first, owned) = group.sync(a);
        assert_eq!(owned, set(&[0, 1]));
        let b = group.enter();
        assert!(group.beat(a) == Beat::Join && !group.is_complete());
        group.join(a, &owned).unwrap();
        group.complete(2, &mut tape);
        assert_eq!(group.commit(a, first, &BTreeMap::from([(0, 5)])), Err(Refused::Generation));
        let (second, kept) = group.sync(a);
        assert_eq!(kept.len(), 1);
        assert_eq!(group.sync(b).1, set(&[]), "the other has not given it up yet");
        group.commit(a, second, &BTreeMap::from([(0, 5)])).unwrap();
        group.join(a, &kept).unwrap();
        group.join(b, &set(&[])).unwrap();
        group.complete(2, &mut tape);
        assert_eq!(group.sync(b).1.len(), 1);
        group.remove(a);
        assert_eq!(group.beat(a), Beat::Unknown);
        assert_eq!(group.committed(0), Some(5));
    }
}
