//! Where the elements of a collection come from, and so how many there may be.

use loadworthy_knowledge::{Member, Rows};
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingKind, Kind, List, Module, NodeId};

use crate::handles::{Folded, Held, Outcome};
use crate::values::{Resolver, Site, Step, Value};

/// How many elements a collection may have, by where they come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Multiplicity {
    /// A literal, an enumeration or another constant of the code.
    Constant(Option<usize>),
    /// Limited by the code: a page, a chunk, a slice.
    Bounded {
        /// The limit, where it is a number.
        most: Option<u64>,
        /// What limits it.
        by: Site,
    },
    /// The rows of a query; whether that is bounded, its own shape says.
    Rows {
        /// The query.
        query: Site,
    },
    /// A part of a row: the related rows that were read along, or a list that the row holds.
    Part {
        /// The query that gave the row.
        query: Site,
        /// The property.
        name: Box<str>,
    },
    /// Sent by the client.
    ClientChosen {
        /// Where it is read from the request.
        input: Site,
    },
    /// What another service answered.
    Answered {
        /// The call.
        call: Site,
    },
    /// Nothing says.
    Unknown,
}

/// Handle name of the knowledge for what a client sends.
pub const CLIENT_INPUT: &str = "client-input";

/// Deepest chain of variables, calls and parameters that is followed.
const MAX_DEPTH: u32 = 24;

/// Answers where collections come from.
pub struct Origins<'r, 'p> {
    resolver: &'r Resolver<'p>,
}

impl<'r, 'p> Origins<'r, 'p> {
    /// Over a resolver.
    #[must_use]
    pub fn new(resolver: &'r Resolver<'p>) -> Self {
        Self { resolver }
    }

    /// How many elements the expression may have.
    #[must_use]
    pub fn multiplicity(&self, site: Site) -> Multiplicity {
        self.of(site, 0)
    }

