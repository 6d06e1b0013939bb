//! # Oversized state
//! Whole answers kept for a few of their fields, stored text that is parsed in each render, and files as text in state.
//!
//! ## Why it fails under load
//! Bytes × rows are paid on every page view: read by the database, written as JSON on the server's event loop, sent, parsed
//! in the browser, kept. A list of 1,000 rows with ten columns of which three are shown is 70 % waste at each step. A file as
//! base64 is a third larger than the file, and React compares and copies it with every change of the state.
//!
//! ## Bad
//! ```tsx title="client/src/Cart.tsx"
//! import { useState } from "react";
//! export function Cart() {
//!   const [items, setItems] = useState(JSON.parse(localStorage.getItem("cart") ?? "[]")); // finding: 5D
//!   return <button onClick={() => setItems([])}>{items.length}</button>;
//! }
//! ```
//!
//! ## Good
//! ```tsx title="client/src/Cart.tsx"
//! import { useState } from "react";
//! export function Cart() {
//!   const [items, setItems] = useState(() => JSON.parse(localStorage.getItem("cart") ?? "[]"));
//!   return <button onClick={() => setItems([])}>{items.length}</button>;
//! }
//! ```
//!
//! ## Leaves alone
//! Small objects; lists that are projected already; lazy initial values, effects and event handlers; previews by
//! `URL.createObjectURL`.

mod growing;

use loadworthy_analysis::{Context, Selected, Site, filled_by};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module};

use super::answers::{Answers, Unlimited, route_of};
use crate::audit::Audit;
use crate::database::rows::{plain, table_name, table_of};
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct OversizedState;

static META: Meta = Meta {
    code: "5D",
    slug: "oversized-state",
    category: Category::Frontend,
    summary: "a page keeps far more than it shows",
    page: include_str!("oversized_state.rs"),
};

/// Columns of a table from which a whole row is wide.
const WIDE: usize = 7;
/// Bytes of a column's value in JSON, its name included.
const FIELD_BYTES: f64 = 40.0;
/// Rows from which a list's unused fields are worth a word.
const MANY_ROWS: f64 = 200.0;

impl Check for OversizedState {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let answers = Answers::new(audit);
        for (file, module) in audit.program().modules() {
            if !audit.program().class(file).is_some_and(FileClass::may_be_client) {
                continue;
            }
            for component in audit.analysis.components(file) {
                parsed_in_render(audit, module, component.function, findings);
                findings.extend(growing::run(audit, module, component));
                for state in &component.states {
                    if let Some(value) = state.value {
                        let state = (state.site, value);
                        findings.extend(unused_fields(audit, &answers, module, state, &component.name));
                    }
                }
            }
        }
        files_as_text(audit, findings);
    }
}

/// `JSON.parse(localStorage.getItem(…))` in the flow of a render.
fn parsed_in_render(
    audit: &Audit<'_, '_>,
    module: &Module,
    component: (loadworthy_project::FileId, FunctionId),
    findings: &mut Vec<Finding>,
) {
    for call in module.calls() {
        let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
        if module.source(callee) != "JSON.parse" || module.enclosing_function(*call) != component.1 {
            continue;
        }
        let reads_store = module.list(arguments).next().is_some_and(|argument| {
            let text = module.source(argument);
            text.contains("localStorage") || text.contains("sessionStorage")
        });
        let guarded = module
            .ancestors(*call)
            .any(|outer| matches!(module.kind(outer), Kind::Function(function) if function != component.1));
        if !reads_store || guarded {
            continue;
        }
        findings.push(parsed(audit, (component.0, *call), &audit.function_name(component)));
    }
}

fn parsed(audit: &Audit<'_, '_>, site: Site, component: &str) -> Finding {
    let code = audit.excerpt(site, 90);
    let is_initial = audit.module(site).is_some_and(|module| {
        matches!(module.kind(module.parent(site.1)), Kind::Call { callee, .. } if module.source(callee).contains("useState"))
    });
    let words = Words {
        title: format!("{component} reads and parses storage in each render"),
        problem: format!(
            "`{code}` runs with every render of {component}: `localStorage` is read synchronously from disk and the whole text is parsed, {} Every key press that renders {component} pays for it.",
            if is_initial {
                "although the result counts only the first time."
            } else {
                "although it has not changed."
            }
        ),
        verify: format!(
            "Record a profile while typing on a page with {component}: `JSON.parse` is in each render now, and in none after the change."
        ),
        tradeoff: String::from(
            "Another tab's change is not seen until the next load; listen for the `storage` event where it matters.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Give `useState` a function, which runs once; outside of state use `useMemo` without dependencies.",
        ),
        before: Some(code.clone()),
        after: Some(if is_initial { format!("() => {code}") } else { format!("useMemo(() => {code}, [])") }),
        ..Fix::default()
    };
    let evidence =
        vec![Evidence { place: Place::Code(site), note: String::from("in the flow of the render") }];
    let mut found =
        Finding::new(&META, site, evidence, audit.cost_at(site).reached(Reach::PerRender), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Monitor).at_most(Severity::Medium)
}

