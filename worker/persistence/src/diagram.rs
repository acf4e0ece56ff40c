use crate::Degree;

/// A class of homology: born at one length, dead at another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The length of the edge with which the class appears; 0 in degree 0.
    pub birth: f32,
    /// The length of the edge with which it disappears; infinite when it is still alive at the
    /// maximal radius.
    pub death: f32,
}

impl Pair {
    /// How long the class lives, `death − birth`; infinite for a class that is still alive.
    pub fn persistence(&self) -> f32 {
        self.death - self.birth
    }
}

/// The pairs of one degree, sorted by birth, then death.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagram {
    pairs: Vec<Pair>,
}

impl Diagram {
    /// The pairs, sorted by birth, then death.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The pair of largest persistence, the first of them in the order of the diagram.
    pub fn longest(&self) -> Option<&Pair> {
        let longer = |a: &Pair, b: &Pair| a.persistence().total_cmp(&b.persistence());
        self.pairs.iter().rev().max_by(|a, b| longer(a, b))
    }

    /// The diagram of the edges no longer than `radius`: births beyond it are dropped, and deaths
    /// beyond it become infinite. Exact, with lengths rounded as in this diagram. A window of that
    /// maximal radius gives the same, unless the length of an edge rounds to the radius itself:
    /// it compares squares, and those may fall on either side.
    pub fn cut(&self, radius: f32) -> Diagram {
        let cut = |p: &Pair| Pair {
            birth: p.birth,
            death: if p.death > radius { f32::INFINITY } else { p.death },
        };
        let born = self.pairs.iter().filter(|p| p.birth <= radius);
        Diagram::sorted(born.map(cut).collect())
    }

    fn sorted(mut pairs: Vec<Pair>) -> Diagram {
        pairs.sort_unstable_by(|a, b| {
            let birth = a.birth.total_cmp(&b.birth);
            birth.then(a.death.total_cmp(&b.death))
        });
        Diagram { pairs }
    }
}

impl FromIterator<Pair> for Diagram {
    /// Sorts the pairs and leaves out those whose birth equals their death.
    fn from_iter<I: IntoIterator<Item = Pair>>(pairs: I) -> Diagram {
        Diagram::sorted(pairs.into_iter().filter(|p| p.birth != p.death).collect())
    }
}

/// The diagrams of one window, one for each degree from 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagrams {
    diagrams: Vec<Diagram>,
}

impl Diagrams {
    /// The diagrams in the order of their degree.
    pub fn all(&self) -> &[Diagram] {
        &self.diagrams
    }

    /// The diagram of degree `degree`.
    ///
    /// # Panics
    /// When the window was not asked to compute that degree.
    pub fn degree(&self, degree: usize) -> &Diagram {
        &self.diagrams[degree]
    }

    /// The diagrams of the edges no longer than `radius`: each one [cut](Diagram::cut).
    pub fn cut(&self, radius: f32) -> Diagrams {
        let diagrams = self.diagrams.iter().map(|d| d.cut(radius)).collect();
        Diagrams { diagrams }
    }
}

impl FromIterator<Diagram> for Diagrams {
    fn from_iter<I: IntoIterator<Item = Diagram>>(diagrams: I) -> Diagrams {
        Diagrams { diagrams: diagrams.into_iter().collect() }
    }
}

/// What an engine finds, in squared lengths; kept between emissions so that its memory is reused.
#[derive(Debug, Default)]
pub(crate) struct SquaredPairs {
    /// Deaths in degree 0, squared lengths, in no order.
    pub(crate) merges: Vec<f32>,
    /// Components at the maximal radius.
    pub(crate) components: usize,
    /// Births and deaths in degree 1, squared lengths, in no order; an infinite death is a class
    /// still alive. Pairs of equal birth and death may be among them.
    pub(crate) loops: Vec<(f32, f32)>,
}

impl SquaredPairs {
    pub(crate) fn clear(&mut self) {
        self.merges.clear();
        self.loops.clear();
        self.components = 0;
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.merges.capacity() * size_of::<f32>() + self.loops.capacity() * size_of::<(f32, f32)>()
    }

    /// Square roots, zero pairs left out, sorted: the one place where every engine's answer
    /// becomes diagrams.
    pub(crate) fn diagrams(&self, max_degree: Degree) -> Diagrams {
        let merged = self.merges.iter().map(|d| Pair { birth: 0.0, death: d.sqrt() });
        let alive = Pair { birth: 0.0, death: f32::INFINITY };
        let h0 = merged.chain(std::iter::repeat_n(alive, self.components)).collect();
        let loops = self.loops.iter();
        let h1 = || loops.map(|(b, d)| Pair { birth: b.sqrt(), death: d.sqrt() }).collect();
        match max_degree {
            Degree::H0 => [h0].into_iter().collect(),
            Degree::H1 => [h0, h1()].into_iter().collect(),
        }
    }
}
