//! How a component renders less: the code before and after, and edits where the code shows that they keep what it does.

use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingKind, FunctionId, Kind, NodeId};

use super::Case;
use crate::audit::{Audit, dedent};
use crate::edit::{indentation, insert, lines_of, replace, semicolon, shortened};
use crate::finding::{Applicability, Edit, Fix};
use crate::imports::{Wanted, import};

/// Most lines that are shown of a piece of code.
const SHOWN_LINES: usize = 18;

/// What an expression of a component is computed from.
pub(super) struct Inputs {
    /// The names that may be others in the next render.
    pub(super) names: Vec<String>,
    /// Whether each of them is the same in the next render unless something has changed.
    are_stable: bool,
}

impl Case<'_> {
    /// `useMemo` around the value of a provider, or around what a constant holds.
    pub(super) fn memoised(&self, audit: &Audit<'_, '_>, value: NodeId, description: &str) -> Fix {
        let made = self.made_at(value);
        let Some(inputs) = self.inputs(made) else {
            return Fix { description: description.to_owned(), ..Fix::default() };
        };
        let hook = self.hook(audit, "useMemo");
        let (ending, statement) = (semicolon(self.module), audit.statement((self.file, made)).1);
        let text = self.module.source(made);
        let dependencies = inputs.names.join(", ");
        let body = if text.starts_with('{') { format!("({text})") } else { text.to_owned() };
        let call = format!("{}(() => {body}, [{dependencies}])", hook.name);
        let mut edits = Vec::new();
        let (old, new);
        let indentation = indentation(self.module, statement);
        if made == value {
            let name = self.free_name("value", "contextValue");
            let line = format!("{indentation}const {name} = {call}{ending}\n");
            let shown = lines_of(self.module, statement);
            let attribute = self.module.node(value).span;
            let changed = replaced(self.module.text(), shown, (attribute.start, attribute.end), &name);
            old = self.module.text().get(shown.0..shown.1).unwrap_or_default().to_owned();
            new = format!("{line}{changed}");
            edits.extend(insert(audit, self.file, shown.0, line));
            edits.push(replace(audit, (self.file, value), name));
        } else {
            let shown = lines_of(self.module, statement);
            let span = self.module.node(made).span;
            old = self.module.text().get(shown.0..shown.1).unwrap_or_default().to_owned();
            new = replaced(self.module.text(), shown, (span.start, span.end), &call);
            edits.push(replace(audit, (self.file, made), call));
        }
        let is_certain = inputs.are_stable && self.is_always_reached(statement);
        told(
            description,
            (&old, &new),
            edits.into_iter().chain(hook.edit).collect(),
            is_certain && hook.is_there,
        )
    }

    /// `useMemo` around a sorted copy.
    pub(super) fn sorted_once(&self, audit: &Audit<'_, '_>, call: NodeId, description: &str) -> Fix {
        let module = self.module;
        let plain = Fix { description: description.to_owned(), ..Fix::default() };
        let Kind::Call { callee, .. } = module.kind(call) else { return plain };
        let Kind::Member { object, name } = module.kind(callee) else { return plain };
        let Some(inputs) = self.inputs(call) else { return self.sorted_in_row(audit, call, plain) };
        let receiver = module.source(object);
        // A name stands for a list that others see; what a call gives is the component's own.
        let is_shared = matches!(module.kind(object), Kind::Name { .. } | Kind::Member { .. });
        let is_sort = module.str(name) == "sort";
        let text = module.source(call);
        let sorted = match text.strip_prefix(receiver) {
            Some(rest) if is_shared && is_sort => format!("[...{receiver}]{rest}"),
            _ => text.to_owned(),
        };
        let hook = self.hook(audit, "useMemo");
        let ending = semicolon(module);
        let memo = format!("{}(() => {sorted}, [{}])", hook.name, inputs.names.join(", "));
        let statement = audit.statement((self.file, call)).1;
        let parent = module.parent(call);
        let is_whole = matches!(module.kind(parent), Kind::Declarator { init, .. } if init == call);
        let shown = lines_of(self.module, statement);
        let old = module.text().get(shown.0..shown.1).unwrap_or_default();
        let span = module.node(call).span;
        let is_own = module.enclosing_function(call) == self.component.function.1;
        if is_whole && is_own {
            let new = replaced(module.text(), shown, (span.start, span.end), &memo);
            let edits = [replace(audit, (self.file, call), memo)].into_iter().chain(hook.edit);
            let is_certain = inputs.are_stable && self.is_always_reached(statement) && hook.is_there;
            return told(description, (old, &new), edits.collect(), is_certain);
        }
        let variable = self.free_name("sorted", "sortedRows");
        let line = format!("{}const {variable} = {memo}{ending}\n", indentation(self.module, statement));
        let rest = match module.kind(parent) {
            // It sorts in place: those that read the list read the copy.
            Kind::Expression(_) => {
                format!("{}// … and `{variable}` below", indentation(self.module, statement))
            }
            _ => replaced(module.text(), shown, (span.start, span.end), &variable),
        };
        told(description, (old, &format!("{line}{rest}")), Vec::new(), false)
    }

    /// A sort in a callback that makes rows, where no hook can stand: each row as a component of its own.
    fn sorted_in_row(&self, audit: &Audit<'_, '_>, call: NodeId, plain: Fix) -> Fix {
        let module = self.module;
        let before = cut(audit.source(audit.statement((self.file, call))));
        let text = module.source(call);
        let mut names: Vec<&str> = Vec::new();
        for used in module.all_nodes(call) {
            let Kind::Name { name, binding } = module.kind(used) else { continue };
            let is_own = module.binding(binding).is_some_and(|declared| {
                declared.node.is_some()
                    && !module.contains(call, declared.node)
                    && module.enclosing_function(declared.node) != FunctionId::NONE
            });
            if is_own && !names.contains(&module.str(name)) {
                names.push(module.str(name));
            }
        }
        let props = names.join(", ");
        let hook = self.hook(audit, "useMemo").name;
        let after = format!(
            "// a component for one row, outside of {}: it sorts when what it is given has changed\nfunction Row({{ {props} }}) {{\n  const sorted = {hook}(() => {}, [{props}]);\n  // … the row as it is rendered now\n}}",
            self.name(),
            indented(&cut(text), "  ")
        );
        Fix { before: Some(before), after: Some(after), ..plain }
    }

    /// The field with its state as a component of its own.
    pub(super) fn field_apart(
        &self,
        audit: &Audit<'_, '_>,
        attribute: NodeId,
        state: &str,
        description: &str,
    ) -> Fix {
        let module = self.module;
        let plain = Fix { description: description.to_owned(), ..Fix::default() };
        let found = module.ancestors(attribute).find(|it| matches!(module.kind(*it), Kind::Element { .. }));
        let Some(element) = found else { return plain };
        let declared = self.component.states.iter().find(|it| {
            it.value.and_then(|value| module.binding(value)).is_some_and(|it| module.str(it.name) == state)
        });
        let Some(declared) = declared else { return plain };
        let declaration = audit.source(audit.statement(declared.site));
        let name = format!("{}Field", capital(state));
        let field = cut(module.source(element));
        let before = format!("{declaration}\n// …\n{field}");
        let after = format!(
            "// a component of its own: a keystroke renders nothing else\nfunction {name}({{ onSubmit }}) {{\n  {declaration}\n  return (\n    {}\n  );\n}}\n\n// in {}, in place of the field; it gets the value when it is sent\n<{name} onSubmit={{({state}) => {{ /* … */ }}}} />",
            indented(&field, "    "),
            self.name()
        );
        Fix { before: Some(before), after: Some(after), ..plain }
    }

    /// The inner component at the level of the module.
    pub(super) fn moved_out(&self, element: NodeId, description: &str) -> Fix {
        let module = self.module;
        let plain = Fix { description: description.to_owned(), ..Fix::default() };
        let Kind::Element { component, .. } = module.kind(element) else { return plain };
        let Kind::Name { binding, .. } = module.kind(component) else { return plain };
        let Some(declared) = module.binding(binding) else { return plain };
        let name = module.source(component);
        let function = match module.kind(declared.node) {
            Kind::Function(function) => Some(function),
            _ => match module.kind(module.parent(declared.node)) {
                Kind::Declarator { init, .. } => {
                    module.all_nodes(init).into_iter().find_map(|node| match module.kind(node) {
                        Kind::Function(function) => Some(function),
                        _ => None,
                    })
                }
                _ => None,
            },
        };
        let Some(lowered) = function.and_then(|function| module.function(function)) else { return plain };
        let Some(inputs) = self.inputs(lowered.node) else { return plain };
        let text = cut(module.source(lowered.node));
        let passed = &inputs.names;
        let own: Vec<&str> = module.list(lowered.parameters).map(|it| module.source(it)).collect();
        let given: Vec<String> = passed.iter().map(|name| format!("{name}={{{name}}}")).collect();
        let parameters = match own.first().map(|own| own.trim()) {
            Some(own) if own.starts_with('{') && !own.contains("...") => {
                let inside = own
                    .trim_start_matches('{')
                    .split('}')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .trim_end_matches(',');
                let all: Vec<&str> = [inside]
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .chain(passed.iter().map(String::as_str))
                    .collect();
                format!("{{ {} }}", all.join(", "))
            }
            Some(own) => own.to_owned(),
            None if passed.is_empty() => String::new(),
            None => format!("{{ {} }}", passed.join(", ")),
        };
        let element = cut(module.source(element));
        let use_it = if given.is_empty() {
            element.clone()
        } else {
            element.replacen(&format!("<{name}"), &format!("<{name} {}", given.join(" ")), 1)
        };
        let outer = self.name();
        let after = format!(
            "// at the level of the module\nfunction {name}({parameters}) {{\n  // … as it was\n}}\n\nfunction {outer}() {{\n  // …\n  return {use_it};\n}}"
        );
        let text = indented(&text, "  ");
        let before =
            format!("function {outer}() {{\n  // …\n  const {name} = {text};\n  return {element};\n}}");
        Fix { before: Some(before), after: Some(after), ..plain }
    }

    /// At most one state a frame.
    pub(super) fn once_a_frame(
        &self,
        audit: &Audit<'_, '_>,
        site: NodeId,
        event: &str,
        description: &str,
    ) -> Fix {
        let before = cut(audit.source(audit.statement((self.file, site))));
        let before = if before.lines().count() > 1 && !before.contains("addEventListener") {
            cut(self.module.source(site))
        } else {
            before
        };
        let name = event.trim_start_matches("on").to_lowercase();
        let after = format!(
            "useEffect(() => {{\n  let frame = 0;\n  const onFrame = () => {{\n    frame = 0;\n    // … what the listener did\n  }};\n  const listener = () => {{\n    frame ||= requestAnimationFrame(onFrame);\n  }};\n  window.addEventListener('{name}', listener, {{ passive: true }});\n  return () => {{\n    cancelAnimationFrame(frame);\n    window.removeEventListener('{name}', listener);\n  }};\n}}, []);"
        );
        Fix {
            description: description.to_owned(),
            before: Some(before),
            after: Some(after),
            ..Fix::default()
        }
    }

    /// `key={row.id || Math.random()}` without the part that is another one each time.
    fn without_new(&self, audit: &Audit<'_, '_>, key: NodeId, description: &str) -> Option<Fix> {
        let module = self.module;
        let Kind::Binary { operator: Binary::Or | Binary::Nullish, left, right } = module.kind(key) else {
            return None;
        };
        let is_call = matches!(module.kind(right), Kind::Call { .. });
        is_call.then(|| Fix {
            description: description.to_owned(),
            before: Some(format!("key={{{}}}", module.source(key))),
            after: Some(format!("key={{{}}}", module.source(left))),
            edits: vec![replace(audit, (self.file, key), module.source(left).to_owned())],
            applicability: Applicability::Review,
            ..Fix::default()
        })
    }

    /// Another key for a row.
    pub(super) fn keyed(
        &self,
        audit: &Audit<'_, '_>,
        key: NodeId,
        is_position: bool,
        description: &str,
    ) -> Fix {
        let module = self.module;
        let plain = Fix { description: description.to_owned(), ..Fix::default() };
        if let Some(fix) = self.without_new(audit, key, description) {
            return fix;
        }
        let function = module.ancestors(key).find_map(|node| match module.kind(node) {
            Kind::Function(function) => module.function(function),
            _ => None,
        });
        let first = function.and_then(|it| module.list(it.parameters).next()).map(|it| module.source(it));
        let row = first.and_then(|it| it.split(':').next()).map(str::trim);
        let is_name = |row: &&str| row.chars().all(|it| it.is_alphanumeric() || it == '_');
        let row = row.filter(is_name).unwrap_or("row");
        let before = format!("key={{{}}}", module.source(key));
        let after = if is_position {
            format!(
                "// where a row is added\nconst added = {{ id: crypto.randomUUID() /* … */ }};\n// where it is rendered: key={{{row}.id}}"
            )
        } else {
            format!("key={{{row}.id}}")
        };
        Fix { before: Some(before), after: Some(after), ..plain }
    }

    /// The names of the component that an expression reads; `None` where it reads those of a function between.
    pub(super) fn inputs(&self, node: NodeId) -> Option<Inputs> {
        let module = self.module;
        let mut inputs = Inputs { names: Vec::new(), are_stable: true };
        for used in module.all_nodes(node) {
            let Kind::Name { binding, .. } = module.kind(used) else { continue };
            let Some(declared) = module.binding(binding) else { continue };
            let is_declaration = matches!(declared.kind, BindingKind::Import(_) | BindingKind::Type);
            if is_declaration || !declared.node.is_some() || module.contains(node, declared.node) {
                continue;
            }
            let owner = match module.kind(declared.node) {
                Kind::Function(function) => {
                    module.function(function).map_or(FunctionId::NONE, |it| it.parent)
                }
                _ => module.enclosing_function(declared.node),
            };
            if owner == FunctionId::NONE {
                continue;
            }
            if owner != self.component.function.1 {
                return None;
            }
            let is_setter = self.component.states.iter().any(|state| state.setter == Some(binding));
            let name = module.str(declared.name).to_owned();
            if is_setter || inputs.names.contains(&name) {
                continue;
            }
            match self.origin(declared.node, declared.kind) {
                Made::Once => continue,
                Made::Again => inputs.are_stable = false,
                Made::Kept => {}
            }
            inputs.names.push(name);
        }
        Some(inputs)
    }

    /// Whether a name of the component stands for something else in each render.
    fn origin(&self, node: NodeId, kind: BindingKind) -> Made {
        let module = self.module;
        if kind == BindingKind::Parameter {
            return Made::Kept;
        }
        if matches!(module.kind(node), Kind::Function(_) | Kind::Class(_)) {
            return Made::Again;
        }
        let declarator =
            module.ancestors(node).find(|it| matches!(module.kind(*it), Kind::Declarator { .. }));
        let Some(Kind::Declarator { init, .. }) = declarator.map(|it| module.kind(it)) else {
            return Made::Again;
        };
        let init = match module.kind(init) {
            Kind::Await(value) => value,
            _ => init,
        };
        match module.kind(init) {
            Kind::Call { callee, .. } => {
                let name = module.source(callee);
                let name = name.rsplit('.').next().unwrap_or(name);
                if name == "useRef" {
                    Made::Once
                } else if name.starts_with("use") {
                    Made::Kept
                } else {
                    Made::Again
                }
            }
            Kind::Name { .. }
            | Kind::Member { .. }
            | Kind::String(_)
            | Kind::Number(_)
            | Kind::Bool(_)
            | Kind::Null
            | Kind::Template { .. }
            | Kind::Unary { .. } => Made::Kept,
            Kind::Binary { .. } if !module.source(init).contains(['[', '{']) => Made::Kept,
            _ => Made::Again,
        }
    }

    /// Whether each render comes to a statement: it stands in the component's own body, and nothing returns before.
    fn is_always_reached(&self, statement: NodeId) -> bool {
        let module = self.module;
        let Some(lowered) = module.function(self.component.function.1) else { return false };
        let at = module.node(statement).span.start;
        let is_own = module.parent(statement) == lowered.body;
        let leaves = module.all_nodes(lowered.body).into_iter().any(|node| {
            matches!(module.kind(node), Kind::Return(_) | Kind::Throw(_))
                && node != statement
                && module.node(node).span.start < at
                && module.enclosing_function(node) == self.component.function.1
        });
        is_own && !leaves
    }

    /// React's hook of that name in this file.
    fn hook(&self, audit: &Audit<'_, '_>, name: &str) -> Hook {
        match import(audit, self.file, "react", Wanted::Named(name)) {
            Some(imported) => Hook { name: imported.name, edit: imported.edit, is_there: true },
            None => Hook { name: name.to_owned(), edit: None, is_there: false },
        }
    }

    fn free_name(&self, name: &str, other: &str) -> String {
        let is_taken = self.module.bindings().iter().any(|it| self.module.str(it.name) == name);
        if is_taken { other.to_owned() } else { name.to_owned() }
    }
}

