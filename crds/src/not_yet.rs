//! Fields that are part of the API and that no operator honours yet. The API server refuses them;
//! each of them begins to work with the removal of its line here.

use crate::schema::rule_at;

/// The section of the spec; when the field is not used, in CEL; what to do without it.
const NOT_YET: [(&str, &str, &str); 7] = [
    (
        "rollout",
        "self.rollout.strategy == 'AllAtOnce'",
        "strategy Progressive is not available yet: set strategy: AllAtOnce, which is the default",
    ),
    ("rollout", "!self.rollout.paused", "paused is not available yet: remove it"),
    ("slos", "!has(self.slos)", "slos are not available yet: remove them"),
    ("flags", "!has(self.flags)", "flags are not available yet: remove them"),
    (
        "observability",
        "!has(self.observability.tracing)",
        "tracing is not available yet: remove it",
    ),
    (
        "engine",
        "self.engine.mode == 'Incremental'",
        "mode Batch is not available yet: set mode: Incremental, which gives the same diagrams",
    ),
    (
        "deletionPolicy",
        "self.deletionPolicy == 'Retain'",
        "Delete is not available yet: set deletionPolicy: Retain, and delete the topics yourself",
    ),
];

pub(crate) fn rules() -> impl Iterator<Item = serde_json::Value> {
    NOT_YET.iter().map(|(section, unused, message)| rule_at(section, unused, message))
}
