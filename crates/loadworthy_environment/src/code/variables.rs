//! Environment variables that the code reads.

use std::collections::BTreeMap;

use loadworthy_analysis::{Root, Step, Value};
use loadworthy_knowledge::Role;
use loadworthy_project::PackageId;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::Code;
use super::settings::is_variable;
use crate::fact::Place;

/// A variable that is read, at its first place in one package.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReadKey {
    pub(crate) key: String,
    pub(crate) package: PackageId,
    pub(crate) place: Place,
    /// Whether a default stands behind it everywhere it is read.
    pub(crate) has_default: bool,
}

/// Every variable that audited code reads, by package and key.
pub(crate) fn read(code: Code<'_>) -> Vec<ReadKey> {
    let mut found: BTreeMap<(PackageId, String), ReadKey> = BTreeMap::new();
    for (file, module) in code.modules() {
        let Some(package) = code.package_of(file) else { continue };
        let mut add = |key: &str, node: NodeId, has_default: bool| {
            let place = code.place((file, node), format!("{key} read"));
            let entry = found.entry((package, key.to_owned()));
            let known = entry.or_insert_with(|| ReadKey { key: key.to_owned(), package, place, has_default });
            known.has_default &= has_default;
        };
        for node in module.node_ids() {
            match module.kind(node) {
                Kind::Member { object, name }
                    if is_variable(module.str(name)) && is_environment(code, file, module, object) =>
                {
                    add(module.str(name), node, has_default(module, node));
                }
                Kind::ObjectPattern(list) if is_environment_pattern(code, file, module, node) => {
                    for part in module.list(list) {
                        if let Kind::Property { key, value } = module.kind(part)
                            && is_variable(module.str(key))
                        {
                            add(module.str(key), part, matches!(module.kind(value), Kind::Default { .. }));
                        }
                    }
                }
                Kind::Call { .. } => {
                    for (key, has_default) in library_keys(code, file, module, node) {
                        add(&key, node, has_default);
                    }
                }
                _ => {}
            }
        }
    }
    found.into_values().collect()
}

/// `process.env`, `import.meta.env`, or a name for them.
fn is_environment(code: Code<'_>, file: loadworthy_project::FileId, module: &Module, node: NodeId) -> bool {
    match module.kind(node) {
        Kind::Member { object, name } if module.str(name) == "env" => match module.kind(object) {
            Kind::Meta => true,
            Kind::Name { name, .. } => matches!(module.str(name), "process" | "Bun"),
            Kind::Member { object, name } => {
                module.str(name) == "process" && matches!(module.kind(object), Kind::Name { .. })
            }
            _ => false,
        },
        Kind::Name { binding, .. } if binding.is_some() => {
            code.resolver.value_of((file, node)).iter().any(|value| match value {
                Value::External(external) => {
                    matches!(&external.root, Root::Global(name) if &**name == "process")
                        && matches!(&*external.steps, [Step::Get(env)] if &**env == "env")
                }
                _ => false,
            })
        }
        _ => false,
    }
}

/// `const { A, B } = process.env`.
fn is_environment_pattern(
    code: Code<'_>,
    file: loadworthy_project::FileId,
    module: &Module,
    pattern: NodeId,
) -> bool {
    match module.kind(module.parent(pattern)) {
        Kind::Declarator { target, init } => target == pattern && is_environment(code, file, module, init),
        _ => false,
    }
}

/// `process.env.A || 1`, `process.env.A ?? 1`, also inside `Number(…)`.
fn has_default(module: &Module, node: NodeId) -> bool {
    let mut child = node;
    for parent in module.ancestors(node).take(3) {
        match module.kind(parent) {
            Kind::Binary {
                operator: loadworthy_syntax::Binary::Or | loadworthy_syntax::Binary::Nullish,
                left,
                ..
            } => {
                return left == child;
            }
            Kind::Call { .. } => child = parent,
            _ => return false,
        }
    }
    false
}

/// Keys of a checked environment (`z.object({ KEY: … }).parse(process.env)`, `cleanEnv(process.env, { KEY: … })`) and
/// getters (`configService.get("KEY")`).
fn library_keys(
    code: Code<'_>,
    file: loadworthy_project::FileId,
    module: &Module,
    call: NodeId,
) -> Vec<(String, bool)> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return Vec::new() };
    let arguments: Vec<NodeId> = module.list(arguments).collect();
    if arguments.iter().any(|argument| is_environment(code, file, module, *argument)) {
        return checked_keys(code, (file, call), callee, &arguments);
    }
    let Kind::Member { object, name } = module.kind(callee) else { return Vec::new() };
    if !matches!(module.str(name), "get" | "getOrThrow") {
        return Vec::new();
    }
    let Some(key) =
        arguments.first().and_then(|first| code.text((file, *first))).filter(|key| is_variable(key))
    else {
        return Vec::new();
    };
    let is_configuration = code.resolver.value_of((file, object)).iter().any(|value| match value {
        Value::External(external) => {
            matches!(&external.root, Root::Package(name) if has_role(code, name, Role::Configuration))
        }
        _ => false,
    });
    if is_configuration { vec![(key, arguments.len() > 1)] } else { Vec::new() }
}

fn has_role(code: Code<'_>, package: &str, role: Role) -> bool {
    code.knowledge.roles_of(package).iter().any(|row| row.role == role)
}

fn checked_keys(
    code: Code<'_>,
    (file, call): (loadworthy_project::FileId, NodeId),
    callee: NodeId,
    arguments: &[NodeId],
) -> Vec<(String, bool)> {
    let Some(module) = code.module(file) else { return Vec::new() };
    let mut schemas: Vec<NodeId> = arguments.to_vec();
    if let Kind::Member { object, .. } = module.kind(callee) {
        schemas.push(object);
    }
    let mut keys = Vec::new();
    for schema in schemas {
        let values = code.resolver.value_of((file, schema));
        let mut objects = code.objects_of(&values);
        for value in values.iter() {
            let Value::External(external) = value else { continue };
            if let Some(site) = external.steps.iter().find_map(Step::site) {
                objects
                    .extend(code.arguments(site).first().map_or_else(Vec::new, |first| code.objects(*first)));
            }
        }
        for (file, object) in objects {
            let Some(module) = code.module(file) else { continue };
            let Kind::Object(list) = module.kind(object) else { continue };
            for part in module.list(list) {
                if let Kind::Property { key, .. } = module.kind(part)
                    && is_variable(module.str(key))
                {
                    let key = module.str(key);
                    keys.push((key.to_owned(), code.schema_default((file, call), key).is_some()));
                }
            }
        }
    }
    keys
}
