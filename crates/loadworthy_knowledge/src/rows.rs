//! `[[member]]` rows: what calling a member of a handle does.

use serde::Deserialize;

use crate::closed_sets::{Flag, Returns, Rows};
use crate::effect::Effect;
use crate::versions::{Versioned, Versions};

/// What calling a member does.
///
/// The option columns hold `name` (an option), `name()` (a chained member), `$name` (a pipeline
/// stage), `SQL LIMIT` (in the text) or `a,b` (positional arguments).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The library's id.
    pub lib: String,
    /// The one package or subpath of the library it is exported from.
    pub module: Option<String>,
    /// The versions it holds for; `None`: the versions read of the library.
    pub versions: Option<Versions>,
    /// The handles it is called on.
    pub on: Vec<String>,
    /// Its names; `<X>` is any part.
    pub names: Vec<String>,
    /// What it does.
    pub effect: Effect,
    /// What it returns.
    pub returns: Returns,
    /// How many rows come back.
    pub rows: Option<Rows>,
    /// How large a page is that has a limit by itself.
    pub page_default: Option<String>,
    /// What bounds rows, size or rate.
    #[serde(default)]
    pub bound_options: Vec<String>,
    /// What narrows the columns.
    #[serde(default)]
    pub shrink_options: Vec<String>,
    /// What sets a deadline for this call.
    #[serde(default)]
    pub timeout_options: Vec<String>,
    /// What replaces N calls, in words.
    pub batch_alternative: Option<String>,
    /// Members of the library whose callbacks it runs for each request: `authenticate` those of strategies. Names as
    /// in `names`.
    #[serde(default)]
    pub runs_registered: Vec<String>,
    /// Further properties.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// In words.
    pub notes: Option<String>,
    /// Where it was read, when not the library's versions.
    pub source: Option<String>,
}

impl Member {
    /// Whether the row carries a flag.
    #[must_use]
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }
}

impl Versioned for Member {
    fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }
}
