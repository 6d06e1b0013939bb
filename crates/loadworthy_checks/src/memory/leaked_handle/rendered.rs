//! Connections and timers that a component starts while it renders.

use loadworthy_analysis::{Call, Component, Site, StartedKind, started_kind};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{KEPT_BYTES, META};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(FileClass::may_be_client) {
            continue;
        }
        for component in audit.analysis.components(file) {
            // A component without state and effects that nobody renders again is rare; a server's own is no component here.
            let is_async = module.function(component.function.1).is_some_and(|lowered| lowered.is_async);
            if is_async {
                continue;
            }
            let calls = audit.analysis.calls().of_function(component.function);
            let started = calls.filter_map(|call| {
                let kind = started_kind(call)?;
                (kind != StartedKind::Deadline && !is_behind_test(module, call)).then_some((call.site, kind))
            });
            let all: Vec<(Site, StartedKind)> = started.collect();
            findings.extend(finding(audit, component, &all));
        }
    }
}

/// `if (!ref.current) ref.current = io()`, `ref.current ??= io()`: once for all renders.
fn is_behind_test(module: &Module, call: &Call<'_>) -> bool {
    let body = module.function(call.function).map_or(NodeId::NONE, |lowered| lowered.body);
    module.ancestors(call.site.1).take_while(|outer| *outer != body).any(|outer| {
        matches!(
            module.kind(outer),
            Kind::If { .. }
                | Kind::Conditional { .. }
                | Kind::Binary { .. }
                | Kind::Assign { operator: Some(_), .. }
        )
    })
}

fn finding(audit: &Audit<'_, '_>, component: &Component, all: &[(Site, StartedKind)]) -> Option<Finding> {
    let ((site, kind), others) = all.split_first()?;
    let name = &component.name;
    let what = audit.excerpt(*site, 60);
    let (thing, stop) = match kind {
        StartedKind::Socket => ("a connection", "closes it"),
        StartedKind::Interval => ("a timer", "clears it"),
        _ => ("a listener", "removes it"),
    };
    let mut evidence =
        vec![Evidence { place: Place::Code(*site), note: format!("runs in every render of {name}") }];
    evidence.extend(others.iter().map(|(other, _)| Evidence {
        place: Place::Code(*other),
        note: format!("and `{}`", audit.excerpt(*other, 60)),
    }));
    let is_socket = *kind == StartedKind::Socket;
    let users = audit.target.users;
    let consequence = if is_socket {
        format!(
            "Nothing closes the former ones: {users} users who type ten letters into {name} hold {} connections at the server, each \
             of which gets every message.",
            users.saturating_mul(10)
        )
    } else {
        String::from(
            "Nothing stops the former ones, so the work of each event or tick grows with every render.",
        )
    };
    let words = Words {
        title: format!("{name} starts {thing} in every render"),
        problem: format!(
            "`{what}` stands in the body of {name}, outside of an effect: each render, and each keystroke is one, starts another. \
             {consequence}"
        ),
        verify: format!(
            "Open the page with {name}, type ten letters and look at the network panel (WS) or the Performance monitor: one more with \
             each letter now, one in all after the change."
        ),
        tradeoff: String::from(
            "What the effect starts exists only after the first render: code that uses it while rendering has to wait for it.",
        ),
    };
    let fix = Fix {
        description: format!(
            "Start it in an effect with a cleanup that {stop}, or once in a module (or a context) that all components share."
        ),
        before: Some(audit.source(audit.statement(*site)).to_owned()),
        after: is_socket.then(|| after(audit, *site)),
        ..Fix::default()
    };
    let mut found = Finding::new(
        &META,
        *site,
        evidence,
        audit.cost_at(*site).reached(Reach::PerRender).heap_growth(KEPT_BYTES),
        words,
        fix,
    )
    .confidence(Confidence::Medium)
    .at_least(if is_socket { Severity::High } else { Severity::Medium })
    .at_most(Severity::High);
    found.routes = Some(Vec::new());
    Some(found)
}

fn after(audit: &Audit<'_, '_>, site: Site) -> String {
    let made = audit.source(site);
    format!(
        "const socketRef = useRef(null);\nuseEffect(() => {{\n  const socket = {made};\n  socketRef.current = socket;\n  // socket.on(…) belongs here\n  return () => {{\n    socket.close();\n  }};\n}}, []);"
    )
}
