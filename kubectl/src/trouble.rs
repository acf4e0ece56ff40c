//! Errors as a user reads them: one sentence that says what to do.

use kube::Error;
use kube::core::Status;
use std::error::Error as _;

/// Why a command could not do its work, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

impl Trouble {
    /// What an error means that came when this was asked for, such as `list the pods of ecg`.
    pub(crate) fn asking(what: &str, error: &Error) -> Trouble {
        match error {
            Error::Api(status) => Trouble(refused(what, status)),
            Error::Auth(error) => Trouble(format!(
                "cannot {what}: the kubeconfig's credentials cannot be had: {}; log in again, or choose \
                 another --context",
                cause(error)
            )),
            Error::SerdeError(error) => Trouble(format!(
                "cannot {what}: the answer is not understood ({error}); are this program and the \
                 definitions in the cluster of the same version?"
            )),
            other => Trouble(format!(
                "cannot {what}: cannot reach the API server: {}; is it up, and is the context the right \
                 one?",
                cause(other)
            )),
        }
    }

    /// That an answer did not come in time.
    pub(crate) fn late(what: &str, seconds: f64) -> Trouble {
        Trouble(format!(
            "cannot {what}: the API server did not answer within {seconds} s; is it up, and is the \
             context the right one?"
        ))
    }
}

/// The innermost of what an error was caused by: the outer ones name layers.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn refused(what: &str, status: &Status) -> String {
    let said = status.message.trim();
    match status.code {
        401 => format!(
            "cannot {what}: the API server does not know who you are ({said}); log in again, or choose \
             another --context"
        ),
        403 => format!(
            "cannot {what}: you may not ({said}); ask whoever runs the cluster for that verb on that \
             resource"
        ),
        _ => format!("cannot {what}: the API server says: {said}"),
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble(match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forbidden_is_named() {
        let status = Status::failure(
            "pods is forbidden: User \"eve\" cannot list resource \"pods\" in API group \"\" in the \
             namespace \"default\"",
            "Forbidden",
        );
        let error = Error::Api(status.with_code(403).boxed());
        let said = Trouble::asking("list the pods", &error).to_string();
        assert!(
            said.contains("you may not (pods is forbidden: User \"eve\" cannot list"),
            "{said}"
        );
    }
}
