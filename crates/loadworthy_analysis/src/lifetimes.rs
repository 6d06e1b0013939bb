//! Things that run on until they are stopped: listeners, timers, sockets; who starts them and whether they are stopped.

use loadworthy_knowledge::{Effect, Runs};
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId};

use crate::access::{results, uses};
use crate::analysis::Analysis;
use crate::calls::{Call, LibraryCall};
use crate::graph::Timing;
use crate::links::FunctionRef;
use crate::values::Site;

/// Something that is started.
#[derive(Clone, Debug)]
pub struct Started {
    /// The call.
    pub site: Site,
    /// What it is.
    pub kind: StartedKind,
    /// How it is stopped.
    pub stop: Stop,
}

/// Kinds of things that run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartedKind {
    /// A listener on an event.
    Listener,
    /// `setInterval`.
    Interval,
    /// A socket, a stream of events, a worker.
    Socket,
    /// A `setTimeout` that only gives up waiting.
    Deadline,
}

/// How something that was started is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It is.
    Yes,
    /// By another function than the one that was added, which removes nothing.
    OtherFunction(NodeId),
    /// Nothing stops it.
    No,
}

/// Methods that stop what they are called on, or what they are given.
const STOPS: [&str; 18] = [
    "close",
    "disconnect",
    "off",
    "removeEventListener",
    "removeListener",
    "removeAllListeners",
    "unsubscribe",
    "abort",
    "destroy",
    "cancel",
    "terminate",
    "stop",
    "dispose",
    "unobserve",
    "end",
    "quit",
    "remove",
    "removeChannel",
];

/// What the effects of React components start, with whether their cleanup stops it.
#[must_use]
pub fn started_by_effects(analysis: &Analysis<'_>) -> Vec<Started> {
    let mut found = Vec::new();
    for (call, library) in analysis.effects(|effect| effect == Effect::ReactEffect) {
        let Some(module) = analysis.program().module(call.site.0) else { continue };
        let Some(handed) = call.handed.iter().find(|handed| handed.argument == 0) else { continue };
        if library.name.is_empty() || handed.function.0 != call.site.0 || handed.runs != Some(Runs::Effect) {
            continue;
        }
        let cleanup = Cleanup::of(module, handed.function.1);
        for inner in analysis.calls().of_file(call.site.0) {
            if inner.function != handed.function.1
                && !is_called_in(analysis, (call.site.0, inner.function), handed.function)
            {
                continue;
            }
            let Some(kind) = kind(inner).filter(|kind| *kind != StartedKind::Deadline) else { continue };
            if kind == StartedKind::Listener && !outlives_component(analysis, inner) {
                continue;
            }
            // A timer that clears itself when it has what it waits for.
            if kind == StartedKind::Interval
                && !results(module, inner.site.1).is_empty()
                && is_stopped_nearby(analysis, inner)
            {
                continue;
            }
            let stop = cleanup.stop(analysis, module, call.site.0, inner);
            found.push(Started { site: inner.site, kind, stop });
        }
    }
    found
}

/// Objects of the page that live as long as it.
const OF_THE_PAGE: [&str; 6] =
    ["window", "document", "mediaQueryList", "socket", "navigator", "visualViewport"];

/// Events that come once for each page.
const ONCE_A_PAGE: [&str; 3] = ["load", "DOMContentLoaded", "beforeinstallprompt"];

/// Whether what the listener is added to is there when the component is gone: not an element or object of its own.
fn outlives_component(analysis: &Analysis<'_>, call: &Call<'_>) -> bool {
    let Some(library) = &call.library else { return false };
    let Some(module) = analysis.program().module(call.site.0) else { return false };
    let Kind::Call { callee, arguments } = module.kind(call.site.1) else { return false };
    let event = module.list(arguments).next().map(|first| module.kind(first));
    if matches!(event, Some(Kind::String(event)) if ONCE_A_PAGE.contains(&module.str(event))) {
        return false;
    }
    let of_the_page = OF_THE_PAGE.contains(&analysis.knowledge().handle_name(library.on));
    let of_the_module = library.made_at.is_some_and(|made_at| analysis.owner(made_at).1 == FunctionId::NONE);
    // `window.addEventListener`, or the same without the object.
    let is_global = match module.kind(callee) {
        Kind::Member { object, .. } => matches!(module.source(object), "window" | "globalThis" | "self"),
        Kind::Name { .. } => true,
        _ => false,
    };
    of_the_page || of_the_module || is_global
}

/// A function inside `outer` that runs in its flow.
fn is_called_in(analysis: &Analysis<'_>, inner: FunctionRef, outer: FunctionRef) -> bool {
    inner.1 != FunctionId::NONE
        && analysis.graph().callers(inner).any(|edge| edge.timing == Timing::InFlow && edge.caller == outer)
}

