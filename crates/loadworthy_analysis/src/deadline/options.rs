//! Whether an options object sets a deadline.

use loadworthy_syntax::{Binary, BindingId, BindingKind, FunctionId, Kind, List, Module, NodeId, Unary};

use super::{Deadlines, MAX_DEPTH};
use crate::values::{Root, Site, Value};

/// What an expression says about a deadline.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// There is one.
    Set { millis: Option<f64>, by: Site },
    /// There is none.
    Absent,
    /// There is a signal that no timer aborts.
    Signal(Site),
    /// Some callers of a helper set one; these do not.
    Mixed(Vec<Site>),
    /// The code does not show.
    Unknown(Site),
}

impl Given {
    pub(super) fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if matches!(self, Self::Set { .. }) { self } else { self.join(other()) }
    }

    /// Of two sources the one that says more.
    fn join(self, other: Self) -> Self {
        let rank = |it: &Self| match it {
            Self::Absent => 0,
            Self::Signal(_) => 1,
            Self::Unknown(_) => 2,
            Self::Mixed(_) => 3,
            Self::Set { .. } => 4,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

/// What is looked for at the end of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// Milliseconds.
    Duration,
    /// An abort signal.
    Signal,
}

/// A parameter, and the names read from it by its pattern.
struct Parameter {
    function: FunctionId,
    index: usize,
    path: Vec<String>,
    default: Option<NodeId>,
}

impl Deadlines<'_, '_> {
    pub(super) fn in_options(&self, options: Site, durations: &[String], signals: &[String]) -> Given {
        let durations = durations.iter().map(|path| (path, Wanted::Duration));
        let signals = signals.iter().map(|path| (path, Wanted::Signal));
        durations.chain(signals).fold(Given::Absent, |given, (path, wanted)| {
            let path: Vec<&str> = path.split('.').collect();
            given.or_else(|| self.at(options, &path, wanted, 0))
        })
    }

    /// The constant text at a path of an options object.
    pub(super) fn text_at(&self, (file, node): Site, path: &str) -> Option<String> {
        let mut values = self.resolver.filled(&self.resolver.value_of((file, node)));
        for name in path.split('.') {
            values = self.resolver.member(&values, name);
        }
        values.iter().find_map(|value| match value {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        })
    }

    /// What `expression.path` says.
    pub(super) fn at(&self, (file, node): Site, path: &[&str], wanted: Wanted, depth: u32) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Unknown((file, node)) };
        if depth > MAX_DEPTH {
            return Given::Unknown((file, node));
        }
        let Some((first, rest)) = path.split_first() else {
            return match wanted {
                Wanted::Duration => self.duration((file, node), depth),
                Wanted::Signal => self.signal((file, node), depth),
            };
        };
        let next = |node: NodeId| self.at((file, node), path, wanted, depth + 1);
        match module.kind(node) {
            Kind::Object(parts) => self.in_object((file, node), parts, path, wanted, depth),
            Kind::Conditional { then, otherwise, .. } => next(then).join(next(otherwise)),
            Kind::Binary { operator: Binary::Or | Binary::Nullish | Binary::And, left, right } => {
                next(left).join(next(right))
            }
            Kind::Await(value) | Kind::Default { value, .. } => next(value),
            Kind::Name { binding, .. } if binding.is_some() => {
                self.named((file, node), binding, path, wanted, depth)
            }
            Kind::Name { name, .. } if module.str(name) == "undefined" => Given::Absent,
            Kind::Name { .. } | Kind::Index { .. } | Kind::This => Given::Unknown((file, node)),
            Kind::Member { .. } => self.member((file, node), path, wanted, depth),
            Kind::Call { callee, arguments } if module.source(callee) == "Object.assign" => {
                module.list(arguments).fold(Given::Absent, |given, part| given.or_else(|| next(part)))
            }
            Kind::Call { .. } | Kind::New { .. } => self.by_value((file, node), path, wanted, depth),
            // A text, a number, a function: no options.
            _ => {
                let _ = (first, rest);
                Given::Absent
            }
        }
    }

    fn in_object(&self, (file, _): Site, parts: List, path: &[&str], wanted: Wanted, depth: u32) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Absent };
        let mut given = Given::Absent;
        // The last one counts; a spread before it may still say something.
        for part in module.list(parts).rev() {
            match module.kind(part) {
                Kind::Property { key, value } if Some(&module.str(key)) == path.first() => {
                    let rest = path.get(1..).unwrap_or_default();
                    return given.join(self.at((file, value), rest, wanted, depth + 1));
                }
                Kind::Spread(value) => {
                    given = given.or_else(|| self.at((file, value), path, wanted, depth + 1));
                }
                _ => {}
            }
        }
        given
    }

    fn named(
        &self,
        (file, node): Site,
        binding: BindingId,
        path: &[&str],
        wanted: Wanted,
        depth: u32,
    ) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Absent };
        let Some(declared) = module.binding(binding) else { return Given::Unknown((file, node)) };
        if declared.kind == BindingKind::Parameter {
            let written = self.written((file, node), binding, path, wanted, depth);
            return written.or_else(|| self.parameter((file, node), binding, path, wanted, depth));
        }
        let parent = module.parent(declared.node);
        match module.kind(parent) {
            Kind::Declarator { init, target } if target == declared.node => {
                let written = self.written((file, node), binding, path, wanted, depth);
                let init = init.ok().map(|init| (file, init));
                written.or_else(|| init.map_or(Given::Absent, |init| self.at(init, path, wanted, depth + 1)))
            }
            _ => self.by_value((file, node), path, wanted, depth),
        }
    }

    /// `options.timeout = 5000`, `Object.assign(options, { timeout })`, `options = { … }` somewhere in the file.
    fn written(
        &self,
        (file, _): Site,
        binding: BindingId,
        path: &[&str],
        wanted: Wanted,
        depth: u32,
    ) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Absent };
        let mut given = Given::Absent;
        for name in module.references(binding) {
            let parent = module.parent(*name);
            let written = match module.kind(parent) {
                Kind::Member { object, name: member } if object == *name => {
                    match module.kind(module.parent(parent)) {
                        Kind::Assign { target, value, .. }
                            if target == parent && Some(&module.str(member)) == path.first() =>
                        {
                            Some((value, path.get(1..).unwrap_or_default()))
                        }
                        _ => None,
                    }
                }
                Kind::Assign { target, value, .. } if target == *name => Some((value, path)),
                Kind::Call { callee, .. } if module.source(callee) == "Object.assign" => Some((parent, path)),
                _ => None,
            };
            let Some((value, path)) = written else { continue };
            // `options = { ...options, timeout }` asks for itself.
            given = given.or_else(|| self.at((file, value), path, wanted, depth + 4));
        }
        if matches!(given, Given::Unknown(_)) { Given::Absent } else { given }
    }

    /// `options.retry`, `this.options`, `config.http`: a path of a parameter, or what the resolver knows.
    fn member(&self, (file, node): Site, path: &[&str], wanted: Wanted, depth: u32) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Absent };
        let Kind::Member { object, name } = module.kind(node) else { return Given::Absent };
        let name = module.str(name);
        if let Kind::Name { binding, .. } = module.kind(object)
            && module.binding(binding).is_some_and(|it| it.kind == BindingKind::Parameter)
        {
            let path: Vec<&str> = std::iter::once(name).chain(path.iter().copied()).collect();
            return self.parameter((file, node), binding, &path, wanted, depth);
        }
        self.by_value((file, node), path, wanted, depth)
    }

    fn by_value(&self, site: Site, path: &[&str], wanted: Wanted, depth: u32) -> Given {
        let values = self.resolver.filled(&self.resolver.value_of(site));
        if values.is_empty() {
            return Given::Unknown(site);
        }
        let of = |value: &Value| match value {
            Value::Object(file, node) if (*file, *node) != site => {
                self.at((*file, *node), path, wanted, depth + 1)
            }
            Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Function(..) => Given::Absent,
            // The environment holds texts.
            Value::External(external) if is_environment(&external.root) => Given::Absent,
            _ => Given::Unknown(site),
        };
        values.iter().map(of).reduce(Given::join).unwrap_or(Given::Unknown(site))
    }

    /// What the callers of the function pass.
    pub(super) fn parameter(
        &self,
        (file, node): Site,
        binding: BindingId,
        path: &[&str],
        wanted: Wanted,
        depth: u32,
    ) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Absent };
        let Some(parameter) = parameter_of(module, binding) else { return Given::Unknown((file, node)) };
        let own: Vec<&str> = parameter.path.iter().map(String::as_str).collect();
        let path: Vec<&str> = own.iter().copied().chain(path.iter().copied()).collect();
        let default = parameter.default.map(|value| (file, value));
        if let Some(default) = default
            && let set @ Given::Set { .. } =
                self.at(default, path.get(own.len()..).unwrap_or_default(), wanted, depth + 1)
        {
            return set;
        }
        let sites = self.analysis.program().links().call_sites(file, parameter.function);
        if sites.is_empty() {
            return Given::Unknown((file, node));
        }
        let question =
            ((file, parameter.function), parameter.index, format!("{wanted:?} {}", path.join(".")));
        match self.passed.borrow().get(&question) {
            Some(Some(known)) => return known.clone(),
            Some(None) => return Given::Unknown((file, node)),
            None => {}
        }
        self.passed.borrow_mut().insert(question.clone(), None);
        let given = self.by_callers(sites, parameter.index, &path, wanted, depth);
        self.passed.borrow_mut().insert(question, Some(given.clone()));
        given
    }

    fn by_callers(&self, sites: &[Site], index: usize, path: &[&str], wanted: Wanted, depth: u32) -> Given {
        let mut absent = Vec::new();
        let (mut unknown, mut set) = (None, None);
        for call in sites {
            let given = match self.resolver.argument(*call, index) {
                Some(argument) => self.at(argument, path, wanted, depth + 1),
                None => Given::Absent,
            };
            match given {
                Given::Set { millis, by } => set = Some(Given::Set { millis, by }),
                Given::Unknown(site) => unknown = Some(site),
                Given::Mixed(more) => absent.extend(more),
                Given::Absent | Given::Signal(_) => absent.push(*call),
            }
        }
        match (set, unknown) {
            (Some(set), _) if absent.is_empty() => set,
            (Some(_), _) => Given::Mixed(absent),
            (None, Some(site)) => Given::Unknown(site),
            (None, None) => Given::Absent,
        }
    }

    /// A number of milliseconds, or an object of them; 0, `false`, `null` and `undefined` are none.
    pub(super) fn duration(&self, (file, node): Site, depth: u32) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Unknown((file, node)) };
        if depth > MAX_DEPTH {
            return Given::Unknown((file, node));
        }
        let next = |node: NodeId| self.duration((file, node), depth + 1);
        match module.kind(node) {
            Kind::Null | Kind::Bool(false) | Kind::Unary { operator: Unary::Void, .. } => Given::Absent,
            Kind::Name { name, binding } if !binding.is_some() && module.str(name) == "undefined" => {
                Given::Absent
            }
            Kind::Number(index) if module.number(index) == 0.0 => Given::Absent,
            Kind::Object(parts) if parts.is_empty() => Given::Absent,
            Kind::Conditional { then, otherwise, .. } => next(then).join(next(otherwise)),
            Kind::Binary { operator: Binary::Or | Binary::Nullish, left, right } => {
                next(left).join(next(right))
            }
            Kind::Name { binding, .. } if is_parameter(module, binding) => {
                self.parameter((file, node), binding, &[], Wanted::Duration, depth)
            }
            Kind::Member { object, .. } => match module.kind(object) {
                Kind::Name { binding, .. } if is_parameter(module, binding) => {
                    self.member((file, node), &[], Wanted::Duration, depth)
                }
                _ => self.number((file, node)),
            },
            _ => self.number((file, node)),
        }
    }

    fn number(&self, site: Site) -> Given {
        match self.resolver.number_of(site) {
            Some(0.0) => Given::Absent,
            millis => Given::Set { millis, by: site },
        }
    }
}

pub(super) fn is_parameter(module: &Module, binding: BindingId) -> bool {
    module.binding(binding).is_some_and(|it| it.kind == BindingKind::Parameter)
}

fn is_environment(root: &Root) -> bool {
    matches!(root, Root::Global(name) if &**name == "process")
}

/// The parameter that a name is, or is a part of.
fn parameter_of(module: &Module, binding: BindingId) -> Option<Parameter> {
    let mut at = module.binding(binding)?.node;
    let (mut path, mut default) = (Vec::new(), None);
    loop {
        let parent = module.parent(at);
        match module.kind(parent) {
            Kind::Property { key, .. } => path.insert(0, module.str(key).to_owned()),
            Kind::Default { target, value } if target == at && default.is_none() && path.is_empty() => {
                default = Some(value);
            }
            Kind::ObjectPattern(_) | Kind::Rest(_) | Kind::Default { .. } => {}
            Kind::Function(function) => {
                let parameters = module.function(function)?.parameters;
                let index = module.list(parameters).position(|it| it == at)?;
                return Some(Parameter { function, index, path, default });
            }
            _ => return None,
        }
        at = parent;
    }
}
