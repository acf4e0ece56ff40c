//! Words of the API as the worker's configuration spells them.

use serde::Serialize;
use serde_json::Value;

/// A word in Pascal case as one in snake case: `AtLeastOnce` as `at_least_once`.
pub(super) fn snake(word: &impl Serialize) -> Value {
    let Ok(Value::String(word)) = serde_json::to_value(word) else { return Value::Null };
    let mut snake = String::new();
    for (index, letter) in word.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake.into()
}

#[cfg(test)]
mod tests {
    use super::snake;
    use crate::spec::{Channel, Codec, Delivery};

    #[test]
    fn words_are_spelled_in_snake_case() {
        assert_eq!(snake(&Delivery::AtLeastOnce), "at_least_once");
        assert_eq!(snake(&Codec::ArrowIpc), "arrow_ipc");
        assert_eq!(snake(&Channel::H1), "h1");
    }
}
