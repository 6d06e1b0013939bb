//! A lowered file and the questions that its own text answers.

use crate::ids::{Atom, BindingId, ClassId, FunctionId, List, NodeId, TypeId};
use crate::lines::LineIndex;
use crate::tree::{
    Binding, Class, Export, ExportTarget, Function, Import, ImportId, Kind, Node, ParameterDecorators, Span,
    TypeRef,
};

/// One file, lowered. All of its ids are valid in this module only.
#[derive(Debug)]
pub struct Module {
    pub(crate) text: Box<str>,
    pub(crate) lines: LineIndex,
    pub(crate) nodes: Vec<Node>,
    /// The function whose code holds each node: asked all the time, and the way up may be long.
    pub(crate) owners: Vec<FunctionId>,
    pub(crate) lists: Vec<u32>,
    pub(crate) numbers: Vec<f64>,
    pub(crate) atoms: Vec<Box<str>>,
    pub(crate) bindings: Vec<Binding>,
    /// Start of each binding's run in `references`; one more entry than bindings.
    pub(crate) reference_starts: Vec<u32>,
    pub(crate) references: Vec<NodeId>,
    pub(crate) functions: Vec<Function>,
    pub(crate) classes: Vec<Class>,
    pub(crate) types: Vec<TypeRef>,
    /// The members of literal types that name something, by the literal.
    pub(crate) type_members: Vec<(TypeId, Atom, TypeId)>,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: Vec<Export>,
    /// Positions in `exports`, in the order of names, then of the source.
    pub(crate) export_order: Vec<u32>,
    pub(crate) calls: Vec<NodeId>,
    pub(crate) parameter_decorators: Vec<ParameterDecorators>,
    pub(crate) side_imports: Vec<Atom>,
    pub(crate) directives: Vec<Box<str>>,
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) root: NodeId,
}

/// A comment to the tool itself: `// loadworthy-ignore-next-line n-plus-one -- reason`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suppression {
    /// First line, counted from 1.
    pub first_line: u32,
    /// Last line.
    pub last_line: u32,
    /// What stands between the comment signs.
    pub text: Box<str>,
}

/// Comments to the tool begin with this.
pub const SUPPRESSION_WORD: &str = "loadworthy-ignore";

const HOLE: Node = Node { kind: Kind::Hole, span: Span { start: 0, end: 0 }, parent: NodeId::NONE };

/// The function around each node; outer nodes have smaller ids.
pub(crate) fn owners(nodes: &[Node]) -> Vec<FunctionId> {
    let mut owners: Vec<FunctionId> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let parent = node.parent.index();
        let owner = match nodes.get(parent).map(|parent| parent.kind) {
            Some(Kind::Function(function)) => function,
            _ => owners.get(parent).copied().unwrap_or(FunctionId::NONE),
        };
        owners.push(owner);
    }
    owners
}