    fn module(&self, file: FileId) -> Option<&'p Module> {
        self.resolver.program().module(file)
    }

    fn of(&self, (file, node): Site, depth: u32) -> Multiplicity {
        let Some(module) = self.module(file) else { return Multiplicity::Unknown };
        if depth > MAX_DEPTH {
            return Multiplicity::Unknown;
        }
        let next = |node: NodeId| self.of((file, node), depth + 1);
        match module.kind(node) {
            Kind::Array(items) => self.array(file, module, items, depth),
            Kind::Object(parts) => constant_object(module, parts),
            Kind::String(_) | Kind::Bool(_) | Kind::Null => Multiplicity::Constant(None),
            Kind::Number(index) => Multiplicity::Constant(whole(module.number(index))),
            Kind::Await(value) | Kind::Spread(value) | Kind::Default { value, .. } => next(value),
            // `rows || []`: the side that says something.
            Kind::Binary { operator: Binary::Or | Binary::Nullish | Binary::And, left, right } => {
                larger(next(left), next(right))
            }
            Kind::Conditional { then, otherwise, .. } => larger(next(then), next(otherwise)),
            Kind::Call { callee, arguments } | Kind::New { callee, arguments } => {
                self.call((file, node), module, callee, arguments, depth)
            }
            // `row[column]`, `byId[id]`: one of what is there.
            Kind::Index { index, .. } if !matches!(module.kind(index), Kind::Number(_) | Kind::String(_)) => {
                Multiplicity::Unknown
            }
            Kind::Name { .. } | Kind::Member { .. } | Kind::Index { .. } => {
                self.named((file, node), module, depth)
            }
            _ => Multiplicity::Unknown,
        }
    }

    fn array(&self, file: FileId, module: &Module, items: List, depth: u32) -> Multiplicity {
        let spreads: Vec<NodeId> = module
            .list(items)
            .filter_map(|item| match module.kind(item) {
                Kind::Spread(value) => Some(value),
                _ => None,
            })
            .collect();
        let own = Multiplicity::Constant(Some(items.len()));
        spreads.into_iter().fold(own, |most, value| larger(most, self.of((file, value), depth + 1)))
    }

    /// A chain of array methods says what its receiver says; `slice` bounds; a function of the program what it returns.
    fn call(&self, site: Site, module: &Module, callee: NodeId, arguments: List, depth: u32) -> Multiplicity {
        let (file, _) = site;
        let first = module.list(arguments).next();
        if let Kind::Member { object, name } = module.kind(callee) {
            match module.str(name) {
                "slice" if arguments.len() == 2 => {
                    return self.sliced(site, module, object, arguments, depth);
                }
                name if KEEPS.contains(&name) && self.is_plain(file, object) => {
                    return self.of((file, object), depth + 1);
                }
                "keys" | "values" | "entries" | "from" | "all" | "allSettled" | "of" | "fromEntries"
                    if is_namespace(module, object) =>
                {
                    if let Some(first) = first {
                        return self.of((file, first), depth + 1);
                    }
                }
                "keys" | "values" | "entries" if first.is_none() && self.is_plain(file, object) => {
                    return self.of((file, object), depth + 1);
                }
                "flatMap" | "flat" | "concat" if self.is_plain(file, object) => {
                    let inner =
                        first.map_or(Multiplicity::Constant(None), |first| self.of((file, first), depth + 1));
                    return larger(self.of((file, object), depth + 1), inner);
                }
                _ => {}
            }
        }
        // `new Set(ids)`, `Object.keys(x)` through a name, `chunk(ids, 100)`.
        if let Kind::New { .. } = module.kind(site.1)
            && let Some(first) = first
            && matches!(module.source(callee), "Set" | "Map" | "Array")
        {
            return self.of((file, first), depth + 1);
        }
        self.named(site, module, depth)
    }

    fn sliced(
        &self,
        site: Site,
        module: &Module,
        object: NodeId,
        arguments: List,
        depth: u32,
    ) -> Multiplicity {
        let whole_thing = self.of((site.0, object), depth + 1);
        if matches!(whole_thing, Multiplicity::Constant(_)) {
            return whole_thing;
        }
        let numbers: Vec<Option<f64>> =
            module.list(arguments).map(|node| self.number((site.0, node))).collect();
        let most = match numbers.as_slice() {
            [Some(start), Some(end)] if *end >= *start && *start >= 0.0 => {
                whole(end - start).map(|most| most as u64)
            }
            _ => None,
        };
        Multiplicity::Bounded { most, by: site }
    }

    /// A constant number, through names.
    #[must_use]
    pub fn number(&self, (file, node): Site) -> Option<f64> {
        let module = self.module(file)?;
        match module.kind(node) {
            Kind::Number(index) => Some(module.number(index)),
            Kind::Binary { operator, left, right } => {
                let (left, right) = (self.number((file, left))?, self.number((file, right))?);
                match operator {
                    Binary::Add => Some(left + right),
                    Binary::Subtract => Some(left - right),
                    Binary::Multiply => Some(left * right),
                    Binary::Divide => Some(left / right),
                    _ => None,
                }
            }
            Kind::Name { binding, .. } => {
                let binding = module.binding(binding)?;
                if binding.kind != BindingKind::Constant {
                    return None;
                }
                match module.kind(module.parent(binding.node)) {
                    Kind::Declarator { init, .. } if init.is_some() => self.number((file, init)),
                    _ => None,
                }
            }
            _ => self.resolver.text_of((file, node)).and_then(|text| text.parse().ok()),
        }
    }

    /// Whether an expression is no object of a library with methods of its own.
    fn is_plain(&self, file: FileId, object: NodeId) -> bool {
        let folded = self.resolver.folded(&self.resolver.value_of((file, object)));
        !folded
            .iter()
            .any(|folded| matches!(folded, Folded::Held(held) if !self.is_client_input(held.handle)))
    }

    fn is_client_input(&self, handle: loadworthy_knowledge::HandleId) -> bool {
        self.resolver.program().knowledge().handle_name(handle) == CLIENT_INPUT
    }

    /// By what the resolver knows of a name, member or call.
    fn named(&self, site: Site, module: &Module, depth: u32) -> Multiplicity {
        if let Some(followed) = self.through_variable(site, module, depth) {
            return followed;
        }
        let values = self.resolver.filled(&self.resolver.value_of(site));
        let mut most = Multiplicity::Constant(None);
        let mut any = false;
        for value in values.iter() {
            any = true;
            most = larger(most, self.of_value(value, site, depth));
        }
        if any { most } else { Multiplicity::Unknown }
    }

    /// A variable is what was put into it; a list that a loop fills is as long as the loop.
    fn through_variable(&self, (file, node): Site, module: &Module, depth: u32) -> Option<Multiplicity> {
        let Kind::Name { binding, .. } = module.kind(node) else { return None };
        let declared = module.binding(binding)?;
        let Kind::Declarator { init, target } = module.kind(module.parent(declared.node)) else {
            return None;
        };
        if target != declared.node || !init.is_some() {
            return None;
        }
        match module.kind(init) {
            Kind::Array(items) if items.is_empty() => {
                let filled = module
                    .references(binding)
                    .iter()
                    .filter_map(|name| self.filled_by(file, module, *name, depth));
                Some(filled.reduce(larger).unwrap_or(Multiplicity::Constant(Some(0))))
            }
            _ => Some(self.of((file, init), depth + 1)),
        }
    }

    /// `list.push(x)` in a loop: as many as the loop has rounds.
    fn filled_by(&self, file: FileId, module: &Module, name: NodeId, depth: u32) -> Option<Multiplicity> {
        let member = module.parent(name);
        let Kind::Member { object, name: method } = module.kind(member) else { return None };
        let call = module.parent(member);
        let Kind::Call { callee, arguments } = module.kind(call) else { return None };
        if object != name || callee != member || !matches!(module.str(method), "push" | "unshift" | "add") {
            return None;
        }
        let spread = module.list(arguments).find_map(|argument| match module.kind(argument) {
            Kind::Spread(value) => Some(self.of((file, value), depth + 1)),
            _ => None,
        });
        let around = crate::loops::loops_around(module, (file, call))
            .into_iter()
            .map(|repeat| repeat.source.map_or(Multiplicity::Unknown, |source| self.of(source, depth + 1)))
            .reduce(larger);
        let callback = self.around_callback(file, module, call, depth);
        [spread, around, callback].into_iter().flatten().reduce(larger).or(Some(Multiplicity::Constant(None)))
    }

    /// The elements of the `forEach`/`map` whose callback holds the node.
    fn around_callback(
        &self,
        file: FileId,
        module: &Module,
        node: NodeId,
        depth: u32,
    ) -> Option<Multiplicity> {
        let function = module.function(module.enclosing_function(node))?.node;
        let call = module.parent(function);
        let Kind::Call { callee, .. } = module.kind(call) else { return None };
        let Kind::Member { object, name } = module.kind(callee) else { return None };
        PER_ELEMENT.contains(&module.str(name)).then(|| self.of((file, object), depth + 1))
    }

    fn of_value(&self, value: &Value, site: Site, depth: u32) -> Multiplicity {
        match value {
            Value::Array(file, node) | Value::Object(file, node) if (*file, *node) != site => {
                self.of((*file, *node), depth + 1)
            }
            Value::Text(_) => Multiplicity::Constant(None),
            Value::External(external) => match self.resolver.fold(external) {
                Folded::Held(held) if self.is_client_input(held.handle) => {
                    Multiplicity::ClientChosen { input: site }
                }
                Folded::Held(held) => {
                    self.row_source(&held).map_or(Multiplicity::Unknown, |query| Multiplicity::Rows { query })
                }
                Folded::Member(held, name) => self.row_source(&held).map_or(Multiplicity::Unknown, |query| {
                    Multiplicity::Part { query, name: (&*name).into() }
                }),
                Folded::Result(outcome) => self.outcome(&outcome, site),
                Folded::Unknown => Multiplicity::Unknown,
            },
            _ => Multiplicity::Unknown,
        }
    }

    fn outcome(&self, outcome: &Outcome, site: Site) -> Multiplicity {
        if let Some(bounded) = bounded_by_rest(outcome, site) {
            return bounded;
        }
        let Some(member) = self.member(outcome) else { return Multiplicity::Unknown };
        if member.effect.is_database_trip() {
            let query = outcome.call;
            if let Some(name) = part_of_row(member, outcome) {
                return Multiplicity::Part { query, name };
            }
            return match member.rows {
                Some(Rows::One) if outcome.rest.is_empty() => Multiplicity::Constant(Some(1)),
                _ => Multiplicity::Rows { query },
            };
        }
        if member.effect.leaves_process() {
            return Multiplicity::Answered { call: outcome.call };
        }
        Multiplicity::Unknown
    }

    /// The query whose rows an object of a library stands for.
    fn row_source(&self, held: &Held) -> Option<Site> {
        let library = self.resolver.program().knowledge().library(held.lib);
        held.made_at.filter(|_| library.kind.is_database())
    }

    /// What the member of an outcome does.
    fn member(&self, outcome: &Outcome) -> Option<&'p Member> {
        let knowledge = self.resolver.program().knowledge();
        let on = &outcome.on;
        knowledge
            .member_nearest(on.lib, on.handle, &outcome.name, on.module.as_deref(), None)
            .map(|nearest| nearest.row)
    }
}

