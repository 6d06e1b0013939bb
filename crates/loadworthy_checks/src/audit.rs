//! What a check may ask: the linked program, values, the environment and the target, and evidence in one form.

use loadworthy_analysis::{Analysis, Context, Edge, FunctionRef, Origins, Program, Resolver, Route, Site};
use loadworthy_capacity::{Cost, Environment, Reach, Target};
use loadworthy_environment::Environment as Facts;
use loadworthy_knowledge::Knowledge;
use loadworthy_syntax::{Function, FunctionId, Kind, Module};

use crate::finding::{Evidence, Place};
use crate::setting::Setting;
use crate::traffic::Traffic;

/// One audit, as a check on one thread sees it.
pub struct Audit<'a, 'p> {
    /// The linked program.
    pub analysis: &'a Analysis<'p>,
    /// Answers what expressions are.
    pub resolver: &'a Resolver<'p>,
    /// What the application runs on, in the load model's terms.
    pub environment: &'a Environment,
    /// What the application runs on, with evidence and what needs confirmation.
    pub facts: &'a Facts,
    /// The load.
    pub target: &'a Target,
    /// Which part of it each entry point takes.
    pub traffic: &'a Traffic,
}

impl<'a, 'p> Audit<'a, 'p> {
    /// An audit on one thread.
    #[must_use]
    pub fn new(analysis: &'a Analysis<'p>, resolver: &'a Resolver<'p>, setting: &'a Setting) -> Self {
        let Setting { target, facts, environment, traffic } = setting;
        Self { analysis, resolver, environment, facts, target, traffic }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &'p Program<'p> {
        self.analysis.program()
    }

    /// What libraries are and do.
    #[must_use]
    pub fn knowledge(&self) -> &'p Knowledge {
        self.analysis.knowledge()
    }

    /// Where collections come from.
    #[must_use]
    pub fn origins(&self) -> Origins<'a, 'p> {
        Origins::new(self.resolver)
    }

