//! How large a number may be: the upper bound of what stands after `take` or `limit`.

use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, BindingKind, FunctionId, Kind, List, Module, NodeId, Unary};

use super::Bound;
use super::validation::{Measure, Validation};
use crate::handles::Folded;
use crate::origin::CLIENT_INPUT;
use crate::values::{External, Resolver, Root, Site, Step, Value};

/// Answers how large numbers may be.
pub struct Limits<'r, 'p> {
    resolver: &'r Resolver<'p>,
}

/// Longest chain of variables, calls and parameters that is followed.
const MAX_DEPTH: u32 = 20;
/// Most call sites that are asked what they pass.
const MAX_CALL_SITES: usize = 16;
/// A number from which a limit limits nothing.
pub(super) const HUGE: f64 = 10_000.0;

impl<'r, 'p> Limits<'r, 'p> {
    /// Over a resolver.
    #[must_use]
    pub fn new(resolver: &'r Resolver<'p>) -> Self {
        Self { resolver }
    }

    /// The most that the number may be.
    #[must_use]
    pub fn of(&self, site: Site) -> Bound {
        self.upper(site, 0)
    }

    /// The most elements that a list of the request may have, where a schema says it.
    #[must_use]
    pub fn of_list(&self, site: Site) -> Option<u64> {
        let validation = Validation::new(self.resolver, Measure::Length);
        let values = self.resolver.filled(&self.resolver.value_of(site));
        values.iter().find_map(|value| {
            let Value::External(external) = value else { return None };
            let bound = match self.resolver.fold(external) {
                Folded::Held(held) => {
                    let names: Vec<&str> = held.path.iter().map(|name| &**name).collect();
                    validation.of_input(site, &names)
                }
                Folded::Result(outcome) => validation.of_outcome(&outcome, site),
                _ => None,
            };
            bound?.most()
        })
    }

    fn upper(&self, (file, node): Site, depth: u32) -> Bound {
        let Some(module) = self.resolver.program().module(file) else { return Bound::Unknown };
        if depth > MAX_DEPTH {
            return Bound::Unknown;
        }
        let next = |node: NodeId| self.upper((file, node), depth + 1);
        if matches!(module.kind(node), Kind::Call { .. } | Kind::Member { .. })
            && let Some(clamped) = self.guarded_expression(file, module, node)
        {
            return clamped;
        }
        match module.kind(node) {
            Kind::Number(index) => number(module.number(index), (file, node)),
            Kind::String(text) => match module.str(text).parse::<f64>() {
                Ok(value) => number(value, (file, node)),
                Err(_) => Bound::Unknown,
            },
            Kind::Null => Bound::Off { at: (file, node) },
            Kind::Name { name, binding: BindingId::NONE } => match module.str(name) {
                "undefined" | "Infinity" => Bound::Off { at: (file, node) },
                _ => Bound::Unknown,
            },
            Kind::Await(value)
            | Kind::Default { value, .. }
            | Kind::Unary { operator: Unary::Plus, value } => next(value),
            Kind::Unary { operator: Unary::Minus, .. } => {
                self.constant((file, node)).unwrap_or(Bound::Unknown)
            }
            Kind::Binary { operator, left, right } => self.binary((file, node), operator, left, right, depth),
            Kind::Conditional { test, then, otherwise } => {
                self.conditional((file, node), module, test, (then, otherwise), depth)
            }
            Kind::Call { callee, arguments } => self.call((file, node), module, callee, arguments, depth),
            Kind::Name { binding, .. } => self.name((file, node), module, binding, depth),
            _ => self.by_value((file, node), depth),
        }
    }

    fn constant(&self, site: Site) -> Option<Bound> {
        self.resolver.number_of(site).map(|value| number(value, site))
    }

