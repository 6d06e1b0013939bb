//! Expressions.

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, BinaryOperator, ChainElement, Expression, IdentifierReference,
    LogicalOperator, ObjectPropertyKind, SimpleAssignmentTarget, TemplateLiteral, UnaryOperator,
};
use oxc_span::GetSpan;

use super::Lowering;
use crate::ids::{Atom, BindingId, List, NodeId};
use crate::tree::{Binary, Kind, Unary};

impl Lowering<'_> {
    pub(super) fn expression(&mut self, parent: NodeId, expression: &Expression<'_>) -> NodeId {
        use Expression as E;
        match expression {
            // Transparent: only what is inside matters.
            E::ParenthesizedExpression(it) => return self.expression(parent, &it.expression),
            E::TSAsExpression(it) => return self.expression(parent, &it.expression),
            E::TSSatisfiesExpression(it) => return self.expression(parent, &it.expression),
            E::TSTypeAssertion(it) => return self.expression(parent, &it.expression),
            E::TSNonNullExpression(it) => return self.expression(parent, &it.expression),
            E::TSInstantiationExpression(it) => return self.expression(parent, &it.expression),
            E::ChainExpression(it) => return self.chain(parent, &it.expression),
            E::Identifier(it) => return self.name(parent, it),
            E::ArrowFunctionExpression(it) => return self.arrow(parent, it),
            E::FunctionExpression(it) => return self.function(parent, it, None),
            E::ClassExpression(it) => return self.class(parent, it),
            E::TemplateLiteral(it) => return self.template(parent, it),
            E::CallExpression(it) => {
                return self.call(parent, it.span, &it.callee, &it.arguments, false);
            }
            E::NewExpression(it) => {
                return self.call(parent, it.span, &it.callee, &it.arguments, true);
            }
            E::JSXElement(it) => return self.element(parent, it),
            E::JSXFragment(it) => return self.fragment(parent, it),
            _ => {}
        }
        let id = self.add(parent, expression.span());
        let kind = self.plain(id, expression);
        self.set(id, kind);
        id
    }

    fn plain(&mut self, id: NodeId, expression: &Expression<'_>) -> Kind {
        use Expression as E;
        match expression {
            E::BooleanLiteral(it) => Kind::Bool(it.value),
            E::NullLiteral(_) => Kind::Null,
            E::NumericLiteral(it) => {
                let index = u32::try_from(self.module.numbers.len()).unwrap_or(u32::MAX);
                self.module.numbers.push(it.value);
                Kind::Number(index)
            }
            E::RegExpLiteral(it) => Kind::Regex {
                pattern: self.intern(it.regex.pattern.text.as_str()),
                flags: self.intern(&it.regex.flags.to_string()),
            },
            E::StringLiteral(it) => Kind::String(self.intern(&it.value)),
            E::ThisExpression(_) => Kind::This,
            E::Super(_) => Kind::Super,
            E::ImportMeta(_) | E::NewTarget(_) => Kind::Meta,
            E::ArrayExpression(it) => {
                let items: Vec<_> = it.elements.iter().map(|item| self.element_of_array(id, item)).collect();
                Kind::Array(self.list(&items))
            }
            E::ObjectExpression(it) => {
                let items: Vec<_> = it.properties.iter().map(|item| self.property(id, item)).collect();
                Kind::Object(self.list(&items))
            }
            E::AssignmentExpression(it) => Kind::Assign {
                operator: assignment_operator(it.operator),
                target: self.assignment_target(id, &it.left),
                value: self.expression(id, &it.right),
            },
            E::AwaitExpression(it) => Kind::Await(self.expression(id, &it.argument)),
            E::YieldExpression(it) => Kind::Yield(self.optional(id, it.argument.as_ref())),
            E::BinaryExpression(it) => Kind::Binary {
                operator: binary(it.operator),
                left: self.expression(id, &it.left),
                right: self.expression(id, &it.right),
            },
            E::LogicalExpression(it) => Kind::Binary {
                operator: logical(it.operator),
                left: self.expression(id, &it.left),
                right: self.expression(id, &it.right),
            },
            E::PrivateInExpression(it) => {
                let left = self.string(id, it.left.span, &it.left.name);
                Kind::Binary { operator: Binary::In, left, right: self.expression(id, &it.right) }
            }
            E::ConditionalExpression(it) => Kind::Conditional {
                test: self.expression(id, &it.test),
                then: self.expression(id, &it.consequent),
                otherwise: self.expression(id, &it.alternate),
            },
            E::SequenceExpression(it) => {
                let items: Vec<_> = it.expressions.iter().map(|item| self.expression(id, item)).collect();
                Kind::Sequence(self.list(&items))
            }
            E::TaggedTemplateExpression(it) => {
                self.module.calls.push(id);
                Kind::Tagged { tag: self.expression(id, &it.tag), template: self.template(id, &it.quasi) }
            }
            E::UnaryExpression(it) => {
                Kind::Unary { operator: unary(it.operator), value: self.expression(id, &it.argument) }
            }
            E::UpdateExpression(it) => Kind::Update(self.simple_target(id, &it.argument)),
            E::ImportExpression(it) => Kind::Import(self.expression(id, &it.source)),
            E::ComputedMemberExpression(it) => match &it.expression {
                E::StringLiteral(key) => {
                    Kind::Member { name: self.intern(&key.value), object: self.expression(id, &it.object) }
                }
                index => {
                    Kind::Index { object: self.expression(id, &it.object), index: self.expression(id, index) }
                }
            },
            E::StaticMemberExpression(it) => {
                Kind::Member { name: self.intern(&it.property.name), object: self.expression(id, &it.object) }
            }
            E::PrivateFieldExpression(it) => Kind::Member {
                name: self.intern(&format!("#{}", it.field.name)),
                object: self.expression(id, &it.object),
            },
            // A big integer or an engine intrinsic: nothing asks about their values.
            _ => Kind::Hole,
        }
    }

    pub(super) fn optional(&mut self, parent: NodeId, expression: Option<&Expression<'_>>) -> NodeId {
        expression.map_or(NodeId::NONE, |it| self.expression(parent, it))
    }

    fn chain(&mut self, parent: NodeId, element: &ChainElement<'_>) -> NodeId {
        match element {
            ChainElement::CallExpression(it) => self.call(parent, it.span, &it.callee, &it.arguments, false),
            ChainElement::TSNonNullExpression(it) => self.expression(parent, &it.expression),
            other => {
                let id = self.add(parent, other.span());
                let kind = match other {
                    ChainElement::StaticMemberExpression(it) => Kind::Member {
                        name: self.intern(&it.property.name),
                        object: self.expression(id, &it.object),
                    },
                    ChainElement::PrivateFieldExpression(it) => Kind::Member {
                        name: self.intern(&format!("#{}", it.field.name)),
                        object: self.expression(id, &it.object),
                    },
                    ChainElement::ComputedMemberExpression(it) => Kind::Index {
                        object: self.expression(id, &it.object),
                        index: self.expression(id, &it.expression),
                    },
                    _ => Kind::Hole,
                };
                self.set(id, kind);
                id
            }
        }
    }

    pub(super) fn name(&mut self, parent: NodeId, it: &IdentifierReference<'_>) -> NodeId {
        let symbol = it.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id());
        let binding = symbol.map_or(BindingId::NONE, |symbol| BindingId::new(symbol.index()));
        let name = self.intern(&it.name);
        let id = self.leaf(parent, it.span, Kind::Name { name, binding });
        if binding.is_some() {
            self.module.references.push((binding, id));
        }
        id
    }

    fn call(
        &mut self,
        parent: NodeId,
        span: oxc_span::Span,
        callee: &Expression<'_>,
        arguments: &[Argument<'_>],
        is_new: bool,
    ) -> NodeId {
        let id = self.add(parent, span);
        self.module.calls.push(id);
        let callee = self.expression(id, callee);
        let items: Vec<_> = arguments.iter().map(|item| self.argument(id, item)).collect();
        let arguments = self.list(&items);
        self.set(id, if is_new { Kind::New { callee, arguments } } else { Kind::Call { callee, arguments } });
        id
    }

    fn argument(&mut self, parent: NodeId, argument: &Argument<'_>) -> NodeId {
        match argument {
            Argument::SpreadElement(it) => self.spread(parent, it.span, &it.argument),
            other => match other.as_expression() {
                Some(expression) => self.expression(parent, expression),
                None => self.leaf(parent, other.span(), Kind::Hole),
            },
        }
    }

    pub(super) fn spread(&mut self, parent: NodeId, span: oxc_span::Span, value: &Expression<'_>) -> NodeId {
        let id = self.add(parent, span);
        let value = self.expression(id, value);
        self.set(id, Kind::Spread(value));
        id
    }

    fn element_of_array(&mut self, parent: NodeId, item: &ArrayExpressionElement<'_>) -> NodeId {
        match item {
            ArrayExpressionElement::SpreadElement(it) => self.spread(parent, it.span, &it.argument),
            other => match other.as_expression() {
                Some(expression) => self.expression(parent, expression),
                None => self.leaf(parent, other.span(), Kind::Hole),
            },
        }
    }

    fn property(&mut self, parent: NodeId, item: &ObjectPropertyKind<'_>) -> NodeId {
        match item {
            ObjectPropertyKind::SpreadProperty(it) => self.spread(parent, it.span, &it.argument),
            ObjectPropertyKind::ObjectProperty(it) => {
                let id = self.add(parent, it.span);
                let key = self.constant_key(&it.key);
                let kind = match (key.ok(), it.key.as_expression()) {
                    (None, Some(computed)) => Kind::ComputedProperty {
                        key: self.expression(id, computed),
                        value: self.expression(id, &it.value),
                    },
                    _ => Kind::Property { key, value: self.expression(id, &it.value) },
                };
                self.set(id, kind);
                id
            }
        }
    }

    pub(super) fn template(&mut self, parent: NodeId, it: &TemplateLiteral<'_>) -> NodeId {
        if let ([], [only]) = (it.expressions.as_slice(), it.quasis.as_slice()) {
            let text = only.value.cooked.as_ref().unwrap_or(&only.value.raw);
            return self.string(parent, it.span, text);
        }
        let id = self.add(parent, it.span);
        let strings: Vec<Atom> = it
            .quasis
            .iter()
            .map(|part| self.intern(part.value.cooked.as_ref().unwrap_or(&part.value.raw)))
            .collect();
        let values: Vec<_> = it.expressions.iter().map(|item| self.expression(id, item)).collect();
        let strings = self.raw_list(strings.iter().filter_map(|atom| u32::try_from(atom.index()).ok()));
        let values: List = self.list(&values);
        self.set(id, Kind::Template { strings, values });
        id
    }

    pub(super) fn simple_target(&mut self, parent: NodeId, target: &SimpleAssignmentTarget<'_>) -> NodeId {
        use SimpleAssignmentTarget as T;
        match target {
            T::AssignmentTargetIdentifier(it) => self.name(parent, it),
            T::TSAsExpression(it) => self.expression(parent, &it.expression),
            T::TSSatisfiesExpression(it) => self.expression(parent, &it.expression),
            T::TSNonNullExpression(it) => self.expression(parent, &it.expression),
            T::TSTypeAssertion(it) => self.expression(parent, &it.expression),
            T::ComputedMemberExpression(it) => {
                let id = self.add(parent, it.span);
                let object = self.expression(id, &it.object);
                let kind = match &it.expression {
                    Expression::StringLiteral(key) => Kind::Member { object, name: self.intern(&key.value) },
                    index => Kind::Index { object, index: self.expression(id, index) },
                };
                self.set(id, kind);
                id
            }
            T::StaticMemberExpression(it) => {
                let id = self.add(parent, it.span);
                let kind = Kind::Member {
                    object: self.expression(id, &it.object),
                    name: self.intern(&it.property.name),
                };
                self.set(id, kind);
                id
            }
            T::PrivateFieldExpression(it) => {
                let id = self.add(parent, it.span);
                let name = self.intern(&format!("#{}", it.field.name));
                let kind = Kind::Member { object: self.expression(id, &it.object), name };
                self.set(id, kind);
                id
            }
        }
    }
}

