//! One round trip in place of one for each element, in the code's own names.

mod batch;
mod lookup;
mod sketch;
mod summary;
mod whole_loop;

use loadworthy_analysis::{Family, LoopForm, Multiplicity, Operation, Query, Selected, Site, Yields};
use loadworthy_schema::names::{camel, plural, singular, snake};
use loadworthy_syntax::{Kind, Module, NodeId};

use self::batch::gives_one;
use self::lookup::read;
use self::sketch::{elsewhere, rough, sketch};
use self::summary::grouped;
use self::whole_loop::{inserted, written};
use super::cases::{Case, Repeated, Trip, element_name};
use crate::audit::{Audit, dedent};
use crate::database::rows::table_of;
use crate::edit::{indentation, lines_of};
use crate::finding::{Applicability, Edit, Fix};

/// Most lines of a loop that are shown.
const SHOWN_LINES: usize = 24;

pub(super) fn fix(audit: &Audit<'_, '_>, case: &Case) -> Fix {
    let lead = lead(audit, case);
    let plain = Fix { description: described(audit, case, lead), ..Fix::default() };
    let Some(lead) = lead else { return plain };
    let Some(names) = Names::of(audit, case) else { return rough(audit, case, lead, plain) };
    let Some(query) = audit.analysis.queries().at(lead.site).filter(|_| lead.trip == Trip::Query) else {
        return elsewhere(audit, case, lead, &names, plain);
    };
    let made = match query.operation {
        Operation::Insert => inserted(audit, case, lead, query, &names),
        Operation::Read if query.yields == Yields::Summary => grouped(audit, query, &names),
        Operation::Read => read(audit, case, lead, query, &names),
        Operation::Update | Operation::Delete => written(audit, case, lead, query, &names),
        _ => None,
    };
    let made = made.unwrap_or_else(|| sketch(audit, case, lead, query, &names));
    let applicability = if made.edits.is_empty() { Applicability::Manual } else { Applicability::Review };
    Fix { before: Some(made.before), after: Some(made.after), edits: made.edits, applicability, ..plain }
}

/// Code before and after, and the edits that lead from one to the other.
struct Made {
    before: String,
    after: String,
    edits: Vec<Edit>,
}

/// The call that the fix is about: a query that reads, any other, anything else.
fn lead<'c>(audit: &Audit<'_, '_>, case: &'c Case) -> Option<&'c Repeated> {
    let queries = || case.repeated.iter().filter(|it| it.trip == Trip::Query);
    let of = |it: &&Repeated| audit.analysis.queries().at(it.site);
    let writes = |it: &&Repeated| of(it).is_some_and(|query| query.operation.is_write());
    // A call that writes as well is no look-up.
    let changes = |it: &&Repeated| {
        let entry = inner_entry(audit, case, it);
        queries().any(|other| inner_entry(audit, case, other) == entry && writes(&other))
    };
    let reads =
        queries().find(|it| of(it).is_some_and(|query| query.operation == Operation::Read) && !changes(it));
    let written = || queries().find(writes);
    reads.or_else(written).or_else(|| queries().next()).or_else(|| case.repeated.first())
}

fn described(audit: &Audit<'_, '_>, case: &Case, lead: Option<&Repeated>) -> String {
    let others =
        if case.repeated.len() > 1 { " Do the same for each of the calls in the evidence." } else { "" };
    let Some(lead) = lead else { return String::from("Read all of them with one query before the loop.") };
    if lead.trip == Trip::Service {
        return format!(
            "Ask for all of them with one request, if the service takes a list; else run a few at a time, with a deadline each, outside of the request where the answer does not need them.{others}"
        );
    }
    if lead.trip == Trip::Cache {
        return format!("Read all keys with one command (`MGET`, or a pipeline) before the loop.{others}");
    }
    let operation = audit.analysis.queries().at(lead.site).map(|query| query.operation);
    let what = match operation {
        Some(Operation::Insert) => "Write all rows with one statement after they are put together.",
        Some(Operation::Update | Operation::Upsert) => {
            "Write all changes with one statement: one condition for all keys where every row gets the same, a list of values (or `bulkWrite`) where it does not."
        }
        Some(Operation::Delete) => "Remove all rows with one statement for all keys.",
        _ => "Read the rows of all elements with one query before the loop, and look them up by their key.",
    };
    format!("{what}{others}")
}

/// The names that the loop has, and those that the fix gives.
struct Names<'a> {
    module: &'a Module,
    /// One element.
    element: String,
    /// What the loop runs over.
    source: String,
    /// Whether that has `map`.
    is_array: bool,
    /// The loop with what it is a part of.
    statement: NodeId,
}

impl<'a> Names<'a> {
    fn of(audit: &Audit<'_, 'a>, case: &Case) -> Option<Self> {
        let at = case.repeat.at;
        let module = audit.module(at)?;
        let source = case.repeat.source?;
        let element = element_name(module, &case.repeat)?.split(':').next()?.trim().to_owned();
        let text = audit.source(source);
        let is_short = !text.contains('\n') && text.len() <= 80 && !text.contains("await ");
        Some(Self {
            module,
            element,
            source: if is_short { text.to_owned() } else { String::from("items") },
            is_array: case.repeat.form == LoopForm::Callback || is_list(audit, source),
            statement: audit.statement(at).1,
        })
    }

