//! Libraries that are told to try again: clients, helpers, and what pages read and change.

use loadworthy_analysis::{
    LibraryAttempts, RetryPolicy, Root, Site, Value, attempts_below, calls_below, retry_policies,
};
use loadworthy_capacity::{Cost, ExtraRequests, Reach, Severity};
use loadworthy_knowledge::{Effect, Pause, Repeats};
use loadworthy_project::FileClass;
use loadworthy_syntax::{FunctionId, Kind};

use super::{META, harm, queues};
use crate::audit::Audit;
use crate::database::rows::plain;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Attempts from which whoever waits for them has long gone.
const MANY: f64 = 7.0;
/// Attempts where the code does not tell their number.
const ATTEMPTS: f64 = 3.0;
/// Milliseconds that the longest pause of endless repeats has, where none is set.
const LONGEST_PAUSE: f64 = 30_000.0;
/// Most places that one finding shows.
const SHOWN: usize = 8;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for policy in retry_policies(audit.analysis, audit.resolver) {
        findings.extend(Case::of(audit, policy).map(|case| finding(audit, &case)));
    }
}

/// A policy that makes failures worse.
struct Case<'k> {
    policy: RetryPolicy<'k>,
    fault: Fault,
    /// The calls that are repeated.
    calls: Vec<Site>,
    /// One of them that happens twice.
    harm: Option<Site>,
    /// What the library below tries by itself.
    below: Option<LibraryAttempts>,
    /// How often the queue tries the job around it.
    above: Option<(f64, Site)>,
    is_page: bool,
    /// It is not known whether what is changed may be changed twice.
    is_unsure: bool,
}

/// What is wrong with it, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Endless,
    Twice,
    AtOnce,
    Constant,
    Many,
    Nested,
}

impl<'k> Case<'k> {
    /// `None` if it does no harm.
    fn of(audit: &Audit<'_, '_>, policy: RetryPolicy<'k>) -> Option<Self> {
        let class = audit.program().class(policy.call.0)?;
        let is_page = match policy.row.repeats {
            Repeats::Query | Repeats::Mutation => class.may_be_client(),
            _ => class == FileClass::Client,
        };
        if !is_page && !class.may_be_server() {
            return None;
        }
        let is_stated = policy.counted.is_some() || policy.paused.is_some() || policy.chosen.is_some();
        let must_state = !matches!(policy.row.repeats, Repeats::Task | Repeats::Client);
        if must_state && !is_stated || policy.attempts.is_some_and(|attempts| attempts <= 1.0) {
            return None;
        }
        let calls = calls(audit, &policy);
        let is_run = |site: &Site| !audit.is_unreached(*site) && !audit.is_startup_only(*site);
        if !is_page && !calls.iter().any(is_run) {
            return None;
        }
        let (harm, is_unsure) = harmed(audit, &policy, &calls);
        let below = (policy.row.repeats == Repeats::Task)
            .then(|| attempts_below(audit.analysis, audit.resolver, policy.call))
            .flatten()
            .filter(|below| below.most > 1.0);
        let own = policy.attempts.unwrap_or(ATTEMPTS) * below.map_or(1.0, |below| below.most);
        let above = (policy.row.repeats == Repeats::Task)
            .then(|| queues::attempts_above(audit, policy.call, own))
            .flatten();
        let mut case = Self { policy, fault: Fault::Nested, calls, harm, below, above, is_page, is_unsure };
        case.fault = case.judge(audit)?;
        Some(case)
    }

    fn judge(&self, audit: &Audit<'_, '_>) -> Option<Fault> {
        let policy = &self.policy;
        let waits = self.is_page || self.calls.iter().any(|site| audit.is_per_request(*site));
        let works = policy.row.repeats != Repeats::Task || self.leaves_process(audit);
        if policy.is_endless {
            Some(Fault::Endless)
        } else if self.harm.is_some() || self.is_unsure {
            Some(Fault::Twice)
        } else if policy.row.repeats == Repeats::Mutation || !works {
            None
        } else if policy.pause == Pause::None {
            Some(Fault::AtOnce)
        } else if policy.pause == Pause::Constant {
            Some(Fault::Constant)
        } else if waits && policy.attempts.is_some_and(|attempts| attempts >= MANY) {
            Some(Fault::Many)
        } else {
            (self.below.is_some() || self.above.is_some()).then_some(Fault::Nested)
        }
    }

    /// Whether the task asks anything that may be overloaded.
    fn leaves_process(&self, audit: &Audit<'_, '_>) -> bool {
        let works = audit.analysis.works();
        self.calls.iter().any(|site| {
            let below = calls_below(audit.analysis, *site);
            below
                .iter()
                .filter_map(|it| audit.analysis.calls().at(*it))
                .any(|call| works.of_call(call).waits())
        })
    }

