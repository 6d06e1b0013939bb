//! Statements and declarations.

use oxc_ast::ast::{
    BlockStatement, CatchClause, Declaration, ExportDefaultDeclarationKind, ForStatementInit,
    ForStatementLeft, Statement, TSEnumDeclaration, TSEnumMemberName, TSInterfaceDeclaration,
    VariableDeclaration, VariableDeclarationKind,
};
use oxc_span::GetSpan;

use super::{Lowering, binding_of};
use crate::ids::{List, NodeId, TypeId};
use crate::tree::{BindingKind, Kind};

impl Lowering<'_> {
    pub(super) fn statements(&mut self, parent: NodeId, body: &[Statement<'_>]) -> List {
        let ids: Vec<_> = body.iter().map(|statement| self.statement(parent, statement)).collect();
        self.list(&ids)
    }

    fn statement(&mut self, parent: NodeId, statement: &Statement<'_>) -> NodeId {
        use Statement as S;
        match statement {
            S::BlockStatement(it) => return self.block(parent, it),
            S::LabeledStatement(it) => return self.statement(parent, &it.body),
            S::WithStatement(it) => return self.statement(parent, &it.body),
            _ => {}
        }
        if let Some(declaration) = statement.as_declaration() {
            return self.declaration(parent, declaration);
        }
        if let Some(declaration) = statement.as_module_declaration() {
            return self.module_declaration(parent, declaration);
        }
        let id = self.add(parent, statement.span());
        let kind = self.plain_statement(id, statement);
        self.set(id, kind);
        id
    }

    fn plain_statement(&mut self, id: NodeId, statement: &Statement<'_>) -> Kind {
        use Statement as S;
        match statement {
            S::ExpressionStatement(it) => {
                let value = self.expression(id, &it.expression);
                self.common_js_export(value);
                Kind::Expression(value)
            }
            S::ReturnStatement(it) => Kind::Return(self.optional(id, it.argument.as_ref())),
            S::ThrowStatement(it) => Kind::Throw(self.expression(id, &it.argument)),
            S::IfStatement(it) => Kind::If {
                test: self.expression(id, &it.test),
                then: self.statement(id, &it.consequent),
                otherwise: it.alternate.as_ref().map_or(NodeId::NONE, |other| self.statement(id, other)),
            },
            S::ForStatement(it) => {
                let init = match &it.init {
                    Some(ForStatementInit::VariableDeclaration(declared)) => self.variables(id, declared),
                    Some(other) => self.optional(id, other.as_expression()),
                    None => NodeId::NONE,
                };
                let test = self.optional(id, it.test.as_ref());
                let update = self.optional(id, it.update.as_ref());
                let body = self.statement(id, &it.body);
                let part = |lowering: &mut Self, part: NodeId| {
                    part.ok().unwrap_or_else(|| lowering.leaf(id, it.span, Kind::Hole))
                };
                let parts = [part(self, init), part(self, test), part(self, update), body];
                Kind::For(self.list(&parts))
            }
            S::ForInStatement(it) => Kind::ForIn {
                target: self.for_target(id, &it.left),
                object: self.expression(id, &it.right),
                body: self.statement(id, &it.body),
            },
            S::ForOfStatement(it) => {
                let target = self.for_target(id, &it.left);
                let iterable = self.expression(id, &it.right);
                let body = self.statement(id, &it.body);
                if it.r#await {
                    Kind::ForAwait { target, iterable, body }
                } else {
                    Kind::ForOf { target, iterable, body }
                }
            }
            S::WhileStatement(it) => {
                Kind::While { test: self.expression(id, &it.test), body: self.statement(id, &it.body) }
            }
            S::DoWhileStatement(it) => {
                Kind::DoWhile { body: self.statement(id, &it.body), test: self.expression(id, &it.test) }
            }
            S::SwitchStatement(it) => {
                let subject = self.expression(id, &it.discriminant);
                let cases: Vec<_> = it
                    .cases
                    .iter()
                    .map(|case| {
                        let node = self.add(id, case.span);
                        let test = self.optional(node, case.test.as_ref());
                        let body = self.statements(node, &case.consequent);
                        self.set(node, Kind::Case { test, body });
                        node
                    })
                    .collect();
                Kind::Switch { subject, cases: self.list(&cases) }
            }
            S::TryStatement(it) => Kind::Try {
                block: self.block(id, &it.block),
                handler: it.handler.as_ref().map_or(NodeId::NONE, |handler| self.catch(id, handler)),
                finalizer: it.finalizer.as_ref().map_or(NodeId::NONE, |block| self.block(id, block)),
            },
            S::BreakStatement(_) => Kind::Break,
            S::ContinueStatement(_) => Kind::Continue,
            _ => Kind::Empty,
        }
    }

    pub(super) fn block(&mut self, parent: NodeId, block: &BlockStatement<'_>) -> NodeId {
        let id = self.add(parent, block.span);
        let body = self.statements(id, &block.body);
        self.set(id, Kind::Block(body));
        id
    }

    fn catch(&mut self, parent: NodeId, handler: &CatchClause<'_>) -> NodeId {
        let id = self.add(parent, handler.span);
        let parameter = match &handler.param {
            Some(parameter) => self.pattern(id, &parameter.pattern, BindingKind::Catch),
            None => NodeId::NONE,
        };
        let body = self.block(id, &handler.body);
        self.set(id, Kind::Catch { parameter, body });
        id
    }

    fn for_target(&mut self, parent: NodeId, left: &ForStatementLeft<'_>) -> NodeId {
        match left {
            ForStatementLeft::VariableDeclaration(it) => self.variables(parent, it),
            other => match other.as_assignment_target() {
                Some(target) => self.assignment_target(parent, target),
                None => NodeId::NONE,
            },
        }
    }

    fn variables(&mut self, parent: NodeId, it: &VariableDeclaration<'_>) -> NodeId {
        let id = self.add(parent, it.span);
        let kind = match it.kind {
            VariableDeclarationKind::Var | VariableDeclarationKind::Let => BindingKind::Variable,
            _ => BindingKind::Constant,
        };
        let declared: Vec<_> = it
            .declarations
            .iter()
            .map(|declarator| {
                let node = self.add(id, declarator.span);
                let target = self.pattern(node, &declarator.id, kind);
                self.annotate(target, declarator.type_annotation.as_deref());
                let init = self.optional(node, declarator.init.as_ref());
                self.set(node, Kind::Declarator { target, init });
                self.common_js_alias(target, init);
                node
            })
            .collect();
        let list = self.list(&declared);
        self.set(id, Kind::Variables(list));
        id
    }

    pub(super) fn declaration(&mut self, parent: NodeId, declaration: &Declaration<'_>) -> NodeId {
        match declaration {
            Declaration::VariableDeclaration(it) => self.variables(parent, it),
            Declaration::FunctionDeclaration(it) => self.function(parent, it, None),
            Declaration::ClassDeclaration(it) => self.class(parent, it),
            Declaration::TSEnumDeclaration(it) => self.enumeration(parent, it),
            Declaration::TSInterfaceDeclaration(it) => {
                self.interface(it);
                self.leaf(parent, it.span, Kind::Empty)
            }
            Declaration::TSTypeAliasDeclaration(it) => {
                let binding = binding_of(&it.id);
                self.declare(binding, BindingKind::Type, NodeId::NONE);
                self.annotate_binding(binding, &it.type_annotation);
                self.leaf(parent, it.span, Kind::Empty)
            }
            Declaration::TSImportEqualsDeclaration(it) => self.import_equals(parent, it),
            other => self.leaf(parent, other.span(), Kind::Empty),
        }
    }

    fn interface(&mut self, it: &TSInterfaceDeclaration<'_>) {
        let binding = binding_of(&it.id);
        self.declare(binding, BindingKind::Type, NodeId::NONE);
        let argument = match it.extends.first() {
            Some(base) => self.type_name(&base.type_name, base.type_arguments.as_deref()),
            None => TypeId::NONE,
        };
        let literal = self.literal(argument, &it.body.body);
        if let Some(declared) = self.module.bindings.get_mut(binding.index())
            && declared.kind == BindingKind::Type
        {
            declared.type_id = literal;
        }
    }

    /// An enum is a constant object.
    fn enumeration(&mut self, parent: NodeId, it: &TSEnumDeclaration<'_>) -> NodeId {
        let id = self.add(parent, it.span);
        let declarator = self.add(id, it.span);
        let binding = binding_of(&it.id);
        let target = self.leaf(declarator, it.id.span, Kind::Binding(binding));
        self.declare(binding, BindingKind::Constant, target);
        let init = self.add(declarator, it.body.span);
        let members: Vec<_> = it
            .body
            .members
            .iter()
            .map(|member| {
                let node = self.add(init, member.span);
                let key = match &member.id {
                    TSEnumMemberName::Identifier(name) => self.intern(&name.name),
                    TSEnumMemberName::String(text) | TSEnumMemberName::ComputedString(text) => {
                        self.intern(&text.value)
                    }
                    TSEnumMemberName::ComputedTemplateString(_) => self.intern(""),
                };
                let value = match &member.initializer {
                    Some(value) => self.expression(node, value),
                    None => self.leaf(node, member.span, Kind::Hole),
                };
                self.set(node, Kind::Property { key, value });
                node
            })
            .collect();
        let members = self.list(&members);
        self.set(init, Kind::Object(members));
        self.set(declarator, Kind::Declarator { target, init });
        let list = self.list(&[declarator]);
        self.set(id, Kind::Variables(list));
        id
    }

    pub(super) fn default_value(&mut self, parent: NodeId, it: &ExportDefaultDeclarationKind<'_>) -> NodeId {
        match it {
            ExportDefaultDeclarationKind::FunctionDeclaration(it) => self.function(parent, it, None),
            ExportDefaultDeclarationKind::ClassDeclaration(it) => self.class(parent, it),
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(it) => {
                self.interface(it);
                self.leaf(parent, it.span, Kind::Empty)
            }
            other => self.optional(parent, other.as_expression()),
        }
    }
}
