//! Configuration written as JavaScript: the exported object of a file, as far as it is constant.

use loadworthy_project::{FileClass, Project};
use loadworthy_syntax::{ExportTarget, Kind, Module, NodeId, STACK_BYTES, parse};

use crate::document::{Node, Value};
use crate::paths;
use crate::signs::{Scope, Signs, Unit};
use crate::sources::{pm2, tier};

/// Deepest nesting of values that is followed.
const MAX_DEPTH: usize = 12;

/// Reads the configuration modules that matter.
pub(crate) fn read(project: &Project, signs: &mut Signs) {
    for file in &project.files {
        let name = paths::file_name(&file.path);
        let is_pm2 = ["ecosystem.", "pm2."].iter().any(|start| name.starts_with(start));
        let is_tool = ["next.config.", "vite.config.", "babel.config.", ".babelrc.", "webpack."]
            .iter()
            .any(|start| name.starts_with(start));
        if !(is_pm2 || is_tool)
            || matches!(file.class, FileClass::Test | FileClass::Vendored | FileClass::Minified)
        {
            continue;
        }
        let Some((document, module_text)) = document(project, &file.path) else { continue };
        let scope = Scope {
            file: &file.path,
            tier: tier(&file.path),
            unit: Unit { dir: paths::parent(&file.path).to_owned(), name: String::new() },
        };
        if is_pm2 {
            pm2::read(&document, &scope, signs);
        } else {
            compiler(&document, &module_text, &scope, signs);
        }
    }
}

/// `reactCompiler: true` of Next.js, or the plugin named in the configuration of a build tool.
fn compiler(document: &Node, text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    let option = document.key("reactCompiler").or_else(|| document.get("experimental.reactCompiler"));
    if let Some(option) = option.filter(|option| !matches!(option.value, Value::Bool(false) | Value::Null)) {
        signs.react_compilers.push(scope.sign((), option.line, "reactCompiler on"));
        return;
    }
    let named = (1u32..).zip(text.lines()).find(|(_, line)| {
        !line.trim_start().starts_with("//")
            && (line.contains("babel-plugin-react-compiler") || line.contains("reactCompilerPreset"))
    });
    if let Some((line, _)) = named {
        signs.react_compilers.push(scope.sign((), line, "compiler plugin"));
    }
}

/// The exported value of a module and its text. Parsing needs a deep stack, so it has a thread of its own.
pub(crate) fn document(project: &Project, path: &str) -> Option<(Node, String)> {
    let text = project.read(project.file_by_path(path)?).ok()?;
    let parsed = std::thread::scope(|threads| {
        let work = || evaluate(path, &text);
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(threads, work).ok()?;
        thread.join().ok()?
    })?;
    Some((parsed, text))
}

fn evaluate(path: &str, text: &str) -> Option<Node> {
    let module = parse(path, text).module?;
    let whole = module.exports().iter().find(|export| {
        matches!(module.str(export.name), "default" | "module.exports")
            && !matches!(export.target, ExportTarget::From { .. })
    });
    let reader = Reader { module: &module };
    if let Some(export) = whole {
        return reader.target(&export.target);
    }
    // `exports.apps = […]`
    let entries: Vec<(String, Node)> = module
        .exports()
        .iter()
        .filter_map(|export| Some((module.str(export.name).to_owned(), reader.target(&export.target)?)))
        .collect();
    (!entries.is_empty()).then_some(Node { value: Value::Map(entries), line: 1 })
}

struct Reader<'m> {
    module: &'m Module,
}

