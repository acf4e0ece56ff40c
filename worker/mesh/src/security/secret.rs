use std::fmt;
use std::path::Path;

/// Text that is not to be seen. It can be neither printed nor serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text of a file, without the line break at its end.
    ///
    /// # Errors
    /// Says why it cannot be read, or that it is empty.
    pub fn read(file: &Path) -> Result<Secret, String> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(format!("{} is empty", file.display())),
            secret => Ok(Secret(secret.into())),
        }
    }

    /// The text, to be handed to whom it is meant for.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Secret {
        Secret(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
