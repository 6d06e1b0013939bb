//! Loops and recursions that try again.

use loadworthy_analysis::{FunctionRef, LibraryAttempts, Site, Timing, Value, Work, attempts_below};
use loadworthy_capacity::{ExtraRequests, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{Binary, FunctionId, Kind, Module, NodeId};

use super::{META, harm, queues};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Attempts where the code does not tell their number.
const ATTEMPTS: f64 = 3.0;
/// Most places that one finding shows.
const SHOWN: usize = 8;

/// How a function tries again.
pub(super) struct Retry {
    /// What is tried.
    tried: Site,
    /// The loop, or the call of itself.
    again: Site,
    owner: FunctionRef,
    /// The most attempts, where there is a most.
    attempts: Option<f64>,
    is_bounded: bool,
    delay: Delay,
    /// Whether the kind of failure decides.
    chooses: bool,
    work: Work,
    /// Tasks that are handed to a helper.
    tasks: Vec<Site>,
    /// What the library below tries by itself.
    below: Option<LibraryAttempts>,
    /// How often the queue tries the job around it.
    above: Option<(f64, Site)>,
    /// The calls of what is tried.
    calls: Vec<Site>,
    /// Its text.
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Delay {
    None,
    Constant,
    /// Grows, without chance in it.
    Growing,
    Random,
}

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        for node in module.node_ids() {
            if let Some(retry) = of_try(audit, module, (file, node)) {
                findings.extend(finding(audit, &retry));
            }
        }
    }
}

/// A `try` whose failure leads back to it.
fn of_try(audit: &Audit<'_, '_>, module: &Module, (file, node): Site) -> Option<Retry> {
    let Kind::Try { block, handler, .. } = module.kind(node) else { return None };
    if !handler.is_some() {
        return None;
    }
    let owner = (file, module.enclosing_function(node));
    if owner.1 == FunctionId::NONE {
        return None;
    }
    let (again, is_loop) = match repeating_loop(audit, module, (file, node)) {
        // A success leaves the loop; a loop over elements goes on.
        Some(outer)
            if (leaves(module, block, outer) || sets_flag(module, block, outer))
                && !leaves_always(module, handler) =>
        {
            (outer, true)
        }
        _ => (recursion(audit, module, owner, handler)?, false),
    };
    let tried = awaited(module, block)?;
    let is_conditional = is_loop && has_condition(module, again);
    retry(audit, module, owner, &Parts { tried, block, handler, again, is_loop, is_conditional })
}

/// Where a function tries again.
pub(super) struct Parts {
    /// What is tried.
    pub(super) tried: NodeId,
    /// What is repeated.
    pub(super) block: NodeId,
    /// What looks at the failure.
    pub(super) handler: NodeId,
    /// The loop, or the call of itself.
    pub(super) again: NodeId,
    pub(super) is_loop: bool,
    /// The loop has a test that ends it, whatever the other side does.
    pub(super) is_conditional: bool,
}

/// What is known of a function that tries again; `None` where nothing of it waits.
pub(super) fn retry(
    audit: &Audit<'_, '_>,
    module: &Module,
    owner: FunctionRef,
    parts: &Parts,
) -> Option<Retry> {
    let Parts { tried, block, handler, again, is_loop, is_conditional } = *parts;
    let file = owner.0;
    let calls = audit.analysis.calls();
    let inside = |at: NodeId| at == block || module.ancestors(at).any(|outer| outer == block);
    let mut work = Work::default();
    let tasks = tasks(audit, module, owner, tried);
    let mut tried_calls = tasks.clone();
    for call in calls.of_function(owner).filter(|call| inside(call.site.1)) {
        work = work.and(audit.analysis.works().of_call(call));
        if tasks.is_empty() {
            tried_calls.push(call.site);
        }
    }
    for task in &tasks {
        if let Some(call) = calls.at(*task) {
            work = work.and(audit.analysis.works().of_call(call));
        }
    }
    if !work.waits() {
        return None;
    }
    let loop_text = module.source(again).to_owned();
    let handler_text = module.source(handler).to_owned();
    let function_text = module.function(owner.1).map_or("", |function| module.source(function.node));
    let attempts = if is_loop { bound(audit, module, (file, again)) } else { None };
    let is_bounded =
        attempts.is_some() || has_cap(if is_loop { &loop_text } else { function_text }) || is_conditional;
    let mut text = module.source(block).to_owned();
    for task in &tasks {
        text.push_str(audit.source(*task));
    }
    let tried_site = (file, tried);
    let above = served(tried_site, &tasks)
        .into_iter()
        .find_map(|site| queues::attempts_above(audit, site, attempts.unwrap_or(ATTEMPTS)));
    Some(Retry {
        tried: tried_site,
        again: (file, again),
        owner,
        attempts,
        is_bounded,
        delay: match pauses(audit, module, (file, again)) {
            Some(pauses) => of_list(&pauses),
            None => delay(if is_loop { &loop_text } else { &handler_text }),
        },
        chooses: chooses(&handler_text) || chooses_in_loop(&loop_text, is_loop),
        work,
        below: served(tried_site, &tasks)
            .into_iter()
            .filter_map(|site| attempts_below(audit.analysis, audit.resolver, site))
            .max_by(|a, b| a.most.total_cmp(&b.most))
            .filter(|below| below.most > 1.0),
        tasks,
        above,
        calls: tried_calls,
        text,
    })
}