    fn binary(&self, site: Site, operator: Binary, left: NodeId, right: NodeId, depth: u32) -> Bound {
        let of = |node: NodeId| self.upper((site.0, node), depth + 1);
        match operator {
            // `x || 20`: a missing number becomes the default, not unlimited.
            Binary::Or | Binary::Nullish => match (of(left), of(right)) {
                (Bound::Off { .. }, other) | (other, Bound::Off { .. }) if operator == Binary::Or => other,
                (left, right) => left.or(right),
            },
            Binary::And => of(right).or(Bound::Off { at: site }),
            Binary::Add | Binary::Multiply | Binary::Subtract | Binary::Divide => {
                if let Some(constant) = self.constant(site) {
                    return constant;
                }
                match (of(left), of(right)) {
                    // `limit + 1`: one more, to see whether there is a next page.
                    (Bound::Clamped(Some(most)), Bound::Constant(more)) if operator == Binary::Add => {
                        Bound::Clamped(Some(most + more))
                    }
                    (Bound::Clamped(Some(most)), Bound::Constant(times)) if operator == Binary::Multiply => {
                        Bound::Clamped(Some(most.saturating_mul(times)))
                    }
                    (Bound::ClientChosen { input }, _) | (_, Bound::ClientChosen { input }) => {
                        Bound::ClientChosen { input }
                    }
                    (
                        left @ (Bound::Constant(_) | Bound::Clamped(_)),
                        Bound::Constant(_) | Bound::Clamped(_),
                    ) => {
                        if matches!(left, Bound::Constant(_)) {
                            Bound::Clamped(None)
                        } else {
                            left
                        }
                    }
                    _ => Bound::Unknown,
                }
            }
            // `x | 0`
            Binary::Bitwise => of(left),
            _ => Bound::Unknown,
        }
    }

    /// `x > 100 ? 100 : x` is a clamp, `x > 50 ? x : 50` one the wrong way around.
    fn conditional(
        &self,
        site: Site,
        module: &Module,
        test: NodeId,
        (then, otherwise): (NodeId, NodeId),
        depth: u32,
    ) -> Bound {
        let (file, _) = site;
        if let Some(clamp) = self.comparison(file, module, test) {
            let is_it = |node: NodeId| same_text(module, node, clamp.of);
            let (larger, smaller) = if clamp.is_larger { (then, otherwise) } else { (otherwise, then) };
            if is_it(smaller) && !is_it(larger) {
                return Bound::Clamped(most(clamp.most));
            }
            if is_it(larger) && !is_it(smaller) {
                return match self.upper((file, larger), depth + 1) {
                    Bound::Constant(value) => Bound::Constant(value),
                    Bound::Clamped(value) => Bound::Clamped(value),
                    Bound::ClientChosen { .. } => Bound::Inverted { at: site },
                    _ => Bound::Unknown,
                };
            }
        }
        self.upper((file, then), depth + 1).or(self.upper((file, otherwise), depth + 1))
    }

    /// A comparison with a constant.
    fn comparison(&self, file: FileId, module: &Module, test: NodeId) -> Option<Comparison> {
        match module.kind(test) {
            Kind::Binary { operator: Binary::And | Binary::Or, left, right } => self
                .comparison(file, module, right)
                .filter(|it| it.is_larger)
                .or_else(|| self.comparison(file, module, left)),
            Kind::Binary { operator, left, right } => {
                let is_greater = match operator {
                    Binary::Greater | Binary::GreaterEqual => true,
                    Binary::Less | Binary::LessEqual => false,
                    _ => return None,
                };
                if let Some(most) = self.resolver.number_of((file, right)) {
                    return Some(Comparison { of: left, most, is_larger: is_greater });
                }
                let most = self.resolver.number_of((file, left))?;
                Some(Comparison { of: right, most, is_larger: !is_greater })
            }
            _ => None,
        }
    }

    fn call(&self, site: Site, module: &Module, callee: NodeId, arguments: List, depth: u32) -> Bound {
        let (file, _) = site;
        let arguments: Vec<NodeId> = module.list(arguments).collect();
        let of = |node: &NodeId| self.upper((file, *node), depth + 1);
        let first = arguments.first().map_or(Bound::Unknown, of);
        match module.source(callee) {
            "Math.min" => smallest(arguments.iter().map(of)),
            "Math.max" => arguments.iter().map(of).reduce(Bound::or).unwrap_or(Bound::Unknown),
            "Math.floor" | "Math.ceil" | "Math.round" | "Math.trunc" | "Math.abs" | "Number" | "parseInt"
            | "parseFloat" | "Number.parseInt" | "Number.parseFloat" | "String" | "BigInt" | "toNumber" => {
                first
            }
            // `new URL(request.url).searchParams.get("limit")`
            text if text.ends_with("searchParams.get") => Bound::ClientChosen { input: site },
            _ => {
                let name = match module.kind(callee) {
                    Kind::Member { name, .. } | Kind::Name { name, .. } => module.str(name),
                    _ => "",
                };
                if CLAMPS.contains(&name) {
                    return self.clamped(site, &arguments, depth);
                }
                let functions = self.functions((file, callee));
                if functions.is_empty() {
                    return self.by_value(site, depth);
                }
                self.returned(&functions, depth)
            }
        }
    }