    /// `orders.map((order) => order.userId)`.
    fn each(&self, value: &str) -> String {
        if value == self.element && self.is_array {
            return self.source.clone();
        }
        let Self { element, .. } = self;
        let is_path =
            self.source.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '_' | '$' | '[' | ']'));
        let is_called = self.source.ends_with([')', ']']) && !self.source.contains([' ', '?']);
        let source = if is_path || is_called { self.source.clone() } else { format!("({})", self.source) };
        let value = if value.starts_with('{') { format!("({value})") } else { value.to_owned() };
        if self.is_array {
            format!("{source}.map(({element}) => {value})")
        } else {
            format!("Array.from({source}, ({element}) => {value})")
        }
    }

    /// The loop as it stands.
    fn before(&self) -> String {
        let (start, end) = self.lines();
        shown(self.module.text().get(start..end).unwrap_or_default())
    }

    fn lines(&self) -> (usize, usize) {
        lines_of(self.module, self.statement)
    }

    fn indentation(&self) -> String {
        indentation(self.module, self.statement)
    }

    /// The name, or another one where the file has it already.
    fn free(&self, name: &str, suffix: &str) -> String {
        let is_taken = self.module.bindings().iter().any(|it| self.module.str(it.name) == name);
        if is_taken { format!("{name}{suffix}") } else { name.to_owned() }
    }
}

/// Whether the code says that it is an array: rows of a query, an array of the code, something with `map`.
fn is_list(audit: &Audit<'_, '_>, source: Site) -> bool {
    matches!(audit.origins().multiplicity(source), Multiplicity::Rows { .. } | Multiplicity::Part { .. })
        || matches!(audit.module(source).map(|module| module.kind(source.1)), Some(Kind::Array(_)))
}

/// The first lines of a text that is too long to be shown.
fn shown(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= SHOWN_LINES {
        return dedent(&lines);
    }
    let mut kept: Vec<&str> = lines.iter().take(SHOWN_LINES - 2).copied().collect();
    kept.push("    // …");
    kept.extend(lines.last());
    dedent(&kept)
}

/// The argument of the loop's own call that names the element.
fn key_of_entry(audit: &Audit<'_, '_>, case: &Case, lead: &Repeated, element: &str) -> Option<String> {
    let entry = inner_entry(audit, case, lead);
    let module = audit.module(entry)?;
    let Kind::Call { arguments, .. } = module.kind(entry.1) else { return None };
    let texts = module.list(arguments).map(|argument| module.source(argument));
    texts.into_iter().find(|text| is_path_of(text, element)).map(str::to_owned)
}

/// `order.userId`: something of the element, and nothing else.
fn is_path_of(text: &str, element: &str) -> bool {
    mentions(text, element) && text.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '_' | '$'))
}

/// Whether the query stands in the loop's own body.
fn is_direct(lead: &Repeated, case: &Case, module: &Module) -> bool {
    lead.site.0 == case.repeat.at.0 && module.contains(case.repeat.at.1, lead.site.1)
}

/// The call in the loop's body that is the query or leads to it; a callback's own call is no such thing.
fn inner_entry(audit: &Audit<'_, '_>, case: &Case, lead: &Repeated) -> Site {
    let at = case.repeat.at;
    let Some(module) = audit.module(at) else { return lead.entry };
    let sites = lead.way.iter().map(|edge| edge.site).chain([lead.site]);
    let mut inside = sites.filter(|site| site.0 == at.0 && site.1 != at.1 && module.contains(at.1, site.1));
    inside.next_back().unwrap_or(lead.entry)
}

/// The `await` around an expression, or itself.
fn awaited(module: &Module, node: NodeId) -> NodeId {
    let parent = module.parent(node);
    if matches!(module.kind(parent), Kind::Await(_)) { parent } else { node }
}

fn awaited_site(audit: &Audit<'_, '_>, (file, node): Site) -> Site {
    (file, audit.module((file, node)).map_or(node, |module| awaited(module, node)))
}

/// A name for the rows that neither the file nor the query has.
fn rows_named(query: &Query, names: &Names<'_>, text: &str) -> String {
    let name = match &query.table {
        Some(table) => plural(&camel(&snake(table))),
        None => String::from("rows"),
    };
    let name = names.free(&name, "Read");
    if mentions(text, &name) { format!("{name}Read") } else { name }
}

fn singular_of(query: &Query) -> String {
    query.table.as_ref().map_or_else(|| String::from("row"), |table| camel(&singular(&snake(table))))
}

/// Whether a key has one row at most.
fn is_one_for(audit: &Audit<'_, '_>, query: &Query, column: &str) -> bool {
    matches!(column, "id" | "_id")
        || gives_one(query)
        || table_of(audit, query).is_some_and(|table| table.is_unique(&[column]))
}

/// Whether the rows have the column by which they are told apart.
fn has_column(query: &Query, column: &str) -> bool {
    match &query.selected {
        Selected::All => true,
        Selected::Columns(columns) => {
            columns.iter().any(|it| &**it == column) || (column == "_id" && query.family == Family::Mongoose)
        }
        Selected::Unknown => false,
    }
}

fn capital(name: &str) -> String {
    let name = camel(name.trim_start_matches('_'));
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

/// Whether a text uses a name as a whole word.
fn mentions(text: &str, name: &str) -> bool {
    let is_letter = |it: char| it.is_alphanumeric() || it == '_' || it == '$';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|it| it.chars().last());
        let after = text.get(at + name.len()..).and_then(|it| it.chars().next());
        !before.is_some_and(|it| is_letter(it) || it == '.') && !after.is_some_and(is_letter)
    })
}

fn one_line(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    if line.chars().count() <= longest {
        line
    } else {
        line.chars().take(longest - 1).chain(['…']).collect()
    }
}