    fn attempts(&self) -> f64 {
        let below = self.below.map_or(1.0, |below| below.most);
        let above = self.above.map_or(1.0, |(attempts, _)| attempts);
        self.policy.attempts.unwrap_or(ATTEMPTS) * below * above
    }

    /// Where the reader should look.
    fn site(&self) -> Site {
        match self.fault {
            Fault::Twice => match self.policy.row.repeats {
                Repeats::Task | Repeats::Client => self.policy.call,
                _ => self.policy.counted.or(self.policy.chosen).unwrap_or(self.policy.call),
            },
            _ if self.policy.row.repeats == Repeats::Task => self.policy.call,
            _ if self.policy.row.repeats == Repeats::Client => self.policy.call,
            _ => self.policy.counted.or(self.policy.paused).unwrap_or(self.policy.call),
        }
    }

    fn least(&self) -> Severity {
        match self.fault {
            Fault::Endless if !self.is_page || self.policy.pause <= Pause::Constant => Severity::High,
            // Once more: seldom, and seen when it matters.
            Fault::Twice | Fault::AtOnce if self.attempts() <= 2.0 => Severity::Monitor,
            Fault::Endless | Fault::Twice | Fault::AtOnce => Severity::Medium,
            Fault::Constant | Fault::Many | Fault::Nested => Severity::Monitor,
        }
    }

    fn most(&self) -> Severity {
        match self.fault {
            Fault::Twice if self.attempts() <= 2.0 => Severity::Medium,
            Fault::Endless | Fault::Twice => Severity::High,
            _ => Severity::Medium,
        }
    }
}

/// The calls that a policy repeats.
fn calls(audit: &Audit<'_, '_>, policy: &RetryPolicy<'_>) -> Vec<Site> {
    let own = match policy.row.repeats {
        Repeats::Task | Repeats::Query | Repeats::Mutation => return vec![policy.call],
        Repeats::Client => audit.resolver.argument(policy.call, policy.row.handed),
        Repeats::Own => Some(policy.call),
    };
    let Some(own) = own else { return Vec::new() };
    let requests = || audit.analysis.effects(|effect| effect == Effect::HttpRequest);
    if requests().any(|(call, _)| call.site == own) {
        return vec![own];
    }
    let made = made_at(audit, own);
    let lib = audit.analysis.calls().at(own).and_then(|call| call.library.as_ref()).map(|it| it.lib);
    let requests = requests().filter(|(_, library)| match made {
        Some(made) => library.made_at == Some(made),
        // The library itself is the client.
        None => {
            library.made_at.is_none()
                && (lib == Some(library.lib) || library.module.as_deref() == module_of(audit, own).as_deref())
        }
    });
    requests.map(|(call, _)| call.site).collect()
}

/// Where the client that an expression names is made.
fn made_at(audit: &Audit<'_, '_>, client: Site) -> Option<Site> {
    audit.resolver.value_of(client).iter().find_map(|value| match value {
        Value::External(external) => external.site(),
        _ => None,
    })
}

/// The package that a client is, where it is no object made of it.
fn module_of(audit: &Audit<'_, '_>, client: Site) -> Option<String> {
    audit.resolver.value_of(client).iter().find_map(|value| match value {
        Value::External(external) => match &external.root {
            Root::Package(name) => Some(name.to_string()),
            _ => None,
        },
        _ => None,
    })
}

/// The call that happens twice, or whether that is not known.
fn harmed(audit: &Audit<'_, '_>, policy: &RetryPolicy<'_>, calls: &[Site]) -> (Option<Site>, bool) {
    if !policy.is_of_changes || policy.row.repeats == Repeats::Query {
        return (None, false);
    }
    if policy.row.repeats != Repeats::Mutation {
        return (harm::of_any(audit, calls), false);
    }
    let is_single = audit.analysis.calls().at(policy.call).is_some_and(|call| !call.handed.is_empty());
    if !is_single {
        return (None, true);
    }
    let found = harm::of_any(audit, calls);
    let below = calls_below(audit.analysis, policy.call);
    let asks = |site: &Site| {
        let call = audit.analysis.calls().at(*site);
        call.and_then(|call| call.library.as_ref()?.effect()) == Some(Effect::HttpRequest)
    };
    (found, found.is_none() && !below.iter().any(asks) && !speaks_of_key(audit, policy.call))
}

fn speaks_of_key(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.source(site).to_lowercase().contains("idempoten")
}

