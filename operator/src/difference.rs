//! Whether an object already is what it should be.

use crate::names::APPLIED;
use crate::quantity;
use crate::revision::{canonical, hash};
use serde_json::Value;

/// Lists of objects that are told apart by one of these fields, in which others may have added some.
const IDENTITIES: [&str; 4] = ["uid", "name", "mountPath", "containerPort"];

/// Adds a hash of the whole manifest to its annotations, by which a field that is no longer asked for
/// makes a difference too.
pub fn seal(manifest: &mut Value) {
    let mark = hash(&canonical(manifest.clone()));
    manifest["metadata"]["annotations"][APPLIED] = mark[..16].into();
}

/// Whether something in a sealed manifest is missing or different in the object that was observed.
/// What else the object has was put there by the API server or by others.
pub fn differs(manifest: &Value, observed: &Value) -> bool {
    !holds(manifest, observed)
}

/// Whether `there` has everything that is `wanted`.
fn holds(wanted: &Value, there: &Value) -> bool {
    match (wanted, there) {
        (Value::Object(wanted), Value::Object(there)) => wanted.iter().all(|(key, value)| {
            let other = there.get(key).unwrap_or(&Value::Null);
            match key.as_str() {
                "requests" | "limits" => amounts(value, other),
                // Whom a right is given to is ours alone.
                "subjects" => exactly(value, other),
                _ => holds(value, other),
            }
        }),
        (Value::Array(wanted), Value::Array(there)) => match identity(wanted) {
            Some(field) => wanted.iter().all(|item| {
                there.iter().any(|other| other[field] == item[field] && holds(item, other))
            }),
            None => {
                wanted.len() == there.len() && wanted.iter().zip(there).all(|(w, t)| holds(w, t))
            }
        },
        // Left out by the API server.
        (Value::Object(wanted), Value::Null) => wanted.values().all(|v| holds(v, &Value::Null)),
        (Value::Array(wanted), Value::Null) => wanted.is_empty(),
        (Value::Number(wanted), Value::Number(there)) => wanted.as_f64() == there.as_f64(),
        _ => wanted == there,
    }
}

/// Whether a list has what is wanted, and nothing else.
fn exactly(wanted: &Value, there: &Value) -> bool {
    let (Some(wanted), Some(there)) = (wanted.as_array(), there.as_array()) else { return false };
    wanted.len() == there.len() && wanted.iter().zip(there).all(|(w, t)| holds(w, t))
}

fn amounts(wanted: &Value, there: &Value) -> bool {
    let same = |wanted: &Value, there: &Value| match (wanted.as_str(), there.as_str()) {
        (Some(wanted), Some(there)) => quantity::same(wanted, there),
        _ => holds(wanted, there),
    };
    let mut wanted = wanted.as_object().into_iter().flatten();
    wanted.all(|(name, amount)| there.get(name).is_some_and(|other| same(amount, other)))
}

fn identity(items: &[Value]) -> Option<&'static str> {
    let all_have = |field: &&&str| items.iter().all(|item| item.get(**field).is_some());
    if items.is_empty() { None } else { IDENTITIES.iter().find(all_have).copied() }
}

#[cfg(test)]
mod tests {
    use super::{differs, seal};
    use serde_json::json;

    #[test]
    fn what_the_api_server_adds_makes_no_difference() {
        let wanted = json!({
            "spec": {"limits": {"cpu": "0.5"}, "labels": {}, "containers": [{"name": "a", "port": 1}]},
        });
        let there = json!({
            "spec": {"limits": {"cpu": "500m"}, "more": 1, "containers": [
                {"name": "other"}, {"name": "a", "port": 1.0, "policy": "Always"},
            ]},
            "status": {},
        });
        assert!(!differs(&wanted, &there));
    }

    #[test]
    fn what_others_change_or_remove_makes_one() {
        let wanted = json!({"a": {"b": [{"name": "x", "value": 1}]}, "words": ["one"]});
        for there in [
            json!({"words": ["one"]}),
            json!({"a": {"b": [{"name": "x", "value": 2}]}, "words": ["one"]}),
            json!({"a": {"b": [{"name": "x", "value": 1}]}, "words": ["one", "two"]}),
        ] {
            assert!(differs(&wanted, &there), "{there}");
        }
    }

    #[test]
    fn a_right_that_others_give_makes_one() {
        let wanted = json!({"subjects": [{"name": "a"}]});
        assert!(differs(&wanted, &json!({"subjects": [{"name": "a"}, {"name": "b"}]})));
        assert!(!differs(&wanted, &json!({"subjects": [{"name": "a", "kind": "x"}]})));
    }

    #[test]
    fn what_is_no_longer_asked_for_makes_one() {
        let mut before = json!({"metadata": {}, "data": {"a": "1", "b": "2"}});
        let mut after = json!({"metadata": {}, "data": {"a": "1"}});
        seal(&mut before);
        seal(&mut after);
        assert!(differs(&after, &before));
        assert!(!differs(&before, &before));
    }
}
