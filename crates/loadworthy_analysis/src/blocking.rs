//! What work on the event loop costs: a measured operation × its parameter × the size of its input × the rounds of the
//! loops around it.

use loadworthy_knowledge::{BlockingRow, Growth};
use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId, Unary};

use crate::analysis::Analysis;
use crate::calls::{Call, LibraryCall, package_name};
use crate::links::FunctionRef;
use crate::origin::{Multiplicity, Origins};
use crate::query::Operator;
use crate::values::{Resolver, Site, Value};

/// Rows of a table that nothing limits, where nobody knows better: one that an active application fills in its first year.
pub const UNLIMITED_ROWS: f64 = 10_000.0;
/// Rows of one parent in such a table.
const PARENT_ROWS: f64 = 1_000.0;
/// Elements of a list that a client sends: a body of 100 kB (the default limit of body parsers) of 20 byte elements.
const CLIENT_ELEMENTS: f64 = 5_000.0;
/// Bytes of what a client sends: the default limit of body parsers.
const CLIENT_BYTES: f64 = 100_000.0;
/// Elements of a limited list whose limit is no constant, and of what another service answers.
const LIMITED_ELEMENTS: f64 = 100.0;
/// Bytes of the JSON of a row, as the costs were measured with.
const ROW_BYTES: f64 = 250.0;
const MB: f64 = 1_048_576.0;
/// Rounds that are counted of a loop with `await` in it: requests are served between them, so only their sum is felt.
const WAITING_ROUNDS: f64 = 20.0;
/// Most rounds that are counted: beyond it the process is lost anyway.
const MAX_ROUNDS: f64 = 1_000_000.0;

/// How many elements something has.
#[derive(Clone, PartialEq, Debug)]
pub struct Elements {
    /// The number to calculate with.
    pub count: f64,
    /// Whether nothing that the code says limits it.
    pub is_unbounded: bool,
    /// Where they come from, for a reader.
    pub origin: Multiplicity,
}

/// One call that holds the event loop.
#[derive(Clone, Debug)]
pub struct Block<'p> {
    /// What is known of it.
    pub row: &'p BlockingRow,
    /// Milliseconds of one run of its function.
    pub millis: f64,
    /// Its parameter (rounds, iterations), where it has one.
    pub parameter: Option<f64>,
    /// Runs of the call for one run of an entry point that leads through the loops around it.
    pub rounds: f64,
    /// Milliseconds of one run of the call, for entry points that lead around the loops.
    pub once_millis: f64,
    /// The functions whose loops repeat it; empty where none does.
    pub repeated_by: Vec<FunctionRef>,
    /// What was taken for granted.
    pub assumptions: Vec<String>,
}

/// Answers what blocking work costs.
pub struct Blocks<'a, 'p> {
    analysis: &'a Analysis<'p>,
    resolver: &'a Resolver<'p>,
}

impl<'a, 'p> Blocks<'a, 'p> {
    /// Over a program.
    #[must_use]
    pub fn new(analysis: &'a Analysis<'p>, resolver: &'a Resolver<'p>) -> Self {
        Self { analysis, resolver }
    }

