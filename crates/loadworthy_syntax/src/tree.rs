//! The lowered tree: one small, owned node for each expression, statement and pattern, with names resolved to bindings.
//!
//! Lowering drops what no analysis asks about (parentheses, casts, optional chaining, type parameters, directives) and
//! gives one form to what JavaScript writes in several. It is owned and `Sync`: the parser's own tree lives in an arena
//! that can be neither sent to another thread nor shared between threads, so it can't serve a parallel whole-program analysis.

use crate::ids::{Atom, BindingId, ClassId, FunctionId, List, NodeId, TypeId};

/// Bytes of the source text: `start..end`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Whether another span lies in this one; a span lies in itself.
    #[must_use]
    pub fn contains(self, inner: Self) -> bool {
        self.start <= inner.start && inner.end <= self.end
    }
}

/// A node with its place and its parent.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// The node that holds it; [`NodeId::NONE`] for the module's root.
    pub parent: NodeId,
}

/// What a node is. Optional children are [`NodeId::NONE`] where absent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A use of a name; `binding` is absent for a global.
    Name {
        /// The identifier.
        name: Atom,
        /// What declares it.
        binding: BindingId,
    },
    /// `this`.
    This,
    /// `super`.
    Super,
    /// `null`.
    Null,
    /// A hole in an array or array pattern, an empty JSX expression, or syntax that could not be lowered.
    Hole,
    /// `true` or `false`.
    Bool(bool),
    /// A number: index for [`crate::Module::number`].
    Number(u32),
    /// A string, the text of a JSX child, or the name of a host element.
    String(Atom),
    /// A regular expression.
    Regex {
        /// The text between the slashes.
        pattern: Atom,
        /// The letters after them.
        flags: Atom,
    },
    /// A template: `strings` is a list of atoms, one more than `values`.
    Template {
        /// Text parts ([`crate::Module::atoms`]).
        strings: List,
        /// Interpolated expressions.
        values: List,
    },
    /// A tagged template.
    Tagged {
        /// The function.
        tag: NodeId,
        /// The template.
        template: NodeId,
    },
    /// An array literal.
    Array(List),
    /// An object literal: `Property`, `ComputedProperty` and `Spread` nodes.
    Object(List),
    /// `key: value` of an object literal, object pattern or JSX element (value absent: `true`).
    Property {
        /// The constant key.
        key: Atom,
        /// Expression or pattern.
        value: NodeId,
    },
    /// `[key]: value`.
    ComputedProperty {
        /// The key expression.
        key: NodeId,
        /// Expression or pattern.
        value: NodeId,
    },
    /// `...value`.
    Spread(NodeId),
    /// A function of any form, also as a declaration.
    Function(FunctionId),
    /// A class, also as a declaration.
    Class(ClassId),
    /// `object.name`.
    Member {
        /// The left side.
        object: NodeId,
        /// The property.
        name: Atom,
    },
    /// `object[index]` with an index that is not a constant string.
    Index {
        /// The left side.
        object: NodeId,
        /// The key.
        index: NodeId,
    },
    /// A call.
    Call {
        /// What is called.
        callee: NodeId,
        /// Arguments, spreads included.
        arguments: List,
    },
    /// `new callee(arguments)`.
    New {
        /// The constructor.
        callee: NodeId,
        /// Arguments.
        arguments: List,
    },
    /// `await value`.
    Await(NodeId),
    /// `yield value`.
    Yield(NodeId),
    /// A prefix operator.
    Unary {
        /// Which one.
        operator: Unary,
        /// Operand.
        value: NodeId,
    },
    /// `++`/`--` in either position.
    Update(NodeId),
    /// A binary or logical operator.
    Binary {
        /// Which one.
        operator: Binary,
        /// Left operand.
        left: NodeId,
        /// Right operand.
        right: NodeId,
    },
    /// An assignment; `operator` is absent for `=`.
    Assign {
        /// The operator of a compound assignment.
        operator: Option<Binary>,
        /// What is written: `Name`, `Member`, `Index` or a pattern.
        target: NodeId,
        /// The value.
        value: NodeId,
    },
    /// `test ? then : otherwise`.
    Conditional {
        /// Condition.
        test: NodeId,
        /// Value where true.
        then: NodeId,
        /// Value where false.
        otherwise: NodeId,
    },
    /// `a, b`.
    Sequence(List),
    /// `import(source)`.
    Import(NodeId),
    /// `import.meta` or `new.target`.
    Meta,
    /// A JSX element; `component` is a `String` for host elements, absent for fragments. `parts` holds attributes
    /// (`Property`, `Spread`) and then children.
    Element {
        /// The component.
        component: NodeId,
        /// Attributes, then children.
        parts: List,
    },
    /// A declared name in a pattern.
    Binding(BindingId),
    /// `{a, b: c, ...rest}` as a target.
    ObjectPattern(List),
    /// `[a, , ...rest]` as a target.
    ArrayPattern(List),
    /// `target = value` in a pattern or parameter list.
    Default {
        /// The target.
        target: NodeId,
        /// The default.
        value: NodeId,
    },
    /// `...target`.
    Rest(NodeId),
    /// A block, or the module's body.
    Block(List),
    /// An expression as a statement.
    Expression(NodeId),
    /// A variable declaration: `Declarator` nodes.
    Variables(List),
    /// One declared variable.
    Declarator {
        /// Binding or pattern.
        target: NodeId,
        /// Initial value.
        init: NodeId,
    },
    /// `return value`.
    Return(NodeId),
    /// `throw value`.
    Throw(NodeId),
    /// `if`.
    If {
        /// Condition.
        test: NodeId,
        /// Branch where true.
        then: NodeId,
        /// Branch where false.
        otherwise: NodeId,
    },
    /// `for (init; test; update) body`: those four, absent ones as `Hole`.
    For(List),
    /// `for (target in object)`.
    ForIn {
        /// The variable.
        target: NodeId,
        /// What is enumerated.
        object: NodeId,
        /// The body.
        body: NodeId,
    },
    /// `for (target of iterable)`.
    ForOf {
        /// The variable.
        target: NodeId,
        /// What is iterated.
        iterable: NodeId,
        /// The body.
        body: NodeId,
    },
    /// `for await (target of iterable)`.
    ForAwait {
        /// The variable.
        target: NodeId,
        /// What is iterated.
        iterable: NodeId,
        /// The body.
        body: NodeId,
    },
    /// `while`.
    While {
        /// Condition.
        test: NodeId,
        /// The body.
        body: NodeId,
    },
    /// `do … while`.
    DoWhile {
        /// Condition.
        test: NodeId,
        /// The body.
        body: NodeId,
    },
    /// `switch`.
    Switch {
        /// The value.
        subject: NodeId,
        /// `Case` nodes.
        cases: List,
    },
    /// A case; `test` is absent for `default`.
    Case {
        /// The label.
        test: NodeId,
        /// Statements.
        body: List,
    },
    /// `try`.
    Try {
        /// The guarded block.
        block: NodeId,
        /// A `Catch` node.
        handler: NodeId,
        /// The `finally` block.
        finalizer: NodeId,
    },
    /// A catch clause.
    Catch {
        /// The pattern of the error.
        parameter: NodeId,
        /// The block.
        body: NodeId,
    },
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// An empty statement, a type declaration, or an import or export list (see the module's tables).
    Empty,
}

