//! Deadlines around a call: `Promise.race` with a timer, and functions that do it.

use loadworthy_knowledge::Effect;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::Deadlines;
use super::signal::is_timer;
use crate::calls::Call;
use crate::links::FunctionRef;
use crate::values::Site;

/// Something that stops waiting after a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Race {
    /// The `Promise.race`; absent where a library or a function of the program does it.
    pub at: Option<Site>,
    /// The race, or the call of the function.
    pub by: Site,
    /// The `setTimeout` that loses or wins.
    pub timer: Option<Site>,
    /// Whether the timer is cleared once the work has won.
    pub is_cleared: bool,
}

/// Most functions around a call that are looked at.
const MAX_CALLERS: usize = 16;
/// Most hops outward.
const MAX_HOPS: u32 = 3;

impl<'p> Deadlines<'_, 'p> {
    /// What stops waiting for the promise of a call, in its function or in all that call that.
    pub(super) fn wrapped(&self, site: Site) -> Option<Race> {
        self.wrapped_within(site, 0)
    }

    fn wrapped_within(&self, (file, node): Site, hops: u32) -> Option<Race> {
        let module = self.analysis.program().module(file)?;
        let mut at = node;
        loop {
            let parent = module.parent(at);
            at = match module.kind(parent) {
                Kind::Member { object, name } if object == at => {
                    if module.str(name) == "timeout" {
                        return Some(quiet((file, parent)));
                    }
                    parent
                }
                // `http.get(url).pipe(timeout(2000), map(…))`
                Kind::Call { callee, arguments } if callee == at => {
                    let limits = |node: NodeId| {
                        matches!(module.kind(node), Kind::Call { callee, .. }
                        if matches!(module.source(callee), "timeout" | "timeoutWith"))
                    };
                    if let Some(by) = module.list(arguments).find(|node| limits(*node)) {
                        return Some(quiet((file, by)));
                    }
                    parent
                }
                Kind::Array(_) => match self.race_of((file, parent)) {
                    Some(race) => return Some(race),
                    None => parent,
                },
                Kind::Call { .. } => match self.ends_in_time((file, parent), at) {
                    Some(race) => return Some(race),
                    None if is_combinator(module, parent) => parent,
                    None => break,
                },
                Kind::Declarator { target, .. } => {
                    if let Kind::Binding(binding) = module.kind(target)
                        && let Some(race) = self.raced_name(file, module, module.references(binding))
                    {
                        return Some(race);
                    }
                    break;
                }
                Kind::Conditional { .. } | Kind::Binary { .. } | Kind::Sequence(_) => parent,
                _ => break,
            };
        }
        let function = module.enclosing_function(node);
        if function == FunctionId::NONE || hops >= MAX_HOPS {
            None
        } else {
            self.function_wrapped((file, function), hops)
        }
    }

    fn raced_name(
        &self,
        file: loadworthy_project::FileId,
        module: &Module,
        names: &[NodeId],
    ) -> Option<Race> {
        names.iter().find_map(|name| {
            let parent = module.parent(*name);
            match module.kind(parent) {
                Kind::Array(_) => self.race_of((file, parent)),
                Kind::Call { callee, .. } if callee != *name => self.ends_in_time((file, parent), *name),
                _ => None,
            }
        })
    }

    /// Whether everything that runs the function stops waiting for it.
    fn function_wrapped(&self, function: FunctionRef, hops: u32) -> Option<Race> {
        let edges: Vec<_> = self.analysis.graph().callers(function).take(MAX_CALLERS).collect();
        let calls = self.analysis.calls();
        let fires = |site: Site| {
            let call = calls.at(site)?;
            (call.targets.contains(&function) && gives_up(call)).then_some(call)
        };
        // Where the object was made that fires it: it does not run there.
        let made: Vec<Site> =
            edges.iter().filter_map(|edge| fires(edge.site)?.library.as_ref()?.made_at).collect();
        let mut found = None;
        for edge in edges.iter().filter(|edge| !made.contains(&edge.site)) {
            if edge.caller == function {
                continue;
            }
            if fires(edge.site).is_some() {
                found = Some(quiet(edge.site));
                continue;
            }
            let call = calls.at(edge.site);
            let argument = call.and_then(|call| self.handed_as(call, function));
            let ends = argument.and_then(|argument| self.ends_in_time(edge.site, argument));
            found = Some(ends.or_else(|| self.wrapped_within(edge.site, hops + 1))?);
        }
        found
    }

    fn handed_as(&self, call: &Call<'p>, function: FunctionRef) -> Option<NodeId> {
        let handed = call.handed.iter().find(|handed| handed.function == function)?;
        self.resolver.argument(call.site, handed.argument).map(|(_, node)| node)
    }

    /// Whether a call stops waiting for what it is given.
    fn ends_in_time(&self, site: Site, argument: NodeId) -> Option<Race> {
        let call = self.analysis.calls().at(site)?;
        if gives_up(call) {
            return Some(quiet(site));
        }
        let module = self.analysis.program().module(site.0)?;
        let Kind::Call { callee, .. } = module.kind(site.1) else { return None };
        if callee == argument {
            return None;
        }
        call.targets.iter().any(|target| self.times_out(*target)).then(|| quiet(site))
    }

    /// Whether a function of the program sets a timer that fails or races what it is given.
    fn times_out(&self, (file, function): FunctionRef) -> bool {
        let Some(module) = self.analysis.program().module(file) else { return false };
        let Some(lowered) = module.function(function) else { return false };
        if lowered.parameters.is_empty() {
            return false;
        }
        let nodes = module.all_nodes(lowered.node);
        let races = nodes.iter().any(|node| is_race(module, *node));
        nodes.iter().any(|node| is_timer(module, *node) && (races || fails(module, *node)))
    }

    /// The race that an array of promises is run in, if a timer is among them.
    fn race_of(&self, (file, array): Site) -> Option<Race> {
        let module = self.analysis.program().module(file)?;
        let call = module.parent(array);
        is_race(module, call).then(|| self.race((file, call))).flatten()
    }

    /// Every race against a timer, in the order of the calls.
    #[must_use]
    pub fn races(&self) -> Vec<Race> {
        self.analysis.calls().iter().filter_map(|call| self.race(call.site)).collect()
    }

    /// The race that a call is, if a timer is among its promises.
    #[must_use]
    pub fn race(&self, (file, call): Site) -> Option<Race> {
        let module = self.analysis.program().module(file)?;
        if !is_race(module, call) {
            return None;
        }
        let (_, list) = self.resolver.argument((file, call), 0)?;
        let Kind::Array(items) = module.kind(list) else { return None };
        let timer = module.list(items).find_map(|item| self.timer_in((file, item), 0))?;
        let is_cleared = self.is_cleared(timer);
        Some(Race { at: Some((file, call)), by: (file, call), timer: Some(timer), is_cleared })
    }

    /// The `setTimeout` that settles a promise: inside the expression, the variable, or the function that makes it.
    fn timer_in(&self, (file, node): Site, hops: u32) -> Option<Site> {
        let module = self.analysis.program().module(file)?;
        let inside = |node: NodeId| module.all_nodes(node).into_iter().find(|inner| is_timer(module, *inner));
        match module.kind(node) {
            Kind::Name { binding, .. } if hops < MAX_HOPS => {
                let declared = module.binding(binding)?;
                match module.kind(module.parent(declared.node)) {
                    Kind::Declarator { init, .. } if init.is_some() => self.timer_in((file, init), hops + 1),
                    _ => None,
                }
            }
            Kind::Call { callee, .. } if !is_timer(module, node) => {
                // The work of the race is a call too: only what does nothing but wait is its timer.
                let target = self.analysis.calls().at((file, node))?.targets.first().copied();
                if let Some((of, function)) = target {
                    let module = self.analysis.program().module(of)?;
                    let function = module.function(function)?;
                    let nodes = module.all_nodes(function.node);
                    let timer = nodes.iter().copied().find(|inner| is_timer(module, *inner))?;
                    let is_only_timer =
                        !nodes.iter().any(|inner| matches!(module.kind(*inner), Kind::Await(_)));
                    return is_only_timer.then_some((of, timer));
                }
                match module.kind(callee) {
                    Kind::Member { object, .. } => self.timer_in((file, object), hops + 1),
                    _ => None,
                }
            }
            Kind::New { .. } | Kind::Call { .. } => inside(node).map(|timer| (file, timer)),
            _ => None,
        }
    }

    /// Whether the timer ends when the work does.
    fn is_cleared(&self, (file, timer): Site) -> bool {
        let Some(module) = self.analysis.program().module(file) else { return false };
        let parent = module.parent(timer);
        let binding = match module.kind(parent) {
            Kind::Member { name, .. } => return module.str(name) == "unref",
            Kind::Declarator { target, .. } | Kind::Assign { target, .. } => match module.kind(target) {
                Kind::Binding(binding) | Kind::Name { binding, .. } => binding,
                // Kept in a property: cleared wherever the file clears anything.
                _ => return module.text().contains("clearTimeout"),
            },
            // `setTimeout` of `timers/promises` gives a promise.
            Kind::Await(_) | Kind::Array(_) => return module.source(timer).contains("signal"),
            // Returned or passed on: whoever gets it may clear it.
            Kind::Return(_) | Kind::Property { .. } | Kind::Call { .. } => {
                return module.text().contains("clearTimeout");
            }
            _ => return false,
        };
        module.references(binding).iter().any(|name| {
            let parent = module.parent(*name);
            match module.kind(parent) {
                Kind::Call { callee, .. } => {
                    callee != *name && module.source(callee).ends_with("clearTimeout")
                }
                Kind::Member { name, .. } => module.str(name) == "unref",
                _ => false,
            }
        })
    }
}

fn quiet(by: Site) -> Race {
    Race { at: None, by, timer: None, is_cleared: true }
}

fn is_race(module: &Module, node: NodeId) -> bool {
    matches!(module.kind(node), Kind::Call { callee, .. } if module.source(callee) == "Promise.race")
}

/// `Promise.all([…])`: its promise ends with theirs.
fn is_combinator(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    matches!(module.source(callee), "Promise.all" | "Promise.allSettled" | "Promise.any" | "Promise.resolve")
}

/// Whether the callback of a timer rejects, aborts or throws.
fn fails(module: &Module, timer: NodeId) -> bool {
    module.all_nodes(timer).into_iter().any(|node| match module.kind(node) {
        Kind::Throw(_) => true,
        Kind::Name { name, .. } | Kind::Member { name, .. } => {
            matches!(module.str(name), "reject" | "rej" | "abort" | "destroy" | "kill")
        }
        _ => false,
    })
}

/// Whether a library stops waiting for what the call runs.
fn gives_up(call: &Call<'_>) -> bool {
    let effect = call.library.as_ref().and_then(crate::calls::LibraryCall::effect);
    matches!(effect, Some(Effect::TimeoutWrap | Effect::BreakerWrap))
}