/// What kind of thing a call starts.
#[must_use]
pub fn kind(call: &Call<'_>) -> Option<StartedKind> {
    let library = call.library.as_ref()?;
    match library.effect()? {
        Effect::ListenerAdd if !matches!(&*library.name, "once" | "use" | "pre" | "post") => {
            Some(StartedKind::Listener)
        }
        Effect::TimerSet if &*library.name == "setInterval" => Some(StartedKind::Interval),
        Effect::TimerSet if &*library.name == "setTimeout" => Some(StartedKind::Deadline),
        Effect::SocketOpen => Some(StartedKind::Socket),
        _ => None,
    }
}

/// What an effect gives back to be run at its end.
enum Cleanup {
    /// Nothing.
    None,
    /// A function written there.
    Function(NodeId),
    /// A value: what a subscription gave back, a function of another place.
    Unknown,
}

impl Cleanup {
    fn of(module: &Module, effect: FunctionId) -> Self {
        let Some(lowered) = module.function(effect) else { return Self::Unknown };
        if !matches!(module.kind(lowered.body), Kind::Block(_)) {
            // `useEffect(() => subscribe())` gives back what the call does.
            return Self::Unknown;
        }
        let mut cleanup = Self::None;
        for node in module.node_ids().filter(|node| module.contains(lowered.body, *node)) {
            let Kind::Return(value) = module.kind(node) else { continue };
            if !value.is_some() || module.enclosing_function(node) != effect {
                continue;
            }
            cleanup = match module.kind(value) {
                Kind::Function(_) => Self::Function(value),
                Kind::Null => continue,
                Kind::Name { .. } if module.source(value) == "undefined" => continue,
                _ => return Self::Unknown,
            };
        }
        cleanup
    }

    fn stop(&self, analysis: &Analysis<'_>, module: &Module, file: FileId, call: &Call<'_>) -> Stop {
        if is_one_shot(module, call) {
            return Stop::Yes;
        }
        match self {
            Self::Unknown => Stop::Yes,
            Self::None => Stop::No,
            Self::Function(cleanup) => stop_in(analysis, module, (file, *cleanup), call),
        }
    }
}

/// `{ once: true }`, `{ signal }`: it ends by itself.
fn is_one_shot(module: &Module, call: &Call<'_>) -> bool {
    let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call.site.1) else {
        return false;
    };
    module.list(arguments).any(|argument| match module.kind(argument) {
        Kind::Object(parts) => module.list(parts).any(|part| {
            matches!(module.kind(part), Kind::Property { key, .. } if matches!(module.str(key), "once" | "signal"))
        }),
        _ => false,
    })
}

/// Whether code stops what a call started.
fn stop_in(analysis: &Analysis<'_>, module: &Module, (file, code): Site, call: &Call<'_>) -> Stop {
    let inside = |node: NodeId| module.contains(code, node);
    let within = |node: NodeId, outer: NodeId| module.contains(outer, node);
    let mut stop = Stop::No;
    for other in analysis.calls().of_file(file).iter().filter(|other| inside(other.site.1)) {
        // What the function that should be removed would do is not done here.
        let is_quoted = matches!(stop, Stop::OtherFunction(inline) if within(other.site.1, inline));
        if is_quoted || !stops(module, other) || is_about_another(module, call, other) {
            continue;
        }
        match other_function(module, other.site.1) {
            // An arrow that is written there is another function than the one that was added.
            Some(inline)
                if kind(call) == Some(StartedKind::Listener)
                    && same_event(module, other.site.1, call.site.1) =>
            {
                stop = Stop::OtherFunction(inline);
            }
            _ => return Stop::Yes,
        }
    }
    // A function that is called there may stop it; a name that is assigned there may be its flag.
    let mut others = analysis.calls().of_file(file).iter().filter(|other| inside(other.site.1));
    let may_stop = others.any(|other| {
        let is_value = matches!(module.kind(other.site.1), Kind::Call { callee, .. }
            if matches!(module.kind(callee), Kind::Name { binding, .. } if binding.is_some()));
        let is_known = other.library.as_ref().is_some_and(|library| {
            matches!(library.effect(), Some(Effect::ReactState | Effect::TimerClear | Effect::ListenerRemove))
        });
        !other.targets.is_empty() || is_value && !is_known
    });
    if stop == Stop::No && may_stop { Stop::Yes } else { stop }
}

/// Whether a call stops something of another kind than what was started, or the listener of another event of the same
/// object.
fn is_about_another(module: &Module, started: &Call<'_>, stopping: &Call<'_>) -> bool {
    let effect = stopping.library.as_ref().and_then(LibraryCall::effect);
    match (kind(started), effect) {
        (Some(StartedKind::Listener), Some(Effect::TimerClear))
        | (Some(StartedKind::Interval), Some(Effect::ListenerRemove)) => true,
        (Some(StartedKind::Listener), Some(Effect::ListenerRemove)) => {
            let (Some(added), Some(removed)) =
                (event_of(module, started.site.1), event_of(module, stopping.site.1))
            else {
                return false;
            };
            added.0 == removed.0 && added.1 != removed.1
        }
        _ => false,
    }
}