/// The property of a row that the steps after a query lead to: `tags` of `row.tags`, of `rows[0].tags`. Where the list of
/// rows stands inside the result (`.rows`, `[rows]`), those steps lead to the list.
fn part_of_row(member: &Member, outcome: &Outcome) -> Option<Box<str>> {
    let mut is_row = member.rows == Some(Rows::One);
    for (at, step) in outcome.rest.iter().enumerate() {
        let is_called = matches!(outcome.rest.get(at + 1), Some(Step::Call(_)));
        match step {
            Step::Element => is_row = true,
            Step::Get(_) if is_called => {}
            Step::Get(name) if is_row && !WRAPPERS.contains(&&**name) => return Some((&**name).into()),
            _ => {}
        }
    }
    None
}

/// Where drivers put the rows in what they give.
const WRAPPERS: [&str; 5] = ["rows", "data", "docs", "recordset", "length"];

/// `(await query()).slice(0, 10)` inside a value's own steps.
fn bounded_by_rest(outcome: &Outcome, site: Site) -> Option<Multiplicity> {
    let sliced = outcome.rest.iter().any(|step| matches!(step, Step::Get(name) if &**name == "slice"));
    sliced.then_some(Multiplicity::Bounded { most: None, by: site })
}

/// Methods that give back as many elements as their receiver has, or fewer.
const KEEPS: [&str; 14] = [
    "map",
    "filter",
    "sort",
    "reverse",
    "toSorted",
    "toReversed",
    "slice",
    "splice",
    "reduce",
    "keys",
    "values",
    "entries",
    "lean",
    "toArray",
];

