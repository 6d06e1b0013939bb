//! Async handlers whose registration was not seen: by their type, or handed as `(req, res)` to something unknown. One
//! suspicion for each package.

use std::collections::BTreeMap;

use loadworthy_analysis::{Cause, Folded, FunctionRef, Site, Wrapping, installed_version};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::{Becomes, HandleId, Kind as LibraryKind};
use loadworthy_project::PackageId;
use loadworthy_syntax::{Function, FunctionId, Kind, Module, NodeId};

use super::META;
use super::process::{Processes, is_server_code, package_of};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};

struct Unseen {
    function: FunctionRef,
    node: NodeId,
    cause: Cause,
}

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    let mut packages: BTreeMap<PackageId, Vec<Unseen>> = BTreeMap::new();
    for (file, module) in audit.program().modules() {
        for (index, lowered) in module.functions().iter().enumerate() {
            let function = (file, FunctionId::new(index));
            let site = (file, lowered.node);
            if processes.is_patched(audit, site) || !is_candidate(audit, module, function, lowered) {
                continue;
            }
            let Some(cause) = audit.analysis.failures().of(function).rejects else { continue };
            let Some(package) = package_of(audit, site) else { continue };
            packages.entry(package).or_default().push(Unseen { function, node: lowered.node, cause });
        }
    }
    findings.extend(packages.values().filter_map(|group| finding(audit, processes, group)));
}

/// An async function that nothing is known to run, which a framework that drops rejections seems to call.
fn is_candidate(audit: &Audit<'_, '_>, module: &Module, function: FunctionRef, lowered: &Function) -> bool {
    let (file, id) = function;
    let site = (file, lowered.node);
    lowered.is_async
        && is_server_code(audit, site)
        && audit.analysis.reach().contexts(function).is_empty()
        && audit.program().links().call_sites(file, id).is_empty()
        && (is_typed(audit, module, site, lowered) || is_handed_to_unknown(audit, module, function, lowered))
        && !is_wrapped(audit, function)
}

/// `const limit: RequestHandler = async (req, res, next) => …`, `async (req: Request, res: Response) => …`.
fn is_typed(audit: &Audit<'_, '_>, module: &Module, site: Site, lowered: &Function) -> bool {
    let second = module.list(lowered.parameters).nth(1);
    let by_parameter = second.is_some_and(|parameter| {
        let folded = audit.resolver.folded(&audit.resolver.value_of((site.0, parameter)));
        folded.iter().any(|folded| match folded {
            Folded::Held(held) => {
                audit.knowledge().handle_name(held.handle) == "res"
                    && drops_rejections(audit, site, held.module.as_deref())
            }
            _ => false,
        })
    });
    by_parameter || is_typed_variable(audit, module, site)
}

fn is_typed_variable(audit: &Audit<'_, '_>, module: &Module, site: Site) -> bool {
    let Kind::Declarator { target, init } = module.kind(module.parent(site.1)) else { return false };
    let Kind::Binding(binding) = module.kind(target) else { return false };
    let declared = module.binding(binding).and_then(|it| module.type_ref(it.type_id));
    let Some(declared) = declared.filter(|_| init == site.1) else { return false };
    let values = audit.resolver.declared_by((site.0, declared.binding));
    values.iter().any(|value| match value {
        loadworthy_analysis::Value::External(external) => {
            let loadworthy_analysis::Root::Package(package) = &external.root else { return false };
            let Some(lib) = audit.knowledge().library_of(package, "") else { return false };
            let handle = audit.knowledge().type_handle(lib, module.str(declared.name));
            handle.is_some_and(|it| audit.knowledge().handle_name(it) == "handler")
                && drops_rejections(audit, site, Some(package))
        }
        _ => false,
    })
}