    /// What a call costs; `None` where it is not known to hold the loop, or its input is not known.
    #[must_use]
    pub fn of(&self, call: &Call<'p>, library: &LibraryCall<'p>) -> Option<Block<'p>> {
        let row = self.row(call, library)?;
        let knowledge = self.analysis.knowledge();
        let cost = knowledge.cost(&row.op)?;
        let mut assumptions = vec![format!("{} {} per {} for `{}`", cost.value, cost.unit, cost.per, row.op)];
        if row.cold > 0.0 {
            assumptions.push(format!("{} ms more on a disk or host that is not warm", row.cold));
        }
        let (factor, parameter) = self.by_parameter(call.site, row);
        let size = self.size(call.site, row, &cost.per, &mut assumptions)?;
        let (rounds, repeated_by) = self.repeated(call.site);
        // Only the first run meets a disk that is not warm.
        let of_rounds = |rounds: f64| cost.value * factor * size * rounds + row.cold;
        let (millis, once_millis) = (of_rounds(rounds), of_rounds(1.0));
        Some(Block { row, millis, parameter, rounds, once_millis, repeated_by, assumptions })
    }

    fn row(&self, call: &Call<'p>, library: &LibraryCall<'p>) -> Option<&'p BlockingRow> {
        let module = library.module.as_deref();
        let project = self.analysis.program().project();
        let package = project.file(call.site.0)?.package;
        let version = project.version_of(package, package_name(module.unwrap_or_default()));
        let version = version.map(|version| version.text.as_str());
        let row =
            self.analysis.knowledge().blocking(library.lib, library.on, &library.name, module, version)?;
        row.only.as_ref().is_none_or(|only| self.holds(call.site, row, only)).then_some(row)
    }

    fn holds(&self, call: Site, row: &BlockingRow, only: &str) -> bool {
        let (Some((option, prefix)), Some(at)) = (only.split_once('='), row.options) else { return true };
        let Some(options) = self.resolver.argument(call, at) else { return false };
        let values = self.resolver.member(&self.resolver.value_of(options), option);
        values.iter().any(|value| matches!(value, Value::Text(text) if text.starts_with(prefix)))
    }

    /// How much dearer the parameter makes it, and the parameter.
    fn by_parameter(&self, call: Site, row: &BlockingRow) -> (f64, Option<f64>) {
        let (Some(at), Some(growth)) = (row.at, row.growth) else { return (1.0, None) };
        let given = row.parameter.and_then(|argument| self.resolver.argument(call, argument));
        let known = given.and_then(|given| self.resolver.number_of(given));
        let value = known.or(row.default).unwrap_or(at);
        let factor = match growth {
            Growth::Double => 2.0_f64.powf((value - at).clamp(-10.0, 10.0)),
            Growth::Linear => (value / at).clamp(0.0, 1000.0),
        };
        (factor, Some(value))
    }

    /// How many of the cost's units the input is.
    fn size(&self, call: Site, row: &BlockingRow, per: &str, assumptions: &mut Vec<String>) -> Option<f64> {
        if !matches!(per, "MB" | "1k rows" | "row") {
            return Some(1.0);
        }
        let input = row.input.and_then(|at| match usize::try_from(at) {
            Ok(at) => self.resolver.argument(call, at),
            Err(_) => self.receiver(call),
        });
        let elements = input.and_then(|input| self.elements(input)).filter(|it| it.count > 1.0);
        let unit = if per == "MB" { "MB" } else { "thousand rows" };
        let Some(elements) = elements else {
            let size = row.assumed?;
            assumptions.push(format!("{size} {unit} of input"));
            return Some(size);
        };
        // What is not known to be large says nothing.
        if row.assumed.is_none() && !elements.is_unbounded {
            return None;
        }
        if per == "MB" && matches!(elements.origin, Multiplicity::ClientChosen { .. }) {
            assumptions.push(String::from("100 kB of input, the default limit of body parsers"));
            return Some(CLIENT_BYTES / MB);
        }
        assumptions.push(format!("{} rows of {ROW_BYTES} bytes", elements.count));
        Some(match per {
            "MB" => elements.count * ROW_BYTES / MB,
            "1k rows" => elements.count / 1000.0,
            _ => elements.count,
        })
    }

    fn receiver(&self, (file, call): Site) -> Option<Site> {
        let module = self.analysis.program().module(file)?;
        let Kind::Call { callee, .. } = module.kind(call) else { return None };
        let Kind::Member { object, .. } = module.kind(callee) else { return None };
        Some((file, object))
    }

    /// How many times the loops around a place run it, through all callers; loops over what is not known count once.
    #[must_use]
    pub fn rounds(&self, site: Site) -> f64 {
        self.repeated(site).0
    }

    /// As [`Self::rounds`], with the functions whose loops they are.
    fn repeated(&self, site: Site) -> (f64, Vec<FunctionRef>) {
        let mut rounds = 1.0_f64;
        let mut owners = Vec::new();
        let mut at = site;
        for repetition in self.analysis.repetitions(site) {
            let elements = repetition.repeat.source.and_then(|source| self.elements(source));
            let count = elements.map_or(1.0, |it| it.count.max(1.0));
            if let Some(edge) = repetition.way.first() {
                at = edge.site;
            }
            let Some(module) = self.analysis.program().module(repetition.repeat.at.0) else { continue };
            if at.0 == repetition.repeat.at.0 && leaves_after(module, repetition.repeat.at.1, at.1) {
                continue;
            }
            if count > 1.0 {
                owners.push(repetition.owner);
            }
            // Between the rounds of a loop that waits others run: of several such loops the longest counts.
            rounds = if waits(module, repetition.repeat.at.1) {
                rounds.max(count.min(WAITING_ROUNDS))
            } else {
                (rounds * count).min(MAX_ROUNDS)
            };
        }
        (rounds, owners)
    }

    /// How many elements an expression has; `None` where nothing says.
    #[must_use]
    pub fn elements(&self, site: Site) -> Option<Elements> {
        let origin = Origins::new(self.resolver).multiplicity(site);
        let (count, is_unbounded) = match &origin {
            #[expect(clippy::cast_precision_loss, reason = "lengths of literals are small")]
            Multiplicity::Constant(Some(count)) => (*count as f64, false),
            Multiplicity::Constant(None) => (10.0, false),
            #[expect(clippy::cast_precision_loss, reason = "limits are small")]
            Multiplicity::Bounded { most, .. } => (most.map_or(LIMITED_ELEMENTS, |most| most as f64), false),
            Multiplicity::Rows { query } => self.rows_of(*query),
            Multiplicity::ClientChosen { .. } => (CLIENT_ELEMENTS, true),
            Multiplicity::Part { .. } | Multiplicity::Answered { .. } => (LIMITED_ELEMENTS, false),
            Multiplicity::Unknown => return None,
        };
        Some(Elements { count, is_unbounded, origin })
    }

    fn rows_of(&self, query: Site) -> (f64, bool) {
        let Some(query) = self.analysis.queries().at(query) else { return (LIMITED_ELEMENTS, false) };
        let is_narrowed = query.filter.equal_columns().any(is_key)
            || query.filter.all.iter().any(|it| matches!(it.operator, Operator::In | Operator::Related));
        #[expect(clippy::cast_precision_loss, reason = "limits are small")]
        match query.bound.most() {
            Some(most) => (most as f64, false),
            None if query.bound.is_unbounded() && is_narrowed => (PARENT_ROWS, true),
            None if query.bound.is_unbounded() => (UNLIMITED_ROWS, true),
            None => (LIMITED_ELEMENTS, false),
        }
    }
}