/// Methods that run their callback once for each element of the receiver.
const PER_ELEMENT: [&str; 6] = ["map", "forEach", "filter", "flatMap", "reduce", "some"];

/// `Object`, `Array`, `Promise`: the collection is the argument.
fn is_namespace(module: &Module, node: NodeId) -> bool {
    matches!(module.source(node), "Object" | "Array" | "Promise")
}

fn constant_object(module: &Module, parts: List) -> Multiplicity {
    let is_constant = module.list(parts).all(|part| !matches!(module.kind(part), Kind::Spread(_)));
    if is_constant { Multiplicity::Constant(Some(parts.len())) } else { Multiplicity::Unknown }
}

fn whole(number: f64) -> Option<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a small whole number"
    )]
    ((0.0..1e9).contains(&number) && number.fract() == 0.0).then_some(number as usize)
}

/// The alternative with more elements, as far as is known.
fn larger(left: Multiplicity, right: Multiplicity) -> Multiplicity {
    let rank = |it: &Multiplicity| match it {
        Multiplicity::Constant(_) => 0,
        Multiplicity::Unknown => 1,
        Multiplicity::Bounded { .. } => 2,
        Multiplicity::Part { .. } => 3,
        Multiplicity::Answered { .. } => 4,
        Multiplicity::Rows { .. } => 5,
        Multiplicity::ClientChosen { .. } => 6,
    };
    match (&left, &right) {
        (Multiplicity::Constant(Some(a)), Multiplicity::Constant(Some(b))) => {
            Multiplicity::Constant(Some((*a).max(*b)))
        }
        _ if rank(&right) > rank(&left) => right,
        _ => left,
    }
}