/// Whether the installed version of a framework drops the rejections of its handlers.
fn drops_rejections(audit: &Audit<'_, '_>, site: Site, module: Option<&str>) -> bool {
    let Some(module) = module else { return false };
    let Some(lib) = audit.knowledge().library_of(module, "") else { return false };
    if audit.knowledge().library(lib).kind != LibraryKind::Web {
        return false;
    }
    let version = installed_version(audit.program(), site, Some(module));
    let row = audit.knowledge().rejection(lib, HandleId::MODULE, "", Some(module), version);
    row.is_some_and(|found| found.is_exact && found.row.rejected == Becomes::Unhandled)
}

/// `something.get("/path", async (req, res) => …)` of something that nothing is known of.
fn is_handed_to_unknown(
    audit: &Audit<'_, '_>,
    module: &Module,
    (file, id): FunctionRef,
    lowered: &Function,
) -> bool {
    let names: Vec<&str> = module.list(lowered.parameters).map(|node| module.source(node)).collect();
    if !matches!(names.as_slice(), ["req" | "request", "res" | "response", ..]) {
        return false;
    }
    let passed = audit.program().links().passed_sites(file, id);
    passed.iter().any(|site| {
        let Some(call) = audit.analysis.calls().at(site.call) else { return false };
        let Kind::Call { callee, .. } = module.kind(call.site.1) else { return false };
        let is_route = matches!(
            module.kind(callee),
            Kind::Member { name, .. } if matches!(module.str(name), "get" | "post" | "put" | "patch" | "delete" | "use" | "all")
        );
        is_route && call.library.is_none() && call.targets.is_empty()
    })
}

fn is_wrapped(audit: &Audit<'_, '_>, (file, id): FunctionRef) -> bool {
    let passed = audit.program().links().passed_sites(file, id);
    passed.iter().filter_map(|site| audit.analysis.calls().at(site.call)).any(|call| {
        let mut handed = call.handed.iter().filter(|it| it.function == (file, id));
        let is_wrapper = !call.targets.is_empty() || call.library.is_some();
        is_wrapper && handed.any(|it| !matches!(audit.analysis.wrapping(call, it), Wrapping::Leaking(_)))
    })
}

fn finding(audit: &Audit<'_, '_>, processes: &Processes, group: &[Unseen]) -> Option<Finding> {
    let first = group.iter().find(|it| it.cause.kind.is_outside()).or_else(|| group.first())?;
    let outcome = processes.on_rejection(audit, first.cause.at);
    let what = audit.excerpt(first.cause.at, 70);
    let evidence = group
        .iter()
        .map(|it| Evidence {
            place: Place::Code((it.function.0, it.node)),
            note: format!(
                "{}: `{}` may reject",
                audit.function_name(it.function),
                audit.excerpt(it.cause.at, 60)
            ),
        })
        .collect();
    let count = group.len();
    let words = Words {
        title: if count == 1 {
            format!("the async handler {} catches nothing", audit.function_name(first.function))
        } else {
            format!("{count} async handlers catch nothing")
        },
        problem: format!(
            "`{what}` stands outside `try` in an async request handler. A framework that ignores the promise of its handlers (Express 4, connect, plain `http`) sends no response when it rejects. {}",
            outcome.sentence(audit)
        ),
        verify: format!(
            "Make `{what}` fail and send a request: the answer must be a 500 and the process must live."
        ),
        tradeoff: String::from(
            "Errors then reach the error middleware, which must not send their text to clients.",
        ),
    };
    let before = audit.lines_around(audit.statement(first.cause.at), 0);
    let indented: Vec<String> = before.lines().map(|line| format!("  {line}")).collect();
    let fix = Fix {
        description: String::from(
            "Catch the failure and hand it to the error middleware, or wrap the handler where it is registered.",
        ),
        after: Some(format!("try {{\n{}\n}} catch (error) {{\n  next(error);\n}}", indented.join("\n"))),
        before: Some(before),
        ..Fix::default()
    };
    let cost = audit.cost_at(first.cause.at).failing(outcome.failure());
    let finding = Finding::new(&META, first.cause.at, evidence, cost, words, fix).at_most(Severity::High);
    Some(finding.unless(
        "where these handlers are registered: whether the framework or a wrapper handles their rejections",
    ))
}
