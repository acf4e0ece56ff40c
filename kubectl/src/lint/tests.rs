#![allow(clippy::unwrap_used)]

use super::schema::KEYWORDS;
use super::*;
use crate::tests::golden;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn corpus(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/tests/corpus").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

/// What is found in each document of a file, when each takes the place of the one before.
fn one_after_another(rules: &Rules, text: &str) -> Vec<Vec<Finding>> {
    let documents = documents(text).unwrap();
    let mut before: Option<Value> = None;
    let mut found = Vec::new();
    for node in &documents {
        let Ok(Document::Ours(kind)) = rules.document(node) else { panic!("not ours: {text}") };
        found.push(rules.check(&kind, node, before.as_ref()));
        before = Some(node.value());
    }
    found
}

/// A real API server is asked about the same files by `tests/tests/cluster/resources.rs`.
#[test]
fn what_the_api_server_refuses_is_found_in_the_same_words() {
    let rules = Rules::new();
    let files = corpus("invalid");
    assert!(files.len() >= 40);
    let mut surprises = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let mut found = one_after_another(&rules, &text);
        let last = found.pop().unwrap();
        let said: Vec<String> = last.iter().map(|f| format!("{}: {}", f.path, f.message)).collect();
        let before: Vec<&Finding> = found.iter().flatten().collect();
        surprises.extend(before.iter().map(|f| format!("{name}: before the last: {f:?}")));
        let messages = text.lines().filter_map(|line| line.strip_prefix("# refused: "));
        for message in messages.filter(|message| !said.iter().any(|said| said.contains(message))) {
            surprises.push(format!("{name}: not {message:?} but {said:?}"));
        }
    }
    assert!(surprises.is_empty(), "{} surprises:\n{}", surprises.len(), surprises.join("\n"));
}

#[test]
fn nothing_is_found_in_what_the_api_server_takes() {
    let rules = Rules::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/ecg.yaml");
    let files = [corpus("valid"), vec![examples]].concat();
    assert!(files.len() >= 12);
    for file in files {
        let found = one_after_another(&rules, &fs::read_to_string(&file).unwrap());
        let found: Vec<Finding> = found.into_iter().flatten().collect();
        assert!(found.is_empty(), "{}: {found:#?}", file.display());
    }
}

#[test]
fn the_definitions_have_no_keywords_that_are_not_understood() {
    fn walk(schema: &Value, seen: &mut BTreeSet<String>) {
        seen.extend(schema.as_object().unwrap().keys().cloned());
        for field in schema["properties"].as_object().into_iter().flat_map(|fields| fields.values())
        {
            walk(field, seen);
        }
        for part in ["items", "additionalProperties"] {
            if schema[part].is_object() {
                walk(&schema[part], seen);
            }
        }
    }
    let mut seen = BTreeSet::new();
    for definition in crds::definitions() {
        walk(definition.schema(), &mut seen);
    }
    walk(&crds::metadata(), &mut seen);
    let unknown: Vec<&String> = seen.iter().filter(|k| !KEYWORDS.contains(&k.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn findings_name_file_line_field_and_remedy() {
    let text = fs::read_to_string(crate::tests::folder("resources").join("wrong.yaml")).unwrap();
    let mut report = Report::default();
    look(&Rules::new(), None, "wrong.yaml", &text, &mut report).await.unwrap();
    look(&Rules::new(), None, "torn.yaml", "a: 1\nb: [1\n", &mut report).await.unwrap();
    golden("lint.txt", &lines(&report));
    let mut report = Report::default();
    let list = "{kind: List, items: [{apiVersion: streamingtda.io/v1alpha1, kind: StreamingTda}]}";
    look(&Rules::new(), None, "list.json", list, &mut report).await.unwrap();
    assert_eq!(report.findings[0].remedy.as_deref(), Some("did you mean StreamingTDA?"));
    let mut report = Report::default();
    let text = fs::read_to_string(&corpus("valid")[0]).unwrap();
    look(&Rules::new(), None, "good.yaml", &text, &mut report).await.unwrap();
    assert_eq!(lines(&report)[0].text(false), "nothing is wrong with 1 resource");
    assert_eq!(exit(&report), Exit::Good);
}

#[tokio::test]
async fn nothing_to_look_at_is_not_well() {
    for text in ["", "# none\n---\n", "{apiVersion: apps/v1, kind: Deployment}"] {
        let mut report = Report::default();
        look(&Rules::new(), None, "other.yaml", text, &mut report).await.unwrap();
        let lines = lines(&report);
        let said = lines.last().unwrap().text(false);
        assert_eq!(said, "there is no resource of StreamingTDA to look at", "{text}");
        assert_eq!(exit(&report), Exit::NotYet, "{text}");
    }
}

#[tokio::test]
async fn a_name_that_will_be_made_is_judged_by_what_it_begins_with() {
    let example =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/ecg.yaml")).unwrap();
    let mut wrong = Vec::new();
    for prefix in ["ecg-".to_owned(), "ecg-".repeat(9), "1-".into()] {
        let text = example.replacen("name: ecg", &format!("generateName: {prefix}"), 1);
        let mut report = Report::default();
        look(&Rules::new(), None, "made.yaml", &text, &mut report).await.unwrap();
        wrong.push(report.findings.len());
    }
    assert_eq!(wrong, [0, 1, 1]);
}
