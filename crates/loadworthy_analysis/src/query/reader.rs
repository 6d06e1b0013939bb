//! What the families of libraries share when they read a query.

use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, Module};

use super::chain::{Chain, Link};
use super::limit::Limits;
use super::options::Options;
use super::told::Told;
use super::{Bound, Condition, Filter, Operator, Query};
use crate::calls::LibraryCall;
use crate::values::{Resolver, Site, Value};

/// One query while it is read.
pub(super) struct Reader<'r, 'p> {
    pub(super) resolver: &'r Resolver<'p>,
    /// The call that begins it.
    pub(super) call: &'r LibraryCall<'p>,
    /// Where that is.
    pub(super) head: Site,
    /// The arguments of the head.
    pub(super) arguments: Vec<Site>,
    /// What is chained to it.
    pub(super) chain: &'r Chain,
    /// What a call of the helper around it hands over.
    pub(super) told: Option<&'r Told>,
}

impl<'p> Reader<'_, 'p> {
    pub(super) fn module(&self, file: FileId) -> Option<&'p Module> {
        self.resolver.program().module(file)
    }

    /// The member that the head calls.
    pub(super) fn name(&self) -> &str {
        &self.call.name
    }

    /// An argument of the head.
    pub(super) fn argument(&self, at: usize) -> Option<Site> {
        self.arguments.get(at).and_then(|site| self.at(*site))
    }

    /// An expression, or what is handed over for it; none where that is nothing.
    pub(super) fn at(&self, site: Site) -> Option<Site> {
        match self.told {
            Some(told) => told.at(self.resolver, site),
            None => Some(site),
        }
    }

    /// What an argument of the head holds.
    pub(super) fn options(&self, at: usize) -> Options {
        self.argument(at).map(|site| self.read(site)).unwrap_or_default()
    }

    /// What an expression holds.
    pub(super) fn read(&self, site: Site) -> Options {
        Options::of_told(self.resolver, self.told, site)
    }

    /// The chained calls of these members.
    pub(super) fn links<'s>(&'s self, names: &'s [&'s str]) -> impl Iterator<Item = &'s Link> {
        self.chain.links.iter().filter(move |link| names.contains(&&*link.name))
    }

    /// Whether one of these members is chained.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.links(names).next().is_some()
    }

    /// The most that an option allows; of several values the largest.
    pub(super) fn limit_of(&self, options: &Options, name: &str) -> Option<Bound> {
        let limits = Limits::new(self.resolver);
        let mut bound: Option<Bound> = None;
        for property in options.all(name) {
            let Some(value) = self.at(property.value) else { continue };
            let own = limits.of(value);
            let own = if property.is_optional { optional(own) } else { own };
            bound = Some(bound.map_or(own.clone(), |known| known.or(own)));
            if !property.is_optional {
                break;
            }
        }
        bound
    }

    /// The bound of an options object: that of `name`, unknown where something unknown is spread in.
    pub(super) fn bound_in(&self, options: &Options, name: &str) -> Bound {
        match self.limit_of(options, name) {
            Some(bound) => bound,
            None if options.is_open => Bound::Unknown,
            None => Bound::Unlimited,
        }
    }

    /// The bound that chained members set.
    pub(super) fn bound_by(&self, names: &[&str]) -> Bound {
        let limits = Limits::new(self.resolver);
        let mut best: Option<Bound> = None;
        for link in self.links(names) {
            let Some(argument) = link.arguments.first() else { continue };
            let own = limits.of(*argument);
            let own = if link.is_optional { optional(own) } else { own };
            // Several limits in one chain are of branches: the largest counts.
            best = Some(best.map_or(own.clone(), |known| known.or(own)));
        }
        match best {
            Some(bound) => bound,
            None if self.chain.is_open => Bound::Unknown,
            None => Bound::Unlimited,
        }
    }

    /// The constant text of an expression.
    pub(super) fn text(&self, site: Site) -> Option<String> {
        self.resolver.text_of(self.at(site)?)
    }

    /// The source of an expression, where it is a name or member: what the code calls a table.
    pub(super) fn name_of(&self, site: Site) -> Option<Box<str>> {
        let (file, node) = self.at(site)?;
        let module = self.module(file)?;
        match module.kind(node) {
            Kind::String(text) => Some(module.str(text).into()),
            Kind::Name { name, .. } | Kind::Member { name, .. } => Some(module.str(name).into()),
            Kind::Call { callee, .. } => match module.kind(callee) {
                // `User.scope("x")`
                Kind::Member { object, .. } => self.name_of((file, object)),
                _ => None,
            },
            _ => self.text((file, node)).map(Into::into),
        }
    }

    /// What the head is called on.
    pub(super) fn receiver(&self) -> Option<Site> {
        let (file, node) = self.head;
        let module = self.module(file)?;
        let Kind::Call { callee, .. } = module.kind(node) else { return None };
        match module.kind(callee) {
            Kind::Member { object, .. } => self.at((file, object)),
            _ => None,
        }
    }

    /// Whether the head is called on an object that the program has just made: `new User(…).save()`.
    pub(super) fn is_of_new(&self) -> bool {
        let Some((file, node)) = self.receiver() else { return false };
        let Some(module) = self.module(file) else { return false };
        matches!(module.kind(self.origin((file, node)).1), Kind::New { .. })
    }

    /// Whether what is saved was only just made: `new User(…)`, `users.create(dto)`, `User.build(…)`, a literal without a key.
    pub(super) fn is_new(&self, site: Site) -> bool {
        let (file, node) = self.origin(site);
        let Some(module) = self.module(file) else { return false };
        match module.kind(node) {
            Kind::New { .. } => true,
            Kind::Call { callee, .. } => {
                matches!(module.kind(callee), Kind::Member { name, .. } if MAKERS.contains(&module.str(name)))
            }
            Kind::Object(properties) => {
                let is_value = |property| match module.kind(property) {
                    Kind::Property { key, .. } => !matches!(module.str(key), "id" | "_id" | "uuid"),
                    _ => false,
                };
                !properties.is_empty() && module.list(properties).all(is_value)
            }
            _ => false,
        }
    }

    /// What an object was made of: the model of `new User(…)` and of `await User.findById(…)`.
    pub(super) fn made_of(&self, site: Site) -> Option<Site> {
        let (file, at) = self.origin(site);
        let module = self.module(file)?;
        match module.kind(at) {
            Kind::New { callee, .. } => Some((file, callee)),
            Kind::Call { .. } => {
                let mut at = at;
                while let Kind::Call { callee, .. } = module.kind(at) {
                    let Kind::Member { object, .. } = module.kind(callee) else { return None };
                    at = object;
                }
                Some((file, at))
            }
            _ => None,
        }
    }

    /// The expression that a constant holds, awaited or not; the expression itself otherwise.
    pub(super) fn origin(&self, (file, node): Site) -> Site {
        let Some(module) = self.module(file) else { return (file, node) };
        let mut at = node;
        for _ in 0..3 {
            at = match module.kind(at) {
                Kind::Await(value) => value,
                Kind::Name { binding, .. } => {
                    match module.binding(binding).map(|it| module.parent(it.node)) {
                        Some(parent) => match module.kind(parent) {
                            Kind::Declarator { target, init }
                                if init.is_some() && matches!(module.kind(target), Kind::Binding(_)) =>
                            {
                                init
                            }
                            _ => break,
                        },
                        None => break,
                    }
                }
                _ => break,
            };
        }
        (file, at)
    }

    /// Whether the expression is an array literal, or a name of one.
    pub(super) fn array(&self, site: Site) -> Option<Vec<Site>> {
        let (file, node) = self.at(site)?;
        let module = self.module(file)?;
        if let Kind::Array(items) = module.kind(node) {
            return Some(module.list(items).map(|item| (file, item)).collect());
        }
        match &*self.resolver.value_of((file, node)) {
            [Value::Array(file, array)] => {
                let module = self.module(*file)?;
                let Kind::Array(items) = module.kind(*array) else { return None };
                Some(module.list(items).map(|item| (*file, item)).collect())
            }
            _ => None,
        }
    }

    /// Rows that an `IN` list bounds, where it narrows by what is likely a key.
    pub(super) fn bound_by_list(query: &Query) -> Option<Bound> {
        let list = query.filter.all.iter().find(|it| it.operator == Operator::In && !it.is_optional)?;
        is_key(&list.column).then_some(())?;
        list.value.map(Bound::List)
    }
}

/// What makes an object of a model without a query.
const MAKERS: [&str; 2] = ["create", "build"];

/// Whether a column is named like a key of its own table.
pub(crate) fn is_key(column: &str) -> bool {
    let last = column.rsplit('.').next().unwrap_or(column);
    matches!(
        last.to_lowercase().as_str(),
        "id" | "_id" | "uuid" | "guid" | "pk" | "email" | "slug" | "username" | "sku"
    )
}

/// A limit that is set only in some cases.
fn optional(bound: Bound) -> Bound {
    match bound {
        Bound::One | Bound::Constant(_) | Bound::Clamped(_) | Bound::List(_) => Bound::Unknown,
        other => other,
    }
}

/// A condition that always holds.
pub(super) fn condition(column: &str, operator: Operator, value: Option<Site>) -> Condition {
    Condition { column: column.into(), operator, value, is_optional: false }
}

/// All conditions optional: of a part that is added only in some cases.
pub(super) fn make_optional(filter: &mut Filter) {
    for condition in filter.all.iter_mut().chain(filter.any.iter_mut().flatten()) {
        condition.is_optional = true;
    }
}
