//! Loops that ask the database until a value is free: a slug, a code, a file name.

use loadworthy_analysis::{Access, Context, FunctionRef, Operation, Yields, accesses, results};
use loadworthy_capacity::Severity;
use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId, Unary};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        for at in 0..module.functions().len() {
            let function = (file, FunctionId::new(at));
            let contexts = audit.analysis.reach().contexts(function);
            if contexts.is_empty() || contexts.contains(&Context::PerRequest) {
                findings.extend(probe(audit, module, function));
            }
        }
    }
}

/// The first loop of a function that asks until nothing is found.
fn probe(audit: &Audit<'_, '_>, module: &Module, function: FunctionRef) -> Option<Finding> {
    let lowered = module.function(function.1)?;
    let has_loop = module.all_nodes(lowered.node).into_iter().any(|node| open_loop(module, node).is_some());
    if !has_loop {
        return None;
    }
    accesses(audit.analysis, function).iter().find_map(|access| {
        let around = module.ancestors(access.at.1).take_while(|outer| *outer != lowered.node);
        let found = around.filter(|outer| open_loop(module, *outer).is_some()).last()?;
        let names = results(module, access.at.1);
        let is_look = access.query.operation == Operation::Read
            && matches!(access.query.yields, Yields::One | Yields::Summary)
            && is_only_tested(module, found, &names);
        (is_look && ends_when_free(module, found, &names, access.at.1) && !is_counted(module, found))
            .then(|| finding(audit, function, access, found))
    })
}

/// A loop whose number of rounds its head does not limit: its test, or the loop itself where it has none.
fn open_loop(module: &Module, node: NodeId) -> Option<NodeId> {
    match module.kind(node) {
        Kind::While { test, .. } | Kind::DoWhile { test, .. } => Some(test),
        Kind::For(parts) => {
            let test = module.list(parts).nth(1)?;
            matches!(module.kind(test), Kind::Hole).then_some(node)
        }
        _ => None,
    }
}

/// Whether the loop goes on as long as something is found: its test holds then, or a `break` or `return` stands where nothing is.
fn ends_when_free(module: &Module, found: NodeId, names: &[BindingId], query: NodeId) -> bool {
    if let Some(test) = open_loop(module, found).filter(|test| *test != found) {
        // `while (await Page.exists({ slug }))`, `do { … } while (existing)`
        if module.contains(test, query) && !is_negated(module, test) || is_present(module, test, names) {
            return true;
        }
    }
    module.all_nodes(found).into_iter().any(|node| {
        let Kind::If { test, then, .. } = module.kind(node) else { return false };
        let leaves = match module.kind(then) {
            Kind::Break | Kind::Return(_) => true,
            Kind::Block(list) => module
                .list(list)
                .last()
                .is_some_and(|last| matches!(module.kind(last), Kind::Break | Kind::Return(_))),
            _ => false,
        };
        leaves && is_absent(module, test, names)
    })
}

/// Whether nothing but tests looks at what was found: who walks from row to row reads more of it.
fn is_only_tested(module: &Module, found: NodeId, names: &[BindingId]) -> bool {
    let references = names.iter().flat_map(|name| module.references(*name)).copied();
    let mut inside = references.filter(|reference| module.contains(found, *reference));
    inside.all(|reference| {
        module.ancestors(reference).take_while(|outer| *outer != found).any(
            |outer| matches!(module.kind(outer), Kind::If { test, .. } if module.contains(test, reference)),
        ) || open_loop(module, found).is_some_and(|test| test != found && module.contains(test, reference))
            || is_target(module, reference)
    })
}

/// `existing = await …`
fn is_target(module: &Module, reference: NodeId) -> bool {
    matches!(module.kind(module.parent(reference)), Kind::Assign { target, .. } if target == reference)
}

fn is_negated(module: &Module, test: NodeId) -> bool {
    matches!(module.kind(test), Kind::Unary { operator: Unary::Not, .. })
}

