//! What somebody may have meant.

/// The one of the candidates that differs least from a word, if it is close enough for a slip.
pub(crate) fn near<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let score = |candidate: &str| {
        strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase())
    };
    let scored = candidates.into_iter().map(|candidate| (score(candidate), candidate));
    let (distance, nearest) = scored.min()?;
    (distance <= word.chars().count().div_ceil(3)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn slips_are_close_and_other_words_are_not() {
        assert_eq!(near("brokres", ["brokers", "input"]), Some("brokers"));
        assert_eq!(near("maxradius", ["maxRadius", "maxDegree"]), Some("maxRadius"));
        assert_eq!(near("replicas", ["scales", "kafka"]), None);
        assert_eq!(near("x", []), None);
    }
}
