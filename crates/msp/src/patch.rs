//! Fields of a PATCH body: left out, null and given are three things.

use serde::{Deserialize, Deserializer};

/// For `#[serde(default, deserialize_with = "given")]` on an `Option<Option<T>>`: `None` left out, `Some(None)` null.
///
/// # Errors
/// The value is not a `T`.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
