//! Reads the arguments of a registration: paths, handlers, options.

use loadworthy_knowledge::LibId;
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, FunctionId, Kind, List, Module, NodeId};

use super::loops::Loops;
use super::objects::properties;
use super::owners::{Kin, Owner, Tracer, moment, property};
use super::tree::{Entry, Table};
use super::{Handler, UNKNOWN_PART, calls_in_order};
use crate::values::{External, Resolver, Site, Step, Value, Values};

/// Most handlers of one registration.
const MAX_HANDLERS: usize = 64;

/// A call of a member of an application or router.
pub(super) struct Call<'c> {
    pub(super) site: Site,
    pub(super) name: &'c str,
    pub(super) arguments: List,
    /// What it is called on.
    pub(super) owner: &'c Owner,
}

/// What tells the owners of a framework.
#[derive(Clone, Copy)]
pub(super) struct Dialect<'d> {
    pub(super) lib: LibId,
    /// What a handle of the library is, by name.
    pub(super) kin_of: fn(&str) -> Option<Kin>,
    /// Functions that are run with an instance, where no call says so.
    pub(super) plugins: &'d [(FileId, FunctionId)],
}

/// Adds what the calls of these members on owners of a library say, in every turn of the loops around them.
pub(super) fn scan(
    table: &mut Table,
    resolver: &Resolver<'_>,
    dialect: Dialect<'_>,
    names: &[&str],
    read: impl Fn(&Registration<'_, '_>, &Tracer<'_, '_>, &Call<'_>) -> Vec<Entry>,
) {
    for (file, module) in resolver.program().modules() {
        for call in calls_in_order(module) {
            let Kind::Call { callee, arguments } = module.kind(call) else { continue };
            let (object, constant) = match module.kind(callee) {
                Kind::Member { object, name } => (object, Some(module.str(name))),
                Kind::Index { object, .. } => (object, None),
                _ => continue,
            };
            if constant.is_some_and(|name| !names.contains(&name)) {
                continue;
            }
            for loops in Loops::around(resolver, (file, call)) {
                let Dialect { lib, kin_of, plugins } = dialect;
                let tracer = Tracer { resolver, lib, kin_of, loops: &loops, plugins };
                let owners = tracer.owners((file, object));
                if owners.is_empty() {
                    continue;
                }
                let registration = Registration { resolver, file, module, loops: loops.clone() };
                let Some(name) = constant.map(str::to_owned).or_else(|| registration.computed_name(callee))
                else {
                    continue;
                };
                for owner in owners.iter().filter(|_| names.contains(&name.as_str())) {
                    let site = (file, call);
                    let entries = read(&registration, &tracer, &Call { site, name: &name, arguments, owner });
                    table.add(owner, &moment(resolver, &owner.via, site), entries);
                }
            }
        }
    }
}

/// Reads one registration, in one turn of the loops around it.
pub(super) struct Registration<'r, 'p> {
    pub(super) resolver: &'r Resolver<'p>,
    pub(super) file: FileId,
    pub(super) module: &'r Module,
    pub(super) loops: Loops,
}

impl Registration<'_, '_> {
    pub(super) fn values(&self, site: Site) -> Values {
        self.loops.value_of(self.resolver, site)
    }

    /// The constant text of an expression.
    pub(super) fn text(&self, site: Site) -> Option<String> {
        self.loops.text_of(self.resolver, site)
    }

    /// `router[method](…)`
    pub(super) fn computed_name(&self, callee: NodeId) -> Option<String> {
        let Kind::Index { index, .. } = self.module.kind(callee) else { return None };
        Some(self.text((self.file, index))?.to_lowercase())
    }

    /// Whether an argument is a path (and not already a handler).
    pub(super) fn is_path(&self, node: NodeId) -> bool {
        match self.module.kind(node) {
            Kind::Regex { .. } | Kind::Template { .. } | Kind::Binary { operator: Binary::Add, .. } => true,
            Kind::Array(list) => self.module.list(list).next().is_some_and(|first| self.is_path(first)),
            _ => {
                let values = self.values((self.file, node));
                !values.is_empty() && values.iter().all(|value| self.is_path_value(value))
            }
        }
    }

    fn is_path_value(&self, value: &Value) -> bool {
        match value {
            Value::Text(_) => true,
            Value::Array(file, array) => {
                let module = self.resolver.program().module(*file);
                let Some(Kind::Array(list)) = module.map(|module| module.kind(*array)) else { return false };
                module
                    .and_then(|module| module.list(list).next())
                    .is_some_and(|first| self.text((*file, first)).is_some())
            }
            _ => false,
        }
    }

    /// The paths of an argument: one text, an array of them, or the source of a pattern.
    pub(super) fn paths(&self, node: NodeId) -> Vec<String> {
        self.paths_at((self.file, node))
    }

    fn paths_at(&self, (file, node): Site) -> Vec<String> {
        let Some(module) = self.resolver.program().module(file) else { return Vec::new() };
        match module.kind(node) {
            Kind::Array(list) => module.list(list).flat_map(|item| self.paths_at((file, item))).collect(),
            Kind::Regex { pattern, .. } => vec![format!("/{}/", module.str(pattern))],
            Kind::Template { .. } | Kind::Binary { operator: Binary::Add, .. } => {
                vec![self.pattern((file, node))]
            }
            _ => self.paths_of_values((file, node)),
        }
    }

    fn paths_of_values(&self, site: Site) -> Vec<String> {
        let mut paths = Vec::new();
        for value in self.values(site).iter() {
            match value {
                Value::Text(text) => paths.push(text.to_string()),
                Value::Array(file, array) if (*file, *array) != site => {
                    paths.extend(self.paths_at((*file, *array)));
                }
                _ => {}
            }
        }
        if paths.is_empty() { vec![UNKNOWN_PART.to_owned()] } else { paths }
    }

    /// A text whose parts that are no constants are unknown parts.
    pub(super) fn pattern(&self, (file, node): Site) -> String {
        let Some(module) = self.resolver.program().module(file) else { return UNKNOWN_PART.to_owned() };
        match module.kind(node) {
            Kind::Template { strings, values } => {
                let mut values = module.list(values);
                let mut text = String::new();
                for part in module.atoms(strings) {
                    text.push_str(part);
                    if let Some(value) = values.next() {
                        text.push_str(&self.pattern((file, value)));
                    }
                }
                text
            }
            Kind::Binary { operator: Binary::Add, left, right } => {
                self.pattern((file, left)) + &self.pattern((file, right))
            }
            _ => self
                .text((file, node))
                .or_else(|| self.fallback((file, node)))
                .unwrap_or_else(|| UNKNOWN_PART.to_owned()),
        }
    }

    /// `config.get("prefix") ?? "api"`: the one constant among the alternatives.
    fn fallback(&self, site: Site) -> Option<String> {
        let values = self.values(site);
        let mut texts = values.iter().filter_map(|value| match value {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        });
        texts.next().filter(|_| texts.next().is_none())
    }

    pub(super) fn handlers(&self, node: NodeId) -> Vec<Handler> {
        self.flattened((self.file, node)).into_iter().map(|site| self.handler(site)).collect()
    }

    /// `[a, b]` is `a, b`, also through a constant, a spread, and inside other arrays.
    pub(super) fn flattened(&self, site: Site) -> Vec<Site> {
        let mut flat = Vec::new();
        self.flatten(site, &mut flat, 0);
        flat
    }

    fn flatten(&self, (file, node): Site, flat: &mut Vec<Site>, depth: usize) {
        let Some(module) = self.resolver.program().module(file) else { return };
        if depth > 4 || flat.len() >= MAX_HANDLERS {
            return;
        }
        let node = match module.kind(node) {
            Kind::Spread(value) => value,
            _ => node,
        };
        let arrays: Vec<_> = self
            .values((file, node))
            .iter()
            .filter_map(|value| match value {
                Value::Array(file, array) => Some((*file, *array)),
                _ => None,
            })
            .collect();
        if arrays.is_empty() {
            flat.push((file, node));
        }
        for (file, array) in arrays {
            let Some(module) = self.resolver.program().module(file) else { continue };
            let Kind::Array(list) = module.kind(array) else { continue };
            for item in module.list(list) {
                self.flatten((file, item), flat, depth + 1);
            }
        }
    }

    /// `asyncHandler(fn)` is `fn`, wrapped; `makeHandler(options)` is what it gives back.
    pub(super) fn handler(&self, site: Site) -> Handler {
        let wrapped = self.wrapped(site, 0);
        if !wrapped.is_empty() {
            return Handler { site, functions: wrapped, is_wrapped: true };
        }
        let values = self.resolver.filled(&self.values(site));
        let own = functions(&values);
        if own.is_empty() {
            // `const list = asyncHandler(async (req, res) => …)` with a library's `asyncHandler`.
            let inner = self.wrapped_by_library(&values);
            return Handler { site, is_wrapped: !inner.is_empty(), functions: inner };
        }
        Handler { site, functions: own, is_wrapped: false }
    }

    /// The functions of the last call of a chain that has any: `middy(handler).use(…)`.
    fn wrapped_by_library(&self, values: &[Value]) -> Vec<(FileId, FunctionId)> {
        let externals = values.iter().filter_map(|value| match value {
            Value::External(external) => Some(external),
            _ => None,
        });
        let of_chain = |external: &External| {
            let calls = external.steps.iter().rev().filter_map(|step| match step {
                Step::Call(call) => Some(*call),
                _ => None,
            });
            calls.map(|call| self.wrapped(call, 0)).find(|found| !found.is_empty()).unwrap_or_default()
        };
        externals.flat_map(of_chain).collect()
    }

    fn wrapped(&self, (file, node): Site, depth: usize) -> Vec<(FileId, FunctionId)> {
        let Some(module) = self.resolver.program().module(file) else { return Vec::new() };
        let Kind::Call { callee, arguments } = module.kind(node) else { return Vec::new() };
        if depth > 4 || matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "bind")
        {
            return Vec::new();
        }
        let mut found = Vec::new();
        for argument in module.list(arguments) {
            let items: Vec<_> = match module.kind(argument) {
                Kind::Array(items) => module.list(items).collect(),
                _ => vec![argument],
            };
            for item in items {
                let inner = self.wrapped((file, item), depth + 1);
                found.extend(if inner.is_empty() {
                    functions(&self.resolver.filled(&self.values((file, item))))
                } else {
                    inner
                });
            }
        }
        found
    }

    /// The value of an option, where the options are an object literal; also one that is spread into it.
    pub(super) fn option(&self, options: Site, name: &str) -> Option<Site> {
        let own = self.values(options).iter().find_map(|value| match value {
            Value::Object(file, object) => {
                let module = self.resolver.program().module(*file)?;
                property(module, *object, name).map(|value| (*file, value))
            }
            _ => None,
        });
        own.or_else(|| {
            let all = properties(self.resolver, options).into_iter().rev();
            all.into_iter().find(|(key, _)| key == name).map(|(_, site)| site)
        })
    }
}

/// The functions among values.
pub(super) fn functions(values: &[Value]) -> Vec<(FileId, FunctionId)> {
    values
        .iter()
        .filter_map(|value| match value {
            Value::Function(file, function) => Some((*file, *function)),
            _ => None,
        })
        .collect()
}
