//! `lint`: what an API server and the operator would refuse of manifests, without either.

mod document;
mod resource;
mod schema;
mod server;

use crate::cluster::Cluster;
use crate::terminal::{self, Terminal};
use crate::text::{BAD, FAINT, GOOD, Line, PENDING, PLAIN, STRONG};
use crate::{Exit, Trouble, arguments, words};
use document::{Content, Node, documents};
use resource::{Document, Rules};
use serde::Serialize;
use std::io::Read;
use std::path::Path;
use std::{fs, io};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    pub(crate) file: String,
    /// The line, counted from 1.
    pub(crate) line: u64,
    /// Where in the resource it is, such as `spec.scales[0].hop`.
    pub(crate) path: String,
    /// What is wrong, in the words of the API server where it has some.
    pub(crate) message: String,
    /// What to do about it, where the message does not say so.
    pub(crate) remedy: Option<String>,
}

impl Finding {
    /// What is wrong at a path of a document whose place is not known yet.
    fn new(path: &str, message: String) -> Finding {
        let (file, path) = (String::new(), path.to_owned());
        Finding { file, line: 0, path, message, remedy: None }
    }

    fn mended(self, remedy: String) -> Finding {
        Finding { remedy: Some(remedy), ..self }
    }

    /// Whether rules can be looked at all the same: a field too many is no matter to them.
    fn leaves_rules(&self) -> bool {
        self.message.starts_with("unknown field")
    }

    fn line(&self) -> Line {
        let named = self.message.contains(&self.path) || self.path.is_empty();
        let path = if named { String::new() } else { format!("{}: ", self.path) };
        let remedy = self.remedy.as_ref().map_or(String::new(), |remedy| format!(": {remedy}"));
        Line::new()
            .and(STRONG, format!("{}:{}: ", self.file, self.line))
            .and(BAD, format!("{path}{}", self.message))
            .and(PLAIN, remedy)
    }
}

/// What was found in files.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// The resources that were looked at.
    resources: usize,
    findings: Vec<Finding>,
    /// Documents that were not looked at, and why.
    notes: Vec<String>,
}

/// Looks at files.
pub(crate) async fn run(
    cluster: Option<&Cluster>,
    lint: &arguments::Lint,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let rules = Rules::new();
    let mut report = Report::default();
    for file in &lint.files {
        let (name, text) = read(file)?;
        look(&rules, cluster, &name, &text, &mut report).await?;
    }
    match lint.output {
        Some(format) => terminal::put(&format.write(&report)?)?,
        None => terminal.print(&lines(&report))?,
    }
    Ok(exit(&report))
}

/// What a script is told: that nothing was looked at is not that nothing is wrong.
fn exit(report: &Report) -> Exit {
    match (report.findings.len(), report.resources) {
        (0, 0) => Exit::NotYet,
        (0, _) => Exit::Good,
        _ => Exit::Bad,
    }
}

fn read(file: &Path) -> Result<(String, String), Trouble> {
    if file == Path::new("-") {
        let mut text = String::new();
        let read = io::stdin().read_to_string(&mut text);
        read.map_err(|error| Trouble(format!("cannot read standard input: {error}")))?;
        return Ok(("<stdin>".into(), text));
    }
    let name = file.display().to_string();
    let text = fs::read_to_string(file);
    Ok((name.clone(), text.map_err(|error| Trouble(format!("cannot read {name}: {error}")))?))
}

async fn look(
    rules: &Rules,
    cluster: Option<&Cluster>,
    file: &str,
    text: &str,
    report: &mut Report,
) -> Result<(), Trouble> {
    let documents = match documents(text) {
        Ok(documents) => documents,
        Err((line, said)) => {
            let message = format!("this is neither YAML nor JSON: {said}");
            let finding = Finding { file: file.into(), line, ..Finding::new("", message) };
            report.findings.push(finding);
            return Ok(());
        }
    };
    for node in documents.iter().flat_map(unlisted) {
        let found = match rules.document(node) {
            Ok(Document::Other(kind)) => {
                report.notes.push(format!("{file}:{}: {kind} is not looked at", node.line));
                continue;
            }
            Ok(Document::Ours(kind)) => {
                report.resources += 1;
                match (rules.check(&kind, node, None), cluster) {
                    (found, Some(cluster)) if found.is_empty() => {
                        server::check(cluster, &kind, node).await?
                    }
                    (found, _) => found,
                }
            }
            Err(finding) => vec![finding],
        };
        report.findings.extend(found.into_iter().map(|finding| Finding {
            file: file.into(),
            line: node.line_of(&finding.path),
            ..finding
        }));
    }
    Ok(())
}

/// The items of a `List`, or the document itself.
fn unlisted(node: &Node) -> Vec<&Node> {
    let items = node.field("items").map(|items| &items.node.content);
    match (node.text("kind"), items) {
        (Some("List"), Some(Content::List(items))) => items.iter().collect(),
        _ => vec![node],
    }
}

fn lines(report: &Report) -> Vec<Line> {
    let found = report.findings.iter().map(Finding::line);
    let notes = report.notes.iter().map(|note| Line::new().and(FAINT, format!("note: {note}")));
    let looked = words::count(report.resources, "resource");
    let summary = match report.findings.len() {
        0 if report.resources == 0 => {
            Line::new().and(PENDING, "there is no resource of StreamingTDA to look at")
        }
        0 => Line::new().and(GOOD, format!("nothing is wrong with {looked}")),
        number => Line::new().and(BAD, format!("{}, {looked}", words::count(number, "finding"))),
    };
    found.chain(notes).chain([summary]).collect()
}

#[cfg(test)]
mod tests;
