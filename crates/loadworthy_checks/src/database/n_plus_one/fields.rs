//! Fields of a GraphQL type that each send a query of their own: a list of such objects sends one for each.

use std::collections::BTreeSet;

use loadworthy_analysis::{Access, FunctionRef, Operation, Route, Site, accesses};
use loadworthy_capacity::{Range, Severity};
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Objects of a list that a client asks for, where the schema does not tell.
const OBJECTS: f64 = 20.0;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let routes = || audit.analysis.routes().iter().filter(|route| route.method == "FIELD");
    if routes().next().is_none() {
        return;
    }
    let listed = listed(audit);
    let mut told: BTreeSet<Site> = BTreeSet::new();
    for route in routes() {
        let Some((parent, field)) = route.path.split_once('.') else { continue };
        if !listed.contains(parent) {
            continue;
        }
        let functions = route.handler.iter().flat_map(|handler| handler.functions.iter().copied());
        for function in functions {
            if let Some(access) = asked(audit, function, field).filter(|access| told.insert(access.at)) {
                findings.push(finding(audit, route, (parent, field), &access));
            }
        }
    }
}

/// The types of which the schema has lists: `[Post!]`, `() => [Post]`.
fn listed(audit: &Audit<'_, '_>) -> BTreeSet<String> {
    let project = audit.program().project();
    let mut found = BTreeSet::new();
    for (_, module) in audit.program().modules() {
        note(module.text(), &mut found);
    }
    let is_schema = |path: &&String| matches!(path.rsplit('.').next(), Some("graphql" | "gql"));
    let schemas = project.other_files.iter().filter(is_schema);
    for path in schemas {
        if let Ok(text) = project.read_other(path) {
            note(&text, &mut found);
        }
    }
    found
}

fn note(text: &str, found: &mut BTreeSet<String>) {
    for part in text.split('[').skip(1) {
        let name: String = part.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
        let rest = part.get(name.len()..).unwrap_or_default().trim_start_matches('!');
        if rest.starts_with(']') && name.starts_with(char::is_uppercase) {
            found.insert(name);
        }
    }
}

/// The first query that a resolver sends, unless it looks first whether its object has the field already.
fn asked<'a>(audit: &'a Audit<'_, '_>, function: FunctionRef, field: &str) -> Option<Access<'a>> {
    let module = audit.program().module(function.0)?;
    let lowered = module.function(function.1)?;
    let has_it = |node: NodeId| {
        matches!(module.kind(node), Kind::Member { object, name }
        if module.str(name) == field && is_parent(module, lowered.parameters, object))
    };
    if module.all_nodes(lowered.node).into_iter().any(has_it) {
        return None;
    }
    accesses(audit.analysis, function).into_iter().find(|access| access.query.operation == Operation::Read)
}

/// Whether an expression is the first parameter: the object whose field is asked for.
fn is_parent(module: &Module, parameters: loadworthy_syntax::List, node: NodeId) -> bool {
    let first = module.list(parameters).next().map(|it| module.kind(it));
    match (first, module.kind(node)) {
        (Some(Kind::Binding(parameter)), Kind::Name { binding, .. }) => parameter == binding,
        _ => false,
    }
}

fn finding(
    audit: &Audit<'_, '_>,
    route: &Route,
    (parent, field): (&str, &str),
    access: &Access<'_>,
) -> Finding {
    let table = access.query.table.as_deref().unwrap_or("its table");
    let words = Words {
        title: format!("the field `{field}` of {parent} sends a query for each {parent} of a list"),
        problem: format!(
            "GraphQL runs the resolver of {parent}.{field} once for each {parent} in an answer, and each run asks for `{table}` by itself: a \
             list of {OBJECTS} is {OBJECTS} queries more, all at once, so that one request takes as many connections as the pool has. The \
             client decides how long the list is, and nested lists multiply."
        ),
        verify: format!(
            "Log the statements of one query for a list of {parent} with its `{field}`: one for each {parent} now, one in all after the \
             change, whatever the length of the list."
        ),
        tradeoff: String::from(
            "A loader waits for the end of the current turn and must be made for each request (in the context), or it serves old rows to \
             other users.",
        ),
    };
    let mut evidence = vec![Evidence {
        place: Place::Code(route.site),
        note: format!("the resolver of {parent}.{field}, run for each {parent}"),
    }];
    evidence.push(Evidence { place: Place::Code(access.at), note: String::from("its query") });
    if access.hops > 0 {
        evidence.push(Evidence {
            place: Place::Code(access.query.written_at()),
            note: String::from("the query of that call"),
        });
    }
    let fix = Fix {
        description: format!(
            "Collect the keys of all {parent} objects of the answer with a DataLoader that is made in the context of each request, and ask \
             once for all of them."
        ),
        before: Some(audit.source(audit.statement(access.at)).to_owned()),
        after: Some(format!(
            "// in the context, for each request\nconst {field}Loader = new DataLoader(async (keys) => {{\n  const rows = await find{parent}{}For(keys); // one query: … IN (keys)\n  const byKey = new Map(rows.map((row) => [row.id, row]));\n  return keys.map((key) => byKey.get(key) ?? null);\n}});\n\n// the resolver\n{field}: (parent, args, context) => context.{field}Loader.load(parent.{field}Id)",
            capital(field)
        )),
        ..Fix::default()
    };
    let mut cost = audit.cost_at(access.at).queries(Range::between(1.0, OBJECTS, OBJECTS * 5.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small constant")]
    let at_once = OBJECTS as u32;
    cost.queries_at_once = at_once;
    Finding::new(&META, access.at, evidence, cost, words, fix)
        .confidence(Confidence::Medium)
        .assuming(format!("{OBJECTS} objects of {parent} in an answer"))
        .at_least(Severity::Medium)
        .of_habit("fields without a loader")
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
