//! What an expression is: on-demand, memoised, cycle-safe value resolution across files.
//!
//! Values of libraries stay symbolic: the path of steps that leads from the package to them (`pg` → `.Pool` → `new`).
//! What such a path means is the business of the library knowledge, not of this layer.

mod alternatives;
mod definitions;
mod documents;
mod exports;
mod file_paths;
mod injection;
mod members;
mod memo;
mod numbers;
mod patterns;
mod proxies;

use std::sync::Arc;

use loadworthy_knowledge::{HandleId, LibId};
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, ClassId, FunctionId, Kind, Module, NodeId};

use crate::index::{enclosing_class, enclosing_object, gotten, is_in_static};
use crate::links::Links;
use crate::program::Program;

use alternatives::{join, none, one};
use memo::{Memo, Question};

pub use alternatives::Values;
pub(crate) use memo::Memories;

pub use numbers::Number;

/// A node of a file.
pub type Site = (FileId, NodeId);

/// One thing that an expression may be.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// A function of the program.
    Function(FileId, FunctionId),
    /// A class of the program.
    Class(FileId, ClassId),
    /// An object of a class of the program.
    Instance(FileId, ClassId),
    /// An object literal.
    Object(FileId, NodeId),
    /// An array literal.
    Array(FileId, NodeId),
    /// All exports of a file.
    Namespace(FileId),
    /// A constant string.
    Text(Arc<str>),
    /// A constant number.
    Number(Number),
    /// `true` or `false`.
    Bool(bool),
    /// An interface or type alias of the program.
    Interface(FileId, BindingId),
    /// A parameter, as long as no call site says more.
    Parameter(FileId, FunctionId, usize),
    /// The arguments of a function from a position on: a rest parameter.
    Rest(FileId, FunctionId, usize),
    /// Something that a package or the platform gives.
    External(External),
}

/// Something that a package or the platform gives: where the path begins, and its steps.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct External {
    /// The package or global.
    pub root: Root,
    /// What was done to it, in order.
    pub steps: Arc<[Step]>,
}

impl External {
    /// The last call or construction on the path: two calls give two objects.
    #[must_use]
    pub fn site(&self) -> Option<Site> {
        self.steps.iter().rev().find_map(Step::site)
    }
}

/// Where the path of an [`External`] begins.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Root {
    /// A package with its subpath (`drizzle-orm/pg-core`), or a built-in module without `node:`.
    Package(Arc<str>),
    /// A global name.
    Global(Arc<str>),
    /// What a library passes to a callback: a request, a transaction's client, a socket.
    Passed(LibId, HandleId),
}

/// One step from a package to a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// `.name`; the default export is the package itself and takes no step.
    Get(Arc<str>),
    /// A call.
    Call(Site),
    /// A construction.
    New(Site),
    /// A value that is only known to have this type.
    Type(Arc<str>),
    /// An object of a program's class that extends the value.
    Extended,
    /// An element of a list.
    Element,
}

impl Step {
    /// The call or construction; `None` for other steps.
    #[must_use]
    pub fn site(&self) -> Option<Site> {
        match self {
            Self::Call(site) | Self::New(site) => Some(*site),
            _ => None,
        }
    }
}

/// Answers what expressions are. One a thread.
pub struct Resolver<'p> {
    program: &'p Program<'p>,
    memo: Memo,
    /// Absent while they are being found: parameters are not followed then.
    links: Option<&'p Links>,
    /// Not all calls are known yet.
    is_partial: bool,
}

/// What was found out serves the next resolver.
impl Drop for Resolver<'_> {
    fn drop(&mut self) {
        self.program.memories().give(std::mem::take(&mut self.memo));
    }
}

impl<'p> Resolver<'p> {
    /// A resolver over a program.
    #[must_use]
    pub fn new(program: &'p Program<'p>) -> Self {
        Self { program, memo: program.memories().take(), links: Some(program.links()), is_partial: false }
    }

    /// A resolver that does not follow parameters: the one that finds what is passed for them.
    pub(crate) fn blind(program: &'p Program<'p>) -> Self {
        Self { program, memo: program.memories().take(), links: None, is_partial: false }
    }

    /// A resolver that knows of a part of the calls: the one that finds the others.
    pub(crate) fn partial(program: &'p Program<'p>) -> Self {
        Self { program, memo: program.memories().take(), links: Some(program.links()), is_partial: true }
    }