impl Reader<'_> {
    fn target(&self, target: &ExportTarget) -> Option<Node> {
        match *target {
            ExportTarget::Value(node) => Some(self.node(node, 0)),
            ExportTarget::Binding(binding) => Some(self.node(self.module.binding(binding)?.node, 0)),
            ExportTarget::From { .. } | ExportTarget::Star { .. } => None,
        }
    }

    fn node(&self, id: NodeId, depth: usize) -> Node {
        let value = if depth > MAX_DEPTH { Value::Null } else { self.value(id, depth) };
        Node { value, line: self.module.lines_of(id).0 }
    }

    fn value(&self, id: NodeId, depth: usize) -> Value {
        let module = self.module;
        let inner = |id: NodeId| self.node(id, depth + 1).value;
        match module.kind(id) {
            Kind::String(atom) => Value::Text(module.str(atom).to_owned()),
            Kind::Number(index) => Value::Number(module.number(index)),
            Kind::Bool(flag) => Value::Bool(flag),
            Kind::Template { strings, .. } => {
                let mut parts = module.atoms(strings);
                match (parts.next(), parts.next()) {
                    (Some(only), None) => Value::Text(only.to_owned()),
                    _ => Value::Null,
                }
            }
            Kind::Unary { operator: loadworthy_syntax::Unary::Minus, value } => match inner(value) {
                Value::Number(number) => Value::Number(-number),
                _ => Value::Null,
            },
            Kind::Array(list) => {
                Value::List(module.list(list).map(|item| self.node(item, depth + 1)).collect())
            }
            Kind::Object(list) => {
                Value::Map(module.list(list).flat_map(|part| self.entries(part, depth)).collect())
            }
            // `process.env.X || default` and its kin: the default.
            Kind::Binary {
                operator: loadworthy_syntax::Binary::Or | loadworthy_syntax::Binary::Nullish,
                right,
                ..
            } => inner(right),
            Kind::Conditional { then, .. } => inner(then),
            Kind::Name { binding, .. } => {
                module.binding(binding).map_or(Value::Null, |binding| inner(binding.node))
            }
            Kind::Binding(_) => match module.kind(module.parent(id)) {
                Kind::Declarator { init, .. } => inner(init),
                _ => Value::Null,
            },
            Kind::Function(function) => self.returned(function, depth),
            // `defineConfig({…})`, `withPlugin({…})`, `parseInt(x)`; `os.cpus()` stands for every core.
            Kind::Call { arguments, .. }
                if module.source(id).contains("cpus()")
                    || module.source(id).contains("availableParallelism") =>
            {
                let _ = arguments;
                Value::Text("max".to_owned())
            }
            Kind::Member { .. } if module.source(id).contains("cpus()") => Value::Text("max".to_owned()),
            Kind::Call { callee, arguments } => {
                let own = module.list(arguments).next().map_or(Value::Null, inner);
                match own {
                    Value::Null => inner(callee),
                    own => own,
                }
            }
            _ => Value::Null,
        }
    }

    fn entries(&self, part: NodeId, depth: usize) -> Vec<(String, Node)> {
        match self.module.kind(part) {
            Kind::Property { key, value } => {
                let mut node = self.node(value, depth + 1);
                node.line = self.module.lines_of(part).0;
                vec![(self.module.str(key).to_owned(), node)]
            }
            Kind::Spread(value) => self.node(value, depth + 1).entries().to_vec(),
            _ => Vec::new(),
        }
    }

    /// What a function gives back: its short body, or its last `return`.
    fn returned(&self, function: loadworthy_syntax::FunctionId, depth: usize) -> Value {
        let Some(function) = self.module.function(function) else { return Value::Null };
        match self.module.kind(function.body) {
            Kind::Block(list) => {
                let last = self.module.list(list).last();
                match last.map(|last| self.module.kind(last)) {
                    Some(Kind::Return(value)) => self.node(value, depth + 1).value,
                    _ => Value::Null,
                }
            }
            _ => self.node(function.body, depth + 1).value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exported(text: &str) -> Option<Node> {
        evaluate("ecosystem.config.js", text)
    }

    #[test]
    fn exported_objects_are_read_in_every_form() {
        for text in [
            "module.exports = { apps: [{ instances: 4 }] };",
            "const apps = [{ instances: process.env.N || 4 }];\nexport default { apps };",
            "export default defineConfig({ apps: [{ instances: 4 }] })",
            "module.exports = withX({ ...base, apps: [{ instances: 4 }] }); const base = { a: 1 };",
            "export default () => ({ apps: [{ instances: 4 }] })",
            "exports.apps = [{ instances: 4 }]",
        ] {
            let document = exported(text).unwrap();
            let apps = document.key("apps").unwrap();
            assert_eq!(
                apps.items().first().unwrap().key("instances").and_then(Node::number),
                Some(4.0),
                "{text}"
            );
        }
    }

    #[test]
    fn all_cores_are_told_from_a_number() {
        let document =
            exported("module.exports = { instances: require('os').cpus().length, min: -1 }").unwrap();
        assert_eq!(document.key("instances").and_then(Node::text).as_deref(), Some("max"));
        assert_eq!(document.key("min").and_then(Node::number), Some(-1.0));
    }

    #[test]
    fn cycles_and_broken_code_end() {
        assert!(exported("const a = { b: a }; module.exports = a;").is_some());
        assert!(exported("module.exports = {").is_none_or(|node| node.key("apps").is_none()));
        assert!(exported("").is_none());
    }
}