/// The loop around a `try` in its function that is not one over elements.
fn repeating_loop(audit: &Audit<'_, '_>, module: &Module, (file, node): Site) -> Option<NodeId> {
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            // `for (const pause of [0, 200, 800])`
            Kind::ForOf { .. } if pauses(audit, module, (file, outer)).is_some() => return Some(outer),
            Kind::Function(_) | Kind::ForOf { .. } | Kind::ForIn { .. } | Kind::ForAwait { .. } => {
                return None;
            }
            Kind::For(_) | Kind::While { .. } | Kind::DoWhile { .. } => {
                return is_open_loop(module, outer).then_some(outer);
            }
            _ => {}
        }
    }
    None
}

/// `for (i …) use(list[i])` goes over elements.
pub(super) fn is_open_loop(module: &Module, outer: NodeId) -> bool {
    !module.source(outer).contains(".length")
}

/// The pauses that a loop goes through, where something in it waits for each.
fn pauses(audit: &Audit<'_, '_>, module: &Module, (file, outer): Site) -> Option<Vec<f64>> {
    let Kind::ForOf { iterable, .. } = module.kind(outer) else { return None };
    let values = audit.resolver.value_of((file, iterable));
    let [Value::Array(at, list)] = &*values else { return None };
    let Kind::Array(items) = audit.program().module(*at)?.kind(*list) else { return None };
    let items = audit.program().module(*at)?.list(items);
    let numbers: Option<Vec<f64>> = items.map(|item| audit.resolver.number_of((*at, item))).collect();
    numbers.filter(|_| delay(module.source(outer)) != Delay::None)
}

fn of_list(pauses: &[f64]) -> Delay {
    let grows = pauses.windows(2).all(|two| matches!(two, [a, b] if a < b));
    if grows { Delay::Growing } else { Delay::Constant }
}

/// Whether a success sets what the loop's test reads: `done = true`.
fn sets_flag(module: &Module, block: NodeId, outer: NodeId) -> bool {
    let (Kind::While { test, .. } | Kind::DoWhile { test, .. }) = module.kind(outer) else { return false };
    module.all_nodes(block).into_iter().any(|node| {
        let Kind::Assign { target, value, .. } = module.kind(node) else { return false };
        let (Kind::Name { binding, .. }, Kind::Bool(_)) = (module.kind(target), module.kind(value)) else {
            return false;
        };
        module.references(binding).iter().any(|reference| module.contains(test, *reference))
    })
}

/// Whether a `return` or `break` stands in the block, of this loop.
fn leaves(module: &Module, block: NodeId, outer: NodeId) -> bool {
    module.node_ids().filter(|node| module.contains(block, *node)).any(|node| {
        let own = |stop: fn(Kind) -> bool| {
            let mut around = module.ancestors(node).take_while(|it| *it != outer);
            !around.any(|it| stop(module.kind(it)))
        };
        match module.kind(node) {
            Kind::Return(_) => own(|kind| matches!(kind, Kind::Function(_))),
            Kind::Break => own(|kind| {
                matches!(
                    kind,
                    Kind::Function(_)
                        | Kind::For(_)
                        | Kind::ForOf { .. }
                        | Kind::While { .. }
                        | Kind::Switch { .. }
                )
            }),
            _ => false,
        }
    })
}