/// A list in state whose rows have many columns, of which few are read.
fn unused_fields(
    audit: &Audit<'_, '_>,
    answers: &Answers<'_>,
    module: &Module,
    (site, value): (Site, BindingId),
    component: &str,
) -> Option<Finding> {
    let used = fields(module, value)?;
    let name = module.references(value).first().copied()?;
    let filled = filled_by(audit.analysis, (site.0, name));
    let [only] = filled.requests.as_slice() else { return None };
    let request = audit.analysis.clients().all().get(*only)?;
    let answer = answers.of(request)?;
    let table = table_of(audit, answer.query)?;
    if answer.query.selected != Selected::All && !matches!(answer.query.selected, Selected::Unknown)
        || table.columns.len() < WIDE
        || answer.estimate.rows.likely < MANY_ROWS
        || used.len() * 2 > table.columns.len()
    {
        return None;
    }
    Some(wide(audit, site, request.site, answer, table.columns.len(), &used, component))
}

/// The fields of its elements that a list's uses read; `None` where an element goes somewhere as a whole.
fn fields(module: &Module, value: BindingId) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut is_iterated = false;
    for name in module.references(value) {
        let parent = module.parent(*name);
        match module.kind(parent) {
            Kind::Member { object, name: member } if object == *name => {
                let outer = module.parent(parent);
                let Kind::Call { callee, arguments } = module.kind(outer) else {
                    // `orders.length`
                    continue;
                };
                if callee != parent {
                    return None;
                }
                match module.str(member) {
                    "map" | "filter" | "forEach" | "some" | "every" | "find" | "reduce" | "sort" => {
                        let Kind::Function(function) = module.kind(module.list(arguments).next()?) else {
                            return None;
                        };
                        is_iterated = true;
                        read(module, function, module.str(member) == "reduce", &mut found)?;
                    }
                    _ => return None,
                }
            }
            Kind::Declarator { .. }
            | Kind::Binary { .. }
            | Kind::Unary { .. }
            | Kind::Conditional { .. }
            | Kind::Array(_) => {}
            _ => return None,
        }
    }
    is_iterated.then_some(found)
}

/// The fields that a callback reads of its element.
fn read(module: &Module, function: FunctionId, is_reduce: bool, found: &mut Vec<String>) -> Option<()> {
    let function = module.function(function)?;
    let parameter = module.list(function.parameters).nth(usize::from(is_reduce))?;
    let Kind::Binding(binding) = module.kind(parameter) else { return None };
    for name in module.references(binding) {
        match module.kind(module.parent(*name)) {
            Kind::Member { object, name: field } if object == *name => {
                let field = module.str(field).to_owned();
                if !found.contains(&field) {
                    found.push(field);
                }
            }
            _ => return None,
        }
    }
    Some(())
}