/// `userId`, `user_id`, `id`.
fn is_key(column: &str) -> bool {
    let last = column.rsplit('.').next().unwrap_or(column);
    last.ends_with("Id") || last.ends_with("ID") || last.ends_with("_id") || last == "id"
}

/// Whether the loop ends once it got past a place: a search for the first that fits.
fn leaves_after(module: &Module, around: NodeId, node: NodeId) -> bool {
    let end = module.node(node).span.end;
    module.own_nodes(around).into_iter().any(|inner| {
        matches!(module.kind(inner), Kind::Return(_) | Kind::Break) && module.node(inner).span.start >= end
            // `if (exists(path)) { … return … }`
            || matches!(module.kind(inner), Kind::Return(_)) && module.ancestors(node).any(|outer| outer == inner)
    })
}

/// Whether other work comes between the rounds.
fn waits(module: &Module, around: NodeId) -> bool {
    module.all_nodes(around).into_iter().any(|node| matches!(module.kind(node), Kind::Await(_)))
}

/// Whether a place runs once although its function runs often: what it gives is kept, and asked for before.
/// `if (!cache) cache = read()`, `cache ??= read()`, `if (cache) return cache; …`.
#[must_use]
pub fn is_kept(module: &Module, node: NodeId) -> bool {
    let function = module.enclosing_function(node);
    if function == FunctionId::NONE {
        return false;
    }
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Function(_) => return false,
            Kind::Assign { operator: Some(Binary::Nullish | Binary::Or), target, .. } => {
                return is_lasting(module, target, function);
            }
            Kind::Binary { operator: Binary::Nullish | Binary::Or, left, right }
                if right == inner && is_lasting(module, left, function) && has_assignment(module, right) =>
            {
                return true;
            }
            Kind::If { test, then, .. }
                if then == inner
                    && asks_for_missing(module, test, function)
                    && has_assignment(module, then) =>
            {
                return true;
            }
            Kind::Block(statements) => {
                let before: Vec<NodeId> = module.list(statements).take_while(|it| *it != inner).collect();
                if before.iter().any(|statement| returns_kept(module, *statement, function))
                    && stores(module, function)
                {
                    return true;
                }
            }
            _ => {}
        }
        inner = outer;
    }
    false
}

