use super::{LANES, Lanes};

/// Any machine: arrays, which the compiler turns into what vectors there are.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Portable {
    #[inline(always)]
    fn mask(test: impl Fn(usize) -> bool) -> u16 {
        (0..LANES).fold(0, |mask, lane| mask | u16::from(test(lane)) << lane)
    }

    #[inline(always)]
    pub(super) fn push_lanes<T: Copy>(values: &[T; LANES], mut mask: u16, to: &mut Vec<T>) {
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
