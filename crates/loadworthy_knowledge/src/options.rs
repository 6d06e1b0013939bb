//! `[[option]]` rows: options of constructors that decide a check's verdict.

use serde::Deserialize;

use crate::closed_sets::closed_set;
use crate::source::File;

closed_set! {
    /// What an option does.
    OptionTrait {
        LogsStatements = "logs-statements", GrowsFile = "grows-file", UnlimitedUpload = "unlimited-upload",
        UploadInMemory = "upload-in-memory", UnboundedQueue = "unbounded-queue",
    }
}

closed_set! {
    /// When an option does it.
    OptionIs { On = "on", Absent = "absent", Infinite = "infinite", }
}

/// An option that matters.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionRow {
    /// The id of the library.
    pub lib: String,
    /// The import specifier, where the library is several packages.
    pub module: Option<String>,
    /// The calls that take the options.
    pub names: Vec<String>,
    /// The argument that holds them; −1 is the last.
    #[serde(default)]
    pub argument: i8,
    /// The path of the option, with dots.
    pub option: String,
    /// When it matters.
    pub is: OptionIs,
    /// Values that matter.
    #[serde(default)]
    pub values: Vec<String>,
    /// What it does.
    #[serde(rename = "trait")]
    pub does: OptionTrait,
    /// The same in words, behind "it".
    pub says: String,
}

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct OptionRows {
    pub(crate) rows: Vec<OptionRow>,
}

impl OptionRows {
    pub(crate) fn new(rows: File) -> Self {
        Self { rows: rows.option }
    }
}
