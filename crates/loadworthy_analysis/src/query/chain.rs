//! The calls of one query: its head and all that is chained to it, in place, through variables, and through functions that
//! take or give back the unfinished query.

use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId};
use rustc_hash::FxHashSet;

use crate::calls::Calls;
use crate::values::{Resolver, Site};

/// A head with what is chained to it.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Chained calls in the order in which they were found; the head is not among them.
    pub(super) links: Vec<Link>,
    /// The outermost expression of what is chained in place.
    pub(super) whole: Option<Site>,
    /// It is handed to code that is not known.
    pub(super) is_open: bool,
}

/// A chained call.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The member.
    pub(super) name: Box<str>,
    /// The call.
    pub(super) call: Site,
    /// Its arguments.
    pub(super) arguments: Vec<Site>,
    /// It runs only in some cases.
    pub(super) is_optional: bool,
}

/// Most hops through variables and functions.
const MAX_HOPS: usize = 12;
/// Most call sites of a function that gives back an unfinished query.
const MAX_CALLERS: usize = 24;

pub(super) struct Walk<'w, 'p> {
    pub(super) resolver: &'w Resolver<'p>,
    pub(super) calls: &'w Calls<'p>,
    /// Members that end a chain: what they give is no query any more.
    pub(super) ends: &'w [&'w str],
}

impl Walk<'_, '_> {
    /// The chain of a head.
    pub(super) fn chain(&self, head: Site) -> Chain {
        let mut chain = Chain::default();
        let mut seen = FxHashSet::default();
        self.follow(head, head, 0, &mut seen, &mut chain);
        chain
    }

    fn follow(&self, head: Site, from: Site, hops: usize, seen: &mut FxHashSet<Site>, chain: &mut Chain) {
        let (file, mut at) = from;
        let Some(module) = self.resolver.program().module(file) else { return };
        if hops > MAX_HOPS {
            chain.is_open = true;
            return;
        }
        while seen.insert((file, at)) {
            let parent = module.parent(at);
            match module.kind(parent) {
                Kind::Member { object, name } if object == at => {
                    let Some((call, link)) = link(module, (file, parent), module.str(name), head) else {
                        break;
                    };
                    let is_end = self.ends.contains(&&*link.name);
                    chain.links.push(link);
                    if is_end {
                        at = call;
                        break;
                    }
                    self.callbacks((file, call), chain);
                    at = call;
                }
                Kind::Conditional { test, .. } if test != at => at = parent,
                Kind::Binary { operator: Binary::Or | Binary::Nullish | Binary::And, .. } => at = parent,
                Kind::Declarator { target, init } if init == at => {
                    self.variable(head, (file, target), hops, seen, chain);
                    break;
                }
                Kind::Assign { target, value, .. } if value == at => {
                    self.variable(head, (file, target), hops, seen, chain);
                    break;
                }
                Kind::Return(_) => {
                    self.returned(head, (file, module.enclosing_function(parent)), hops, seen, chain);
                    break;
                }
                Kind::Function(function) => {
                    if module.function(function).is_some_and(|it| it.body == at) {
                        self.returned(head, (file, function), hops, seen, chain);
                    }
                    break;
                }
                Kind::Call { callee, .. } if callee != at => {
                    self.passed(head, (file, parent), at, hops, seen, chain);
                    break;
                }
                _ => break,
            }
        }
        if hops == 0 {
            chain.whole = Some((file, at));
        }
    }

