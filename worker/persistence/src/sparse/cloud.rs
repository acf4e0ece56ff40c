use crate::simd::{LANES, Row};

/// Points kept twice: sixteen at a time with one row a coordinate, and row-major.
#[derive(Debug)]
pub(crate) struct Cloud {
    dimension: usize,
    len: usize,
    blocks: Vec<Row>,
    flat: Vec<f32>,
}

impl Cloud {
    pub(crate) fn new(dimension: usize) -> Cloud {
        Cloud { dimension, len: 0, blocks: Vec::new(), flat: Vec::new() }
    }

    /// `len` points that are at no finite distance from any point.
    pub(super) fn absent(dimension: usize, len: usize) -> Cloud {
        Cloud {
            dimension,
            len,
            blocks: vec![Row([f32::NAN; LANES]); len.div_ceil(LANES) * dimension],
            flat: vec![f32::NAN; len * dimension],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Points `16 block..16 (block + 1)`, one row a coordinate.
    #[inline(always)]
    pub(crate) fn block(&self, block: usize) -> &[Row] {
        &self.blocks[block * self.dimension..][..self.dimension]
    }

    #[inline(always)]
    pub(crate) fn point(&self, i: usize) -> &[f32] {
        &self.flat[i * self.dimension..][..self.dimension]
    }

    /// Row-major coordinates of all points.
    pub(super) fn flat(&self) -> &[f32] {
        &self.flat
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.blocks.clear();
        self.flat.clear();
    }

    pub(crate) fn push(&mut self, point: &[f32]) {
        if self.len.is_multiple_of(LANES) {
            let rows = self.blocks.len() + self.dimension;
            self.blocks.resize(rows, Row([0.0; LANES]));
        }
        self.flat.extend_from_slice(point);
        self.len += 1;
        self.transpose(self.len - 1);
    }

    pub(super) fn set(&mut self, i: usize, point: &[f32]) {
        self.flat[i * self.dimension..][..self.dimension].copy_from_slice(point);
        self.transpose(i);
    }

    pub(super) fn erase(&mut self, i: usize) {
        self.flat[i * self.dimension..][..self.dimension].fill(f32::NAN);
        self.transpose(i);
    }

    fn transpose(&mut self, i: usize) {
        let rows = &mut self.blocks[i / LANES * self.dimension..][..self.dimension];
        let point = &self.flat[i * self.dimension..][..self.dimension];
        rows.iter_mut().zip(point).for_each(|(row, &x)| row.0[i % LANES] = x);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Row>() + self.flat.capacity() * size_of::<f32>()
    }
}