    /// `clamp(x, 1, 100)`: the largest constant among the arguments.
    fn clamped(&self, site: Site, arguments: &[NodeId], depth: u32) -> Bound {
        let constants = arguments.iter().filter_map(|node| self.resolver.number_of((site.0, *node)));
        match constants.reduce(f64::max) {
            Some(value) => Bound::Clamped(most(value)),
            None => self.by_value(site, depth),
        }
    }

    fn functions(&self, callee: Site) -> Vec<(FileId, FunctionId)> {
        self.resolver
            .value_of(callee)
            .iter()
            .filter_map(|value| match value {
                Value::Function(file, function) => Some((*file, *function)),
                _ => None,
            })
            .collect()
    }

    fn returned(&self, functions: &[(FileId, FunctionId)], depth: u32) -> Bound {
        let returns = functions.iter().flat_map(|(file, function)| {
            let index = self.resolver.program().index(*file);
            index.map_or(&[][..], |index| index.returns(*function)).iter().map(|node| (*file, *node))
        });
        returns.map(|site| self.upper(site, depth + 1)).reduce(Bound::or).unwrap_or(Bound::Unknown)
    }

    fn name(&self, site: Site, module: &Module, binding: BindingId, depth: u32) -> Bound {
        let (file, node) = site;
        if let Some(clamped) = self.guarded(file, module, binding, node) {
            return clamped;
        }
        let Some(declared) = module.binding(binding) else { return Bound::Unknown };
        if let BindingKind::Parameter = declared.kind {
            return self.parameter(site, module, binding, depth);
        }
        let parent = module.parent(declared.node);
        let own = match module.kind(parent) {
            Kind::Declarator { target, init } if target == declared.node && init.is_some() => {
                Some(self.upper((file, init), depth + 1))
            }
            Kind::Declarator { target, .. } if target == declared.node => None,
            _ => return self.by_value(site, depth),
        };
        let assigned =
            module.references(binding).iter().filter_map(|name| match module.kind(module.parent(*name)) {
                Kind::Assign { target, value, operator: None } if target == *name => {
                    Some(self.upper((file, value), depth + 1))
                }
                _ => None,
            });
        own.into_iter().chain(assigned).reduce(Bound::or).unwrap_or(Bound::Unknown)
    }

    /// `if (limit > 100) limit = 100;`, `if (limit > 100) return …;`
    fn guarded(&self, file: FileId, module: &Module, binding: BindingId, until: NodeId) -> Option<Bound> {
        module.references(binding).iter().filter(|name| name.index() < until.index()).find_map(|name| {
            let clamp = module.ancestors(*name).take(4).find_map(|outer| match module.kind(outer) {
                Kind::If { test, then, .. } if module.contains(test, *name) => {
                    let comparison = self.comparison(file, module, test)?;
                    (comparison.is_larger
                        && module.contains(comparison.of, *name)
                        && (leaves(module, then) || assigns(module, then, binding)))
                    .then_some(comparison.most)
                }
                _ => None,
            })?;
            Some(Bound::Clamped(most(clamp)))
        })
    }

    /// `if (Number(req.query.limit) > 100) return …;` before the same expression.
    fn guarded_expression(&self, file: FileId, module: &Module, node: NodeId) -> Option<Bound> {
        let function = module.function(module.enclosing_function(node))?;
        let before = module.all_nodes(function.body).into_iter().take_while(|it| it.index() < node.index());
        let text = module.source(node);
        before.into_iter().find_map(|guard| {
            let Kind::If { test, then, .. } = module.kind(guard) else { return None };
            let comparison = self.comparison(file, module, test).filter(|_| leaves(module, then))?;
            let is_same = comparison.is_larger && module.source(comparison.of) == text;
            is_same.then(|| Bound::Clamped(most(comparison.most)))
        })
    }

    /// What the call sites pass; its default.
    fn parameter(&self, site: Site, module: &Module, binding: BindingId, depth: u32) -> Bound {
        let (file, _) = site;
        let Some(declared) = module.binding(binding) else { return Bound::Unknown };
        let mut at = declared.node;
        let mut default = None;
        if let Kind::Default { target, value } = module.kind(module.parent(at))
            && target == at
        {
            default = Some(self.upper((file, value), depth + 1));
            at = module.parent(at);
        }
        let Kind::Function(function) = module.kind(module.parent(at)) else {
            return self.by_value(site, depth);
        };
        let index = module
            .function(function)
            .and_then(|it| module.list(it.parameters).position(|parameter| parameter == at));
        let Some(index) = index else { return self.by_value(site, depth) };
        let sites = self.resolver.program().links().call_sites(file, function);
        let passed =
            sites.iter().take(MAX_CALL_SITES).map(|call| match self.resolver.argument(*call, index) {
                Some(argument) => self.upper(argument, depth + 1),
                None => default.clone().unwrap_or(Bound::Off { at: *call }),
            });
        let passed = passed.reduce(Bound::or);
        match (passed, default) {
            // A default stands in for `undefined`.
            (Some(Bound::Off { .. }) | None, Some(default)) => default,
            (Some(passed), _) => passed,
            (None, None) => self.by_value(site, depth),
        }
    }

