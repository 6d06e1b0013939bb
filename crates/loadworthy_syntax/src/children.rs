//! The parts of a node, and everything under it.

use crate::ids::{List, NodeId};
use crate::module::Module;
use crate::tree::{Kind, MemberKind};

impl Module {
    /// The parts of a node in the order in which they are evaluated; absent ones left out. The parts of a function are
    /// its parameters and its body; those of a class its heritage, decorators and members.
    #[must_use]
    pub fn children(&self, node: NodeId) -> Vec<NodeId> {
        let mut parts = Vec::new();
        let mut add = |ids: &[NodeId]| parts.extend(ids.iter().copied().filter(|id| id.is_some()));
        match self.kind(node) {
            Kind::Template { values: list, .. }
            | Kind::Array(list)
            | Kind::Object(list)
            | Kind::Sequence(list)
            | Kind::ObjectPattern(list)
            | Kind::ArrayPattern(list)
            | Kind::Block(list)
            | Kind::Variables(list)
            | Kind::For(list) => self.extend(&mut parts, list),
            Kind::Tagged { tag, template } => add(&[tag, template]),
            Kind::Property { value, .. }
            | Kind::Spread(value)
            | Kind::Await(value)
            | Kind::Yield(value)
            | Kind::Unary { value, .. }
            | Kind::Update(value)
            | Kind::Import(value)
            | Kind::Rest(value)
            | Kind::Expression(value)
            | Kind::Return(value)
            | Kind::Throw(value) => add(&[value]),
            Kind::ComputedProperty { key, value } => add(&[key, value]),
            Kind::Function(function) => {
                if let Some(function) = self.function(function) {
                    self.extend(&mut parts, function.parameters);
                    parts.extend(function.body.ok());
                }
            }
            Kind::Class(class) => {
                if let Some(class) = self.class(class) {
                    parts.extend(class.heritage.ok());
                    parts.extend(class.decorators.iter().copied());
                    for member in &class.members {
                        parts.extend(member.decorators.iter().copied());
                        // A parameter that is a field is a part of its constructor.
                        if member.kind != MemberKind::ParameterProperty {
                            parts.extend(member.value.ok());
                        }
                    }
                }
            }
            Kind::Member { object, .. } => add(&[object]),
            Kind::Index { object, index } => add(&[object, index]),
            Kind::Call { callee: first, arguments: list }
            | Kind::New { callee: first, arguments: list }
            | Kind::Element { component: first, parts: list }
            | Kind::Switch { subject: first, cases: list }
            | Kind::Case { test: first, body: list } => {
                add(&[first]);
                self.extend(&mut parts, list);
            }
            Kind::Binary { left, right, .. } => add(&[left, right]),
            Kind::Assign { target, value, .. } | Kind::Default { target, value } => add(&[target, value]),
            Kind::Conditional { test, then, otherwise } | Kind::If { test, then, otherwise } => {
                add(&[test, then, otherwise]);
            }
            Kind::Declarator { target, init } => add(&[init, target]),
            Kind::ForIn { target, object: over, body }
            | Kind::ForOf { target, iterable: over, body }
            | Kind::ForAwait { target, iterable: over, body } => add(&[over, target, body]),
            Kind::While { test, body } => add(&[test, body]),
            Kind::DoWhile { test, body } => add(&[body, test]),
            Kind::Try { block, handler, finalizer } => add(&[block, handler, finalizer]),
            Kind::Catch { parameter, body } => add(&[parameter, body]),
            _ => {}
        }
        parts
    }

    fn extend(&self, parts: &mut Vec<NodeId>, list: List) {
        parts.extend(self.list(list).filter(|id| id.is_some()));
    }

    /// A node and everything under it, outer before inner. Functions inside it are listed and not entered: their code
    /// runs at another time.
    #[must_use]
    pub fn own_nodes(&self, node: NodeId) -> Vec<NodeId> {
        self.descend(node, |kind| matches!(kind, Kind::Function(_)))
    }

    /// A node and everything under it, outer before inner, the code of functions included.
    #[must_use]
    pub fn all_nodes(&self, node: NodeId) -> Vec<NodeId> {
        self.descend(node, |_| false)
    }

    fn descend(&self, root: NodeId, is_closed: impl Fn(Kind) -> bool) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            found.push(node);
            if node == root || !is_closed(self.kind(node)) {
                open.extend(self.children(node).into_iter().rev());
            }
        }
        found
    }
}