fn is_name(module: &Module, node: NodeId, names: &[BindingId]) -> bool {
    match module.kind(node) {
        Kind::Name { binding, .. } => names.contains(&binding),
        // `rows.length`, `rows[0]`
        Kind::Member { object, name } => module.str(name) == "length" && is_name(module, object, names),
        Kind::Index { object, .. } => is_name(module, object, names),
        _ => false,
    }
}

fn is_present(module: &Module, test: NodeId, names: &[BindingId]) -> bool {
    match module.kind(test) {
        Kind::Binary { operator: Binary::NotEqual | Binary::Greater, left, right } => {
            is_name(module, left, names) && matches!(module.source(right), "null" | "undefined" | "0")
        }
        _ => is_name(module, test, names),
    }
}

fn is_absent(module: &Module, test: NodeId, names: &[BindingId]) -> bool {
    match module.kind(test) {
        Kind::Unary { operator: Unary::Not, value } => is_name(module, value, names),
        Kind::Binary { operator: Binary::Equal, left, right } => {
            is_name(module, left, names) && matches!(module.source(right), "null" | "undefined" | "0")
        }
        _ => false,
    }
}

/// Whether something in the loop compares a counter with a limit.
fn is_counted(module: &Module, found: NodeId) -> bool {
    module.all_nodes(found).into_iter().any(|node| {
        let Kind::Binary { operator, left, right } = module.kind(node) else { return false };
        let compares =
            matches!(operator, Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual);
        let is_limit = |node: NodeId| match module.kind(node) {
            Kind::Number(_) => module.source(node) != "0",
            Kind::Name { name, .. } => {
                module.str(name).chars().all(|it| it.is_uppercase() || it == '_' || it.is_numeric())
            }
            _ => false,
        };
        compares && (is_limit(left) || is_limit(right))
    })
}

fn finding(audit: &Audit<'_, '_>, function: FunctionRef, access: &Access<'_>, found: NodeId) -> Finding {
    let site = (function.0, found);
    let reached = audit.reached_by(access.at);
    let table = access.query.table.as_deref().unwrap_or("the table");
    let query = audit.excerpt(access.at, 60);
    let mut evidence = audit.chain_to(access.at, format!("`{query}`, once in each round"));
    evidence
        .push(Evidence { place: Place::Code(site), note: String::from("goes on until nothing is found") });
    let columns: Vec<&str> = access.query.filter.equal_columns().collect();
    let key = columns.last().copied().unwrap_or("value");
    let words = Words {
        title: format!("{reached} asks `{table}` again and again until a {key} is free"),
        problem: format!(
            "The loop sends `{query}` until it finds nothing, and nothing limits its rounds. The n-th row of the same {key} costs n \
             queries, one after the other, and requests that run at the same moment walk the same values and then take the same \
             one: under the load test with its few names the time of each request grows with every request before it."
        ),
        verify: String::from(
            "Send the same request 200 times and count the statements of the last one (`log_statement = 'all'`): about 200.",
        ),
        tradeoff: String::from(
            "A random suffix is less pretty than a number; a unique key with a retry needs the violation to be told apart.",
        ),
    };
    let fix = Fix {
        description: format!(
            "Make {key} unique in `{table}`, insert at once with a random suffix (`-${{crypto.randomUUID().slice(0, 8)}}`) or the largest \
             number read by one query, and try again at most a few times when the key is violated."
        ),
        before: Some(audit.excerpt(site, 300)),
        ..Fix::default()
    };
    let finding = Finding::new(&META, site, evidence, audit.cost_at(access.at).queries(10.0), words, fix)
        .assuming("10 rounds")
        .confidence(Confidence::Medium)
        .at_least(Severity::Monitor)
        .at_most(Severity::Medium);
    if audit.is_unreached(access.at) {
        let name = audit.function_name(function);
        finding.unless(format!("no route or job that reaches {name} was found; see who calls it"))
    } else {
        finding
    }
}
