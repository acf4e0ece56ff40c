//! The vector kernels of the sparse engine, in three widths with the same bits.
//!
//! Every kernel is written once, over sixteen lanes, and compiled for AVX-512, for AVX2 and for
//! any machine. No operation is fused or reordered, so the width has no influence on a result.
//! This is the only file with `unsafe`, for two reasons: the intrinsics, and calls of functions
//! compiled for instructions that the machine was seen to have.
#![allow(unsafe_code)]

mod kernel;
mod portable;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::sparse::cloud::Cloud;

use portable::Portable;

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