/// Prefix operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unary {
    /// `!`
    Not,
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// `typeof`
    Typeof,
    /// `void`
    Void,
    /// `delete`
    Delete,
    /// `~`
    BitNot,
}

/// Binary and logical operators, as far as an analysis tells them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binary {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `??`
    Nullish,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `**`
    Power,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `==` and `===`
    Equal,
    /// `!=` and `!==`
    NotEqual,
    /// `in`
    In,
    /// `instanceof`
    Instanceof,
    /// Bitwise operators and shifts.
    Bitwise,
}

/// How a name came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BindingKind {
    /// `var`, `let`.
    Variable,
    /// `const`, `using`.
    Constant,
    /// A parameter, or part of a destructured one.
    Parameter,
    /// A function declaration or the name of a function expression.
    Function,
    /// A class.
    Class,
    /// An imported value.
    Import(ImportId),
    /// A caught error.
    Catch,
    /// An interface or type alias.
    Type,
}

/// Index of an [`Import`] in [`crate::Module::imports`].
pub type ImportId = u32;

/// A declared name.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The name.
    pub name: Atom,
    /// How it came to be.
    pub kind: BindingKind,
    /// The `Binding` node, or the `Function`/`Class` node; absent for imports and types.
    pub node: NodeId,
    /// The declared type.
    pub type_id: TypeId,
}

