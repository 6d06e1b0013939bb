//! From the parser's tree to ours: one recursive pass, a file for each kind of syntax.

mod expressions;
mod functions;
mod jsx;
mod modules;
mod patterns;
mod statements;
mod types;

pub use modules::WHOLE_MODULE;

use oxc_ast::ast::{Program, PropertyKey};
use oxc_semantic::Scoping;
use oxc_span::GetSpan;
use rustc_hash::FxHashMap;

use crate::ids::{Atom, BindingId, FunctionId, List, NodeId, TypeId};
use crate::lines::LineIndex;
use crate::module::{Module, SUPPRESSION_WORD, Suppression, owners};
use crate::tree::{Binding, BindingKind, Kind, Node, Span};

/// Lowers a parsed program. `text` is the text that was parsed.
pub(crate) fn lower(text: &str, program: &Program<'_>, scoping: &Scoping) -> Module {
    let mut lowering = Lowering::new(scoping, text.len());
    let root = lowering.add(NodeId::NONE, program.span());
    let body = lowering.statements(root, &program.body);
    lowering.set(root, Kind::Block(body));
    let directives = program.directives.iter().map(|directive| directive.directive.as_str().into()).collect();
    let mut module = lowering.finish(text, root, directives);
    module.suppressions = suppressions(text, program, &module.lines);
    module
}

fn suppressions(text: &str, program: &Program<'_>, lines: &LineIndex) -> Vec<Suppression> {
    let comments = program.comments.iter().filter_map(|comment| {
        let (whole, inner) = (comment.span, comment.content_span());
        let content = text.get(inner.start as usize..inner.end as usize)?.trim();
        content.starts_with(SUPPRESSION_WORD).then(|| Suppression {
            first_line: lines.line(whole.start),
            last_line: lines.line(whole.end.saturating_sub(1)),
            text: content.into(),
        })
    });
    comments.collect()
}

struct Lowering<'s> {
    scoping: &'s Scoping,
    interner: FxHashMap<Box<str>, Atom>,
    /// The function whose body is being lowered.
    function: FunctionId,
    /// Names of the module's own exports: `const api = module.exports`.
    own_exports: Vec<BindingId>,
    module: Parts,
}

/// The growing tables of a [`Module`].
#[derive(Default)]
struct Parts {
    nodes: Vec<Node>,
    lists: Vec<u32>,
    numbers: Vec<f64>,
    atoms: Vec<Box<str>>,
    bindings: Vec<Binding>,
    references: Vec<(BindingId, NodeId)>,
    functions: Vec<crate::tree::Function>,
    classes: Vec<crate::tree::Class>,
    types: Vec<crate::tree::TypeRef>,
    type_members: Vec<(crate::ids::TypeId, Atom, crate::ids::TypeId)>,
    imports: Vec<crate::tree::Import>,
    exports: Vec<crate::tree::Export>,
    calls: Vec<NodeId>,
    parameter_decorators: Vec<crate::tree::ParameterDecorators>,
    side_imports: Vec<Atom>,
}

impl<'s> Lowering<'s> {
    fn new(scoping: &'s Scoping, bytes: usize) -> Self {
        let mut lowering = Self {
            scoping,
            interner: FxHashMap::default(),
            function: FunctionId::NONE,
            own_exports: Vec::new(),
            module: Parts::default(),
        };
        // Real code has a node for every 7 to 9 bytes: one allocation instead of a dozen.
        lowering.module.nodes.reserve(bytes / 9);
        for symbol in scoping.symbol_ids() {
            let name = lowering.intern(scoping.symbol_name(symbol));
            lowering.module.bindings.push(Binding {
                name,
                kind: BindingKind::Variable,
                node: NodeId::NONE,
                type_id: TypeId::NONE,
            });
        }
        lowering
    }

    /// A node whose kind is set once its children are there: outer nodes have smaller ids.
    fn add(&mut self, parent: NodeId, span: oxc_span::Span) -> NodeId {
        let id = NodeId::new(self.module.nodes.len());
        let span = Span { start: span.start, end: span.end };
        self.module.nodes.push(Node { kind: Kind::Hole, span, parent });
        id
    }

