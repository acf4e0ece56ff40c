//! The kernels, over the lanes of any machine.

use std::ops::Range;

use super::{Block, LANES, Lanes, Lune, Owned, Row, Search};
use crate::sparse::cloud::Cloud;

/// Squared distances from `point` to sixteen points, one row a coordinate.
#[inline(always)]
fn distances<L: Lanes>(l: L, rows: &[Row], point: &[f32]) -> L::F {
    let mut sum = l.splat(0.0);
    for (row, &x) in rows.iter().zip(point) {
        let difference = l.sub(l.load(&row.0), l.splat(x));
        sum = l.add(sum, l.mul(difference, difference));
    }
    sum
}

/// Lanes `from..to` of the vector that begins at lane number `first`.
#[inline(always)]
fn between(first: usize, from: usize, to: usize) -> u16 {
    let below = |end: usize| (1u32 << end.saturating_sub(first).min(LANES)) - 1;
    (below(to) & !below(from)) as u16
}

#[inline(always)]
fn each(mut mask: u16, mut f: impl FnMut(u32)) {
    while mask != 0 {
        f(mask.trailing_zeros());
        mask &= mask - 1;
    }
}

#[inline(always)]
pub(super) fn near<L: Lanes>(
    l: L,
    cloud: &Cloud,
    range: Range<usize>,
    point: &[f32],
    max_squared: f32,
    slots: &mut Vec<u32>,
    lengths: &mut Vec<f32>,
) {
    let max = l.splat(max_squared);
    let lane: [u32; LANES] = std::array::from_fn(|i| i as u32);
    for block in range.start / LANES..range.end.div_ceil(LANES) {
        let squared = distances(l, cloud.block(block), point);
        let mask = l.le(squared, max) & between(block * LANES, range.start, range.end);
        if mask != 0 {
            let slot = l.add_i(l.load_i(&lane), l.splat_i((block * LANES) as i32));
            l.push_i(slot, mask, slots);
            l.push(squared, mask, lengths);
        }
    }
}

#[inline(always)]
pub(super) fn lune<L: Lanes>(
    l: L,
    cloud: &Cloud,
    lengths: &[Row],
    i: usize,
    cones: bool,
    members: &mut Vec<u16>,
) -> Lune {
    let length = l.splat(lengths[i / LANES].0[i % LANES]);
    let point = cloud.point(i);
    let mut newest = None;
    members.clear();
    for (block, row) in lengths.iter().enumerate() {
        // The edge to an older neighbour comes first when both are equally long, and an edge
        // between two neighbours comes before any edge of the new point.
        let older = between(block * LANES, 0, i);
        let own = l.load(&row.0);
        let nearer = l.lt(own, length) | (l.le(own, length) & older);
        let mask = match nearer {
            0 => 0,
            _ => nearer & l.le(distances(l, cloud.block(block), point), length),
        };
        members.push(mask);
        if mask != 0 {
            newest = Some(block * LANES + mask.ilog2() as usize);
        }
    }
    match newest {
        None => Lune::Empty,
        Some(member) if !cones => Lune::Cone(member),
        Some(_) => apex(l, cloud, length, members),
    }
}

/// The newest member within `length` of all members.
#[inline(always)]
fn apex<L: Lanes>(l: L, cloud: &Cloud, length: L::F, members: &[u16]) -> Lune {
    for (block, &mask) in members.iter().enumerate().rev() {
        let mut mask = mask;
        while mask != 0 {
            let lane = mask.ilog2();
            mask &= !(1 << lane);
            let candidate = block * LANES + lane as usize;
            let point = cloud.point(candidate);
            let covers = |(block, &mask): (usize, &u16)| {
                mask == 0 || mask & !l.le(distances(l, cloud.block(block), point), length) == 0
            };
            if members.iter().enumerate().all(covers) {
                return Lune::Cone(candidate);
            }
        }
    }
    Lune::Open
}

#[inline(always)]
pub(super) fn gaining<L: Lanes>(
    l: L,
    list: &[Owned],
    distances: &[f32],
    own: f32,
    positions: &mut Vec<u32>,
) {
    let (own, mask) = (l.splat(own), l.splat_i(distances.len() as i32 - 1));
    for (block, owned) in list.iter().enumerate() {
        let length = l.load(&owned.near.lengths);
        let mut gaining = l.lt(own, length);
        if gaining == 0 {
            continue;
        }
        let slot = l.and(l.load_i(&owned.near.ids), mask);
        gaining &= l.lt(l.gather(distances, slot), length);
        if gaining == 0 {
            continue;
        }
        let state = l.load_i(&owned.state);
        let cone = l.gt_i(state, l.splat_i(-1));
        let near = l.lt(l.gather(distances, l.and(state, mask)), length);
        let dirty = l.gt_i(state, l.splat_i((crate::sparse::state::DIRTY - 1) as i32)) & !cone;
        gaining &= !((cone & near) | dirty);
        each(gaining, |lane| positions.push((block * LANES) as u32 + lane));
    }
}