impl Module {
    /// The source text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The module's body, a `Block`.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// A node; a `Hole` for an absent one.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id.index()).copied().unwrap_or(HOLE)
    }

    /// What a node is; `Hole` for an absent one.
    #[must_use]
    pub fn kind(&self, id: NodeId) -> Kind {
        self.node(id).kind
    }

    /// The node around it.
    #[must_use]
    pub fn parent(&self, id: NodeId) -> NodeId {
        self.node(id).parent
    }

    /// The node itself is not among them; innermost first.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent(id).ok(), |node| self.parent(*node).ok())
    }

    /// Every node id, outer before inner.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId::new)
    }

    /// The nodes of a list.
    #[must_use]
    pub fn list(&self, list: List) -> impl ExactSizeIterator<Item = NodeId> + DoubleEndedIterator + '_ {
        self.run(list).iter().map(|id| NodeId::new(*id as usize))
    }

    /// The strings of a template's text parts.
    #[must_use]
    pub fn atoms(&self, list: List) -> impl ExactSizeIterator<Item = &str> + '_ {
        self.run(list).iter().map(|id| self.str(Atom::new(*id as usize)))
    }

    fn run(&self, list: List) -> &[u32] {
        let start = list.start as usize;
        self.lists.get(start..start + list.len()).unwrap_or_default()
    }

    /// The text of an atom; empty for an absent one.
    #[must_use]
    pub fn str(&self, atom: Atom) -> &str {
        self.atoms.get(atom.index()).map_or("", |text| text)
    }

    /// The value of a `Number`.
    #[must_use]
    pub fn number(&self, index: u32) -> f64 {
        self.numbers.get(index as usize).copied().unwrap_or(f64::NAN)
    }

    /// A declared name.
    #[must_use]
    pub fn binding(&self, id: BindingId) -> Option<&Binding> {
        self.bindings.get(id.index())
    }

    /// Every declared name.
    #[must_use]
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The `Name` nodes that use a binding, in source order.
    #[must_use]
    pub fn references(&self, id: BindingId) -> &[NodeId] {
        let bound = |offset| self.reference_starts.get(id.index() + offset).map(|at| *at as usize);
        bound(0).zip(bound(1)).and_then(|(start, end)| self.references.get(start..end)).unwrap_or_default()
    }

    /// A function.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<&Function> {
        self.functions.get(id.index())
    }

    /// Every function, outer before inner.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// A class.
    #[must_use]
    pub fn class(&self, id: ClassId) -> Option<&Class> {
        self.classes.get(id.index())
    }

    /// Every class.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// A type annotation.
    #[must_use]
    pub fn type_ref(&self, id: TypeId) -> Option<&TypeRef> {
        self.types.get(id.index())
    }

    /// The type of a member of a literal type; none where it names nothing.
    #[must_use]
    pub fn type_member(&self, literal: TypeId, name: &str) -> Option<TypeId> {
        let from = self.type_members.partition_point(|(owner, ..)| *owner < literal);
        let own = self.type_members.get(from..).unwrap_or_default();
        own.iter()
            .take_while(|(owner, ..)| *owner == literal)
            .find(|it| self.str(it.1) == name)
            .map(|it| it.2)
    }

    /// An imported name.
    #[must_use]
    pub fn import(&self, id: ImportId) -> Option<&Import> {
        self.imports.get(id as usize)
    }

    /// Every imported name.
    #[must_use]
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// Specifiers of imports that bring no name (`import "./x"`).
    pub fn side_imports(&self) -> impl Iterator<Item = &str> + '_ {
        self.side_imports.iter().map(|atom| self.str(*atom))
    }

    /// The specifiers that the module imports, re-exports from or requires with a constant, some of them more than once.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let imports = self.imports.iter().map(|import| import.source);
        let exports = self.exports.iter().filter_map(|export| match export.target {
            ExportTarget::From { source, .. } | ExportTarget::Star { source } => Some(source),
            ExportTarget::Binding(_) | ExportTarget::Value(_) => None,
        });
        let required = self.nodes.iter().filter_map(|node| match node.kind {
            Kind::Call { callee, arguments } if self.is_require(callee) => self.list(arguments).next(),
            Kind::Import(source) => Some(source),
            _ => None,
        });
        let required = required.filter_map(|source| match self.kind(source) {
            Kind::String(source) => Some(source),
            _ => None,
        });
        imports
            .chain(exports)
            .chain(self.side_imports.iter().copied())
            .chain(required)
            .map(|atom| self.str(atom))
    }

    fn is_require(&self, callee: NodeId) -> bool {
        matches!(self.kind(callee), Kind::Name { name, binding: BindingId::NONE } if self.str(name) == "require")
    }

    /// Every exported name, ES modules and `CommonJS` alike.
    #[must_use]
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// The exports of a name, in source order; `export *` has the empty name.
    #[must_use]
    pub fn exports_named(&self, name: &str) -> impl DoubleEndedIterator<Item = &Export> {
        let of = |at: &u32| self.exports.get(*at as usize);
        let named = |at: &u32| of(at).map_or("", |export| self.str(export.name));
        let start = self.export_order.partition_point(|at| named(at) < name);
        let rest = self.export_order.get(start..).unwrap_or_default();
        let count = rest.partition_point(|at| named(at) == name);
        rest.get(..count).unwrap_or_default().iter().filter_map(of)
    }

    /// Every `Call`, `New` and `Tagged` node, in source order of their heads.
    #[must_use]
    pub fn calls(&self) -> &[NodeId] {
        &self.calls
    }

    /// Decorators on parameters.
    #[must_use]
    pub fn parameter_decorators(&self) -> &[ParameterDecorators] {
        &self.parameter_decorators
    }

    /// Whether the module begins with this directive (`use client`).
    #[must_use]
    pub fn has_directive(&self, directive: &str) -> bool {
        self.directives.iter().any(|own| &**own == directive)
    }

    /// Comments to the tool itself, in source order; other comments are not kept.
    #[must_use]
    pub fn suppressions(&self) -> &[Suppression] {
        &self.suppressions
    }

    /// The function whose code holds the node; for a `Function` node, the one around it.
    #[must_use]
    pub fn enclosing_function(&self, id: NodeId) -> FunctionId {
        self.owners.get(id.index()).copied().unwrap_or(FunctionId::NONE)
    }

    /// The outermost function around the node: the component or hook, in a page's code. Absent at module level. Of
    /// arrows that are each other's whole body (`a => b => …`) the inner one.
    #[must_use]
    pub fn outermost_function(&self, id: NodeId) -> FunctionId {
        let around = std::iter::successors(self.enclosing_function(id).ok(), |function| {
            self.enclosing_function(self.parent(self.function(*function)?.node)).ok()
        });
        around.last().unwrap_or(FunctionId::NONE)
    }

    /// Whether the text of one node lies in that of another; a node holds itself.
    #[must_use]
    pub fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        self.node(outer).span.contains(self.node(inner).span)
    }

    /// First and last line of a node, counted from 1.
    #[must_use]
    pub fn lines_of(&self, id: NodeId) -> (u32, u32) {
        let span = self.node(id).span;
        (self.lines.line(span.start), self.lines.line(span.end.saturating_sub(1).max(span.start)))
    }

    /// Line and column (both from 1, column in characters) of a byte.
    #[must_use]
    pub fn position(&self, byte: u32) -> (u32, u32) {
        self.lines.position(&self.text, byte)
    }

    /// The node's source text.
    #[must_use]
    pub fn source(&self, id: NodeId) -> &str {
        let span = self.node(id).span;
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}
