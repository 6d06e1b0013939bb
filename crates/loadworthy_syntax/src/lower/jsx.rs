//! JSX.

use oxc_ast::ast::{
    JSXAttributeItem, JSXAttributeName, JSXAttributeValue, JSXChild, JSXElement, JSXElementName,
    JSXExpression, JSXFragment, JSXMemberExpression, JSXMemberExpressionObject,
};
use oxc_span::GetSpan;

use super::Lowering;
use crate::ids::NodeId;
use crate::tree::Kind;

impl Lowering<'_> {
    pub(super) fn element(&mut self, parent: NodeId, it: &JSXElement<'_>) -> NodeId {
        let id = self.add(parent, it.span);
        let component = self.component(id, &it.opening_element.name);
        let mut parts: Vec<_> =
            it.opening_element.attributes.iter().map(|item| self.attribute(id, item)).collect();
        parts.extend(self.children(id, &it.children));
        let parts = self.list(&parts);
        self.set(id, Kind::Element { component, parts });
        id
    }

    pub(super) fn fragment(&mut self, parent: NodeId, it: &JSXFragment<'_>) -> NodeId {
        let id = self.add(parent, it.span);
        let parts = self.children(id, &it.children);
        let parts = self.list(&parts);
        self.set(id, Kind::Element { component: NodeId::NONE, parts });
        id
    }

    fn component(&mut self, parent: NodeId, name: &JSXElementName<'_>) -> NodeId {
        match name {
            JSXElementName::Identifier(it) => self.string(parent, it.span, &it.name),
            JSXElementName::IdentifierReference(it) => self.name(parent, it),
            JSXElementName::NamespacedName(it) => self.string(parent, it.span, &it.name.name),
            JSXElementName::MemberExpression(it) => self.jsx_member(parent, it),
            JSXElementName::ThisExpression(it) => self.leaf(parent, it.span, Kind::This),
        }
    }

    fn jsx_member(&mut self, parent: NodeId, it: &JSXMemberExpression<'_>) -> NodeId {
        let id = self.add(parent, it.span);
        let object = match &it.object {
            JSXMemberExpressionObject::IdentifierReference(it) => self.name(id, it),
            JSXMemberExpressionObject::MemberExpression(it) => self.jsx_member(id, it),
            JSXMemberExpressionObject::ThisExpression(it) => self.leaf(id, it.span, Kind::This),
        };
        let name = self.intern(&it.property.name);
        self.set(id, Kind::Member { object, name });
        id
    }

    fn attribute(&mut self, parent: NodeId, item: &JSXAttributeItem<'_>) -> NodeId {
        match item {
            JSXAttributeItem::SpreadAttribute(it) => self.spread(parent, it.span, &it.argument),
            JSXAttributeItem::Attribute(it) => {
                let id = self.add(parent, it.span);
                let key = match &it.name {
                    JSXAttributeName::Identifier(name) => self.intern(&name.name),
                    JSXAttributeName::NamespacedName(name) => self.intern(&name.name.name),
                };
                let value = match &it.value {
                    None => NodeId::NONE,
                    Some(JSXAttributeValue::StringLiteral(text)) => self.string(id, text.span, &text.value),
                    Some(JSXAttributeValue::ExpressionContainer(container)) => {
                        self.contained(id, &container.expression)
                    }
                    Some(JSXAttributeValue::Element(element)) => self.element(id, element),
                    Some(JSXAttributeValue::Fragment(fragment)) => self.fragment(id, fragment),
                };
                self.set(id, Kind::Property { key, value });
                id
            }
        }
    }

    fn contained(&mut self, parent: NodeId, it: &JSXExpression<'_>) -> NodeId {
        match it.as_expression() {
            Some(expression) => self.expression(parent, expression),
            None => self.leaf(parent, it.span(), Kind::Hole),
        }
    }

    fn children(&mut self, parent: NodeId, children: &[JSXChild<'_>]) -> Vec<NodeId> {
        let mut ids = Vec::with_capacity(children.len());
        for child in children {
            ids.push(match child {
                JSXChild::Text(it) if it.value.trim().is_empty() => continue,
                JSXChild::Text(it) => self.string(parent, it.span, it.value.trim()),
                JSXChild::Element(it) => self.element(parent, it),
                JSXChild::Fragment(it) => self.fragment(parent, it),
                JSXChild::ExpressionContainer(it) => self.contained(parent, &it.expression),
                JSXChild::Spread(it) => self.spread(parent, it.span, &it.expression),
            });
        }
        ids
    }
}
