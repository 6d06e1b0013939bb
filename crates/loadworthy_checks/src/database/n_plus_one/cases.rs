//! The loops of a program whose rounds go to a database or a service, each once, with what they do there.

use loadworthy_analysis::{Context, Edge, Handling, LoopForm, Repeat, Repetition, Site, handling};
use loadworthy_capacity::Range;
use loadworthy_knowledge::{Effect, Flag};
use loadworthy_project::FileClass;
use loadworthy_syntax::{Binary, Kind, Module, NodeId};
use rustc_hash::FxHashMap;

use crate::audit::Audit;
use crate::database::rows::{Count, count};

/// What a round trip goes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Trip {
    /// The database.
    Query,
    /// A cache server.
    Cache,
    /// Another service.
    Service,
}

/// A call that goes somewhere, once a round.
#[derive(Clone, Debug)]
pub(super) struct Repeated {
    /// The call.
    pub(super) site: Site,
    /// What it goes to.
    pub(super) trip: Trip,
    /// The call in the loop's own body that is it or leads to it.
    pub(super) entry: Site,
    /// The calls from the loop's function to it.
    pub(super) way: Vec<Edge>,
}

/// A loop with what its rounds do.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The loop.
    pub(super) repeat: Repeat,
    /// How often it runs.
    pub(super) rounds: Rounds,
    /// What each round does, in source order of the entries.
    pub(super) repeated: Vec<Repeated>,
    /// Whether the rounds run at the same time.
    pub(super) is_concurrent: bool,
}

/// How often a loop runs.
#[derive(Clone, Debug)]
pub(super) struct Rounds {
    /// The number.
    pub(super) count: Range,
    /// What it runs over, in words.
    pub(super) words: String,
    /// The place that decides it.
    pub(super) at: Option<Site>,
    /// Nothing limits it.
    pub(super) is_unbounded: bool,
    /// What would have to be known; absent where the code tells it.
    pub(super) missing: Option<String>,
    /// The number is a guess from names.
    pub(super) is_guess: bool,
}

/// Rounds up to which a loop is no problem.
const FEW: f64 = 3.0;

/// Every loop that goes somewhere each round.
pub(super) fn cases(audit: &Audit<'_, '_>) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut at: FxHashMap<Site, usize> = FxHashMap::default();
    for (site, trip) in trips(audit) {
        let mut kept: Vec<Repetition> = Vec::new();
        for repetition in audit.analysis.repetitions(site) {
            if kept.iter().any(|nearer| is_around(&repetition, nearer)) {
                continue;
            }
            let entry = repetition.way.first().map_or(site, |edge| edge.site);
            let Some(rounds) = rounds(audit, site, entry, &repetition) else { continue };
            let is_concurrent = is_concurrent(audit, &repetition, entry);
            if is_concurrent && is_batched_by_tick(audit, site) {
                continue;
            }
            let repeated = Repeated { site, trip, entry, way: repetition.way.clone() };
            let index = *at.entry(repetition.repeat.at).or_insert_with(|| {
                let repeat = repetition.repeat.clone();
                cases.push(Case { repeat, rounds, repeated: Vec::new(), is_concurrent });
                cases.len() - 1
            });
            if let Some(case) = cases.get_mut(index) {
                case.is_concurrent &= is_concurrent;
                case.repeated.push(repeated);
            }
            kept.push(repetition);
        }
    }
    for case in &mut cases {
        case.repeated.sort_by_key(|it| (it.entry, it.site));
    }
    cases
}