/// Whether the handler ends in `throw`, `return` or `break`.
fn leaves_always(module: &Module, handler: NodeId) -> bool {
    let Kind::Catch { body, .. } = module.kind(handler) else { return false };
    let last = match module.kind(body) {
        Kind::Block(statements) => module.list(statements).last(),
        _ => None,
    };
    last.is_some_and(|node| matches!(module.kind(node), Kind::Throw(_) | Kind::Return(_) | Kind::Break))
}

/// A call of the function itself in the handler of its failure.
fn recursion(audit: &Audit<'_, '_>, module: &Module, owner: FunctionRef, handler: NodeId) -> Option<NodeId> {
    let edges = audit.analysis.graph().callees(owner);
    // What a timer starts is no attempt of this call.
    let mut own = edges.filter(|edge| {
        edge.callee == owner && edge.timing == Timing::InFlow && module.contains(handler, edge.site.1)
    });
    own.next().map(|edge| edge.site.1)
}

/// The first thing that is awaited in a block.
fn awaited(module: &Module, block: NodeId) -> Option<NodeId> {
    let mut inside = module.node_ids().filter(|node| module.contains(block, *node));
    inside.find_map(|node| match module.kind(node) {
        Kind::Await(value) if matches!(module.kind(value), Kind::Call { .. }) => Some(value),
        _ => None,
    })
}

/// The calls of a helper that tries what it is handed: `withRetry(() => …)`.
fn tasks(audit: &Audit<'_, '_>, module: &Module, owner: FunctionRef, tried: NodeId) -> Vec<Site> {
    let Kind::Call { callee, .. } = module.kind(tried) else { return Vec::new() };
    let Kind::Name { .. } = module.kind(callee) else { return Vec::new() };
    let name = module.source(callee);
    let is_parameter = module.function(owner.1).is_some_and(|function| {
        module.list(function.parameters).any(|parameter| module.source(parameter).starts_with(name))
    });
    if !is_parameter {
        return Vec::new();
    }
    audit.analysis.graph().callers(owner).map(|edge| edge.site).collect()
}

/// The number in `attempt < 5`, or of the pauses in a list.
fn bound(audit: &Audit<'_, '_>, module: &Module, (file, outer): Site) -> Option<f64> {
    let test = match module.kind(outer) {
        Kind::For(parts) => module.list(parts).nth(1)?,
        Kind::While { test, .. } | Kind::DoWhile { test, .. } => test,
        Kind::ForOf { .. } => {
            let count = pauses(audit, module, (file, outer))?.len();
            return u32::try_from(count).ok().map(f64::from);
        }
        _ => return None,
    };
    bound_in(audit, module, (file, test))
}

fn bound_in(audit: &Audit<'_, '_>, module: &Module, (file, test): Site) -> Option<f64> {
    let Kind::Binary { operator, left, right } = module.kind(test) else { return None };
    if operator == Binary::And {
        return [left, right].into_iter().find_map(|side| bound_in(audit, module, (file, side)));
    }
    // `status !== 200` is no number of attempts.
    if matches!(operator, Binary::Equal | Binary::NotEqual) {
        return None;
    }
    [right, left].into_iter().find_map(|side| {
        let written = match module.kind(side) {
            Kind::Number(_) => Some(module.source(side).to_owned()),
            _ => audit.resolver.text_of((file, side)).or_else(|| declared(module, side)),
        };
        let number: f64 = written?.replace('_', "").parse().ok()?;
        (number > 0.0 && number < 1_000.0).then_some(number)
    })
}

/// The number that a constant is declared with.
fn declared(module: &Module, node: NodeId) -> Option<String> {
    let Kind::Name { binding, .. } = module.kind(node) else { return None };
    let binding = module.binding(binding)?;
    match module.kind(module.parent(binding.node)) {
        Kind::Declarator { init, .. } if matches!(module.kind(init), Kind::Number(_)) => {
            Some(module.source(init).to_owned())
        }
        _ => None,
    }
}

