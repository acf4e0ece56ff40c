//! The vector kernels of the sparse engine, in three widths with the same bits.
//!
//! Every kernel is written once, over sixteen lanes, and compiled for AVX-512, for AVX2 and for
//! any machine. No operation is fused or reordered, so the width has no influence on a result.
//! This is the only file with `unsafe`, for two reasons: the intrinsics, and calls of functions
//! compiled for instructions that the machine was seen to have.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::sparse::cloud::Cloud;

/// Lanes in a vector.
pub(crate) const LANES: usize = 16;

/// Sixteen numbers.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Row(pub(crate) [f32; LANES]);

/// Sixteen entries of an adjacency list. An entry without an edge has the length NaN, which no
/// comparison lets through.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Block {
    pub(crate) ids: [u32; LANES],
    pub(crate) lengths: [f32; LANES],
}

/// Sixteen entries of the edges that a vertex owns, each with its state.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Owned {
    pub(crate) near: Block,
    pub(crate) state: [u32; LANES],
}

/// What the lune of a new edge is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lune {
    Empty,
    /// It is a cone over this member of the neighbourhood.
    Cone(usize),
    Open,
}

/// An edge whose lune is sought among the neighbours of one of its ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search<'a> {
    /// Its squared length.
    pub(crate) length: f32,
    /// Neighbours exactly as far as `length` from the end whose list is read are nearer in the
    /// total order iff their id is below this.
    pub(crate) tie: u32,
    /// The same for the other end.
    pub(crate) other_tie: u32,
    /// Coordinates of the other end.
    pub(crate) other: &'a [f32],
}

/// The widest instructions that this machine has; made only by looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Simd(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Simd {
    /// The widest that this machine has.
    pub(crate) fn detect() -> Simd {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("popcnt")
            {
                return Simd(Level::Avx512);
            }
            if let Some(avx2) = Simd::avx2() {
                return avx2;
            }
        }
        Simd(Level::Portable)
    }

    #[cfg(target_arch = "x86_64")]
    fn avx2() -> Option<Simd> {
        let seen = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt");
        seen.then_some(Simd(Level::Avx2))
    }

    /// All widths that this machine has, for comparisons.
    #[cfg(test)]
    pub(crate) fn available() -> Vec<Simd> {
        let mut all = vec![Simd(Level::Portable)];
        #[cfg(target_arch = "x86_64")]
        all.extend(Simd::avx2());
        if !all.contains(&Simd::detect()) {
            all.push(Simd::detect());
        }
        all
    }

    /// Asks for the cache line of `value`.
    #[inline(always)]
    pub(crate) fn prefetch<T>(value: &T) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch reads nothing, and every x86-64 has it.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = value;
    }
}

