//! How handles come to be: `[[handle]]` rows.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use crate::closed_sets::Op;
use crate::error::KnowledgeError;
use crate::names::{HandleId, HandleNames, LibId, NameTable, canonical, module_fit};
use crate::source::OneOrMany;

/// How a handle comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HandleOp {
    New,
    Call,
    Get,
    Extend,
    Callback,
    Type,
    Inject,
}

/// A `[[handle]]` row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandleRow {
    pub(crate) lib: String,
    #[serde(default)]
    pub(crate) module: Option<String>,
    #[serde(default = "OneOrMany::module")]
    pub(crate) from: OneOrMany,
    pub(crate) op: HandleOp,
    #[serde(default = "OneOrMany::itself")]
    pub(crate) name: OneOrMany,
    /// Names a `*` of this row does not stand for.
    #[serde(default)]
    pub(crate) except: Vec<String>,
    pub(crate) to: String,
    /// The library of `to`, when another.
    #[serde(default)]
    pub(crate) to_lib: Option<String>,
    #[serde(default)]
    pub(crate) options: Option<usize>,
    #[serde(default)]
    pub(crate) awaited: bool,
    /// What `new` of a class that extends the export gives.
    #[serde(default)]
    pub(crate) instance: Option<String>,
    #[serde(default)]
    pub(crate) arg: Option<i8>,
    #[serde(default)]
    pub(crate) param: Option<usize>,
    #[serde(default)]
    pub(crate) event: Option<String>,
}

/// The handle that an operation on another handle gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The handle.
    pub to: HandleId,
    /// The library whose handle it is (usually the one stepped from).
    pub lib: LibId,
    /// The argument that holds its options.
    pub options: Option<usize>,
    /// Whether the result is a promise of the handle.
    pub is_awaited: bool,
    /// For [`Op::Extend`]: what `new` of the extending class gives.
    pub instance: Option<HandleId>,
}

#[derive(Debug)]
struct Way {
    module: Option<Box<str>>,
    /// `None`: excepted from a wildcard.
    step: Option<Step>,
}

#[derive(Debug)]
struct Parameter {
    /// `None`: any argument.
    arg: Option<i8>,
    param: usize,
    event: Option<Box<str>>,
    to: (LibId, HandleId),
}

/// Steps, callback parameters, types and decorators by library.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    ways: FxHashMap<(LibId, HandleId, Op), NameTable<Way>>,
    parameters: FxHashMap<(LibId, HandleId), NameTable<Parameter>>,
    types: FxHashMap<LibId, NameTable<HandleId>>,
    injected: FxHashMap<LibId, NameTable<(LibId, HandleId)>>,
    targets: FxHashSet<(LibId, HandleId)>,
    rows: Vec<HandleRow>,
}

impl Steps {
    /// The default export of a library is the library itself.
    pub(crate) fn add_default_export(&mut self, lib: LibId) {
        let step = Step { to: HandleId::MODULE, lib, options: None, is_awaited: false, instance: None };
        let names = self.ways.entry((lib, HandleId::MODULE, Op::Get)).or_default();
        names.insert("()", Way { module: None, step: Some(step) });
    }

    /// Adds a row of library `lib`, whose handle belongs to `to_lib`.
    pub(crate) fn add(
        &mut self,
        (lib, to_lib): (LibId, LibId),
        row: HandleRow,
        handles: &mut HandleNames,
    ) -> Result<(), KnowledgeError> {
        if let Some(problem) = problem_of(&row) {
            let name = row.name.iter().next().unwrap_or_default().to_owned();
            return Err(KnowledgeError::Handle { lib: row.lib, name, problem });
        }
        let to = handles.intern(&row.to);
        self.targets.insert((lib, to));
        let step = Step {
            to,
            lib: to_lib,
            options: row.options,
            is_awaited: row.awaited,
            instance: row.instance.as_deref().map(|name| handles.intern(name)),
        };
        match row.op {
            HandleOp::New => self.add_ways(lib, Op::New, &row, step, handles),
            HandleOp::Call => self.add_ways(lib, Op::Call, &row, step, handles),
            HandleOp::Get => self.add_ways(lib, Op::Get, &row, step, handles),
            HandleOp::Extend => self.add_ways(lib, Op::Extend, &row, step, handles),
            HandleOp::Callback => self.add_parameters(lib, &row, (to_lib, to), handles),
            HandleOp::Type => insert_all(self.types.entry(lib).or_default(), &row.name, to),
            HandleOp::Inject => insert_all(self.injected.entry(lib).or_default(), &row.name, (to_lib, to)),
        }
        self.rows.push(row);
        Ok(())
    }