    fn set(&mut self, id: NodeId, kind: Kind) {
        if let Some(node) = self.module.nodes.get_mut(id.index()) {
            node.kind = kind;
        }
    }

    fn leaf(&mut self, parent: NodeId, span: oxc_span::Span, kind: Kind) -> NodeId {
        let id = self.add(parent, span);
        self.set(id, kind);
        id
    }

    fn intern(&mut self, text: &str) -> Atom {
        if let Some(atom) = self.interner.get(text) {
            return *atom;
        }
        let atom = Atom::new(self.module.atoms.len());
        self.module.atoms.push(text.into());
        self.interner.insert(text.into(), atom);
        atom
    }

    fn list(&mut self, ids: &[NodeId]) -> List {
        self.raw_list(ids.iter().map(|id| u32::try_from(id.index()).unwrap_or(u32::MAX)))
    }

    fn raw_list(&mut self, ids: impl Iterator<Item = u32>) -> List {
        let start = self.module.lists.len();
        self.module.lists.extend(ids);
        let len = self.module.lists.len() - start;
        match (u32::try_from(start), u32::try_from(len)) {
            (Ok(start), Ok(len)) => List { start, len },
            _ => List::EMPTY,
        }
    }

    fn string(&mut self, parent: NodeId, span: oxc_span::Span, text: &str) -> NodeId {
        let atom = self.intern(text);
        self.leaf(parent, span, Kind::String(atom))
    }

    /// The constant name of a key; absent for a computed one.
    fn constant_key(&mut self, key: &PropertyKey<'_>) -> Atom {
        match key {
            PropertyKey::PrivateIdentifier(name) => self.intern(&format!("#{}", name.name)),
            _ => match key.static_name() {
                Some(name) => self.intern(&name),
                None => Atom::NONE,
            },
        }
    }

    fn declare(&mut self, binding: BindingId, kind: BindingKind, node: NodeId) {
        if let Some(declared) = self.module.bindings.get_mut(binding.index()) {
            // `const User = z.object(…); type User = …`: one name, of which the code uses the value.
            if kind == BindingKind::Type && declared.node.is_some() {
                return;
            }
            declared.kind = kind;
            // `var x` twice, or an overloaded function: the first with a node stands.
            if !declared.node.is_some() {
                declared.node = node;
            }
        }
    }

    fn finish(mut self, text: &str, root: NodeId, directives: Vec<Box<str>>) -> Module {
        let count = self.module.bindings.len();
        self.module.references.sort_unstable();
        let starts = (0..=count)
            .map(|index| self.module.references.partition_point(|(binding, _)| binding.index() < index))
            .filter_map(|start| u32::try_from(start).ok())
            .collect();
        let mut parts = self.module;
        let name = |at: &u32| {
            let export = parts.exports.get(*at as usize);
            export.and_then(|export| parts.atoms.get(export.name.index())).map_or("", |name| name)
        };
        let mut export_order: Vec<u32> = (0..).take(parts.exports.len()).collect();
        export_order.sort_by(|one, two| name(one).cmp(name(two)));
        parts.type_members.sort_by_key(|(owner, ..)| *owner);
        parts.type_members.shrink_to_fit();
        parts.nodes.shrink_to_fit();
        parts.lists.shrink_to_fit();
        Module {
            text: text.into(),
            lines: LineIndex::new(text),
            owners: owners(&parts.nodes),
            nodes: parts.nodes,
            lists: parts.lists,
            numbers: parts.numbers,
            atoms: parts.atoms,
            bindings: parts.bindings,
            reference_starts: starts,
            references: parts.references.into_iter().map(|(_, node)| node).collect(),
            functions: parts.functions,
            classes: parts.classes,
            types: parts.types,
            type_members: parts.type_members,
            imports: parts.imports,
            exports: parts.exports,
            export_order,
            calls: parts.calls,
            parameter_decorators: parts.parameter_decorators,
            side_imports: parts.side_imports,
            directives,
            suppressions: Vec::new(),
            root,
        }
    }
}

/// The binding of a declared symbol: bindings are numbered like the symbols of the parse.
fn binding_of(id: &oxc_ast::ast::BindingIdentifier<'_>) -> BindingId {
    id.symbol_id.get().map_or(BindingId::NONE, |symbol| BindingId::new(symbol.index()))
}
