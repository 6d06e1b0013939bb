//! A bound in the code's own names.

use loadworthy_analysis::{Container, ContainerKind, Site};
use loadworthy_project::Language;
use loadworthy_syntax::{Kind, Module, NodeId};

use crate::audit::Audit;
use crate::edit::{behind, lines_of, replace, semicolon};
use crate::finding::{Applicability, Fix};
use crate::imports::{Wanted, import, package};

/// Entries of a bounded cache, and how long one is good.
const MOST: &str = "1_000";
const MILLIS: &str = "60_000";
/// The package and class that a cache becomes.
const LRU: (&str, &str) = ("lru-cache", "LRUCache");
/// What that class has of a map's members.
const SHARED_MEMBERS: [&str; 9] =
    ["get", "set", "has", "delete", "clear", "size", "keys", "values", "entries"];

pub(super) fn fix(audit: &Audit<'_, '_>, container: &Container, first: Site, name: &str) -> Fix {
    let description = match container.kind {
        ContainerKind::Map | ContainerKind::Object => format!(
            "Bound `{name}`: an LRU cache with a maximum and a time to live (`new LRUCache({{ max: {MOST}, ttl: {MILLIS} }})`), or \
             delete the oldest key before adding when the size has reached a maximum; delete entries where their owner ends."
        ),
        ContainerKind::Array | ContainerKind::Set => format!(
            "Keep a fixed number of the latest entries in `{name}`, or write them to the database; delete entries where \
             their owner ends."
        ),
    };
    let plain = Fix { description, ..Fix::default() };
    match container.kind {
        ContainerKind::Map => cache(audit, container, name, plain),
        ContainerKind::Object => {
            let before = audit.source(audit.statement(container.made_at)).to_owned();
            let after = format!(
                "const {} = new {}({{ max: {MOST}, ttl: {MILLIS} }});\n// .get(key) and .set(key, value) in place of [key]",
                last(name),
                LRU.1
            );
            Fix { before: Some(before), after: Some(after), ..plain }
        }
        ContainerKind::Array | ContainerKind::Set => latest(audit, container, first, plain),
    }
}

/// The map as an LRU cache.
fn cache(audit: &Audit<'_, '_>, container: &Container, name: &str, plain: Fix) -> Fix {
    let site = container.made_at;
    let Some(module) = audit.module(site) else { return plain };
    let made = module.source(site.1);
    let types =
        made.strip_prefix("new Map").and_then(|rest| rest.rsplit_once('(')).map_or("", |(types, _)| types);
    let new = format!("new {}{types}({{ max: {MOST}, ttl: {MILLIS} }})", LRU.1);
    let statement = audit.source(audit.statement(site));
    let fix =
        Fix { before: Some(statement.to_owned()), after: Some(statement.replacen(made, &new, 1)), ..plain };
    // What holds connections or work in progress must not forget any of it.
    let is_cache = ["cache", "memo"].iter().any(|word| name.to_lowercase().contains(word));
    let is_typed = audit
        .program()
        .project()
        .file(site.0)
        .is_some_and(|file| matches!(file.language, Language::Ts | Language::Tsx));
    if !is_cache
        || (is_typed && types.is_empty())
        || !made.trim_end().ends_with("()")
        || !is_plain(module, site.1)
    {
        return fix;
    }
    let (Some(imported), Some(packages)) =
        (import(audit, site.0, LRU.0, Wanted::Named(LRU.1)), package(audit, site.0, LRU.0))
    else {
        return fix;
    };
    if imported.name != LRU.1 {
        return fix;
    }
    let edit = replace(audit, site, new);
    Fix {
        edits: [edit].into_iter().chain(imported.edit).collect(),
        packages,
        applicability: Applicability::Review,
        ..fix
    }
}

/// Whether a map is a constant of its file, which nobody else sees, and only what a cache has as well is called on it.
fn is_plain(module: &Module, made: NodeId) -> bool {
    let Kind::Declarator { target, .. } = module.kind(module.parent(made)) else { return false };
    let Kind::Binding(binding) = module.kind(target) else { return false };
    // A type that is written beside the name is that of a map.
    if module.source(target).contains(':') || module.exports_named(module.source(target)).next().is_some() {
        return false;
    }
    module.references(binding).iter().all(|reference| {
        matches!(module.kind(module.parent(*reference)), Kind::Member { object, name }
            if object == *reference && SHARED_MEMBERS.contains(&module.str(name)))
    })
}

/// Parts of the names of lists whose oldest entries may go.
const RECORDS: [&str; 9] =
    ["message", "log", "history", "event", "recent", "record", "metric", "sample", "notification"];

/// The oldest entries go when there are too many.
fn latest(audit: &Audit<'_, '_>, container: &Container, first: Site, plain: Fix) -> Fix {
    let Some(module) = audit.module(first) else { return plain };
    let (file, statement) = audit.statement(first);
    let before = module.source(statement);
    let Kind::Call { callee, .. } = module.kind(first.1) else { return plain };
    let Kind::Member { object, name } = module.kind(callee) else { return plain };
    let owner = module.source(object);
    let end = semicolon(module);
    let (line, is_certain) = match (container.kind, module.str(name)) {
        (ContainerKind::Array, "push") => {
            (format!("if ({owner}.length > {MOST}) {owner}.splice(0, {owner}.length - {MOST}){end}"), true)
        }
        (ContainerKind::Array, "unshift") => {
            (format!("{owner}.length = Math.min({owner}.length, {MOST}){end}"), true)
        }
        (ContainerKind::Set, _) => {
            (format!("if ({owner}.size > {MOST}) {owner}.delete({owner}.values().next().value){end}"), false)
        }
        _ => return plain,
    };
    let span = module.node(statement).span;
    let text = module.text();
    let (start, _) = lines_of(module, statement);
    let is_own_statement = matches!(module.kind(statement), Kind::Expression(_))
        && matches!(module.kind(module.parent(statement)), Kind::Block(_))
        && text.get(start..span.start as usize).is_some_and(|head| head.trim().is_empty());
    // A register must keep what is in it.
    let is_record = RECORDS.iter().any(|word| owner.to_lowercase().contains(word));
    let is_edit = is_certain && is_record && is_own_statement && container.additions.len() == 1;
    Fix {
        before: Some(before.to_owned()),
        after: Some(format!("{before}\n{line}")),
        edits: behind(audit, (file, statement), &line).filter(|_| is_edit).into_iter().collect(),
        applicability: if is_edit { Applicability::Review } else { Applicability::Manual },
        ..plain
    }
}

fn last(name: &str) -> &str {
    name.rsplit(['.', ' ']).next().unwrap_or(name)
}