#[inline(always)]
pub(super) fn holding<L: Lanes>(
    l: L,
    list: &[Owned],
    distances: &[f32],
    own: f32,
    positions: &mut Vec<u32>,
) {
    let (own, mask) = (l.splat(own), l.splat_i(distances.len() as i32 - 1));
    for (block, owned) in list.iter().enumerate() {
        let length = l.load(&owned.near.lengths);
        let mut holding = l.le(own, length);
        if holding != 0 {
            let slot = l.and(l.load_i(&owned.near.ids), mask);
            holding &= l.le(l.gather(distances, slot), length);
            each(holding, |lane| positions.push((block * LANES) as u32 + lane));
        }
    }
}

#[inline(always)]
pub(super) fn members<L: Lanes>(
    l: L,
    list: &[Block],
    points: &[f32],
    mask: u32,
    edge: Search<'_>,
    ids: &mut Vec<u32>,
) {
    list.iter().for_each(|block| members_of(l, block, points, mask, edge, ids));
}

#[inline(always)]
pub(super) fn members_owned<L: Lanes>(
    l: L,
    list: &[Owned],
    points: &[f32],
    mask: u32,
    edge: Search<'_>,
    ids: &mut Vec<u32>,
) {
    list.iter().for_each(|block| members_of(l, &block.near, points, mask, edge, ids));
}

#[inline(always)]
fn members_of<L: Lanes>(
    l: L,
    block: &Block,
    points: &[f32],
    mask: u32,
    edge: Search<'_>,
    to: &mut Vec<u32>,
) {
    let dimension = edge.other.len();
    assert!((mask as usize + 1) * dimension <= points.len());
    let length = l.splat(edge.length);
    let ids = l.load_i(&block.ids);
    let own = l.load(&block.lengths);
    let tie = l.le(own, length) & l.gt_i(l.splat_i(edge.tie as i32), ids);
    let near = l.lt(own, length) | tie;
    if near == 0 {
        return;
    }
    let slot = l.and(ids, l.splat_i(mask as i32));
    let mut index = l.mul_i(slot, l.splat_i(dimension as i32));
    let mut sum = l.splat(0.0);
    for &x in edge.other {
        let difference = l.sub(l.gather(points, index), l.splat(x));
        sum = l.add(sum, l.mul(difference, difference));
        index = l.add_i(index, l.splat_i(1));
    }
    let tie = l.le(sum, length) & l.gt_i(l.splat_i(edge.other_tie as i32), ids);
    l.push_i(ids, near & (l.lt(sum, length) | tie), to);
}

#[inline(always)]
pub(super) fn adjacent<L: Lanes>(
    l: L,
    cloud: &Cloud,
    length: f32,
    ties: usize,
    rows: &mut Vec<u64>,
) -> Option<usize> {
    let (length, n) = (l.splat(length), cloud.len());
    let words = n.div_ceil(64);
    rows.clear();
    rows.resize(n * words, 0);
    for i in (0..n).rev() {
        let row = &mut rows[i * words..][..words];
        let tied = if i < ties { ties } else { 0 };
        let mut degree = 0;
        for block in 0..n.div_ceil(LANES) {
            let first = block * LANES;
            let squared = distances(l, cloud.block(block), cloud.point(i));
            let tie = l.le(squared, length) & between(first, 0, tied);
            let itself = between(first, i, i + 1);
            let mask = (l.lt(squared, length) | tie | itself) & between(first, 0, n);
            degree += mask.count_ones() as usize;
            row[first / 64] |= u64::from(mask) << (first % 64);
        }
        if degree == n {
            return Some(i);
        }
    }
    None
}

#[inline(always)]
pub(super) fn find<L: Lanes>(l: L, ids: &[u32; LANES], id: u32) -> Option<usize> {
    let mask = l.eq_i(l.load_i(ids), l.splat_i(id as i32));
    (mask != 0).then(|| mask.trailing_zeros() as usize)
}