/// `!cache`, `cache === null`, `!cache.has(key)`, `Date.now() - loadedAt > ttl && !cache`.
fn asks_for_missing(module: &Module, test: NodeId, function: FunctionId) -> bool {
    match module.kind(test) {
        Kind::Unary { operator: Unary::Not, value } => is_lasting(module, value, function),
        Kind::Binary { operator: Binary::Equal, left, right } => {
            is_nothing(module, right) && is_lasting(module, left, function)
        }
        Kind::Binary { operator: Binary::And | Binary::Or, left, right } => {
            asks_for_missing(module, left, function) || asks_for_missing(module, right, function)
        }
        _ => false,
    }
}

fn is_nothing(module: &Module, node: NodeId) -> bool {
    matches!(module.kind(node), Kind::Null) || module.source(node) == "undefined"
}

/// A name of an outer scope, a field, or what one of them holds.
fn is_lasting(module: &Module, node: NodeId, function: FunctionId) -> bool {
    match module.kind(node) {
        Kind::This => true,
        Kind::Name { binding, .. } => {
            is_outer(module, binding, function) || holds_lasting(module, binding, function)
        }
        Kind::Member { object, .. } | Kind::Index { object, .. } => is_lasting(module, object, function),
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { object, .. } => is_lasting(module, object, function),
            _ => false,
        },
        Kind::Await(value) => is_lasting(module, value, function),
        _ => false,
    }
}

fn is_outer(module: &Module, binding: BindingId, function: FunctionId) -> bool {
    let Some(declared) = module.binding(binding) else { return false };
    declared.node.is_some() && module.enclosing_function(declared.node) != function
}

/// `const cached = cache.get(key)`.
fn holds_lasting(module: &Module, binding: BindingId, function: FunctionId) -> bool {
    let Some(declared) = module.binding(binding) else { return false };
    match module.kind(module.parent(declared.node)) {
        Kind::Declarator { init, target } if target == declared.node && init.is_some() => {
            let read = if let Kind::Await(value) = module.kind(init) { value } else { init };
            let is_read = match module.kind(read) {
                Kind::Member { .. } | Kind::Index { .. } => true,
                Kind::Call { callee, .. } => {
                    matches!(module.kind(callee), Kind::Member { name, .. } if matches!(module.str(name), "get" | "has"))
                }
                _ => false,
            };
            is_read && is_lasting(module, read, function)
        }
        _ => false,
    }
}

fn has_assignment(module: &Module, node: NodeId) -> bool {
    module.own_nodes(node).into_iter().any(|inner| match module.kind(inner) {
        Kind::Assign { .. } => true,
        Kind::Call { callee, .. } => {
            matches!(module.kind(callee), Kind::Member { name, .. } if matches!(module.str(name), "set" | "push"))
        }
        _ => false,
    })
}

/// Whether a function puts something where it outlives its run.
fn stores(module: &Module, function: FunctionId) -> bool {
    let Some(lowered) = module.function(function) else { return false };
    module.own_nodes(lowered.body).into_iter().any(|node| match module.kind(node) {
        Kind::Assign { target, .. } => is_lasting(module, target, function),
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { object, name } => {
                matches!(module.str(name), "set" | "add") && is_lasting(module, object, function)
            }
            _ => false,
        },
        _ => false,
    })
}

/// `if (cache) return cache;`
fn returns_kept(module: &Module, statement: NodeId, function: FunctionId) -> bool {
    let Kind::If { test, then, otherwise } = module.kind(statement) else { return false };
    if otherwise.is_some() || !tests_presence(module, test, function) {
        return false;
    }
    module.own_nodes(then).into_iter().any(|inner| match module.kind(inner) {
        Kind::Return(value) => value.is_some() && reads_lasting(module, value, function),
        _ => false,
    })
}

fn reads_lasting(module: &Module, value: NodeId, function: FunctionId) -> bool {
    module.own_nodes(value).into_iter().any(|node| is_lasting(module, node, function))
}

fn tests_presence(module: &Module, test: NodeId, function: FunctionId) -> bool {
    match module.kind(test) {
        Kind::Binary { operator: Binary::And, left, right } => {
            tests_presence(module, left, function) || tests_presence(module, right, function)
        }
        Kind::Binary { operator: Binary::NotEqual, left, right } => {
            is_nothing(module, right) && is_lasting(module, left, function)
        }
        _ => is_lasting(module, test, function),
    }
}