/// Defines the methods of [`Simd`]: each calls the kernel of the same name, compiled for the
/// instructions of the level.
macro_rules! kernels {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {
        #[cfg(target_arch = "x86_64")]
        mod avx512 {
            use super::*;
            $(#[target_feature(enable = "avx512f,avx512dq,avx2,bmi1,popcnt")]
            pub(super) fn $name($($arg: $type),*) -> $result {
                kernel::$name(x86::Avx512::new(), $($arg),*)
            })*
        }

        #[cfg(target_arch = "x86_64")]
        mod avx2 {
            use super::*;
            $(#[target_feature(enable = "avx2,bmi1,popcnt")]
            pub(super) fn $name($($arg: $type),*) -> $result {
                kernel::$name(x86::Avx2::new(), $($arg),*)
            })*
        }

        impl Simd {
            $($(#[$doc])*
            #[inline]
            pub(crate) fn $name(self, $($arg: $type),*) -> $result {
                match self.0 {
                    // SAFETY: this level is made only where its instructions were seen.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe { avx512::$name($($arg),*) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { avx2::$name($($arg),*) },
                    Level::Portable => kernel::$name(Portable, $($arg),*),
                }
            })*
        }
    };
}

kernels! {
    /// The points of a range of slots no further from `point` than `max_squared`: appends
    /// their slots and squared distances.
    fn near(
        cloud: &Cloud, range: Range<usize>, point: &[f32], max_squared: f32,
        slots: &mut Vec<u32>, lengths: &mut Vec<f32>,
    ) -> ();

    /// The lune of the edge from a new point to member `i` of its neighbourhood `cloud`, sorted
    /// by id, with squared distances `lengths` from the new point (NaN beyond the last member).
    /// Cones are sought newest apex first; without `cones` any member will do as an apex.
    fn lune(cloud: &Cloud, lengths: &[Row], i: usize, cones: bool, members: &mut Vec<u16>) -> Lune;

    /// The edges of a vertex at distance `own` from a new point whose lunes the point enters and
    /// whose state may have to change: all but cones that stay cones and edges already dirty.
    /// `distances` from the new point by slot; appends positions in the list.
    fn gaining(list: &[Owned], distances: &[f32], own: f32, positions: &mut Vec<u32>) -> ();

    /// The edges of a vertex at distance `own` from a point whose closed lunes hold the point.
    fn holding(list: &[Owned], distances: &[f32], own: f32, positions: &mut Vec<u32>) -> ();

    /// The members of a lune among the entries of a list; appends their ids. `points` by slot,
    /// row-major.
    fn members(list: &[Block], points: &[f32], mask: u32, edge: Search<'_>, ids: &mut Vec<u32>) -> ();

    /// The same among the entries of edges owned.
    fn members_owned(
        list: &[Owned], points: &[f32], mask: u32, edge: Search<'_>, ids: &mut Vec<u32>,
    ) -> ();

    /// The graph on a lune: for each member, newest first, a row of bits of those nearer to it
    /// than `length`, itself included. Exactly as far counts between two of the first `ties`
    /// members. Stops at a member adjacent to all and gives it.
    fn adjacent(cloud: &Cloud, length: f32, ties: usize, rows: &mut Vec<u64>) -> Option<usize>;

    /// The lane of the entry `id` in a list of ascending ids.
    fn find(ids: &[u32; LANES], id: u32) -> Option<usize>;
}

/// Sixteen lanes of one machine. The implementing value is the proof that its instructions exist.
trait Lanes: Copy {
    type F: Copy;
    type I: Copy;
    fn splat(self, x: f32) -> Self::F;
    fn load(self, x: &[f32; LANES]) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn lt(self, a: Self::F, b: Self::F) -> u16;
    fn le(self, a: Self::F, b: Self::F) -> u16;
    /// Lane by lane, `table[index]`; every index is below `table.len()`.
    fn gather(self, table: &[f32], index: Self::I) -> Self::F;
    fn splat_i(self, x: i32) -> Self::I;
    fn load_i(self, x: &[u32; LANES]) -> Self::I;
    fn and(self, a: Self::I, b: Self::I) -> Self::I;
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn mul_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn gt_i(self, a: Self::I, b: Self::I) -> u16;
    fn eq_i(self, a: Self::I, b: Self::I) -> u16;
    /// Appends the lanes of the mask in order.
    fn push_i(self, values: Self::I, mask: u16, to: &mut Vec<u32>);
    fn push(self, values: Self::F, mask: u16, to: &mut Vec<f32>);
}

mod kernel {
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
}

/// Any machine: arrays, which the compiler turns into what vectors there are.
#[derive(Clone, Copy)]
struct Portable;

impl Portable {
    #[inline(always)]
    fn mask(test: impl Fn(usize) -> bool) -> u16 {
        (0..LANES).fold(0, |mask, lane| mask | u16::from(test(lane)) << lane)
    }

    #[inline(always)]
    fn push_lanes<T: Copy>(values: &[T; LANES], mut mask: u16, to: &mut Vec<T>) {
        while mask != 0 {
            to.push(values[mask.trailing_zeros() as usize]);
            mask &= mask - 1;
        }
    }
}

impl Lanes for Portable {
    type F = [f32; LANES];
    type I = [i32; LANES];

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; LANES]
    }

    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> Self::F {
        *x
    }

    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn lt(self, a: Self::F, b: Self::F) -> u16 {
        Portable::mask(|i| a[i] < b[i])
    }

    #[inline(always)]
    fn le(self, a: Self::F, b: Self::F) -> u16 {
        Portable::mask(|i| a[i] <= b[i])
    }

    #[inline(always)]
    fn gather(self, table: &[f32], index: Self::I) -> Self::F {
        index.map(|i| table[i as usize])
    }

    #[inline(always)]
    fn splat_i(self, x: i32) -> Self::I {
        [x; LANES]
    }

    #[inline(always)]
    fn load_i(self, x: &[u32; LANES]) -> Self::I {
        x.map(|x| x as i32)
    }

    #[inline(always)]
    fn and(self, a: Self::I, b: Self::I) -> Self::I {
        std::array::from_fn(|i| a[i] & b[i])
    }

    #[inline(always)]
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }

    #[inline(always)]
    fn mul_i(self, a: Self::I, b: Self::I) -> Self::I {
        std::array::from_fn(|i| a[i].wrapping_mul(b[i]))
    }

    #[inline(always)]
    fn gt_i(self, a: Self::I, b: Self::I) -> u16 {
        Portable::mask(|i| a[i] > b[i])
    }

    #[inline(always)]
    fn eq_i(self, a: Self::I, b: Self::I) -> u16 {
        Portable::mask(|i| a[i] == b[i])
    }

    #[inline(always)]
    fn push_i(self, values: Self::I, mask: u16, to: &mut Vec<u32>) {
        Portable::push_lanes(&values.map(|x| x as u32), mask, to);
    }

    #[inline(always)]
    fn push(self, values: Self::F, mask: u16, to: &mut Vec<f32>) {
        Portable::push_lanes(&values, mask, to);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{LANES, Lanes, Portable};

    /// A machine with AVX-512 F and DQ.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(());

    /// A machine with AVX2.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(());

    impl Avx512 {
        #[target_feature(enable = "avx512f,avx512dq")]
        pub(super) fn new() -> Avx512 {
            Avx512(())
        }
    }

    impl Avx2 {
        #[target_feature(enable = "avx2")]
        pub(super) fn new() -> Avx2 {
            Avx2(())
        }
    }

    /// An intrinsic of the instructions that `self` proves.
    macro_rules! intrinsic {
        ($call:expr) => {
            // SAFETY: the value of the type is made only in functions compiled for its
            // instructions; loads and stores are of whole arrays.
            unsafe { $call }
        };
    }

    /// Gathers check their indices only where debug assertions are on.
    fn check(table: &[f32], index: impl Fn() -> [i32; LANES]) {
        debug_assert!(index().iter().all(|&i| (i as usize) < table.len()));
    }

    impl Avx512 {
        #[inline(always)]
        fn spill(self, a: __m512i) -> [i32; LANES] {
            let mut lanes = [0; LANES];
            intrinsic!(_mm512_storeu_si512(lanes.as_mut_ptr().cast(), a));
            lanes
        }
    }

    impl Lanes for Avx512 {
        type F = __m512;
        type I = __m512i;

        #[inline(always)]
        fn splat(self, x: f32) -> __m512 {
            intrinsic!(_mm512_set1_ps(x))
        }

        #[inline(always)]
        fn load(self, x: &[f32; LANES]) -> __m512 {
            intrinsic!(_mm512_loadu_ps(x.as_ptr()))
        }

        #[inline(always)]
        fn sub(self, a: __m512, b: __m512) -> __m512 {
            intrinsic!(_mm512_sub_ps(a, b))
        }

        #[inline(always)]
        fn mul(self, a: __m512, b: __m512) -> __m512 {
            intrinsic!(_mm512_mul_ps(a, b))
        }

        #[inline(always)]
        fn add(self, a: __m512, b: __m512) -> __m512 {
            intrinsic!(_mm512_add_ps(a, b))
        }

        #[inline(always)]
        fn lt(self, a: __m512, b: __m512) -> u16 {
            intrinsic!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b))
        }

        #[inline(always)]
        fn le(self, a: __m512, b: __m512) -> u16 {
            intrinsic!(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b))
        }

        #[inline(always)]
        fn gather(self, table: &[f32], index: __m512i) -> __m512 {
            check(table, || self.spill(index));
            // SAFETY: the caller keeps every index below the length of the table.
            unsafe { _mm512_i32gather_ps::<4>(index, table.as_ptr()) }
        }

        #[inline(always)]
        fn splat_i(self, x: i32) -> __m512i {
            intrinsic!(_mm512_set1_epi32(x))
        }

        #[inline(always)]
        fn load_i(self, x: &[u32; LANES]) -> __m512i {
            intrinsic!(_mm512_loadu_si512(x.as_ptr().cast()))
        }

        #[inline(always)]
        fn and(self, a: __m512i, b: __m512i) -> __m512i {
            intrinsic!(_mm512_and_si512(a, b))
        }

        #[inline(always)]
        fn add_i(self, a: __m512i, b: __m512i) -> __m512i {
            intrinsic!(_mm512_add_epi32(a, b))
        }

        #[inline(always)]
        fn mul_i(self, a: __m512i, b: __m512i) -> __m512i {
            intrinsic!(_mm512_mullo_epi32(a, b))
        }

        #[inline(always)]
        fn gt_i(self, a: __m512i, b: __m512i) -> u16 {
            intrinsic!(_mm512_cmpgt_epi32_mask(a, b))
        }

        #[inline(always)]
        fn eq_i(self, a: __m512i, b: __m512i) -> u16 {
            intrinsic!(_mm512_cmpeq_epi32_mask(a, b))
        }

        #[inline(always)]
        fn push_i(self, values: __m512i, mask: u16, to: &mut Vec<u32>) {
            let packed = intrinsic!(_mm512_maskz_compress_epi32(mask, values));
            to.reserve(LANES);
            // SAFETY: sixteen entries are reserved beyond the last, and as many of them become
            // part of the vector as were written in the packed front.
            unsafe {
                _mm512_storeu_si512(to.as_mut_ptr().add(to.len()).cast(), packed);
                to.set_len(to.len() + mask.count_ones() as usize);
            }
        }

        #[inline(always)]
        fn push(self, values: __m512, mask: u16, to: &mut Vec<f32>) {
            let packed = intrinsic!(_mm512_maskz_compress_ps(mask, values));
            to.reserve(LANES);
            // SAFETY: as for integers.
            unsafe {
                _mm512_storeu_ps(to.as_mut_ptr().add(to.len()), packed);
                to.set_len(to.len() + mask.count_ones() as usize);
            }
        }
    }

    impl Avx2 {
        #[inline(always)]
        fn spill(self, a: [__m256i; 2]) -> [i32; LANES] {
            let mut lanes = [0; LANES];
            let (low, high) = lanes.split_at_mut(LANES / 2);
            intrinsic!(_mm256_storeu_si256(low.as_mut_ptr().cast(), a[0]));
            intrinsic!(_mm256_storeu_si256(high.as_mut_ptr().cast(), a[1]));
            lanes
        }

        #[inline(always)]
        fn mask(self, halves: [__m256; 2]) -> u16 {
            let [low, high] = halves.map(|h| intrinsic!(_mm256_movemask_ps(h)));
            low as u16 | (high as u16) << 8
        }
    }

    /// One instruction on both halves of a vector.
    macro_rules! halves {
        ($a:ident, $b:ident, $intrinsic:expr) => {
            [intrinsic!($intrinsic($a[0], $b[0])), intrinsic!($intrinsic($a[1], $b[1]))]
        };
    }

    impl Lanes for Avx2 {
        type F = [__m256; 2];
        type I = [__m256i; 2];

        #[inline(always)]
        fn splat(self, x: f32) -> Self::F {
            [intrinsic!(_mm256_set1_ps(x)); 2]
        }

        #[inline(always)]
        fn load(self, x: &[f32; LANES]) -> Self::F {
            let (low, high) = x.split_at(LANES / 2);
            [intrinsic!(_mm256_loadu_ps(low.as_ptr())), intrinsic!(_mm256_loadu_ps(high.as_ptr()))]
        }

        #[inline(always)]
        fn sub(self, a: Self::F, b: Self::F) -> Self::F {
            halves!(a, b, _mm256_sub_ps)
        }

        #[inline(always)]
        fn mul(self, a: Self::F, b: Self::F) -> Self::F {
            halves!(a, b, _mm256_mul_ps)
        }

        #[inline(always)]
        fn add(self, a: Self::F, b: Self::F) -> Self::F {
            halves!(a, b, _mm256_add_ps)
        }

        #[inline(always)]
        fn lt(self, a: Self::F, b: Self::F) -> u16 {
            self.mask(halves!(a, b, _mm256_cmp_ps::<_CMP_LT_OQ>))
        }

        #[inline(always)]
        fn le(self, a: Self::F, b: Self::F) -> u16 {
            self.mask(halves!(a, b, _mm256_cmp_ps::<_CMP_LE_OQ>))
        }

        #[inline(always)]
        fn gather(self, table: &[f32], index: Self::I) -> Self::F {
            check(table, || self.spill(index));
            // SAFETY: the caller keeps every index below the length of the table.
            index.map(|i| unsafe { _mm256_i32gather_ps::<4>(table.as_ptr(), i) })
        }

        #[inline(always)]
        fn splat_i(self, x: i32) -> Self::I {
            [intrinsic!(_mm256_set1_epi32(x)); 2]
        }

        #[inline(always)]
        fn load_i(self, x: &[u32; LANES]) -> Self::I {
            let (low, high) = x.split_at(LANES / 2);
            [
                intrinsic!(_mm256_loadu_si256(low.as_ptr().cast())),
                intrinsic!(_mm256_loadu_si256(high.as_ptr().cast())),
            ]
        }

        #[inline(always)]
        fn and(self, a: Self::I, b: Self::I) -> Self::I {
            halves!(a, b, _mm256_and_si256)
        }

        #[inline(always)]
        fn add_i(self, a: Self::I, b: Self::I) -> Self::I {
            halves!(a, b, _mm256_add_epi32)
        }

        #[inline(always)]
        fn mul_i(self, a: Self::I, b: Self::I) -> Self::I {
            halves!(a, b, _mm256_mullo_epi32)
        }

        #[inline(always)]
        fn gt_i(self, a: Self::I, b: Self::I) -> u16 {
            let greater: [__m256i; 2] = halves!(a, b, _mm256_cmpgt_epi32);
            self.mask(greater.map(|h| intrinsic!(_mm256_castsi256_ps(h))))
        }

        #[inline(always)]
        fn eq_i(self, a: Self::I, b: Self::I) -> u16 {
            let equal: [__m256i; 2] = halves!(a, b, _mm256_cmpeq_epi32);
            self.mask(equal.map(|h| intrinsic!(_mm256_castsi256_ps(h))))
        }

        #[inline(always)]
        fn push_i(self, values: Self::I, mask: u16, to: &mut Vec<u32>) {
            Portable::push_lanes(&self.spill(values).map(|x| x as u32), mask, to);
        }

        #[inline(always)]
        fn push(self, values: Self::F, mask: u16, to: &mut Vec<f32>) {
            let bits = self.spill(values.map(|h| intrinsic!(_mm256_castps_si256(h))));
            Portable::push_lanes(&bits.map(|x| f32::from_bits(x as u32)), mask, to);
        }
    }
}

#[cfg(test)]
mod tests;