/// A loop with a condition other than `true`.
fn has_condition(module: &Module, outer: NodeId) -> bool {
    match module.kind(outer) {
        Kind::For(parts) => module.list(parts).nth(1).is_some_and(|test| module.kind(test) != Kind::Hole),
        Kind::While { test, .. } | Kind::DoWhile { test, .. } => {
            !matches!(module.kind(test), Kind::Bool(true)) && module.source(test) != "1"
        }
        _ => false,
    }
}

/// Words of a number of attempts that is compared.
pub(super) fn has_cap(text: &str) -> bool {
    let lower = text.to_lowercase();
    let counts = [
        "attempt",
        "retries",
        "retry",
        "tries",
        "remaining",
        "left",
        "count",
        "depth",
        "deadline",
        "elapsed",
    ];
    let compares = [" > ", " < ", ">=", "<=", "=== 0", "> 0", "<= 0", "!== 0"];
    counts.iter().any(|word| lower.contains(word)) && compares.iter().any(|word| lower.contains(word))
}

fn delay(text: &str) -> Delay {
    let waits = ["setTimeout", "sleep", "delay(", "wait(", "pause(", "backoff", "Backoff"];
    if !waits.iter().any(|word| text.contains(word)) {
        return Delay::None;
    }
    let random = ["Math.random", "jitter", "Jitter", "randomInt"];
    if random.iter().any(|word| text.contains(word)) {
        return Delay::Random;
    }
    let growing = [
        "**",
        "Math.pow",
        "* 2",
        "*= 2",
        "<<",
        "* attempt",
        "attempt *",
        "* (attempt",
        "* (i",
        "* i",
        "* retry",
        "retries *",
        "* tries",
        "ackoff",
        "* (retry",
        "* (tries",
        "delay *",
    ];
    if growing.iter().any(|word| text.contains(word)) { Delay::Growing } else { Delay::Constant }
}

/// Whether the kind of failure decides if it is tried again.
fn chooses(handler: &str) -> bool {
    let words =
        ["status", "code", "retryable", "isRetry", "shouldRetry", "instanceof", ".name ===", "transient"];
    words.iter().any(|word| handler.contains(word))
}

fn chooses_in_loop(text: &str, is_loop: bool) -> bool {
    is_loop && (text.contains("status") || text.contains("retryable") || text.contains("shouldRetry"))
}

/// Whether doing it twice does it twice, without a key that the other side compares.
fn repeats_harm(audit: &Audit<'_, '_>, retry: &Retry) -> bool {
    let lower = retry.text.to_lowercase();
    if lower.contains("idempoten") || lower.contains("onconflict") || lower.contains("upsert") {
        return false;
    }
    harm::of_any(audit, &retry.calls).is_some()
}

/// Where what is tried is said: in the loop, or by those who hand it over.
fn served(tried: Site, tasks: &[Site]) -> Vec<Site> {
    if tasks.is_empty() { vec![tried] } else { tasks.to_vec() }
}

