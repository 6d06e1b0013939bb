//! Type annotations, as far as they say what class a value has.

use oxc_ast::ast::{
    TSLiteral, TSSignature, TSType, TSTypeAnnotation, TSTypeName, TSTypeParameterInstantiation,
    TSTypeQueryExprName,
};

use super::Lowering;
use crate::ids::{Atom, BindingId, List, NodeId, TypeId};
use crate::tree::{Kind, TypeForm, TypeRef};

const OTHER: TypeRef =
    TypeRef { form: TypeForm::Other, name: Atom::NONE, binding: BindingId::NONE, argument: TypeId::NONE };

impl Lowering<'_> {
    /// Notes the declared type on the binding that a pattern consists of.
    pub(super) fn annotate(&mut self, pattern: NodeId, annotation: Option<&TSTypeAnnotation<'_>>) {
        let Some(annotation) = annotation else { return };
        let target = match self.module.nodes.get(pattern.index()).map(|node| node.kind) {
            Some(Kind::Default { target, .. }) => target,
            _ => pattern,
        };
        match self.module.nodes.get(target.index()).map(|node| node.kind) {
            Some(Kind::Binding(binding)) => self.annotate_binding(binding, &annotation.type_annotation),
            // `({ db, logger }: Context)`
            Some(Kind::ObjectPattern(parts)) => {
                let whole = self.type_ref(&annotation.type_annotation);
                let is_told =
                    self.module.types.get(whole.index()).is_some_and(|it| it.form != TypeForm::Other);
                if is_told {
                    self.annotate_parts(parts, whole);
                }
            }
            _ => {}
        }
    }

    fn annotate_parts(&mut self, parts: List, whole: TypeId) {
        let start = parts.start as usize;
        let parts: Vec<u32> = self.module.lists.get(start..start + parts.len()).unwrap_or_default().to_vec();
        for part in parts.into_iter().map(|part| NodeId::new(part as usize)) {
            let Some(Kind::Property { key, value }) = self.module.nodes.get(part.index()).map(|it| it.kind)
            else {
                continue;
            };
            let target = match self.module.nodes.get(value.index()).map(|node| node.kind) {
                Some(Kind::Default { target, .. }) => target,
                _ => value,
            };
            if let Some(Kind::Binding(binding)) = self.module.nodes.get(target.index()).map(|node| node.kind)
            {
                let member =
                    self.add_type(TypeRef { form: TypeForm::Member, name: key, argument: whole, ..OTHER });
                if let Some(binding) = self.module.bindings.get_mut(binding.index()) {
                    binding.type_id = member;
                }
            }
        }
    }

    /// Notes the type of a binding: the declared one of a value, the one that an alias stands for.
    pub(super) fn annotate_binding(&mut self, binding: BindingId, annotation: &TSType<'_>) {
        let type_id = self.type_ref(annotation);
        if let Some(binding) = self.module.bindings.get_mut(binding.index()) {
            binding.type_id = type_id;
        }
    }

    pub(super) fn type_ref(&mut self, it: &TSType<'_>) -> TypeId {
        match it {
            TSType::TSTypeReference(it) => self.type_name(&it.type_name, it.type_arguments.as_deref()),
            TSType::TSArrayType(it) => {
                let argument = self.type_ref(&it.element_type);
                self.add_type(TypeRef { form: TypeForm::Array, argument, ..OTHER })
            }
            TSType::TSParenthesizedType(it) => self.type_ref(&it.type_annotation),
            TSType::TSStringKeyword(_) => self.add_type(TypeRef { form: TypeForm::String, ..OTHER }),
            TSType::TSNumberKeyword(_) => self.add_type(TypeRef { form: TypeForm::Number, ..OTHER }),
            TSType::TSBooleanKeyword(_) => self.add_type(TypeRef { form: TypeForm::Boolean, ..OTHER }),
            // `User | null`: the one member that says something; `Pool | PoolClient`: the first that names something.
            TSType::TSUnionType(it) => {
                let mut some = it.types.iter().filter(|member| {
                    !matches!(member, TSType::TSNullKeyword(_) | TSType::TSUndefinedKeyword(_))
                });
                let named = it.types.iter().find(|member| matches!(member, TSType::TSTypeReference(_)));
                match (some.next(), some.next(), named) {
                    (Some(only), None, _) | (_, Some(_), Some(only)) => self.type_ref(only),
                    _ => self.add_type(OTHER),
                }
            }
            TSType::TSTypeQuery(it) => self.type_query(&it.expr_name),
            TSType::TSIndexedAccessType(it) => {
                let argument = self.type_ref(&it.object_type);
                match &it.index_type {
                    // `ReturnType<typeof connect>["db"]`
                    TSType::TSLiteralType(index) => match &index.literal {
                        TSLiteral::StringLiteral(key) => {
                            let name = self.intern(&key.value);
                            self.add_type(TypeRef { form: TypeForm::Member, name, argument, ..OTHER })
                        }
                        // `Parameters<typeof db.transaction>[0]`
                        _ => argument,
                    },
                    _ => argument,
                }
            }
            TSType::TSTypeLiteral(it) => self.literal(TypeId::NONE, &it.members),
            // `Request & { user: User }`
            TSType::TSIntersectionType(it) => {
                let named = it.types.iter().find(|part| matches!(part, TSType::TSTypeReference(_)));
                let argument = named.map_or(TypeId::NONE, |named| self.type_ref(named));
                let literal = it.types.iter().find_map(|part| match part {
                    TSType::TSTypeLiteral(it) => Some(it),
                    _ => None,
                });
                match literal {
                    Some(literal) => self.literal(argument, &literal.members),
                    None if argument.is_some() => argument,
                    None => self.add_type(OTHER),
                }
            }
            _ => self.add_type(OTHER),
        }
    }

    /// A type by its members, of which those are kept that name something.
    pub(super) fn literal(&mut self, argument: TypeId, members: &[TSSignature<'_>]) -> TypeId {
        let literal = self.add_type(TypeRef { form: TypeForm::Literal, argument, ..OTHER });
        for member in members {
            let TSSignature::TSPropertySignature(member) = member else { continue };
            let (Some(name), Some(annotation)) = (member.key.static_name(), &member.type_annotation) else {
                continue;
            };
            let names_something = matches!(
                annotation.type_annotation,
                TSType::TSTypeReference(_)
                    | TSType::TSTypeQuery(_)
                    | TSType::TSIndexedAccessType(_)
                    | TSType::TSTypeLiteral(_)
                    | TSType::TSUnionType(_)
            );
            if names_something {
                let name = self.intern(&name);
                let type_id = self.type_ref(&annotation.type_annotation);
                self.module.type_members.push((literal, name, type_id));
            }
        }
        literal
    }

    pub(super) fn type_name(
        &mut self,
        name: &TSTypeName<'_>,
        arguments: Option<&TSTypeParameterInstantiation<'_>>,
    ) -> TypeId {
        let argument = match arguments.and_then(|it| it.params.first()) {
            Some(first) => self.type_ref(first),
            None => TypeId::NONE,
        };
        let last = match name {
            TSTypeName::IdentifierReference(it) => self.intern(&it.name),
            TSTypeName::QualifiedName(it) => self.intern(&it.right.name),
            TSTypeName::ThisExpression(_) => Atom::NONE,
        };
        let binding = self.first_binding(name);
        self.add_type(TypeRef { form: TypeForm::Reference, name: last, binding, argument })
    }

    fn type_query(&mut self, name: &TSTypeQueryExprName<'_>) -> TypeId {
        let (last, binding) = match name {
            TSTypeQueryExprName::IdentifierReference(it) => (
                self.intern(&it.name),
                it.reference_id
                    .get()
                    .and_then(|id| self.scoping.get_reference(id).symbol_id())
                    .map_or(BindingId::NONE, |symbol| BindingId::new(symbol.index())),
            ),
            TSTypeQueryExprName::QualifiedName(it) => {
                (self.intern(&it.right.name), self.first_binding(&it.left))
            }
            _ => return self.add_type(OTHER),
        };
        self.add_type(TypeRef { form: TypeForm::Query, name: last, binding, argument: TypeId::NONE })
    }

    fn first_binding(&self, name: &TSTypeName<'_>) -> BindingId {
        match name {
            TSTypeName::IdentifierReference(it) => it
                .reference_id
                .get()
                .and_then(|id| self.scoping.get_reference(id).symbol_id())
                .map_or(BindingId::NONE, |symbol| BindingId::new(symbol.index())),
            TSTypeName::QualifiedName(it) => self.first_binding(&it.left),
            TSTypeName::ThisExpression(_) => BindingId::NONE,
        }
    }

    fn add_type(&mut self, it: TypeRef) -> TypeId {
        let id = TypeId::new(self.module.types.len());
        self.module.types.push(it);
        id
    }
}