fn unary(operator: UnaryOperator) -> Unary {
    match operator {
        UnaryOperator::LogicalNot => Unary::Not,
        UnaryOperator::UnaryNegation => Unary::Minus,
        UnaryOperator::UnaryPlus => Unary::Plus,
        UnaryOperator::Typeof => Unary::Typeof,
        UnaryOperator::Void => Unary::Void,
        UnaryOperator::Delete => Unary::Delete,
        UnaryOperator::BitwiseNot => Unary::BitNot,
    }
}

fn logical(operator: LogicalOperator) -> Binary {
    match operator {
        LogicalOperator::And => Binary::And,
        LogicalOperator::Or => Binary::Or,
        LogicalOperator::Coalesce => Binary::Nullish,
    }
}

fn binary(operator: BinaryOperator) -> Binary {
    use BinaryOperator as B;
    match operator {
        B::Equality | B::StrictEquality => Binary::Equal,
        B::Inequality | B::StrictInequality => Binary::NotEqual,
        B::LessThan => Binary::Less,
        B::LessEqualThan => Binary::LessEqual,
        B::GreaterThan => Binary::Greater,
        B::GreaterEqualThan => Binary::GreaterEqual,
        B::Addition => Binary::Add,
        B::Subtraction => Binary::Subtract,
        B::Multiplication => Binary::Multiply,
        B::Division => Binary::Divide,
        B::Remainder => Binary::Remainder,
        B::Exponential => Binary::Power,
        B::In => Binary::In,
        B::Instanceof => Binary::Instanceof,
        B::ShiftLeft
        | B::ShiftRight
        | B::ShiftRightZeroFill
        | B::BitwiseOR
        | B::BitwiseXOR
        | B::BitwiseAnd => Binary::Bitwise,
    }
}

fn assignment_operator(operator: oxc_ast::ast::AssignmentOperator) -> Option<Binary> {
    operator.to_binary_operator().map(binary).or_else(|| operator.to_logical_operator().map(logical))
}