    /// What is chained to a variable that holds the query.
    fn variable(
        &self,
        head: Site,
        (file, target): Site,
        hops: usize,
        seen: &mut FxHashSet<Site>,
        chain: &mut Chain,
    ) {
        let Some(module) = self.resolver.program().module(file) else { return };
        let (Kind::Binding(binding) | Kind::Name { binding, .. }) = module.kind(target) else { return };
        self.references(head, file, module, binding, hops, seen, chain);
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one walk")]
    fn references(
        &self,
        head: Site,
        file: loadworthy_project::FileId,
        module: &Module,
        binding: BindingId,
        hops: usize,
        seen: &mut FxHashSet<Site>,
        chain: &mut Chain,
    ) {
        for name in module.references(binding) {
            let is_target =
                matches!(module.kind(module.parent(*name)), Kind::Assign { target, .. } if target == *name);
            if !is_target {
                self.follow(head, (file, *name), hops + 1, seen, chain);
            }
        }
    }

    /// What the callers of a function chain to the query that it gives back.
    fn returned(
        &self,
        head: Site,
        (file, function): (loadworthy_project::FileId, FunctionId),
        hops: usize,
        seen: &mut FxHashSet<Site>,
        chain: &mut Chain,
    ) {
        let sites = self.resolver.program().links().call_sites(file, function);
        if sites.len() > MAX_CALLERS {
            return;
        }
        for site in sites {
            self.follow(head, *site, hops + 1, seen, chain);
        }
    }

    /// What a function does with the query that it is given.
    fn passed(
        &self,
        head: Site,
        (file, call): Site,
        argument: NodeId,
        hops: usize,
        seen: &mut FxHashSet<Site>,
        chain: &mut Chain,
    ) {
        let Some(module) = self.resolver.program().module(file) else { return };
        let Kind::Call { arguments, .. } = module.kind(call) else { return };
        let Some(index) = module.list(arguments).position(|node| node == argument) else { return };
        let Some(known) = self.calls.at((file, call)) else { return };
        if known.targets.is_empty() {
            // `Promise.all(…)`, `expect(…)`: what a library gets, it runs.
            chain.is_open |= known.library.is_none();
            return;
        }
        for (callee_file, function) in &known.targets {
            let Some(module) = self.resolver.program().module(*callee_file) else { continue };
            let Some(parameters) = module.function(*function).map(|it| it.parameters) else { continue };
            let Some(parameter) = module.list(parameters).nth(index) else { continue };
            if let Kind::Binding(binding) = module.kind(parameter) {
                self.references(head, *callee_file, module, binding, hops + 1, seen, chain);
            }
        }
        // The function gives the query back: what its caller chains belongs to it.
        self.follow(head, (file, call), hops + 1, seen, chain);
    }

    /// `query.modify(paginate)`, `qb.$call(fn)`: what the function chains to its first parameter.
    fn callbacks(&self, call: Site, chain: &mut Chain) {
        let Some(known) = self.calls.at(call) else { return };
        let is_modifier =
            known.library.as_ref().is_some_and(|it| matches!(&*it.name, "modify" | "$call" | "$if"));
        if !is_modifier {
            return;
        }
        if known.handed.is_empty() {
            chain.is_open = true;
        }
        for handed in &known.handed {
            let (file, function) = handed.function;
            let Some(module) = self.resolver.program().module(file) else { continue };
            let Some(parameters) = module.function(function).map(|it| it.parameters) else { continue };
            let Some(Kind::Binding(binding)) = module.list(parameters).next().map(|it| module.kind(it))
            else {
                continue;
            };
            for name in module.references(binding) {
                self.follow(call, (file, *name), 1, &mut FxHashSet::default(), chain);
            }
        }
    }
}

/// The call of a member that stands at `member`.
fn link(module: &Module, (file, member): Site, name: &str, head: Site) -> Option<(NodeId, Link)> {
    let call = module.parent(member);
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    if callee != member {
        return None;
    }
    let link = Link {
        name: name.into(),
        call: (file, call),
        arguments: module.list(arguments).map(|node| (file, node)).collect(),
        is_optional: is_optional(module, (file, call), head),
    };
    Some((call, link))
}

/// Whether a branch that the head is not in decides over the call.
fn is_optional(module: &Module, (file, call): Site, (head_file, head): Site) -> bool {
    let mut inner = call;
    for outer in module.ancestors(call) {
        if file == head_file && module.contains(outer, head) {
            return false;
        }
        let decides = match module.kind(outer) {
            Kind::Function(_) => return false,
            Kind::If { test, .. } | Kind::Conditional { test, .. } => inner != test,
            Kind::Binary { operator: Binary::And, right, .. } => inner == right,
            Kind::Case { .. } => true,
            _ => false,
        };
        if decides {
            return true;
        }
        inner = outer;
    }
    false
}