    /// By what the resolver knows of it.
    fn by_value(&self, site: Site, depth: u32) -> Bound {
        let values = self.resolver.filled(&self.resolver.value_of(site));
        let bounds = values.iter().map(|value| match value {
            Value::Number(value) => number(value.get(), site),
            Value::Text(text) => text.parse().map_or(Bound::Unknown, |value| number(value, site)),
            Value::External(external) => self.external(external, site, depth),
            _ => Bound::Unknown,
        });
        bounds.reduce(Bound::or).unwrap_or(Bound::Unknown)
    }

    fn external(&self, external: &External, site: Site, depth: u32) -> Bound {
        if let (Root::Global(_), Some(Step::Call(call))) = (&external.root, external.steps.last())
            && *call != site
        {
            return self.upper(*call, depth + 1);
        }
        match self.resolver.fold(external) {
            Folded::Held(held)
                if self.resolver.program().knowledge().handle_name(held.handle) == CLIENT_INPUT =>
            {
                let names: Vec<&str> = held.path.iter().map(|name| &**name).collect();
                let validation = Validation::new(self.resolver, Measure::Number);
                validation.of_input(site, &names).unwrap_or(Bound::ClientChosen { input: site })
            }
            Folded::Result(outcome) => {
                let validation = Validation::new(self.resolver, Measure::Number);
                validation.of_outcome(&outcome, site).unwrap_or(Bound::Unknown)
            }
            _ => Bound::Unknown,
        }
    }
}

struct Comparison {
    of: NodeId,
    most: f64,
    /// True where `of` is the larger side.
    is_larger: bool,
}

/// Names of functions that clamp their first argument.
const CLAMPS: [&str; 6] = ["clamp", "clampLimit", "clampPageSize", "limitTo", "capLimit", "inRange"];

/// The bound of a number of the code.
pub(super) fn number(value: f64, at: Site) -> Bound {
    if value.is_nan() || value <= 0.0 || value > HUGE {
        return Bound::Off { at };
    }
    most(value).map_or(Bound::Unknown, Bound::Constant)
}

pub(super) fn most(value: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range")]
    (0.0..1e12).contains(&value).then_some(value as u64)
}

fn smallest(bounds: impl Iterator<Item = Bound>) -> Bound {
    let mut least: Option<u64> = None;
    let mut rest: Option<Bound> = None;
    let mut count = 0;
    for bound in bounds {
        count += 1;
        match bound {
            Bound::Constant(value) | Bound::Clamped(Some(value)) => {
                least = Some(least.map_or(value, |known| known.min(value)));
            }
            other => rest = Some(rest.map_or(other.clone(), |known| known.or(other))),
        }
    }
    match (least, rest) {
        (Some(least), None) if count == 1 => Bound::Constant(least),
        (Some(least), _) => Bound::Clamped(Some(least)),
        // `Math.min(limit, MAX)` with a maximum that is configured.
        (None, Some(_)) if count > 1 => Bound::Clamped(None),
        (None, Some(rest)) => rest,
        (None, None) => Bound::Unknown,
    }
}

fn same_text(module: &Module, left: NodeId, right: NodeId) -> bool {
    let bare = |node: NodeId| {
        let text = module.source(node);
        text.trim_start_matches('+').trim_start_matches("Number(").trim_start_matches("parseInt(").to_owned()
    };
    let (left, right) = (bare(left), bare(right));
    left == right
        || left.split([')', ',']).next().map(str::trim) == right.split([')', ',']).next().map(str::trim)
}

fn leaves(module: &Module, branch: NodeId) -> bool {
    match module.kind(branch) {
        Kind::Block(statements) => module.list(statements).any(|statement| leaves(module, statement)),
        Kind::Return(_) | Kind::Throw(_) => true,
        _ => false,
    }
}

fn assigns(module: &Module, branch: NodeId, binding: BindingId) -> bool {
    module.references(binding).iter().any(|name| {
        module.contains(branch, *name)
            && matches!(module.kind(module.parent(*name)), Kind::Assign { target, .. } if target == *name)
    })
}