/// The object and the event that a call adds or removes a listener of, where the event is written there.
fn event_of(module: &Module, call: NodeId) -> Option<(&str, &str)> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let object = match module.kind(callee) {
        Kind::Member { object, .. } => module.source(object),
        _ => "",
    };
    match module.kind(module.list(arguments).next()?) {
        Kind::String(event) => Some((object, module.str(event))),
        _ => None,
    }
}

/// Listeners that an effect adds and its cleanup adds once more, where it should remove them: both places.
#[must_use]
pub fn added_again(analysis: &Analysis<'_>) -> Vec<(Site, Site)> {
    let mut found = Vec::new();
    for (call, library) in analysis.effects(|effect| effect == Effect::ReactEffect) {
        let Some(module) = analysis.program().module(call.site.0) else { continue };
        let Some(handed) = call.handed.iter().find(|handed| handed.argument == 0) else { continue };
        if library.name.is_empty() || handed.function.0 != call.site.0 {
            continue;
        }
        let Cleanup::Function(cleanup) = Cleanup::of(module, handed.function.1) else { continue };
        let Some(effect) = module.function(handed.function.1).map(|lowered| lowered.node) else { continue };
        let adds: Vec<NodeId> = module
            .calls()
            .iter()
            .copied()
            .filter(|node| module.contains(effect, *node) && is_dom_add(module, *node))
            .collect();
        let listener = |node: NodeId| match module.kind(node) {
            Kind::Call { arguments, .. } => {
                let mut arguments = module.list(arguments).map(|argument| module.source(argument));
                arguments.next().zip(arguments.next())
            }
            _ => None,
        };
        let (again, first): (Vec<NodeId>, Vec<NodeId>) =
            adds.into_iter().partition(|node| module.contains(cleanup, *node));
        for again in again {
            let same = first.iter().find(|it| listener(**it) == listener(again));
            found.extend(same.map(|first| ((call.site.0, *first), (call.site.0, again))));
        }
    }
    found
}

/// `element.addEventListener(…)`, whatever the element is.
fn is_dom_add(module: &Module, call: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(call) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "addEventListener")
}

fn stops(module: &Module, call: &Call<'_>) -> bool {
    let effect = call.library.as_ref().and_then(LibraryCall::effect);
    let is_known = matches!(
        effect,
        Some(Effect::ListenerRemove | Effect::TimerClear | Effect::DbClose | Effect::CacheClose)
    );
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return false };
    let name = match module.kind(callee) {
        Kind::Member { name, .. } | Kind::Name { name, .. } => module.str(name),
        _ => return is_known,
    };
    is_known
        || STOPS.contains(&name)
        || name.starts_with("clear")
        || name.starts_with("cancel")
        || name.starts_with("unsub")
}

/// A function that is written in the arguments.
fn other_function(module: &Module, call: NodeId) -> Option<NodeId> {
    let Kind::Call { arguments, .. } = module.kind(call) else { return None };
    module.list(arguments).nth(1).filter(|argument| matches!(module.kind(*argument), Kind::Function(_)))
}

fn same_event(module: &Module, left: NodeId, right: NodeId) -> bool {
    let event = |call: NodeId| match module.kind(call) {
        Kind::Call { arguments, .. } => module.list(arguments).next().map(|first| module.source(first)),
        _ => None,
    };
    event(left) == event(right)
}

/// Whether what a call gave is stopped anywhere in the function around it, its inner functions included.
#[must_use]
pub fn is_stopped_nearby(analysis: &Analysis<'_>, call: &Call<'_>) -> bool {
    let (file, node) = call.site;
    let Some(module) = analysis.program().module(file) else { return true };
    let Some(lowered) = module.function(call.function) else { return true };
    let names: Vec<BindingId> = results(module, node);
    let is_kept = names.is_empty() && !matches!(module.kind(module.parent(node)), Kind::Expression(_));
    if is_kept {
        return true;
    }
    let callee_object = match module.kind(node) {
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { object, .. } => module.source(object),
            _ => "",
        },
        _ => "",
    };
    analysis.calls().of_file(file).iter().any(|other| {
        let is_inside = module.contains(lowered.node, other.site.1);
        let is_same_object = match module.kind(other.site.1) {
            Kind::Call { callee, .. } => match module.kind(callee) {
                Kind::Member { object, .. } => !callee_object.is_empty() && module.source(object) == callee_object,
                _ => false,
            },
            _ => false,
        };
        is_inside && stops(module, other) && (uses(module, other.site.1, &names) || names.is_empty() && is_same_object)
    })
    // Handed on: whoever has it may stop it.
        || names.iter().any(|name| {
            module.references(*name).iter().any(|reference| {
                matches!(
                    module.kind(module.parent(*reference)),
                    Kind::Return(_) | Kind::Property { .. } | Kind::Assign { .. } | Kind::Array(_)
                ) || matches!(module.kind(module.parent(*reference)), Kind::Call { callee, .. } if callee != *reference)
            })
        })
}