pub(super) fn finding(audit: &Audit<'_, '_>, retry: &Retry) -> Option<Finding> {
    let harm = repeats_harm(audit, retry);
    let is_cas =
        retry.work.any(Effect::is_database_trip) && !retry.work.any(|effect| effect == Effect::HttpRequest);
    // What is wrong with it, the worst first.
    let (what, least) = if !retry.is_bounded {
        ("without end", Severity::High)
    } else if harm {
        ("although it may happen twice", Severity::Medium)
    } else if retry.delay == Delay::None {
        ("at once", Severity::Medium)
    } else if retry.delay == Delay::Constant {
        ("after the same pause each time", Severity::Monitor)
    } else if retry.below.is_some() {
        ("of a client that repeats them by itself", Severity::Monitor)
    } else if retry.above.is_some() {
        ("of a job that its queue repeats", Severity::Monitor)
    } else {
        return None;
    };
    let served = served(retry.tried, &retry.tasks);
    let is_client = audit.program().class(retry.tried.0) == Some(FileClass::Client);
    let is_run = served.iter().any(|site| !audit.is_unreached(*site) && !audit.is_startup_only(*site));
    if !is_run && !is_client {
        return None;
    }
    let first = served.iter().copied().find(|site| audit.is_per_request(*site)).unwrap_or(retry.tried);
    let own = retry.attempts.unwrap_or(ATTEMPTS);
    let above = retry.above.map_or(1.0, |(attempts, _)| attempts);
    let attempts = own * retry.below.map_or(1.0, |below| below.most) * above;
    let reached = audit.reached_by(first);
    let code = audit.excerpt(retry.tried, 80);
    let mut evidence = audit.chain_to(retry.tried, format!("tried again: {code}"));
    evidence.push(Evidence { place: Place::Code(retry.again), note: String::from("this leads back to it") });
    for task in retry.tasks.iter().take(SHOWN) {
        evidence.push(Evidence {
            place: Place::Code(*task),
            note: format!("hands over what is tried: {}", audit.excerpt(*task, 70)),
        });
    }
    if let Some(LibraryAttempts { by: Some(by), .. }) = retry.below {
        let note = String::from("makes the library try each of these again by itself");
        evidence.push(Evidence { place: Place::Code(by), note });
    }
    if let Some((above, by)) = retry.above {
        evidence.push(Evidence {
            place: Place::Code(by),
            note: format!("the queue tries the job {above} times"),
        });
    }
    let mut nested = retry.below.map_or_else(String::new, |below| {
        format!(
            " The library below tries each of them {} times by itself: {own} × {} = {} calls.",
            below.most,
            below.most,
            own * below.most
        )
    });
    if above > 1.0 {
        nested = format!("{nested} The queue tries the job {above} times: {attempts} calls in all.");
    }
    let times =
        if retry.is_bounded { format!("up to {own} times") } else { String::from("until it succeeds") };
    let cause = match retry.delay {
        Delay::None => "No pause lies between the attempts, so all of them fall into the same overload.",
        Delay::Constant => {
            "The pause is the same for everybody: clients that failed together come back together."
        }
        Delay::Growing | Delay::Random => "",
    };
    let all = if retry.chooses {
        ""
    } else {
        " Every failure is repeated, also those that stay (a 400, a 404, a violated constraint)."
    };
    let twice = if harm {
        " What is repeated changes something (a charge, a message, a row): after a timeout nobody knows whether it happened, and the next attempt does it again."
    } else {
        ""
    };
    let words = Words {
        title: format!("{} repeats failures {what}", audit.function_name(retry.owner)),
        problem: format!("`{code}` is tried {times}.{nested}{all} {cause}{twice} Together with the attempts of the layers above, one request of {reached} becomes {attempts} or more calls just when the other side has no capacity.").replace("  ", " "),
        verify: format!("Let the other side answer 503 for a minute under load and count its calls: at most 1.2 per request after the change, {attempts} now."),
        tradeoff: String::from("Fewer and later attempts turn short failures into errors: pair them with a budget (at most 10 % more calls) and let one layer retry, not several."),
    };
    let fix = fix(audit, retry, harm);
    let mut cost = audit.cost_at(first).extra(ExtraRequests::PerRequest(attempts - 1.0));
    if is_cas {
        cost = audit.cost_at(first).queries(attempts);
    }
    let most = if harm || !retry.is_bounded { Severity::High } else { Severity::Medium };
    let mut found = Finding::new(&META, retry.tried, evidence, cost, words, fix)
        .confidence(Confidence::Medium)
        .at_least(least)
        .at_most(most);
    if !retry.tasks.is_empty() {
        found.routes = Some(audit.route_names_of(&retry.tasks));
    }
    Some(found)
}

fn fix(audit: &Audit<'_, '_>, retry: &Retry, harm: bool) -> Fix {
    let key = if harm { " Send the same `Idempotency-Key` with each attempt, or don't repeat." } else { "" };
    let before = audit.lines_around(retry.again, 0);
    Fix {
        description: format!(
            "Three attempts at most, only of failures that pass (timeouts, 429, 502, 503), with a delay that doubles and has chance in it.{key}"
        ),
        before: (before.lines().count() <= 20).then_some(before),
        after: Some(String::from(
            "for (let attempt = 0; ; attempt++) {\n  try {\n    return await task();\n  } catch (error) {\n    if (attempt >= 2 || !isTransient(error)) throw error;\n    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100 * 2 ** attempt));\n  }\n}",
        )),
        ..Fix::default()
    }
}
