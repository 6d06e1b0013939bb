//! Functions and classes.

use oxc_ast::ast::{
    ArrowFunctionBody, ArrowFunctionExpression, Class, ClassElement, Decorator, FormalParameters, Function,
    FunctionBody, MethodDefinition, MethodDefinitionKind, TSTypeAnnotation,
};

use oxc_span::GetSpan;

use super::{Lowering, binding_of};
use crate::ids::{Atom, ClassId, FunctionId, List, NodeId, TypeId};
use crate::tree::{self, BindingKind, ClassMember, Kind, MemberKind, ParameterDecorators, Span};

/// What a function's header says.
struct Header<'h, 'a> {
    span: oxc_span::Span,
    name: Atom,
    parameters: &'h FormalParameters<'a>,
    return_type: Option<&'h TSTypeAnnotation<'a>>,
    is_async: bool,
    is_generator: bool,
    is_arrow: bool,
    class: ClassId,
}

impl Lowering<'_> {
    pub(super) fn function(&mut self, parent: NodeId, it: &Function<'_>, class: Option<ClassId>) -> NodeId {
        let name = it.id.as_ref().map_or(Atom::NONE, |id| self.intern(&id.name));
        let header = Header {
            span: it.span,
            name,
            parameters: &it.params,
            return_type: it.return_type.as_deref(),
            is_async: it.r#async,
            is_generator: it.generator,
            is_arrow: false,
            class: class.unwrap_or(ClassId::NONE),
        };
        let id = self.any_function(parent, &header, |lowering, node| match &it.body {
            Some(body) => lowering.body(node, body),
            None => NodeId::NONE,
        });
        // An overload signature declares the name too, but is not the function.
        if let (Some(name), true) = (&it.id, it.body.is_some()) {
            self.declare(binding_of(name), BindingKind::Function, id);
        }
        id
    }

    pub(super) fn arrow(&mut self, parent: NodeId, it: &ArrowFunctionExpression<'_>) -> NodeId {
        let header = Header {
            span: it.span,
            name: Atom::NONE,
            parameters: &it.params,
            return_type: it.return_type.as_deref(),
            is_async: it.r#async,
            is_generator: false,
            is_arrow: true,
            class: ClassId::NONE,
        };
        self.any_function(parent, &header, |lowering, node| match &it.body {
            ArrowFunctionBody::FunctionBody(body) => lowering.body(node, body),
            other => lowering.optional(node, other.as_expression()),
        })
    }

    fn any_function(
        &mut self,
        parent: NodeId,
        header: &Header<'_, '_>,
        body: impl FnOnce(&mut Self, NodeId) -> NodeId,
    ) -> NodeId {
        let node = self.add(parent, header.span);
        let function = FunctionId::new(self.module.functions.len());
        self.set(node, Kind::Function(function));
        self.module.functions.push(tree::Function {
            node,
            name: header.name,
            parameters: List::EMPTY,
            body: NodeId::NONE,
            parent: self.function,
            class: header.class,
            is_async: header.is_async,
            is_generator: header.is_generator,
            is_arrow: header.is_arrow,
            return_type: TypeId::NONE,
            directive: Atom::NONE,
        });
        let outer = std::mem::replace(&mut self.function, function);
        let parameters = self.parameters(node, header.parameters);
        let return_type = header.return_type.map_or(TypeId::NONE, |it| self.type_ref(&it.type_annotation));
        let body = body(self, node);
        self.function = outer;
        if let Some(lowered) = self.module.functions.get_mut(function.index()) {
            lowered.parameters = parameters;
            lowered.return_type = return_type;
            lowered.body = body;
        }
        node
    }

    fn body(&mut self, parent: NodeId, body: &FunctionBody<'_>) -> NodeId {
        let id = self.add(parent, body.span);
        if let Some(directive) = body.directives.first() {
            let directive = self.intern(&directive.directive);
            if let Some(function) = self.module.functions.get_mut(self.function.index()) {
                function.directive = directive;
            }
        }
        let list = self.statements(id, &body.statements);
        self.set(id, Kind::Block(list));
        id
    }

    fn parameters(&mut self, parent: NodeId, it: &FormalParameters<'_>) -> List {
        let mut ids = Vec::with_capacity(it.items.len() + 1);
        for parameter in &it.items {
            let id = match &parameter.initializer {
                None => self.pattern(parent, &parameter.pattern, BindingKind::Parameter),
                Some(value) => {
                    let id = self.add(parent, parameter.span);
                    let target = self.pattern(id, &parameter.pattern, BindingKind::Parameter);
                    let value = self.expression(id, value);
                    self.set(id, Kind::Default { target, value });
                    id
                }
            };
            self.annotate(id, parameter.type_annotation.as_deref());
            if !parameter.decorators.is_empty() {
                let decorators = self.decorators(id, &parameter.decorators);
                self.module.parameter_decorators.push(ParameterDecorators { parameter: id, decorators });
            }
            ids.push(id);
        }
        if let Some(rest) = &it.rest {
            ids.push(self.rest(parent, rest.rest.span, &rest.rest.argument, BindingKind::Parameter));
        }
        self.list(&ids)
    }

    fn decorators(&mut self, parent: NodeId, decorators: &[Decorator<'_>]) -> Vec<NodeId> {
        decorators.iter().map(|decorator| self.expression(parent, &decorator.expression)).collect()
    }

    pub(super) fn class(&mut self, parent: NodeId, it: &Class<'_>) -> NodeId {
        let node = self.add(parent, it.span);
        let class = ClassId::new(self.module.classes.len());
        self.set(node, Kind::Class(class));
        if let Some(id) = &it.id {
            self.declare(binding_of(id), BindingKind::Class, node);
        }
        let name = it.id.as_ref().map_or(Atom::NONE, |id| self.intern(&id.name));
        self.module.classes.push(tree::Class {
            node,
            name,
            heritage: NodeId::NONE,
            implements: Vec::new(),
            decorators: Vec::new(),
            members: Vec::new(),
        });
        let decorators = self.decorators(node, &it.decorators);
        let heritage = it.heritage.as_ref().map_or(NodeId::NONE, |it| self.expression(node, &it.expression));
        let implements = it
            .implements
            .iter()
            .map(|it| self.type_name(&it.expression, it.type_arguments.as_deref()))
            .collect();
        let mut members = Vec::new();
        for element in &it.body.body {
            self.class_element(node, class, element, &mut members);
        }
        if let Some(lowered) = self.module.classes.get_mut(class.index()) {
            lowered.heritage = heritage;
            lowered.implements = implements;
            lowered.decorators = decorators;
            lowered.members = members;
        }
        node
    }

    fn class_element(
        &mut self,
        node: NodeId,
        class: ClassId,
        element: &ClassElement<'_>,
        members: &mut Vec<ClassMember>,
    ) {
        match element {
            ClassElement::StaticBlock(it) => {
                let value = self.add(node, it.span);
                let body = self.statements(value, &it.body);
                self.set(value, Kind::Block(body));
                members.push(member(Atom::NONE, MemberKind::StaticBlock, true, value));
            }
            ClassElement::MethodDefinition(it) => self.method(node, class, it, members),
            ClassElement::PropertyDefinition(it) => {
                let name = self.constant_key(&it.key);
                let value = self.optional(node, it.value.as_ref());
                let decorators = self.decorators(node, &it.decorators);
                let type_id =
                    it.type_annotation.as_ref().map_or(TypeId::NONE, |it| self.type_ref(&it.type_annotation));
                members.push(ClassMember {
                    decorators,
                    type_id,
                    ..member(name, MemberKind::Field, it.r#static, value)
                });
            }
            ClassElement::AccessorProperty(it) => {
                let name = self.constant_key(&it.key);
                let value = self.optional(node, it.value.as_ref());
                members.push(member(name, MemberKind::Field, it.r#static, value));
            }
            ClassElement::TSIndexSignature(_) => {}
        }
    }

    fn method(
        &mut self,
        node: NodeId,
        class: ClassId,
        it: &MethodDefinition<'_>,
        members: &mut Vec<ClassMember>,
    ) {
        if it.value.body.is_none() {
            return; // An overload signature or an abstract method.
        }
        let name = self.constant_key(&it.key);
        let kind = match it.kind {
            MethodDefinitionKind::Constructor => MemberKind::Constructor,
            MethodDefinitionKind::Method => MemberKind::Method,
            MethodDefinitionKind::Get => MemberKind::Getter,
            MethodDefinitionKind::Set => MemberKind::Setter,
        };
        let decorators = self.decorators(node, &it.decorators);
        let value = self.function(node, &it.value, Some(class));
        if let Some(Kind::Function(function)) = self.module.nodes.get(value.index()).map(|node| node.kind) {
            if let Some(function) = self.module.functions.get_mut(function.index()) {
                function.name = name;
            }
            // A method begins where its name stands, not at its parameters.
            if let Some(lowered) = self.module.nodes.get_mut(value.index()) {
                lowered.span = Span { start: it.key.span().start, end: it.span.end };
            }
            if kind == MemberKind::Constructor {
                self.parameter_properties(function, it, members);
            }
        }
        members.push(ClassMember { decorators, ..member(name, kind, it.r#static, value) });
    }

    /// `constructor(private users: UserService)` is a field too.
    fn parameter_properties(
        &mut self,
        function: FunctionId,
        it: &MethodDefinition<'_>,
        members: &mut Vec<ClassMember>,
    ) {
        let parameters = self.module.functions.get(function.index()).map_or(List::EMPTY, |it| it.parameters);
        let start = parameters.start as usize;
        let ids: Vec<u32> =
            self.module.lists.get(start..start + parameters.len()).unwrap_or_default().to_vec();
        for (parameter, id) in it.value.params.items.iter().zip(ids) {
            if parameter.accessibility.is_none() && !parameter.readonly {
                continue;
            }
            let Some(name) = parameter.pattern.get_identifier_name() else { continue };
            let name = self.intern(&name);
            let type_id = parameter
                .type_annotation
                .as_ref()
                .map_or(TypeId::NONE, |it| self.type_ref(&it.type_annotation));
            let value = NodeId::new(id as usize);
            members
                .push(ClassMember { type_id, ..member(name, MemberKind::ParameterProperty, false, value) });
        }
    }
}

fn member(name: Atom, kind: MemberKind, is_static: bool, value: NodeId) -> ClassMember {
    ClassMember { name, kind, is_static, value, decorators: Vec::new(), type_id: TypeId::NONE }
}
