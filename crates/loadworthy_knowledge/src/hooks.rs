//! Functions that a library runs when other members are called: `[[hook]]` rows.

use serde::Deserialize;

/// A function that a library runs when other members are called.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// The library's id.
    pub lib: String,
    /// The handles it is registered on.
    pub on: Vec<String>,
    /// The members that register it.
    pub names: Vec<String>,
    /// The first argument of the registration.
    pub event: Option<String>,
    /// The members that run it.
    pub triggers: Vec<String>,
    /// Those of them that write what has changed of a document.
    #[serde(default)]
    pub saves: Vec<String>,
    /// The members that ask in the hook whether a field has changed.
    #[serde(default)]
    pub asks: Vec<String>,
    /// The member that makes a model of what the hook is registered on.
    pub maker: String,
    /// The argument of that which it is.
    pub from: usize,
}