    /// The module of a site.
    #[must_use]
    pub fn module(&self, site: Site) -> Option<&'p Module> {
        self.program().module(site.0)
    }

    /// The source text of a site; empty where there is none.
    #[must_use]
    pub fn source(&self, site: Site) -> &'p str {
        self.module(site).map_or("", |module| module.source(site.1))
    }

    /// The source on one line, cut after `longest` characters.
    #[must_use]
    pub fn excerpt(&self, site: Site, longest: usize) -> String {
        let words: Vec<&str> = self.source(site).split_whitespace().collect();
        let line = words.join(" ");
        if line.chars().count() <= longest {
            return line;
        }
        line.chars().take(longest.saturating_sub(1)).chain(std::iter::once('…')).collect()
    }

    /// The first line of a site.
    #[must_use]
    pub fn line(&self, site: Site) -> u32 {
        self.module(site).map_or(1, |module| module.lines_of(site.1).0)
    }

    /// `file:line` of a site.
    #[must_use]
    pub fn place_of(&self, site: Site) -> String {
        format!("{}:{}", self.program().path(site.0), self.line(site))
    }

    /// The text of the function whose code holds a site; `None` at the top level of a file.
    #[must_use]
    pub fn function_text(&self, site: Site) -> Option<&'p str> {
        let (file, function) = self.analysis.owner(site);
        let module = self.program().module(file)?;
        Some(module.source(module.function(function)?.node))
    }

    /// The statement that holds a site: what a reader wants to see.
    #[must_use]
    pub fn statement(&self, (file, node): Site) -> Site {
        let Some(module) = self.program().module(file) else { return (file, node) };
        let mut at = node;
        for outer in module.ancestors(node) {
            if matches!(
                module.kind(outer),
                Kind::Block(_) | Kind::Function(_) | Kind::Class(_) | Kind::Case { .. }
            ) {
                break;
            }
            at = outer;
        }
        (file, at)
    }

    /// A name for a function: its own, the variable or property that holds it, or "the function at line …".
    #[must_use]
    pub fn function_name(&self, (file, function): FunctionRef) -> String {
        if function == FunctionId::NONE {
            return format!("module {}", self.program().path(file));
        }
        let Some(module) = self.program().module(file) else { return String::from("a function") };
        let Some(lowered) = module.function(function) else { return String::from("a function") };
        own_name(module, lowered)
            .unwrap_or_else(|| format!("the function at line {}", module.lines_of(lowered.node).0))
    }

    /// The name of the innermost function around a place that has one; empty at the top level. Lines are no part of it.
    #[must_use]
    pub fn symbol(&self, (file, node): Site) -> String {
        let Some(module) = self.program().lowered(file) else { return String::new() };
        let mut around = module.ancestors(node).filter_map(|outer| match module.kind(outer) {
            Kind::Function(function) => module.function(function),
            _ => None,
        });
        around.find_map(|function| own_name(module, function)).unwrap_or_default()
    }

    /// When the code at a place runs.
    #[must_use]
    pub fn contexts(&self, site: Site) -> &'a [Context] {
        self.analysis.contexts(site)
    }

    /// Whether requests run the code at a place.
    #[must_use]
    pub fn is_per_request(&self, site: Site) -> bool {
        self.contexts(site).contains(&Context::PerRequest)
    }

    /// Whether the code at a place runs in jobs or schedules, and not per request.
    #[must_use]
    pub fn is_per_job(&self, site: Site) -> bool {
        !self.is_per_request(site) && self.contexts(site).contains(&Context::PerJob)
    }

    /// Whether the code at a place runs when the process starts and at no other time.
    #[must_use]
    pub fn is_startup_only(&self, site: Site) -> bool {
        self.contexts(site) == [Context::Startup]
    }

    /// Whether nothing that reaches the place was found.
    #[must_use]
    pub fn is_unreached(&self, site: Site) -> bool {
        self.contexts(site).is_empty()
    }

    /// "GET /api/orders" of the routes that reach a place.
    #[must_use]
    pub fn route_names(&self, site: Site) -> Vec<String> {
        self.analysis.routes_to(site).map(route_name).collect()
    }

    /// The same of several places, each name once.
    #[must_use]
    pub fn route_names_of(&self, sites: &[Site]) -> Vec<String> {
        let mut names = Vec::new();
        for name in sites.iter().flat_map(|site| self.route_names(*site)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// "GET /api/orders", or "3 routes (GET /a, …)", or the function that holds the place.
    #[must_use]
    pub fn reached_by(&self, site: Site) -> String {
        routes_in_words(&self.route_names(site))
            .unwrap_or_else(|| self.function_name(self.analysis.owner(site)))
    }

    /// The same of several places; the function is that of the first.
    #[must_use]
    pub fn reached_by_any(&self, sites: &[Site]) -> String {
        let function = || sites.first().map(|site| self.function_name(self.analysis.owner(*site)));
        routes_in_words(&self.route_names_of(sites)).or_else(function).unwrap_or_default()
    }

    /// The part of the traffic that reaches any of these places; that of a usual entry point where none is known to.
    #[must_use]
    pub fn share_of(&self, sites: &[Site]) -> f64 {
        let routes = self.analysis.routes();
        let reach = self.analysis.reach();
        let reached: Vec<usize> = sites
            .iter()
            .flat_map(|site| reach.routes(self.analysis.owner(*site)).iter().copied())
            .filter(|at| routes.get(*at).is_some_and(|route| route.kind.is_per_request()))
            .collect();
        if reached.is_empty() { self.traffic.typical_share() } else { self.traffic.share_of(reached) }
    }

    /// A cost at the share of the routes that reach a place; off the request path where none does.
    #[must_use]
    pub fn cost_at(&self, site: Site) -> Cost {
        let cost = Cost::at_share(self.share_of(&[site]));
        if self.is_per_request(site) || self.is_unreached(site) {
            return cost;
        }
        let contexts = self.contexts(site);
        if contexts.contains(&Context::PerJob) {
            return cost.reached(Reach::PerJob);
        }
        if contexts.contains(&Context::PerRender) || contexts.contains(&Context::PerEvent) {
            return cost.reached(Reach::PerRender);
        }
        cost.reached(Reach::Startup)
    }

    /// The chain from an entry point to a place: the route, each call, the place itself.
    #[must_use]
    pub fn chain_to(&self, site: Site, note: impl Into<String>) -> Vec<Evidence> {
        let owner = self.analysis.owner(site);
        let way = self.analysis.reach().way_to(owner);
        let entry = way.first().map_or(owner, |edge| edge.caller);
        let mut chain = Vec::new();
        if let Some(route) = self.analysis.routes().iter().find(|route| starts_at(route, entry)) {
            chain.push(Evidence { place: Place::Code(route.site), note: route_name(route) });
        }
        chain.extend(way.iter().map(|edge| self.step(edge)));
        chain.push(Evidence { place: Place::Code(site), note: note.into() });
        chain
    }

    /// One call of a chain as evidence.
    #[must_use]
    pub fn step(&self, edge: &Edge) -> Evidence {
        let (from, to) = (self.function_name(edge.caller), self.function_name(edge.callee));
        let verb = if edge.repeat.is_some() { "runs, for each element," } else { "calls" };
        Evidence { place: Place::Code(edge.site), note: format!("{from} {verb} {to}") }
    }

    /// Line and text of the node that holds `site` and begins its line, with `around` more lines on each side; for
    /// before/after code.
    #[must_use]
    pub fn lines_around(&self, site: Site, around: u32) -> String {
        let Some(module) = self.module(site) else { return String::new() };
        let (first, last) = module.lines_of(site.1);
        let (first, last) = (first.saturating_sub(around).max(1), last.saturating_add(around));
        let lines: Vec<&str> =
            module.text().lines().skip(first as usize - 1).take((last - first + 1) as usize).collect();
        dedent(&lines)
    }
}

/// "GET /api/orders", or "3 routes (GET /a, …)"; nothing of none.
#[must_use]
pub(crate) fn routes_in_words(names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [only] => Some(only.clone()),
        [first, ..] => Some(format!("{} routes ({first}, …)", names.len())),
    }
}

/// "GET /api/orders".
#[must_use]
pub fn route_name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

fn starts_at(route: &Route, entry: FunctionRef) -> bool {
    route.handler.iter().chain(&route.middleware).any(|handler| handler.functions.contains(&entry))
}

/// The name of a function, or that of the variable or property that holds it.
fn own_name(module: &Module, function: &Function) -> Option<String> {
    let own = module.str(function.name);
    if !own.is_empty() {
        return Some(own.to_owned());
    }
    match module.kind(module.parent(function.node)) {
        Kind::Property { key, .. } => Some(module.str(key).to_owned()),
        Kind::Declarator { target, .. } | Kind::Assign { target, .. } => {
            Some(module.source(target).to_owned())
        }
        _ => None,
    }
}

/// Lines without the indentation that all of them share.
#[must_use]
pub fn dedent(lines: &[&str]) -> String {
    let indentation = |line: &&str| line.len() - line.trim_start().len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(indentation).min().unwrap_or(0);
    let cut: Vec<&str> = lines.iter().map(|line| line.get(shared..).unwrap_or_default().trim_end()).collect();
    cut.join("\n")
}