/// What an import brings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportName {
    /// `import x from`.
    Default,
    /// `import * as x from`, `import x = require()`.
    Namespace,
    /// `import {name as x} from`.
    Named(Atom),
}

/// An imported name.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    /// The module specifier.
    pub source: Atom,
    /// What is imported.
    pub name: ImportName,
}

/// An exported name.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// The exported name: `default` for a default export, `module.exports` for a whole `CommonJS` module, empty for `export *`.
    pub name: Atom,
    /// What it is.
    pub target: ExportTarget,
}

/// What an export stands for.
#[derive(Clone, Copy, Debug)]
pub enum ExportTarget {
    /// A name of this module.
    Binding(BindingId),
    /// An expression, function or class of this module.
    Value(NodeId),
    /// A name of another module.
    From {
        /// The specifier.
        source: Atom,
        /// Its name there.
        name: ImportName,
    },
    /// Everything of another module.
    Star {
        /// The specifier.
        source: Atom,
    },
}

/// A function of any form.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The `Function` node.
    pub node: NodeId,
    /// Its own name; absent for anonymous ones.
    pub name: Atom,
    /// Patterns of the parameters.
    pub parameters: List,
    /// A `Block`, or an expression for a short arrow; absent for a declaration without body.
    pub body: NodeId,
    /// The function around it; absent at module level.
    pub parent: FunctionId,
    /// The class of a method.
    pub class: ClassId,
    /// Declared with `async`.
    pub is_async: bool,
    /// Declared with `*`.
    pub is_generator: bool,
    /// An arrow: no `this` of its own.
    pub is_arrow: bool,
    /// The declared return type.
    pub return_type: TypeId,
    /// The first directive of its body (`use server`); absent where it has none.
    pub directive: Atom,
}

/// A class.
#[derive(Clone, Debug)]
pub struct Class {
    /// The `Class` node.
    pub node: NodeId,
    /// Its name.
    pub name: Atom,
    /// The expression after `extends`.
    pub heritage: NodeId,
    /// Types after `implements`.
    pub implements: Vec<TypeId>,
    /// Decorator expressions.
    pub decorators: Vec<NodeId>,
    /// Members in source order.
    pub members: Vec<ClassMember>,
}

/// What a class member is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemberKind {
    /// `constructor`.
    Constructor,
    /// A method.
    Method,
    /// `get name()`.
    Getter,
    /// `set name()`.
    Setter,
    /// A field.
    Field,
    /// `static { … }`.
    StaticBlock,
    /// A constructor parameter with an accessibility word: a field that the parameter fills.
    ParameterProperty,
}

/// A member of a class.
#[derive(Clone, Debug)]
pub struct ClassMember {
    /// Its constant name; absent for computed ones.
    pub name: Atom,
    /// What it is.
    pub kind: MemberKind,
    /// Belongs to the class itself.
    pub is_static: bool,
    /// The `Function` node, the initial value, the static block, or the parameter's pattern.
    pub value: NodeId,
    /// Decorator expressions.
    pub decorators: Vec<NodeId>,
    /// The declared type of a field.
    pub type_id: TypeId,
}

/// A parameter's decorators (`@Inject(TOKEN) private x: X`).
#[derive(Clone, Debug)]
pub struct ParameterDecorators {
    /// The parameter's pattern.
    pub parameter: NodeId,
    /// Decorator expressions.
    pub decorators: Vec<NodeId>,
}

/// A type annotation, as far as it names a value's class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeRef {
    /// Its form.
    pub form: TypeForm,
    /// The (last) name of a reference.
    pub name: Atom,
    /// The binding of a reference's (first) name.
    pub binding: BindingId,
    /// First type argument, the element of an array, what is extended.
    pub argument: TypeId,
}

/// Forms of type annotations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeForm {
    /// `Name`, `Name<Argument>`, `space.Name`.
    Reference,
    /// `Element[]`.
    Array,
    /// `typeof name`.
    Query,
    /// `Argument["name"]`, and what a pattern takes of a parameter of type `Argument`.
    Member,
    /// `{ … }`, the body of an interface, `Argument & { … }`: its members are [`crate::Module::type_member`]'s.
    Literal,
    /// `string`.
    String,
    /// `number`.
    Number,
    /// `boolean`.
    Boolean,
    /// Anything else.
    Other,
}
