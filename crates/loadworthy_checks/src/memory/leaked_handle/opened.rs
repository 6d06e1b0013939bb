//! Objects of the application's own classes that a request opens and never closes, though the class can.

use loadworthy_analysis::{Context, Value};
use loadworthy_capacity::Severity;
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, ClassId, FunctionId, Kind, MemberKind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::edit::semicolon;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// How methods that take something for the object begin, and those that give it back.
const OPENING: [&str; 4] = ["connect", "open", "login", "bind"];
const CLOSING: [&str; 9] =
    ["close", "disconnect", "end", "quit", "destroy", "dispose", "release", "terminate", "logout"];

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        for at in 0..module.bindings().len() {
            findings.extend(left_open(audit, file, module, BindingId::new(at)));
        }
    }
}

fn left_open(audit: &Audit<'_, '_>, file: FileId, module: &Module, binding: BindingId) -> Option<Finding> {
    let declared = module.binding(binding)?;
    if !declared.node.is_some() {
        return None;
    }
    let Kind::Declarator { init, target } = module.kind(module.parent(declared.node)) else { return None };
    if target != declared.node || !init.is_some() {
        return None;
    }
    // Most names are told apart by what is called on them, before anything is resolved.
    let uses = uses(module, binding)?;
    let opening = match uses.iter().find(|(_, name)| begins(name, &OPENING)) {
        Some((call, method)) => {
            Opening { call: *call, text: format!("{}.{method}()", module.str(declared.name)) }
        }
        None => opened_by_class(module, init)?,
    };
    if uses.iter().any(|(_, name)| begins(name, &CLOSING)) {
        return None;
    }
    let function = module.enclosing_function(declared.node);
    let contexts = audit.analysis.contexts((file, init));
    let is_repeated = contexts.iter().any(|it| matches!(it, Context::PerRequest | Context::PerJob));
    if function == FunctionId::NONE || !is_repeated {
        return None;
    }
    let (class, closing) = class_of(audit, (file, init))?;
    let by = audit.reached_by((file, init));
    let name = module.str(declared.name);
    let class_name =
        audit.program().module(class.0).and_then(|it| Some(it.str(it.class(class.1)?.name).to_owned()))?;
    let class_name = if class_name.is_empty() { String::from("the class") } else { class_name };
    let words = Words {
        title: format!("each run of {by} opens a {class_name} that nothing closes"),
        problem: format!(
            "`{}` takes a connection, file or session in each run of {by}, and no way through the function calls \
             `{name}.{closing}()`, which {class_name} has. What was taken stays until the other side gives up: sockets and file descriptors \
             add up with the requests until the system refuses the next one (EMFILE, \"too many connections\").",
            opening.text
        ),
        verify: format!(
            "Send 100 requests to {by} and compare the open descriptors of the process before and after (`ls /proc/<pid>/fd | wc -l`, or `process.getActiveResourcesInfo()`): 100 more now, none after the change."
        ),
        tradeoff: String::from(
            "Opening for each request costs a handshake each time; one object that is kept and opened again when it breaks costs none.",
        ),
    };
    let evidence = vec![
        Evidence { place: Place::Code((file, opening.call)), note: String::from("opens it") },
        Evidence {
            place: closing_place(audit, class, &closing),
            note: format!("`{closing}` would close it; nobody calls it here"),
        },
    ];
    let evidence =
        audit.chain_to((file, init), format!("makes a {class_name}")).into_iter().chain(evidence).collect();
    let statement = audit.source(audit.statement((file, opening.call)));
    let end = semicolon(module);
    let fix = Fix {
        description: format!(
            "Close it on every way out: `{name}.{closing}()` in `finally`. Or open one when the process starts and share it."
        ),
        before: Some(statement.to_owned()),
        after: Some(format!(
            "{statement}\ntry {{\n  // … what uses it\n}} finally {{\n  await {name}.{closing}(){end}\n}}"
        )),
        ..Fix::default()
    };
    let cost = audit.cost_at((file, init)).heap_growth(super::KEPT_BYTES);
    Some(
        Finding::new(&META, (file, init), evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(Severity::Medium)
            .at_most(Severity::High),
    )
}

/// What opens an object.
struct Opening {
    call: NodeId,
    text: String,
}

/// `await Archive.open(file)`: the class opens what it makes.
fn opened_by_class(module: &Module, init: NodeId) -> Option<Opening> {
    let call = match module.kind(init) {
        Kind::Await(inner) => inner,
        _ => init,
    };
    let Kind::Call { callee, .. } = module.kind(call) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let is_class = module.source(object).chars().next().is_some_and(char::is_uppercase);
    (is_class && begins(module.str(name), &OPENING))
        .then(|| Opening { call, text: format!("{}()", module.source(callee)) })
}

/// The methods that are called on a name, with the calls; `None` where it goes anywhere else.
fn uses(module: &Module, binding: BindingId) -> Option<Vec<(NodeId, String)>> {
    let mut found = Vec::new();
    for reference in module.references(binding) {
        let member = module.parent(*reference);
        let Kind::Member { object, name } = module.kind(member) else { return None };
        if object != *reference {
            return None;
        }
        let call = module.parent(member);
        match module.kind(call) {
            Kind::Call { callee, .. } if callee == member => {
                // `return it.open()` may give the object itself.
                if matches!(module.kind(module.parent(call)), Kind::Return(_)) {
                    return None;
                }
                found.push((call, module.str(name).to_owned()));
            }
            // A property that is read or set says nothing of what it holds.
            _ => {}
        }
    }
    Some(found)
}

fn begins(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        name.strip_prefix(word).is_some_and(|rest| rest.chars().next().is_none_or(char::is_uppercase))
    })
}

/// The class that a value is an object of, and its method that closes.
fn class_of(audit: &Audit<'_, '_>, site: (FileId, NodeId)) -> Option<((FileId, ClassId), String)> {
    let values = audit.resolver.value_of(site);
    let [Value::Instance(file, class)] = &*values else { return None };
    let module = audit.program().module(*file)?;
    let methods = module.class(*class)?.members.iter().filter(|member| member.kind == MemberKind::Method);
    let names: Vec<&str> = methods.map(|member| module.str(member.name)).collect();
    let closing = names.iter().find(|name| begins(name, &CLOSING))?;
    names.iter().any(|name| begins(name, &OPENING)).then(|| ((*file, *class), (*closing).to_owned()))
}

fn closing_place(audit: &Audit<'_, '_>, (file, class): FunctionClass, closing: &str) -> Place {
    let found = audit.program().module(file).and_then(|module| {
        let member = module.class(class)?.members.iter().find(|member| module.str(member.name) == closing)?;
        Some(member.value)
    });
    let node = found.or_else(|| audit.program().module(file)?.class(class).map(|it| it.node));
    Place::Code((file, node.unwrap_or(NodeId::NONE)))
}

type FunctionClass = (FileId, ClassId);
