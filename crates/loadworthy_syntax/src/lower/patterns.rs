//! Patterns of declarations, parameters and assignments.

use oxc_ast::ast::{
    AssignmentTarget, AssignmentTargetMaybeDefault, AssignmentTargetProperty, BindingPattern, PropertyKey,
};
use oxc_span::GetSpan;

use super::{Lowering, binding_of};
use crate::ids::NodeId;
use crate::tree::{BindingKind, Kind};

impl Lowering<'_> {
    pub(super) fn pattern(
        &mut self,
        parent: NodeId,
        pattern: &BindingPattern<'_>,
        kind: BindingKind,
    ) -> NodeId {
        let id = self.add(parent, pattern.span());
        let lowered = match pattern {
            BindingPattern::BindingIdentifier(it) => {
                let binding = binding_of(it);
                self.declare(binding, kind, id);
                Kind::Binding(binding)
            }
            BindingPattern::AssignmentPattern(it) => Kind::Default {
                target: self.pattern(id, &it.left, kind),
                value: self.expression(id, &it.right),
            },
            BindingPattern::ObjectPattern(it) => {
                let mut parts = Vec::with_capacity(it.properties.len() + 1);
                for property in &it.properties {
                    let node = self.add(id, property.span);
                    let key = self.key(node, &property.key);
                    let value = self.pattern(node, &property.value, kind);
                    self.set(node, keyed(key, value));
                    parts.push(node);
                }
                if let Some(rest) = &it.rest {
                    parts.push(self.rest(id, rest.span, &rest.argument, kind));
                }
                Kind::ObjectPattern(self.list(&parts))
            }
            BindingPattern::ArrayPattern(it) => {
                let mut parts = Vec::with_capacity(it.elements.len() + 1);
                for element in &it.elements {
                    parts.push(match element {
                        Some(element) => self.pattern(id, element, kind),
                        None => self.leaf(id, it.span, Kind::Hole),
                    });
                }
                if let Some(rest) = &it.rest {
                    parts.push(self.rest(id, rest.span, &rest.argument, kind));
                }
                Kind::ArrayPattern(self.list(&parts))
            }
        };
        self.set(id, lowered);
        id
    }

    pub(super) fn rest(
        &mut self,
        parent: NodeId,
        span: oxc_span::Span,
        target: &BindingPattern<'_>,
        kind: BindingKind,
    ) -> NodeId {
        let id = self.add(parent, span);
        let target = self.pattern(id, target, kind);
        self.set(id, Kind::Rest(target));
        id
    }

    fn key(&mut self, parent: NodeId, key: &PropertyKey<'_>) -> Result<crate::ids::Atom, NodeId> {
        let name = self.constant_key(key);
        match (name.ok(), key.as_expression()) {
            (None, Some(computed)) => Err(self.expression(parent, computed)),
            _ => Ok(name),
        }
    }

    pub(super) fn assignment_target(&mut self, parent: NodeId, target: &AssignmentTarget<'_>) -> NodeId {
        if let Some(simple) = target.as_simple_assignment_target() {
            return self.simple_target(parent, simple);
        }
        let id = self.add(parent, target.span());
        let lowered = match target {
            AssignmentTarget::ObjectAssignmentTarget(it) => {
                let mut parts: Vec<_> =
                    it.properties.iter().map(|part| self.target_property(id, part)).collect();
                if let Some(rest) = &it.rest {
                    parts.push(self.target_rest(id, rest.span, &rest.target));
                }
                Kind::ObjectPattern(self.list(&parts))
            }
            AssignmentTarget::ArrayAssignmentTarget(it) => {
                let mut parts = Vec::with_capacity(it.elements.len() + 1);
                for element in &it.elements {
                    parts.push(match element {
                        Some(element) => self.maybe_default(id, element),
                        None => self.leaf(id, it.span, Kind::Hole),
                    });
                }
                if let Some(rest) = &it.rest {
                    parts.push(self.target_rest(id, rest.span, &rest.target));
                }
                Kind::ArrayPattern(self.list(&parts))
            }
            _ => Kind::Hole,
        };
        self.set(id, lowered);
        id
    }

    fn target_rest(&mut self, parent: NodeId, span: oxc_span::Span, target: &AssignmentTarget<'_>) -> NodeId {
        let id = self.add(parent, span);
        let target = self.assignment_target(id, target);
        self.set(id, Kind::Rest(target));
        id
    }

    fn target_property(&mut self, parent: NodeId, part: &AssignmentTargetProperty<'_>) -> NodeId {
        let id = self.add(parent, part.span());
        let kind = match part {
            AssignmentTargetProperty::AssignmentTargetPropertyIdentifier(it) => {
                let key = self.intern(&it.binding.name);
                let value = match &it.init {
                    None => self.name(id, &it.binding),
                    Some(init) => {
                        let node = self.add(id, it.span);
                        let target = self.name(node, &it.binding);
                        let value = self.expression(node, init);
                        self.set(node, Kind::Default { target, value });
                        node
                    }
                };
                Kind::Property { key, value }
            }
            AssignmentTargetProperty::AssignmentTargetPropertyProperty(it) => {
                let key = self.key(id, &it.name);
                keyed(key, self.maybe_default(id, &it.binding))
            }
        };
        self.set(id, kind);
        id
    }

    fn maybe_default(&mut self, parent: NodeId, target: &AssignmentTargetMaybeDefault<'_>) -> NodeId {
        match target {
            AssignmentTargetMaybeDefault::AssignmentTargetWithDefault(it) => {
                let id = self.add(parent, it.span);
                let target = self.assignment_target(id, &it.binding);
                let value = self.expression(id, &it.init);
                self.set(id, Kind::Default { target, value });
                id
            }
            other => match other.as_assignment_target() {
                Some(target) => self.assignment_target(parent, target),
                None => self.leaf(parent, other.span(), Kind::Hole),
            },
        }
    }
}

fn keyed(key: Result<crate::ids::Atom, NodeId>, value: NodeId) -> Kind {
    match key {
        Ok(key) => Kind::Property { key, value },
        Err(key) => Kind::ComputedProperty { key, value },
    }
}
