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

use loadworthy_analysis::{Component, Context, Family, Query, Selected, Site, filled_by, row_fields};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::{FileClass, FileId};
use loadworthy_syntax::{BindingId, BindingKind, FunctionId, Kind, Module, NodeId};

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
                let mut told: Vec<Finding> = Vec::new();
                for list in lists(module, component) {
                    let found = unused_fields(audit, &answers, module, (file, list), &component.name);
                    // One answer is kept once, under whatever names.
                    told.extend(found.filter(|found| told.iter().all(|it| it.routes != found.routes)));
                }
                findings.append(&mut told);
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

/// The names that a page gives to lists of rows: states, and what it maps over.
fn lists(module: &Module, component: &Component) -> Vec<BindingId> {
    let states = component.states.iter().filter_map(|state| state.value);
    let Some(lowered) = module.function(component.function.1) else { return Vec::new() };
    let mapped = module.all_nodes(lowered.node).into_iter().filter_map(|node| {
        let Kind::Call { callee, .. } = module.kind(node) else { return None };
        let Kind::Member { object, name } = module.kind(callee) else { return None };
        (module.str(name) == "map").then(|| root(module, object, 0)).flatten()
    });
    let handed = module.all_nodes(lowered.body).into_iter().filter_map(|node| handed_on(module, node));
    let mut found: Vec<BindingId> = states.chain(mapped).chain(handed).collect();
    found.sort_unstable();
    found.dedup();
    // What the component is given is its parents': they may read more of it.
    found.retain(|name| module.binding(*name).is_some_and(|it| it.kind != BindingKind::Parameter));
    found
}

/// `orders` of `<Table orders={orders} />`, where a hook gives them.
fn handed_on(module: &Module, node: NodeId) -> Option<BindingId> {
    let Kind::Element { parts, .. } = module.kind(node) else { return None };
    module.list(parts).find_map(|part| {
        let Kind::Property { value, .. } = module.kind(part) else { return None };
        let Kind::Name { binding, .. } = module.kind(value) else { return None };
        let declared = module.binding(binding)?;
        let of_hook = module.ancestors(declared.node).take(4).any(|outer| {
            matches!(module.kind(outer), Kind::Declarator { init, .. }
                if matches!(module.kind(init), Kind::Call { callee, .. } if module.source(callee).starts_with("use")))
        });
        of_hook.then_some(binding)
    })
}