    fn add_ways(&mut self, lib: LibId, op: Op, row: &HandleRow, step: Step, handles: &mut HandleNames) {
        let module: Option<Box<str>> = row.module.as_deref().map(Into::into);
        for from in row.from.iter() {
            let from = handles.intern(from);
            let table = self.ways.entry((lib, from, op)).or_default();
            for name in row.name.iter() {
                let way = Way { module: module.clone(), step: Some(step) };
                table.insert(canonical(from, name), way);
            }
            for name in &row.except {
                table.insert(canonical(from, name), Way { module: module.clone(), step: None });
            }
        }
    }

    fn add_parameters(
        &mut self,
        lib: LibId,
        row: &HandleRow,
        to: (LibId, HandleId),
        handles: &mut HandleNames,
    ) {
        for from in row.from.iter() {
            let from = handles.intern(from);
            let table = self.parameters.entry((lib, from)).or_default();
            for name in row.name.iter() {
                let parameter = Parameter {
                    arg: row.arg,
                    param: row.param.unwrap_or(0),
                    event: row.event.as_deref().map(Into::into),
                    to,
                };
                table.insert(canonical(from, name), parameter);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn rows(&self) -> &[HandleRow] {
        &self.rows
    }

    pub(crate) fn step(
        &self,
        (lib, from, op): (LibId, HandleId, Op),
        name: &str,
        module: Option<&str>,
    ) -> Option<&Step> {
        let table = self.ways.get(&(lib, from, op))?;
        let name = canonical(from, name);
        let way = best_way(table.literal(name).iter(), module)
            .or_else(|| best_way(table.by_pattern(name), module))?;
        way.step.as_ref()
    }

    /// Whether no row has the very name: a `*` of one stands for it.
    pub(crate) fn is_by_pattern(
        &self,
        (lib, from, op): (LibId, HandleId, Op),
        name: &str,
        module: Option<&str>,
    ) -> bool {
        let table = self.ways.get(&(lib, from, op));
        table.is_some_and(|table| best_way(table.literal(canonical(from, name)).iter(), module).is_none())
    }

    pub(crate) fn parameter(
        &self,
        (lib, from): (LibId, HandleId),
        name: &str,
        (arg, argc, param): (usize, usize, usize),
        event: Option<&str>,
    ) -> Option<(LibId, HandleId)> {
        let table = self.parameters.get(&(lib, from))?;
        table
            .all(canonical(from, name))
            .find(|row| {
                row.param == param
                    && is_argument(row.arg, arg, argc)
                    && row.event.as_deref().is_none_or(|wanted| event == Some(wanted))
            })
            .map(|row| row.to)
    }

    /// Whether an export of the library, or one of its types, is such a handle.
    pub(crate) fn leads_to(&self, lib: LibId, handle: HandleId) -> bool {
        self.targets.contains(&(lib, handle))
    }

    pub(crate) fn of_type(&self, lib: LibId, name: &str) -> Option<HandleId> {
        self.types.get(&lib)?.all(name).next().copied()
    }

    pub(crate) fn injected(&self, lib: LibId, decorator: &str) -> Option<(LibId, HandleId)> {
        self.injected.get(&lib)?.all(decorator).next().copied()
    }
}

/// Whether argument `arg` of `argc` is the one a row names: an index, negative from the end;
/// `None` any.
pub(crate) fn is_argument(row: Option<i8>, arg: usize, argc: usize) -> bool {
    match row {
        None => true,
        Some(at) if at < 0 => arg + usize::from(at.unsigned_abs()) == argc,
        Some(at) => usize::from(at.unsigned_abs()) == arg,
    }
}

fn insert_all<T: Copy>(table: &mut NameTable<T>, names: &OneOrMany, to: T) {
    for name in names.iter() {
        table.insert(name, to);
    }
}

/// The way that fits the import best; of equals the first.
fn best_way<'t>(ways: impl Iterator<Item = &'t Way>, module: Option<&str>) -> Option<&'t Way> {
    let mut best: Option<(u8, &Way)> = None;
    for way in ways {
        let Some(fit) = module_fit(way.module.as_deref(), module) else { continue };
        if best.is_none_or(|(known, _)| fit > known) {
            best = Some((fit, way));
        }
    }
    best.map(|(_, way)| way)
}

/// What a row lacks, or has that its `op` does not use.
fn problem_of(row: &HandleRow) -> Option<&'static str> {
    let is_callback = row.op == HandleOp::Callback;
    if !is_callback && (row.arg.is_some() || row.param.is_some() || row.event.is_some()) {
        return Some("only a callback has `arg`, `param` and `event`");
    }
    if row.instance.is_some() && row.op != HandleOp::Extend {
        return Some("only an extend has `instance`");
    }
    if row.to_lib.is_some() && row.op == HandleOp::Type {
        return Some("types stay in their library");
    }
    None
}
