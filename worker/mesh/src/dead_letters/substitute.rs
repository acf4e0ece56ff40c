use super::{CODE, Facts, LEFT_OUT, LONGEST, Postmark, text};
use crate::{Outgoing, Target};

/// The code of a result that Kafka refused.
pub(super) const REFUSED: &str = "deliver.refused";

impl Postmark {
    /// What is sent in place of a record that Kafka refused for good, if anything: of a result, a
    /// dead letter that says so, and of a dead letter the same without its value.
    pub(crate) fn substitute(
        &self,
        record: &Outgoing,
        partition: i32,
        reason: &str,
    ) -> Option<Outgoing> {
        match record.to {
            Target::Output(_) => Some(self.undelivered(record, partition, reason)),
            Target::DeadLetters => without_value(record.clone()),
            Target::Checkpoints => None,
        }
    }

    /// The value is what most likely was refused. It can be computed again from the input record
    /// that the dead letter names, so that nothing is lost without it.
    fn undelivered(&self, record: &Outgoing, partition: i32, reason: &str) -> Outgoing {
        let facts = Facts {
            code: REFUSED,
            message: format!("{}: {reason}", record.id).chars().take(LONGEST).collect(),
            stage: "deliver",
            topic: &self.topic,
            partition,
            offset: record.source_offset().unwrap_or_default(),
            timestamp: record.timestamp,
            pipeline: &self.pipeline,
            attempts: 1,
            origin: None,
        };
        let mut headers = record.headers.clone();
        headers.extend(facts.headers());
        headers.push(text(LEFT_OUT, record.payload.as_ref().map_or(0, Vec::len)));
        headers.extend(self.dialects.iter().flat_map(|dialect| dialect.headers(&facts)));
        let (id, key) = (record.id.clone(), record.key.clone());
        Outgoing { to: Target::DeadLetters, id, key, payload: None, headers, timestamp: None }
    }
}

/// A dead letter is larger than its record was, and may be too large where that was not.
fn without_value(mut letter: Outgoing) -> Option<Outgoing> {
    let left_out = text(LEFT_OUT, letter.payload.take()?.len());
    let begin = letter.headers.iter().rposition(|(name, _)| name == CODE)?;
    letter.headers.insert(begin + 1, left_out);
    Some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use crate::dead_letters::{Dialect, Letter};
    use crate::schema::{Kind, Output, Rejection};
    use crate::tail::Located;

    fn postmark() -> Postmark {
        let dialects = vec![Dialect::Spring];
        Postmark { topic: "in".into(), pipeline: "group".into(), dialects }
    }

    fn read(letter: Outgoing) -> Letter {
        let (key, value) = (letter.key.map(Into::into), letter.payload.map(Into::into));
        let headers = letter.headers;
        let record = Record { offset: 5, timestamp: Some(9), key, value, headers };
        let topic = "in.dead-letters".into();
        Letter::read(&Located { topic, partition: 3, record, headers: Default::default() }).unwrap()
    }

    #[test]
    fn a_result_that_was_refused_becomes_a_dead_letter_that_names_its_record() {
        let result = Outgoing::from(Output {
            kind: Kind::Diagrams,
            id: "in/3/41/diagrams/a".into(),
            series: "s".into(),
            offset: 41,
            row: None,
            timestamp: Some(7),
            payload: vec![b' '; 3000],
            event: Vec::new(),
        });
        let letter = read(postmark().substitute(&result, 3, "too large").unwrap());
        assert_eq!((letter.topic.as_str(), letter.partition, letter.offset), ("in", 3, 41));
        assert_eq!((letter.code.as_str(), letter.stage.as_str()), (REFUSED, "deliver"));
        assert_eq!(letter.message, "in/3/41/diagrams/a: too large");
        assert_eq!((letter.headers, letter.timestamp), (result.headers, Some(7)));
        assert_eq!((letter.value, letter.left_out), (None, Some(3000)));
        assert_eq!(letter.key.as_deref(), Some(&b"s"[..]));
    }

    #[test]
    fn a_dead_letter_that_was_refused_goes_without_its_value_and_then_not_at_all() {
        let headers = vec![("trace".into(), Some(b"a1".to_vec()))];
        let value = Some(vec![b'{'; 3000].into());
        let record = Record { offset: 41, timestamp: Some(7), key: None, value, headers };
        let letter = postmark().letter(3, &record, &Rejection::Json("EOF".into()));
        let small = postmark().substitute(&letter, 3, "too large").unwrap();
        assert!(postmark().substitute(&small, 3, "too large").is_none());
        let (found, whole) = (read(small), read(letter));
        assert_eq!((found.left_out, whole.left_out), (Some(3000), None));
        assert_eq!((found.headers, found.offset), (whole.headers, whole.offset));
        assert_eq!((found.code, found.message), (whole.code, whole.message));
    }
}