/// The name that a chain of a list's methods begins with, through names for parts of it: `orders` of
/// `orders.filter(…).slice(0, 3)`.
fn root(module: &Module, node: NodeId, depth: u32) -> Option<BindingId> {
    match module.kind(node) {
        Kind::Name { binding, .. } => {
            let declared = module.binding(binding)?;
            match module.kind(module.parent(declared.node)) {
                Kind::Declarator { target, init } if target == declared.node => match module.kind(init) {
                    Kind::Name { .. } | Kind::Call { .. }
                        if depth < MAX_STEPS && is_derived(module, init) =>
                    {
                        root(module, init, depth + 1)
                    }
                    // Rows of several lists: each of them has uses of its own.
                    Kind::Array(_) => None,
                    _ => Some(binding),
                },
                _ => Some(binding),
            }
        }
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { object, name } if PARTS.contains(&module.str(name)) => {
                root(module, object, depth + 1)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression is made of another name's rows: another name for them, a part of them, or memoised.
fn is_derived(module: &Module, init: NodeId) -> bool {
    match module.kind(init) {
        Kind::Name { .. } => true,
        Kind::Call { callee, .. } => {
            module.source(callee).ends_with("useMemo")
                || matches!(module.kind(callee), Kind::Member { name, .. } if PARTS.contains(&module.str(name)))
        }
        _ => false,
    }
}

/// Names and methods that are followed from a list to where it begins.
const MAX_STEPS: u32 = 6;

/// Methods that give a part of a list, or its rows in another order.
const PARTS: [&str; 6] = ["filter", "slice", "sort", "reverse", "toSorted", "toReversed"];

/// A list of a page whose rows have many columns, of which few are read.
fn unused_fields(
    audit: &Audit<'_, '_>,
    answers: &Answers<'_>,
    module: &Module,
    (file, list): (FileId, BindingId),
    component: &str,
) -> Option<Finding> {
    let name = module.references(list).first().copied()?;
    let filled = filled_by(audit.analysis, (file, name));
    let [only] = filled.requests.as_slice() else { return None };
    let request = audit.analysis.clients().all().get(*only)?;
    let answer = answers.of(request)?;
    let is_whole = matches!(answer.query.selected, Selected::All | Selected::Unknown);
    if answer.estimate.rows.likely < MANY_ROWS {
        return None;
    }
    let read = row_fields(audit.analysis, audit.resolver, file, list)?;
    let declared = module.binding(list)?.node;
    let table = table_of(audit, answer.query);
    let columns: Vec<String> =
        table.iter().flat_map(|table| &table.columns).map(|column| plain_name(&column.name)).collect();
    let used: Vec<String> =
        read.names.iter().filter(|name| columns.contains(&plain_name(name))).cloned().collect();
    // Where most names are no columns, the rows are of something else in the answer.
    if !columns.is_empty() && used.len() * 2 <= read.names.len() {
        return None;
    }
    if let Some(cut) = read.cut.filter(|_| !read.are_all_shown) {
        return Some(few_shown(audit, (file, declared), request.site, answer, cut, component));
    }
    if !is_whole
        || columns.len() < WIDE
        || !read.is_iterated
        || used.is_empty()
        || used.len() * 2 > columns.len()
    {
        return None;
    }
    let mut finding = wide(audit, (file, declared), request.site, answer, columns.len(), &used, component);
    let readers = read.readers.iter().filter(|site| site.0 != file || site.1 != declared).take(SHOWN_READERS);
    finding.evidence.extend(
        readers.map(|site| Evidence { place: Place::Code(*site), note: String::from("reads the rows") }),
    );
    Some(finding)
}

/// A page that keeps all rows and shows the first few, or counts them.
fn few_shown(
    audit: &Audit<'_, '_>,
    site: Site,
    request: Site,
    answer: &Unlimited<'_>,
    cut: Site,
    component: &str,
) -> Finding {
    let route = route_of(audit, answer.route);
    let table = table_name(answer.query);
    let rows = answer.estimate.rows.likely;
    let slice = audit.excerpt(cut, 50);
    let words = Words {
        title: format!("{component} loads all rows of `{table}` and shows a few of them"),
        problem: format!(
            "{route} answers {}, and of all that {component} shows `{slice}`; the rest is counted or looked through in the browser. Every \
             page view reads all rows from the database, writes them as JSON on the event loop, sends and parses them.",
            answer.estimate.words
        ),
        verify: format!(
            "Compare the size of the answer of {route} in the network tab with {} rows in `{table}` before and after.",
            plain(rows)
        ),
        tradeoff: String::from(
            "One more endpoint, or parameters of this one; counts may differ from the rows for a moment.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Ask for what is shown: a limit with the order of the page, and counts from the database (`count`, grouped by what is counted), in one summary endpoint.",
        ),
        before: Some(audit.excerpt(answer.query.whole, 140)),
        ..Fix::default()
    };
    let evidence = vec![
        Evidence { place: Place::Code(site), note: String::from("keeps all rows") },
        Evidence { place: Place::Code(cut), note: String::from("shows these") },
        Evidence { place: Place::Code(request), note: format!("filled by {route}") },
        Evidence { place: Place::Code(answer.query.site), note: format!("reads all of `{table}`") },
    ];
    let mut found = Finding::new(&META, site, evidence, audit.cost_at(answer.query.site), words, fix)
        .confidence(Confidence::Medium)
        .at_least(Severity::Monitor)
        .at_most(Severity::Medium);
    found.routes = Some(vec![route]);
    found
}

/// Readers of rows that a finding shows.
const SHOWN_READERS: usize = 4;

/// A field's name without the difference of `created_at` and `createdAt`.
fn plain_name(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
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
        before: Some(audit.source(answer.query.whole).to_owned()),
        after: Some(narrowed(audit, answer.query, used)),
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

/// The query with the fields that are read, in its own language.
fn narrowed(audit: &Audit<'_, '_>, query: &Query, used: &[String]) -> String {
    let text = audit.source(query.whole);
    let listed = |quote: &str| {
        used.iter().map(|field| format!("{quote}{field}{quote}")).collect::<Vec<String>>().join(", ")
    };
    let flags = used.iter().map(|field| format!("{field}: true")).collect::<Vec<String>>().join(", ");
    let option = |option: String| {
        let at = text.find("({");
        match at.and_then(|at| text.split_at_checked(at + 2)) {
            Some((head, tail)) => format!("{head} {option},{tail}"),
            None => format!("{}({{ {option} }})", text.split('(').next().unwrap_or(text)),
        }
    };
    match query.family {
        Family::Mongoose => {
            let ends = [".lean()", ".exec()"];
            let kept = ends.iter().find_map(|end| text.strip_suffix(end).map(|head| (head, *end)));
            let (head, end) = kept.unwrap_or((text, ""));
            format!("{}.select('{}'){end}", head.trim_end(), used.join(" "))
        }
        // `select` and `include` stand on one level only by themselves: relations are selected like columns.
        Family::Prisma if text.contains("include: {") => {
            text.replacen("include: {", &format!("select: {{ {flags},"), 1)
        }
        Family::Prisma | Family::TypeOrm => option(format!("select: {{ {flags} }}")),
        Family::Sequelize => option(format!("attributes: [{}]", listed("'"))),
        Family::Drizzle => {
            let table = query.table.as_deref().unwrap_or("table");
            let columns: Vec<String> = used.iter().map(|field| format!("{field}: {table}.{field}")).collect();
            text.replacen(".select()", &format!(".select({{ {} }})", columns.join(", ")), 1)
        }
        Family::Knex | Family::Objection | Family::Kysely => format!("{text}.select([{}])", listed("'")),
        _ => format!("// SELECT {} in place of all columns, in\n{text}", used.join(", ")),
    }
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