fn wide(
    audit: &Audit<'_, '_>,
    site: Site,
    request: Site,
    answer: &Unlimited<'_>,
    columns: usize,
    used: &[String],
    component: &str,
) -> Finding {
    let route = route_of(audit, answer.route);
    let table = table_name(answer.query);
    let rows = answer.estimate.rows.likely;
    #[expect(clippy::cast_precision_loss, reason = "a table has few columns")]
    let (all, few) = (columns as f64, used.len() as f64);
    let bytes = rows * all * FIELD_BYTES;
    let shown: Vec<String> = used.iter().map(|field| format!("`{field}`")).collect();
    let shown = shown.join(", ");
    let evidence = vec![
        Evidence { place: Place::Code(site), note: format!("keeps whole rows; read are {shown}") },
        Evidence { place: Place::Code(request), note: format!("filled by {route}") },
        Evidence {
            place: Place::Code(answer.query.site),
            note: format!("which selects all {columns} columns of `{table}`"),
        },
    ];
    let words = Words {
        title: format!(
            "{component} keeps whole rows of `{table}` and reads {} of {columns} fields",
            used.len()
        ),
        problem: format!(
            "{route} answers all {columns} columns of {}, {component} keeps them all, and uses {shown}. That is about {} kB for each page view, of which {} % is read from the database, written as JSON on the event loop, sent and parsed for nothing.",
            answer.estimate.words,
            plain(bytes / 1_000.0),
            plain((1.0 - few / all) * 100.0)
        ),
        verify: format!(
            "Compare the size of the answer of {route} in the network tab before and after, with {} rows in `{table}`.",
            plain(rows)
        ),
        tradeoff: String::from(
            "A narrow answer serves this page only; a detail view reads the rest of one row when it is opened.",
        ),
    };
    let fix = Fix {
        description: format!(
            "Select what the page shows ({shown}) in the query of {route}, with a limit, and keep that."
        ),
        before: Some(audit.excerpt(answer.query.whole, 140)),
        ..Fix::default()
    };
    let mut found =
        Finding::new(&META, site, evidence, audit.cost_at(answer.query.site).bytes(bytes), words, fix)
            .confidence(Confidence::Medium)
            .at_least(Severity::Monitor)
            .at_most(Severity::Medium);
    found.routes = Some(vec![route]);
    found
}

/// `reader.readAsDataURL(file)`: a file as text, in state.
fn files_as_text(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut texts: Vec<Finding> = Vec::new();
    for (call, library) in audit.analysis.effects(|effect| effect == Effect::BufferWhole) {
        if &*library.name != "readAsDataURL" {
            continue;
        }
        let Some(module) = audit.module(call.site) else { continue };
        let is_page = audit.program().class(call.site.0).is_some_and(FileClass::may_be_client);
        let runs = audit.contexts(call.site);
        if !is_page || runs == [Context::Startup] {
            continue;
        }
        // In state: a setter in the same outer function takes the reader's result.
        let outermost = module.outermost_function(call.site.1);
        let Some(function) = module.function(outermost) else { continue };
        let text = module.source(function.node);
        let keeps = text.contains(".result") && text.contains("set");
        let name = audit.function_name((call.site.0, outermost));
        let is_component =
            name.starts_with(|first: char| first.is_ascii_uppercase()) || name.starts_with("use");
        if !keeps || !is_component {
            continue;
        }
        // A form with several files has the habit once.
        let same = texts.iter_mut().find(|it| matches!(it.place, Place::Code(site) if site.0 == call.site.0));
        match same {
            Some(first) => first
                .evidence
                .push(Evidence { place: Place::Code(call.site), note: String::from("the same") }),
            None => texts.push(file_as_text(audit, call.site, &name)),
        }
    }
    findings.extend(texts);
}

fn file_as_text(audit: &Audit<'_, '_>, site: Site, component: &str) -> Finding {
    let words = Words {
        title: format!("{component} keeps a file as base64 text in its state"),
        problem: String::from(
            "The file is read as a data URL: a text a third longer than the file, twice in memory, that is copied whenever the state around it changes and, when it is sent, goes through JSON as one string. A photo of 5 MB is 7 MB of text on both sides, and the server parses it on its event loop.",
        ),
        verify: String::from(
            "Choose a photo of 5 MB and take a heap snapshot: strings of 7 MB and more are there now, and none after the change.",
        ),
        tradeoff: String::from("An object URL must be revoked when the preview goes away."),
    };
    let fix = Fix {
        description: String::from(
            "Keep the `File` itself, show it by `URL.createObjectURL(file)`, and send it as `FormData` (or by a presigned upload).",
        ),
        before: Some(audit.lines_around(audit.statement(site), 0)),
        after: Some(String::from(
            "const preview = URL.createObjectURL(file); // URL.revokeObjectURL(preview) when it is no longer shown\nconst body = new FormData();\nbody.append(\"file\", file);",
        )),
        ..Fix::default()
    };
    let evidence = vec![Evidence { place: Place::Code(site), note: String::from("reads a file as text") }];
    let mut found =
        Finding::new(&META, site, evidence, audit.cost_at(site).reached(Reach::PerRender), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Medium).at_most(Severity::Medium)
}
