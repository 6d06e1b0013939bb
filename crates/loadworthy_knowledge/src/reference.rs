//! Defaults, measured costs and traps: tables read when first asked for.

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::closed_sets::{Scope, Target, Thread, Unit};
use crate::names::Pattern;
use crate::versions::{Nearest, Versioned, Versions, choose, installed};

/// The default of one option, by version.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultRow {
    /// What `lib` names.
    pub target: Target,
    /// The package, Node.js module (`node:http`), server or platform.
    pub lib: String,
    /// The versions it holds for.
    pub versions: Versions,
    /// A further condition in words.
    pub when: Option<String>,
    /// The option's path; a remark may follow in parentheses.
    pub option: String,
    /// What it governs.
    pub scope: Scope,
    /// The value as text: see [`DefaultRow::value`].
    #[serde(rename = "value")]
    pub text: String,
    /// The unit of the value.
    pub unit: Unit,
    /// Whether by default nothing limits it.
    pub unbounded: bool,
    /// In words.
    pub meaning: Option<String>,
    /// Check codes it matters to.
    #[serde(default)]
    pub checks: Vec<String>,
    /// How it is known: `source`, `measured`, `docs`, `third-party`.
    pub basis: Vec<String>,
    /// Where it was read.
    pub source: String,
}

/// The value of a default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DefaultValue<'k> {
    /// A number in the row's unit.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `Infinity`.
    Infinity,
    /// No such limit or option.
    None,
    /// The option exists and has no value.
    Unset,
    /// An expression or a name, as `num_physical_cpus * 2 + 1`.
    Expression(&'k str),
}

impl DefaultRow {
    /// The value, read.
    #[must_use]
    pub fn value(&self) -> DefaultValue<'_> {
        match self.text.as_str() {
            "true" => DefaultValue::Bool(true),
            "false" => DefaultValue::Bool(false),
            "Infinity" => DefaultValue::Infinity,
            "none" => DefaultValue::None,
            "unset" => DefaultValue::Unset,
            text => text.parse().map_or(DefaultValue::Expression(text), DefaultValue::Number),
        }
    }

    /// The option's path without its remark.
    #[must_use]
    pub fn option_path(&self) -> &str {
        self.option.split(" (").next().unwrap_or(&self.option)
    }
}

impl Versioned for DefaultRow {
    fn versions(&self) -> Option<&Versions> {
        Some(&self.versions)
    }
}

/// A measured cost.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// `library.member.parameters`, `calibration`, `heap.…` or `log.…`.
    pub op: String,
    /// What it is the cost of one of: `call`, `MB`, `1k rows` …
    pub per: String,
    /// Milliseconds or megabytes (1,048,576 bytes): see `unit`.
    pub value: f64,
    /// `ms` or `MB`.
    pub unit: Unit,
    /// The low and high end of the samples.
    pub range: [f64; 2],
    /// The calibration operation it scales with on another machine.
    pub scales_with: Option<String>,
    /// `value` divided by the calibration operation's.
    pub ratio: Option<f64>,
    /// The thread that pays.
    pub thread: Option<Thread>,
    /// How it is known.
    pub basis: Vec<String>,
    /// Versions and parameters.
    pub setup: String,
}

/// A behaviour that differs by version or surprises.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trap {
    /// What `lib` names.
    pub target: Target,
    /// The package, Node.js module, server or platform.
    pub lib: String,
    /// The versions that behave so.
    pub versions: Versions,
    /// A further condition in words.
    pub when: Option<String>,
    /// What happens.
    pub behaviour: String,
    /// Check codes whose verdict depends on it.
    pub changes: Vec<String>,
    /// How it is known.
    pub basis: Vec<String>,
    /// Where it was read.
    pub source: String,
}

/// Default rows by library and option.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    rows: Vec<DefaultRow>,
    by_option: FxHashMap<Box<str>, FxHashMap<Box<str>, Vec<usize>>>,
    wildcards: Vec<Pattern>,
}

impl Defaults {
    pub(crate) fn new(rows: Vec<DefaultRow>) -> Self {
        let mut table = Self::default();
        for (at, row) in rows.iter().enumerate() {
            let options = table.by_option.entry(row.lib.as_str().into()).or_default();
            options.entry(row.option_path().into()).or_default().push(at);
            if row.option_path() != row.option {
                options.entry(row.option.as_str().into()).or_default().push(at);
            }
            if let Some(pattern) = Pattern::parse(&row.lib).filter(|p| !table.wildcards.contains(p)) {
                table.wildcards.push(pattern);
            }
        }
        table.rows = rows;
        table
    }

    pub(crate) fn rows(&self) -> &[DefaultRow] {
        &self.rows
    }

    pub(crate) fn nearest(
        &self,
        lib: &str,
        option: &str,
        version: Option<&str>,
    ) -> Option<Nearest<'_, DefaultRow>> {
        let version = version.and_then(installed);
        let literal = self.by_option.get(lib).and_then(|options| options.get(option));
        let found = match literal {
            Some(found) => found,
            None => self.by_option.get(self.wildcard_of(lib)?)?.get(option)?,
        };
        let rows = found.iter().filter_map(|at| self.rows.get(*at)).map(|row| (0, row));
        choose(rows, version.as_ref())
    }

    /// The `lib` cell with a wildcard that stands for a package.
    fn wildcard_of(&self, lib: &str) -> Option<&str> {
        self.wildcards.iter().find(|pattern| pattern.matches(lib))?;
        let rows = self.rows.iter().map(|row| row.lib.as_str());
        rows.filter(|row| row.contains('*'))
            .find(|row| Pattern::parse(row).is_some_and(|pattern| pattern.matches(lib)))
    }
}

/// Costs by operation.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    rows: Vec<Cost>,
    by_op: FxHashMap<Box<str>, usize>,
}

impl Costs {
    /// Of rows about the same operation the first counts.
    pub(crate) fn new(rows: Vec<Cost>) -> Self {
        let mut by_op = FxHashMap::default();
        for (at, row) in rows.iter().enumerate() {
            by_op.entry(row.op.as_str().into()).or_insert(at);
        }
        Self { rows, by_op }
    }

    pub(crate) fn rows(&self) -> &[Cost] {
        &self.rows
    }

    pub(crate) fn get(&self, op: &str) -> Option<&Cost> {
        self.rows.get(*self.by_op.get(op)?)
    }
}

/// Traps by library.
#[derive(Debug, Default)]
pub(crate) struct Traps {
    by_lib: FxHashMap<Box<str>, Vec<Trap>>,
}

impl Traps {
    pub(crate) fn new(rows: Vec<Trap>) -> Self {
        let mut by_lib: FxHashMap<Box<str>, Vec<Trap>> = FxHashMap::default();
        for row in rows {
            by_lib.entry(row.lib.as_str().into()).or_default().push(row);
        }
        Self { by_lib }
    }

    pub(crate) fn of(&self, lib: &str) -> &[Trap] {
        self.by_lib.get(lib).map_or(&[], Vec::as_slice)
    }
}
