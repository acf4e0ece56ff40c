//! Sets of vertices as rows of bits.

/// Whether `i` is in the set.
#[inline(always)]
pub(crate) fn has(row: &[u64], i: usize) -> bool {
    row[i / 64] >> (i % 64) & 1 == 1
}

/// Whether a set is empty; without the call that comparing arrays turns into.
#[inline(always)]
pub(crate) fn is_empty(row: &[u64]) -> bool {
    row.iter().fold(0, |any, word| any | word) == 0
}

/// The members in increasing order.
#[inline(always)]
pub(crate) fn bits(row: &[u64]) -> impl Iterator<Item = usize> {
    row.iter().enumerate().flat_map(|(word, &bits)| {
        std::iter::successors((bits != 0).then_some(bits), |b| {
            let rest = b & (b - 1);
            (rest != 0).then_some(rest)
        })
        .map(move |b| word * 64 + b.trailing_zeros() as usize)
    })
}