/// The calls that go somewhere: a query once, however many calls it is made of.
fn trips(audit: &Audit<'_, '_>) -> Vec<(Site, Trip)> {
    let queries =
        audit.analysis.queries().iter().filter(|query| query.is_sent()).map(|it| (it.site, Trip::Query));
    let services =
        audit.analysis.effects(|effect| trip_of(effect).is_some()).filter_map(|(call, library)| {
            let effect = library.effect()?;
            let is_single = !library.has(Flag::Batch) && effect != Effect::CacheScan;
            is_single.then_some((call.site, trip_of(effect)?))
        });
    let mut all: Vec<(Site, Trip)> =
        queries.chain(services).filter(|(site, _)| is_server(audit, *site)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether the code runs on a server, as far as is known. What a browser repeats is for the checks of the frontend.
fn is_server(audit: &Audit<'_, '_>, site: Site) -> bool {
    let contexts = audit.contexts(site);
    if contexts.is_empty() {
        let file = audit.program().project().file(site.0);
        return file.is_some_and(|file| file.class != FileClass::Client);
    }
    contexts.iter().any(|it| !matches!(it, Context::PerRender | Context::PerEvent))
}

fn trip_of(effect: Effect) -> Option<Trip> {
    match effect {
        Effect::HttpRequest | Effect::LlmCall | Effect::PaymentCall => Some(Trip::Service),
        Effect::CacheGet | Effect::CacheSet => Some(Trip::Cache),
        _ => None,
    }
}

/// Whether `outer` stands around `inner` on the same way.
fn is_around(outer: &Repetition, inner: &Repetition) -> bool {
    let sites = |way: &[Edge]| way.iter().map(|edge| (edge.site, edge.callee)).collect::<Vec<_>>();
    sites(&outer.way).ends_with(&sites(&inner.way))
}

/// How often the loop runs; `None` where that is no problem.
fn rounds(audit: &Audit<'_, '_>, site: Site, entry: Site, repetition: &Repetition) -> Option<Rounds> {
    let repeat = &repetition.repeat;
    let module = audit.module(repeat.at)?;
    if repeat.form == LoopForm::Recursion {
        return recursion(audit, repetition);
    }
    if is_chunked(audit, module, repeat) || is_waiting(module, repeat) {
        return None;
    }
    let source = repeat.source?;
    if is_counter(module, repeat, source) {
        return counted(audit, source);
    }
    match count(audit, source) {
        Count::Constant(_) => None,
        Count::Likely { rounds, .. } if rounds.likely <= FEW => None,
        Count::Likely { rounds, words, at, is_unbounded } => {
            Some(Rounds { count: rounds, words, at, is_unbounded, missing: None, is_guess: false })
        }
        Count::Unknown => Some(unknown(audit, site, entry, repeat, source)),
    }
}

/// A loop over a list of unknown length: a list of rows or keys where the elements are used as such.
fn unknown(audit: &Audit<'_, '_>, site: Site, entry: Site, repeat: &Repeat, source: Site) -> Rounds {
    let text = audit.excerpt(source, 50);
    let is_keyed = names_keys(&text) || is_keyed_by_element(audit, site, entry, repeat);
    let place = audit.place_of(repeat.at);
    Rounds {
        count: Range::between(1.0, 20.0, 1_000.0),
        words: format!("`{text}` (assumed 20)"),
        at: None,
        is_unbounded: true,
        missing: (!is_keyed)
            .then(|| format!("how many elements `{text}` has at {place}; up to a handful is fine")),
        is_guess: true,
    }
}

/// `ids`, `userIds`.
fn names_keys(source: &str) -> bool {
    let last = source.rsplit(['.', ' ', '(']).next().unwrap_or(source).trim_end_matches([')', ';']);
    last == "ids" || last.ends_with("Ids") || last.ends_with("_ids") || last.ends_with("IDs")
}

/// Whether the query finds by a property of the element that is named like a key: `{ id: row.userId }`.
fn is_keyed_by_element(audit: &Audit<'_, '_>, site: Site, entry: Site, repeat: &Repeat) -> bool {
    let Some(module) = audit.module(repeat.at) else { return false };
    let Some(element) = element_name(module, repeat) else { return false };
    let uses_key = |text: &str| {
        text.match_indices(&format!("{element}.")).any(|(at, matched)| {
            let before = text.get(..at).and_then(|it| it.chars().last());
            let rest = text.get(at + matched.len()..).unwrap_or_default();
            let name: String = rest.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
            !before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == '.') && is_key(&name)
        })
    };
    uses_key(audit.source(entry)) || (site.0 == entry.0 && uses_key(audit.source(site)))
}

fn is_key(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower == "id" || lower == "_id" || name.ends_with("Id") || lower.ends_with("_id") || lower == "uuid"
}

/// The name that one element has in the loop.
pub(super) fn element_name<'m>(module: &'m Module, repeat: &Repeat) -> Option<&'m str> {
    match module.kind(repeat.at.1) {
        Kind::ForOf { target, .. } | Kind::ForAwait { target, .. } => {
            let Kind::Variables(list) = module.kind(target) else { return None };
            let declarator = module.list(list).next()?;
            let Kind::Declarator { target, .. } = module.kind(declarator) else { return None };
            matches!(module.kind(target), Kind::Binding(_)).then(|| module.source(target))
        }
        Kind::Call { arguments, .. } => {
            let function = module.list(arguments).find_map(|argument| match module.kind(argument) {
                Kind::Function(function) => module.function(function),
                _ => None,
            })?;
            let parameters: Vec<NodeId> = module.list(function.parameters).collect();
            let at = usize::from(is_reduce(module, repeat.at.1));
            let parameter = *parameters.get(at)?;
            matches!(module.kind(parameter), Kind::Binding(_)).then(|| module.source(parameter))
        }
        _ => None,
    }
}

fn is_reduce(module: &Module, call: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(call) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name).starts_with("reduce"))
}

/// `for (let i = 0; i < n; i++)` with a number that is no length of a list.
fn is_counter(module: &Module, repeat: &Repeat, source: Site) -> bool {
    matches!(repeat.form, LoopForm::For | LoopForm::While)
        && !matches!(
            module.kind(module.parent(source.1)),
            Kind::Member { object, name } if object == source.1 && matches!(module.str(name), "length" | "size")
        )
}

