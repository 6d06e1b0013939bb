//! Functions that a library runs when members of a model are called: `schema.pre("save", hash)` runs at `user.save()`.

use loadworthy_knowledge::Hook;
use loadworthy_syntax::Kind;
use rustc_hash::FxHashMap;

use crate::calls::{Call, Calls};
use crate::graph::{Edge, Timing};
use crate::handles::Folded;
use crate::hook_conditions::{condition_of, may_change};
use crate::program::Program;
use crate::values::{Resolver, Site, Step, Value};

/// The edges from the members of a model to its hooks.
pub(crate) fn edges(program: &Program<'_>, calls: &Calls<'_>) -> Vec<Edge> {
    let resolver = Resolver::new(program);
    let hooks: Vec<(&Hook, &Call<'_>)> =
        calls.iter().filter_map(|call| Some((hook_of(program, call)?, call))).collect();
    if hooks.is_empty() {
        return Vec::new();
    }
    let makers = makers(program, &resolver, calls);
    let mut edges = Vec::new();
    for call in calls.iter() {
        let Some(library) = &call.library else { continue };
        let wanted = |hook: &Hook| {
            program.knowledge().library_id(&hook.lib) == Some(library.lib)
                && hook.triggers.iter().any(|name| **name == *library.name)
        };
        let mut of_model: Option<Vec<Site>> = None;
        for (hook, registration) in hooks.iter().filter(|(hook, _)| wanted(hook)) {
            let schema = registration.library.as_ref().and_then(|library| library.made_at);
            let models = schema.and_then(|schema| makers.get(&schema));
            let path = of_model.get_or_insert_with(|| path_of(program, &resolver, call.site));
            if !models.is_some_and(|models| models.iter().any(|model| path.contains(model))) {
                continue;
            }
            let handed = registration.handed.iter().filter(|handed| {
                !hook.saves.iter().any(|name| **name == *library.name)
                    || condition_of(program, calls, hook, handed.function)
                        .is_none_or(|fields| may_change(program, &resolver, calls, call, &fields))
            });
            edges.extend(handed.map(|handed| Edge {
                caller: (call.site.0, call.function),
                site: call.site,
                callee: handed.function,
                timing: Timing::InFlow,
                repeat: None,
            }));
        }
    }
    edges
}

/// The hook that a call registers.
fn hook_of<'p>(program: &Program<'p>, call: &Call<'_>) -> Option<&'p Hook> {
    let library = call.library.as_ref()?;
    let knowledge = program.knowledge();
    knowledge.hooks().iter().find(|hook| {
        knowledge.library_id(&hook.lib) == Some(library.lib)
            && hook.names.iter().any(|name| **name == *library.name)
            && hook.on.iter().any(|on| on == knowledge.handle_name(library.on))
            && hook.event.as_ref().is_none_or(|event| is_about(program, call.site, event))
    })
}

/// Whether the first argument of a call is the event, or a list with it.
fn is_about(program: &Program<'_>, (file, call): Site, event: &str) -> bool {
    let Some(module) = program.module(file) else { return false };
    let Kind::Call { arguments, .. } = module.kind(call) else { return false };
    let is_event = |node| matches!(module.kind(node), Kind::String(text) if module.str(text) == event);
    module.list(arguments).next().is_some_and(|first| match module.kind(first) {
        Kind::Array(items) => module.list(items).any(is_event),
        _ => is_event(first),
    })
}

/// The calls that make models, by where what they are made from was made.
fn makers(program: &Program<'_>, resolver: &Resolver<'_>, calls: &Calls<'_>) -> FxHashMap<Site, Vec<Site>> {
    let mut makers: FxHashMap<Site, Vec<Site>> = FxHashMap::default();
    for call in calls.iter() {
        let Some(library) = &call.library else { continue };
        let Some(hook) = program.knowledge().hooks().iter().find(|hook| *hook.maker == *library.name) else {
            continue;
        };
        if program.knowledge().library_id(&hook.lib) != Some(library.lib) {
            continue;
        }
        let Some(from) = resolver.argument(call.site, hook.from) else { continue };
        for folded in resolver.folded(&resolver.filled(&resolver.value_of(from))) {
            if let Folded::Held(held) = folded
                && let Some(schema) = held.made_at
            {
                makers.entry(schema).or_default().push(call.site);
            }
        }
    }
    makers
}

/// The calls that an object came from, the model's among them.
fn path_of(program: &Program<'_>, resolver: &Resolver<'_>, (file, call): Site) -> Vec<Site> {
    let Some(module) = program.module(file) else { return Vec::new() };
    let Kind::Call { callee, .. } = module.kind(call) else { return Vec::new() };
    let values = resolver.filled(&resolver.value_of((file, callee)));
    values
        .iter()
        .filter_map(|value| match value {
            Value::External(external) => {
                Some(external.steps.iter().filter_map(Step::site).collect::<Vec<Site>>())
            }
            _ => None,
        })
        .flatten()
        .collect()
}