fn told(description: &str, (old, new): (&str, &str), edits: Vec<Edit>, is_certain: bool) -> Fix {
    let (before, after) = shortened(old, new);
    Fix {
        description: description.to_owned(),
        before: Some(before),
        after: Some(after),
        applicability: if is_certain { Applicability::Review } else { Applicability::Manual },
        edits: if is_certain { edits } else { Vec::new() },
        ..Fix::default()
    }
}

/// The timer and its state in a component that shows nothing else.
pub(super) fn clock_apart(audit: &Audit<'_, '_>, timer: (FileId, NodeId), description: &str) -> Fix {
    let statement = audit.source(audit.statement(timer));
    let call = cut(audit.source(timer));
    let after = format!(
        "// a component of its own: a tick renders nothing else\nfunction Ticking() {{\n  const [, setTick] = useState(0);\n  useEffect(() => {{\n    const timer = setInterval(() => setTick((tick) => tick + 1), {});\n    return () => clearInterval(timer);\n  }}, []);\n  return <>{{/* … the part that shows the time */}}</>;\n}}",
        call.rsplit(',').next().map_or("1000", |rest| rest.trim().trim_end_matches(')')).trim()
    );
    Fix {
        description: description.to_owned(),
        before: Some(cut(statement)),
        after: Some(after),
        ..Fix::default()
    }
}

/// When a value is another one.
enum Made {
    /// Never.
    Once,
    /// When something has changed.
    Kept,
    /// In each render.
    Again,
}

struct Hook {
    name: String,
    edit: Option<Edit>,
    is_there: bool,
}

/// The lines `shown` of a text with something else in a range.
fn replaced(text: &str, shown: (usize, usize), range: (u32, u32), by: &str) -> String {
    let before = text.get(shown.0..range.0 as usize).unwrap_or_default();
    let after = text.get(range.1 as usize..shown.1).unwrap_or_default();
    [before, by, after].concat()
}

/// The first lines, without the indentation that all but the first share.
fn cut(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let rest = lines.get(1..).unwrap_or_default();
    let mut all: Vec<String> = lines.first().map(|it| (*it).to_owned()).into_iter().collect();
    let inner = dedent(rest);
    all.extend(inner.lines().map(str::to_owned));
    if all.len() > SHOWN_LINES {
        let last = all.last().cloned();
        all.truncate(SHOWN_LINES - 2);
        all.push(String::from("  // …"));
        all.extend(last);
    }
    all.join("\n")
}

fn indented(text: &str, by: &str) -> String {
    text.replace('\n', &format!("\n{by}"))
}

pub(super) fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