/// A counter up to a number of the client repeats as often as the client likes; other numbers are pages, days, attempts.
fn counted(audit: &Audit<'_, '_>, source: Site) -> Option<Rounds> {
    use loadworthy_analysis::Multiplicity;
    match audit.origins().multiplicity(source) {
        Multiplicity::ClientChosen { input } => {
            let bound = loadworthy_analysis::Limits::new(audit.resolver).of(source);
            let text = audit.excerpt(source, 50);
            if let Some(most) = bound.most() {
                #[expect(clippy::cast_precision_loss, reason = "limits are small")]
                let count = Range::between(1.0, (most as f64 / 2.0).max(1.0), most as f64);
                let words = format!("`{text}` of the request, at most {most}");
                return (count.likely > FEW).then_some(Rounds {
                    count,
                    words,
                    at: Some(input),
                    is_unbounded: false,
                    missing: None,
                    is_guess: false,
                });
            }
            Some(Rounds {
                count: Range::between(1.0, 20.0, 1_000.0),
                words: format!("`{text}` of the request (assumed 20)"),
                at: Some(input),
                is_unbounded: true,
                missing: None,
                is_guess: false,
            })
        }
        _ => None,
    }
}

/// A function that calls itself for each child of a row. A function that calls itself once is a retry or a next page.
fn recursion(audit: &Audit<'_, '_>, repetition: &Repetition) -> Option<Rounds> {
    let at = repetition.repeat.at;
    let module = audit.module(at)?;
    let edge = repetition.way.first()?;
    let inner = loadworthy_analysis::loops_around(module, at).into_iter().find_map(|repeat| repeat.source);
    let source = edge.repeat.as_ref().and_then(|repeat| repeat.source).or(inner)?;
    let text = audit.excerpt(source, 50);
    let missing = match count(audit, source) {
        Count::Constant(_) => return None,
        Count::Likely { .. } => None,
        Count::Unknown => Some(format!("how many nodes the tree below `{text}` has; a handful is fine")),
    };
    Some(Rounds {
        count: Range::between(1.0, 20.0, 1_000.0),
        words: format!("the tree below `{text}`, one call a node (assumed 20)"),
        at: Some(source),
        is_unbounded: true,
        missing,
        is_guess: true,
    })
}

/// A loop over chunks, pages or batches: a round takes many elements at once.
fn is_chunked(audit: &Audit<'_, '_>, module: &Module, repeat: &Repeat) -> bool {
    if let Kind::For(parts) = module.kind(repeat.at.1)
        && let Some(update) = module.list(parts).nth(2)
        && let Kind::Assign { operator: Some(Binary::Add), value, .. } = module.kind(update)
        && audit.resolver.number_of((repeat.at.0, value)) != Some(1.0)
    {
        return true;
    }
    let text = repeat.source.map(|source| audit.excerpt(source, 80).to_lowercase()).unwrap_or_default();
    let element = element_name(module, repeat).unwrap_or_default().to_lowercase();
    let is_named = |name: &str| ["chunk", "batch", "page"].iter().any(|word| name.contains(word));
    is_named(&element)
        || ["chunk", "batches", "inbatches", "pages", "retr", "attempt"]
            .iter()
            .any(|word| text.contains(word))
        || takes_several(module, repeat)
}

/// `queue.splice(0, 50)` in the body.
fn takes_several(module: &Module, repeat: &Repeat) -> bool {
    repeat.form == LoopForm::While && module.source(repeat.at.1).contains(".splice(0,")
}

/// A loop that waits for something to happen.
fn is_waiting(module: &Module, repeat: &Repeat) -> bool {
    let text = module.source(repeat.at.1);
    repeat.form == LoopForm::While
        && ["setTimeout(", "sleep(", "delay(", "wait("].iter().any(|word| text.contains(word))
}

/// Whether the rounds are under way at the same time.
fn is_concurrent(audit: &Audit<'_, '_>, repetition: &Repetition, entry: Site) -> bool {
    let repeat = &repetition.repeat;
    let Some(module) = audit.module(repeat.at) else { return false };
    if repeat.is_limited {
        return false;
    }
    if repeat.form == LoopForm::Callback {
        return !repeat.is_sequential && !is_reduce(module, repeat.at.1);
    }
    let Some(module) = audit.module(entry) else { return false };
    matches!(
        handling(module, entry.1),
        Handling::Collected | Handling::Caught | Handling::Floating | Handling::Voided
    )
}

/// Lookups that the library gathers into one query when they start in the same tick.
fn is_batched_by_tick(audit: &Audit<'_, '_>, site: Site) -> bool {
    let call = audit.analysis.calls().at(site);
    call.and_then(|call| call.library.as_ref()).is_some_and(|library| library.has(Flag::AutoBatchedPerTick))
}