fn finding(audit: &Audit<'_, '_>, case: &Case<'_>) -> Finding {
    let policy = &case.policy;
    let first = case.calls.iter().copied().find(|site| audit.is_per_request(*site));
    let first = first.or_else(|| case.calls.first().copied()).unwrap_or(policy.call);
    let fix = Fix {
        description: describe(case),
        before: Some(stated(audit, case)),
        after: Some(remedy(case)),
        ..Fix::default()
    };
    let mut found = Finding::new(
        &META,
        case.site(),
        evidence(audit, case),
        cost(audit, case, first),
        words(audit, case, first),
        fix,
    )
    .confidence(Confidence::Medium)
    .at_least(case.least())
    .at_most(case.most());
    if !case.is_page && !case.calls.is_empty() {
        found.routes = Some(audit.route_names_of(&case.calls));
    }
    if case.is_unsure {
        found = found.unless("whether the server tells the second of two equal changes from the first");
    }
    found
}

/// The options as they are, or what states them.
fn stated(audit: &Audit<'_, '_>, case: &Case<'_>) -> String {
    let policy = &case.policy;
    if matches!(policy.row.repeats, Repeats::Task | Repeats::Client) {
        let whole = audit.resolver.argument(policy.call, policy.row.argument);
        return audit.excerpt(whole.unwrap_or(policy.call), 200);
    }
    let parts = [policy.counted, policy.paused, policy.chosen].into_iter().flatten();
    let parts = parts.map(|at| match audit.module(at).map(|module| (module, module.parent(at.1))) {
        Some((module, parent)) if matches!(module.kind(parent), Kind::Property { .. }) => {
            audit.excerpt((at.0, parent), 100)
        }
        _ => audit.excerpt(at, 100),
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn cost(audit: &Audit<'_, '_>, case: &Case<'_>, first: Site) -> Cost {
    let more = case.attempts() - 1.0;
    let cost = if case.is_page {
        audit.cost_at(first).reached(Reach::PerRender)
    } else if case.policy.row.repeats == Repeats::Task {
        audit.cost_at(first)
    } else {
        let cost = Cost::at_share(audit.share_of(&case.calls));
        if audit.is_per_request(first) { cost } else { cost.reached(Reach::PerJob) }
    };
    if case.fault == Fault::Endless && case.is_page {
        let millis = case.policy.millis.unwrap_or(LONGEST_PAUSE).max(1.0);
        return cost.extra(ExtraRequests::PerUserPerSecond(1_000.0 / millis));
    }
    cost.extra(ExtraRequests::PerRequest(more))
}

fn evidence(audit: &Audit<'_, '_>, case: &Case<'_>) -> Vec<Evidence> {
    let policy = &case.policy;
    let mut evidence = match policy.row.repeats {
        Repeats::Task => audit.chain_to(policy.call, "tries again what it is handed"),
        _ => {
            vec![Evidence { place: Place::Code(policy.call), note: String::from("states what is repeated") }]
        }
    };
    let mut add = |site: Option<Site>, note: String| {
        if let Some(site) = site {
            evidence.push(Evidence { place: Place::Code(site), note });
        }
    };
    let number = policy.counted.map(|at| audit.excerpt(at, 40)).unwrap_or_default();
    add(policy.counted, format!("how often: {number}"));
    let pause = policy.paused.map(|at| audit.excerpt(at, 40)).unwrap_or_default();
    add(policy.paused, format!("how long it waits: {pause}"));
    add(policy.chosen, String::from("which failures and requests are repeated"));
    if let Some(harm) = case.harm {
        add(Some(harm), format!("happens twice: {}", audit.excerpt(harm, 70)));
    }
    if policy.row.repeats != Repeats::Task && !case.is_page {
        for call in case.calls.iter().filter(|call| Some(**call) != case.harm).take(SHOWN) {
            add(Some(*call), format!("is repeated: {}", audit.excerpt(*call, 70)));
        }
    }
    if let Some(below) = case.below {
        add(
            Some(below.by.unwrap_or(below.call)),
            format!("tries each of them {} times by itself", below.most),
        );
    }
    if let Some((attempts, at)) = case.above {
        let note = format!("the queue tries the job {} times", plain(attempts));
        evidence.push(Evidence { place: Place::Code(at), note });
    }
    evidence
}

fn words(audit: &Audit<'_, '_>, case: &Case<'_>, first: Site) -> Words {
    let policy = &case.policy;
    let attempts = plain(case.attempts());
    let what = match case.fault {
        Fault::Endless => "without end",
        Fault::Twice => "although it may happen twice",
        Fault::AtOnce => "at once",
        Fault::Constant => "after the same pause each time",
        Fault::Many => "more often than anybody waits for",
        Fault::Nested if case.below.is_some() => "of a client that repeats them by itself",
        Fault::Nested => "of a job that its queue repeats",
    };
    let owner = owner(audit, policy, first);
    let title = match policy.row.repeats {
        Repeats::Mutation => format!("{owner} repeats changes {what}"),
        _ => format!("{owner} repeats failures {what}"),
    };
    let times = if policy.is_endless {
        String::from("until it succeeds")
    } else {
        format!("up to {} times", plain(policy.attempts.unwrap_or(ATTEMPTS)))
    };
    let nested = product(case);
    let pause = match policy.pause {
        Pause::None if policy.millis.is_some_and(|millis| millis > 0.0) => {
            " The first pauses are so short that all attempts fall into the same overload."
        }
        Pause::None => " No pause lies between the attempts, so all of them fall into the same overload.",
        Pause::Constant => {
            " The pause is the same for everybody: clients that failed together come back together."
        }
        Pause::Growing | Pause::Random => "",
    };
    let twice = if matches!(case.fault, Fault::Twice) || case.harm.is_some() {
        " What is repeated changes something: after a timeout nobody knows whether it happened, and the next attempt does it again."
    } else {
        ""
    };
    let who = if case.is_page {
        format!("All {} users of the target do so in the same moment", plain(f64::from(audit.target.users)))
    } else {
        format!("One request of {} becomes {attempts} calls", audit.reached_by(first))
    };
    Words {
        title,
        problem: format!(
            "`{}` is tried {times}.{nested}{pause}{twice} {who}, just when the other side has no capacity.",
            audit.excerpt(case.harm.unwrap_or(policy.call), 80)
        ),
        verify: format!(
            "Let the other side answer 503 for a minute under load and count its calls: {}now, at most 1.2 for each after the change.",
            if policy.is_endless {
                String::from("they grow with the time ")
            } else {
                format!("{attempts} for each ")
            }
        ),
        tradeoff: String::from(
            "Fewer and later attempts turn short failures into errors: let one layer retry, not several, and show the user what failed.",
        ),
    }
}

/// What all layers make of one attempt.
fn product(case: &Case<'_>) -> String {
    let mut factors = vec![plain(case.policy.attempts.unwrap_or(ATTEMPTS))];
    let below = case.below.map_or_else(String::new, |below| {
        factors.push(plain(below.most));
        format!(" The client below tries each of them {} times by itself.", plain(below.most))
    });
    let above = case.above.map_or_else(String::new, |(attempts, _)| {
        factors.push(plain(attempts));
        format!(" The queue tries the whole job {} times.", plain(attempts))
    });
    if factors.len() == 1 {
        return String::new();
    }
    format!("{below}{above} That is {} = {} calls.", factors.join(" × "), plain(case.attempts()))
}

/// Who repeats: the client, the function, or the route whose handler has no name.
fn owner(audit: &Audit<'_, '_>, policy: &RetryPolicy<'_>, first: Site) -> String {
    let Some(module) = audit.module(policy.call) else { return String::from("the application") };
    let given = match policy.row.repeats {
        Repeats::Client => audit.resolver.argument(policy.call, policy.row.handed),
        _ => None,
    };
    if let Some(client) = given {
        return format!("`{}`", audit.excerpt(client, 40));
    }
    let function = (policy.call.0, module.enclosing_function(policy.call.1));
    if let Kind::Declarator { target, .. } = module.kind(module.parent(policy.call.1))
        && function.1 == FunctionId::NONE
    {
        return format!("`{}`", audit.excerpt((policy.call.0, target), 40));
    }
    let name = audit.function_name(function);
    let is_named = !name.starts_with("the function at") && !name.starts_with("module ");
    if is_named || !audit.is_per_request(first) { name } else { audit.reached_by(first) }
}

/// The options as they should be, with the key that a task has to send.
fn remedy(case: &Case<'_>) -> String {
    let options = &case.policy.row.remedy;
    match case.fault {
        Fault::Twice if case.policy.row.repeats == Repeats::Task => format!(
            "const key = crypto.randomUUID(); // before the first attempt, sent with each: \"Idempotency-Key\": key\n{options}"
        ),
        _ => options.clone(),
    }
}

fn describe(case: &Case<'_>) -> String {
    match case.fault {
        Fault::Twice if case.policy.row.repeats == Repeats::Mutation => String::from(
            "Do not repeat changes; or send a key with each attempt (`Idempotency-Key`, made once per click) that the server compares.",
        ),
        Fault::Twice => String::from(
            "Repeat only what may be repeated, or send the same `Idempotency-Key` with each attempt; few attempts, with a delay that doubles and has chance in it.",
        ),
        Fault::Nested => String::from("Let one layer retry: switch the repeats of the others off, or these."),
        _ => String::from("Two or three attempts, with a delay that doubles and has chance in it."),
    }
}