    /// Where functions are called and passed. Answers that needed to know are noted as long as not all is known.
    fn links(&self) -> Option<&'p Links> {
        if self.links.is_none() || self.is_partial {
            self.memo.note_unseen();
        }
        self.links
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &'p Program<'p> {
        self.program
    }

    fn module(&self, file: FileId) -> Option<&'p Module> {
        self.program.lowered(file)
    }

    /// What the expression may be.
    #[must_use]
    pub fn value_of(&self, site: Site) -> Values {
        self.memo.ask(Question::Node(site.0, site.1), || self.compute(site))
    }

    fn compute(&self, (file, node): Site) -> Values {
        let Some(module) = self.module(file) else { return none() };
        if is_long_chain(module, node) {
            return none();
        }
        let at = |id: NodeId| (file, id);
        match module.kind(node) {
            Kind::Name { name, binding: BindingId::NONE } if module.str(name) == "exports" => {
                self.export(file, "default")
            }
            Kind::Name { name, binding: BindingId::NONE } => Self::global(module.str(name)),
            Kind::Name { binding, .. } | Kind::Binding(binding) => self.binding(file, binding),
            Kind::Function(function) => one(Value::Function(file, function)),
            Kind::Class(class) => one(Value::Class(file, class)),
            Kind::Object(_) => one(Value::Object(file, node)),
            Kind::Array(_) => one(Value::Array(file, node)),
            Kind::String(atom) => one(Value::Text(module.str(atom).into())),
            Kind::Number(index) => one(Value::Number(Number::new(module.number(index)))),
            Kind::Bool(flag) => one(Value::Bool(flag)),
            Kind::Template { .. } => {
                self.text_of((file, node)).map_or_else(none, |text| one(Value::Text(text.into())))
            }
            Kind::Binary { operator: Binary::Add, .. } => {
                let number = self.number_value((file, node));
                if !number.is_empty() {
                    return number;
                }
                self.text_of((file, node)).map_or_else(none, |text| one(Value::Text(text.into())))
            }
            Kind::This => match enclosing_class(module, node) {
                // In a static method, `this` is the class.
                Some(class) if is_in_static(module, class, node) => one(Value::Class(file, class)),
                Some(class) => one(Value::Instance(file, class)),
                None => self.this_of_function(file, module, node),
            },
            // In a static method, `super` is the class above.
            Kind::Super => match enclosing_class(module, node) {
                Some(class) => self.above(file, class, is_in_static(module, class, node)),
                None => none(),
            },
            Kind::Await(value) | Kind::Default { value, .. } | Kind::Assign { value, .. } => {
                self.value_of(at(value))
            }
            Kind::Conditional { then, otherwise, .. } => {
                join([self.value_of(at(then)), self.value_of(at(otherwise))])
            }
            Kind::Binary { operator: Binary::Or | Binary::Nullish, left, right } => {
                join([self.value_of(at(left)), self.value_of(at(right))])
            }
            Kind::Binary { operator: Binary::And, right, .. } => self.value_of(at(right)),
            Kind::Unary { .. } | Kind::Binary { .. } => self.number_value((file, node)),
            Kind::Sequence(list) => {
                module.list(list).last().map_or_else(none, |last| self.value_of(at(last)))
            }
            Kind::Member { object, name } => self.member_at(module, file, object, module.str(name)),
            Kind::Index { object, index } => self.indexed((file, module), object, index),
            Kind::Import(source) => match self.text_of(at(source)) {
                Some(source) => self.required(file, &source, false),
                None => none(),
            },
            Kind::Call { callee, arguments } => {
                if is_require(module, callee) {
                    let source = module.list(arguments).next().and_then(|source| self.text_of(at(source)));
                    return source.map_or_else(none, |source| self.required(file, &source, true));
                }
                if let Some(key) = gotten(module, callee, arguments) {
                    let values = self.handed_on(key);
                    if !values.is_empty() {
                        return values;
                    }
                }
                let mut called = self.value_of(at(callee));
                if called.is_empty() && matches!(module.kind(callee), Kind::Call { .. } | Kind::Import(_)) {
                    // `require(path.join(dir, name))(app)`
                    called = self.loaded_exports((file, callee)).into();
                }
                if matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "bind")
                    && called.iter().all(|value| matches!(value, Value::Function(..)))
                {
                    return called;
                }
                let handed_out = self.handed_out(module, (file, callee), arguments);
                if handed_out.is_empty() { self.called(&called, (file, node)) } else { handed_out }
            }
            Kind::New { callee, arguments } => {
                let class = self.value_of(at(callee));
                let behind = if proxies::is_proxy(&class) {
                    self.behind_proxy(module, file, arguments)
                } else {
                    none()
                };
                if behind.is_empty() { Self::constructed(&class, (file, node)) } else { behind }
            }
            _ => none(),
        }
    }

    /// The object whose method holds it, or what a schema runs the function on.
    fn this_of_function(&self, file: FileId, module: &Module, node: NodeId) -> Values {
        let of_schema = self.this_of_schema(file, module, node);
        if !of_schema.is_empty() {
            return of_schema;
        }
        enclosing_object(module, node).map_or_else(none, |object| one(Value::Object(file, object)))
    }

    /// `list[0]`, `list[list.length - 1]`, `handlers[event]`.
    fn indexed(&self, (file, module): (FileId, &Module), object: NodeId, index: NodeId) -> Values {
        let values = self.value_of((file, object));
        match module.kind(index) {
            Kind::Number(number) => self.elements(&values, Some(position(module.number(number)))),
            _ if let Some(back) = from_end(module, index) => self.element_from_end(&values, back),
            _ => match self.text_of((file, index)) {
                Some(name) => self.member(&values, &name),
                // `handlers[event]` is any of them.
                None => join([self.elements(&values, None), self.any_property(&values)]),
            },
        }
    }

    fn global(name: &str) -> Values {
        match name {
            "undefined" | "NaN" | "arguments" | "globalThis" | "global" | "window" => none(),
            _ => one(Value::External(External { root: Root::Global(name.into()), steps: Arc::default() })),
        }
    }

    /// The constant text of an expression: literals, constants of other modules, templates and sums of them.
    #[must_use]
    pub fn text_of(&self, (file, node): Site) -> Option<String> {
        let module = self.module(file)?;
        match module.kind(node) {
            Kind::String(atom) => Some(module.str(atom).to_owned()),
            Kind::Number(index) => Some(module.number(index).to_string()),
            Kind::Template { strings, values } => {
                let mut values = module.list(values);
                let mut text = String::new();
                for part in module.atoms(strings) {
                    text.push_str(part);
                    if let Some(value) = values.next() {
                        text.push_str(&self.text_of((file, value))?);
                    }
                }
                Some(text)
            }
            Kind::Binary { operator: Binary::Add, left, right } => {
                Some(self.text_of((file, left))? + &self.text_of((file, right))?)
            }
            Kind::Name { .. } | Kind::Member { .. } | Kind::Conditional { .. } | Kind::Call { .. } => {
                match &*self.value_of((file, node)) {
                    [Value::Text(text)] => Some(text.to_string()),
                    [Value::Number(number)] => Some(number.get().to_string()),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// `1` of `list[list.length - 1]`.
pub(crate) fn from_end(module: &Module, index: NodeId) -> Option<usize> {
    let Kind::Binary { operator: Binary::Subtract, left, right } = module.kind(index) else { return None };
    let Kind::Member { name, .. } = module.kind(left) else { return None };
    let Kind::Number(number) = module.kind(right) else { return None };
    Some(position(module.number(number))).filter(|_| module.str(name) == "length")
}

/// The `require` of `CommonJS`.
fn is_require(module: &Module, callee: NodeId) -> bool {
    matches!(module.kind(callee), Kind::Name { name, binding: BindingId::NONE } if module.str(name) == "require")
}

/// A number as the index of an element; one that is none has no element.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a small whole number"
)]
pub(crate) fn position(number: f64) -> usize {
    let is_index = (0.0..1_000_000.0).contains(&number) && number.fract() == 0.0;
    if is_index { number as usize } else { usize::MAX }
}

/// Whether following the chain of members and calls below a node would take more questions than are asked for one answer:
/// said at once, since a question cut off by its depth is not remembered and each node of the chain would ask it again.
fn is_long_chain(module: &Module, node: NodeId) -> bool {
    let below = |node: &NodeId| match module.kind(*node) {
        Kind::Call { callee, .. } | Kind::New { callee, .. } => Some(callee),
        Kind::Member { object, .. } => Some(object),
        _ => None,
    };
    std::iter::successors(Some(node), below).nth(memo::MAX_DEPTH).is_some()
}
