/// What is known about the lune of an edge, kept in one word with the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The lune is a cone over this vertex.
    Cone(u32),
    /// The lune is empty: an edge of the relative neighbourhood graph, by its number there.
    Relative(u32),
    /// The lune is kept in a record.
    Open { record: u32, dirty: bool },
}

const RELATIVE: u32 = 0b10 << 30;
const OPEN: u32 = 0b110 << 29;
/// The least word of an edge that must be evaluated.
pub(crate) const DIRTY: u32 = 0b111 << 29;

impl State {
    pub(super) fn of(word: u32) -> State {
        match word {
            DIRTY.. => State::Open { record: word - DIRTY, dirty: true },
            OPEN.. => State::Open { record: word - OPEN, dirty: false },
            RELATIVE.. => State::Relative(word - RELATIVE),
            _ => State::Cone(word),
        }
    }

    pub(super) fn word(self) -> u32 {
        match self {
            State::Cone(apex) => apex,
            State::Relative(number) => RELATIVE + number,
            State::Open { record, dirty: false } => OPEN + record,
            State::Open { record, dirty: true } => DIRTY + record,
        }
    }
}
