//! An effect that leaves late answers aside: a flag which its cleanup clears, asked before each state that is set late.

use loadworthy_analysis::{Component, EffectHook, setter_calls};
use loadworthy_project::{FileId, Language};
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use crate::audit::Audit;
use crate::edit::{after, between, deeper, indentation, insert, line_end, semicolon, shortened, unit};
use crate::finding::{Applicability, Edit, Fix};

/// What the flag is called.
const FLAG: &str = "isCurrent";

/// The flag in an effect whose own code sets state when its request is answered. `None` where a function elsewhere does, or
/// where the effect has a cleanup already.
pub(super) fn ignored(
    audit: &Audit<'_, '_>,
    (file, module, component): (FileId, &Module, &Component),
    effect: &EffectHook,
) -> Option<Fix> {
    let lowered = module.function(effect.function)?;
    let Kind::Block(body) = module.kind(lowered.body) else { return None };
    let statements: Vec<NodeId> = module.list(body).collect();
    let (first, last) = (*statements.first()?, *statements.last()?);
    let is_taken = module.bindings().iter().any(|it| module.str(it.name) == FLAG);
    if lowered.is_async || is_taken || matches!(module.kind(last), Kind::Return(_)) {
        return None;
    }
    let effects = Late { module, effect, node: lowered.node };
    let late = effects.setters(audit, file, component)?;
    effects.has_no_way_around(audit, file, &late)?;
    let inner = indentation(module, first);
    let end = semicolon(module);
    let unit = unit(module);
    let mut edits: Vec<Edit> = Vec::new();
    let head = module.node(lowered.body).span.start as usize + 1;
    begins_line(module, first)?;
    edits.extend(insert(audit, file, head, format!("\n{inner}let {FLAG} = true{end}")));
    for group in effects.groups(&late) {
        edits.push(effects.guard(audit, file, &group)?);
    }
    let tail = line_end(module, module.node(last).span.end as usize);
    let cleanup = format!("\n{inner}return () => {{\n{inner}{unit}{FLAG} = false{end}\n{inner}}}{end}");
    edits.extend(insert(audit, file, tail, cleanup));
    let place = audit.statement(effect.site);
    let (before, after) = shortened(audit.source(place), &after(audit, place, &edits));
    Some(Fix {
        description: format!(
            "Leave the answer of a former request aside: a flag that the effect's cleanup clears (`{FLAG}`). To end the request as \
             well, pass it the signal of an `AbortController` and abort that in the same place."
        ),
        before: Some(before),
        after: Some(after),
        edits,
        applicability: Applicability::Review,
        ..Fix::default()
    })
}

struct Late<'l> {
    module: &'l Module,
    effect: &'l EffectHook,
    /// The effect's function.
    node: NodeId,
}

impl Late<'_> {
    /// The calls of setters that run after an answer; `None` where there are none, or where others do so elsewhere.
    fn setters(&self, audit: &Audit<'_, '_>, file: FileId, component: &Component) -> Option<Vec<NodeId>> {
        let mut late: Vec<NodeId> = Vec::new();
        for setter in component.states.iter().filter_map(|state| state.setter) {
            for (_, call) in setter_calls(audit.analysis, file, self.effect.function, setter) {
                if !self.module.contains(self.node, call) {
                    return None;
                }
            }
            for name in self.module.references(setter) {
                let call = self.module.parent(*name);
                if !self.module.contains(self.node, *name) {
                    continue;
                }
                // A setter that is handed on is called where it can't be seen.
                if !matches!(self.module.kind(call), Kind::Call { callee, .. } if callee == *name) {
                    return None;
                }
                if self.is_late(call) {
                    late.push(call);
                }
            }
        }
        late.sort_by_key(|call| self.module.node(*call).span.start);
        (!late.is_empty()).then_some(late)
    }

    /// Behind an `await` of an inner function, or in what is handed to a promise.
    fn is_late(&self, call: NodeId) -> bool {
        let module = self.module;
        let start = module.node(call).span.start;
        let mut function = module.enclosing_function(call);
        while function != self.effect.function {
            let Some(lowered) = module.function(function) else { return false };
            let parent = module.parent(lowered.node);
            if let Kind::Call { callee, .. } = module.kind(parent)
                && let Kind::Member { name, .. } = module.kind(callee)
                && matches!(module.str(name), "then" | "catch" | "finally")
            {
                return true;
            }
            let waits = lowered.is_async
                && module.all_nodes(lowered.body).into_iter().any(|node| {
                    matches!(module.kind(node), Kind::Await(_))
                        && module.node(node).span.start < start
                        && module.enclosing_function(node) == function
                });
            if waits {
                return true;
            }
            function = lowered.parent;
        }
        false
    }

    /// Calls that are statements in a row together, any other alone.
    fn groups(&self, late: &[NodeId]) -> Vec<Vec<NodeId>> {
        let module = self.module;
        let is_statement = |call: NodeId| {
            let outer = module.parent(call);
            matches!(module.kind(outer), Kind::Expression(_))
                && matches!(module.kind(module.parent(outer)), Kind::Block(_))
        };
        let mut groups: Vec<Vec<NodeId>> = Vec::new();
        for call in late.iter().copied() {
            let follows = groups.last().and_then(|group| group.last()).is_some_and(|before| {
                let gap = module.node(module.parent(*before)).span.end as usize
                    ..module.node(module.parent(call)).span.start as usize;
                is_statement(*before)
                    && is_statement(call)
                    && module.text().get(gap).is_some_and(|gap| gap.trim().is_empty())
            });
            match groups.last_mut().filter(|_| follows) {
                Some(group) => group.push(call),
                None => groups.push(vec![call]),
            }
        }
        groups
    }

    /// The question before a statement, around several, or before the value of a short arrow.
    fn guard(&self, audit: &Audit<'_, '_>, file: FileId, group: &[NodeId]) -> Option<Edit> {
        let module = self.module;
        let statements: Vec<NodeId> = group.iter().map(|call| module.parent(*call)).collect();
        let (first, last) = (*statements.first()?, *statements.last()?);
        let at = module.node(*group.first()?).span.start as usize;
        match module.kind(first) {
            Kind::Function(_) => insert(audit, file, at, format!("{FLAG} && ")),
            Kind::Expression(_) if !matches!(module.kind(module.parent(first)), Kind::Block(_)) => None,
            Kind::Expression(_) if first == last => insert(audit, file, at, format!("if ({FLAG}) ")),
            Kind::Expression(_) => {
                let (indentation, unit) = (indentation(module, first), unit(module));
                let inner: Vec<String> = statements
                    .iter()
                    .map(|it| format!("\n{indentation}{unit}{}", deeper(module, *it, unit)))
                    .collect();
                let text = format!("if ({FLAG}) {{{}\n{indentation}}}", inner.concat());
                between(audit, file, (at, module.node(last).span.end as usize), text)
            }
            _ => None,
        }
    }

    /// Nothing returns from the effect once a request is under way, and no cleanup is there yet.
    fn has_no_way_around(&self, audit: &Audit<'_, '_>, file: FileId, late: &[NodeId]) -> Option<()> {
        let module = self.module;
        let returns: Vec<NodeId> = module
            .all_nodes(self.node)
            .into_iter()
            .filter(|node| matches!(module.kind(*node), Kind::Return(_)))
            .filter(|node| module.enclosing_function(*node) == self.effect.function)
            .collect();
        let gives =
            returns.iter().any(|it| matches!(module.kind(*it), Kind::Return(value) if value.is_some()));
        let is_typed = audit
            .program()
            .project()
            .file(file)
            .is_some_and(|file| matches!(file.language, Language::Ts | Language::Tsx));
        if gives || (is_typed && !returns.is_empty()) {
            return None;
        }
        let begins = late.iter().filter_map(|call| self.begin(*call)).min()?;
        returns.iter().all(|it| module.node(*it).span.start < begins).then_some(())
    }

    /// Where the work begins that sets state late: the first use of its function's name, or the function itself.
    fn begin(&self, call: NodeId) -> Option<u32> {
        let module = self.module;
        let mut function = module.enclosing_function(call);
        loop {
            let lowered = module.function(function)?;
            if lowered.parent == self.effect.function || lowered.parent == FunctionId::NONE {
                let named = module.bindings().iter().enumerate().find(|(_, it)| {
                    it.node == lowered.node
                        || matches!(module.kind(module.parent(it.node)), Kind::Declarator { init, .. } if init == lowered.node)
                });
                let uses = named.map(|(at, _)| module.references(loadworthy_syntax::BindingId::new(at)));
                let first = uses.and_then(|uses| uses.iter().map(|it| module.node(*it).span.start).min());
                return Some(first.unwrap_or(module.node(lowered.node).span.start));
            }
            function = lowered.parent;
        }
    }
}

/// Whether a statement stands at the beginning of its line.
fn begins_line(module: &Module, statement: NodeId) -> Option<()> {
    let start = module.node(statement).span.start as usize;
    let line = module.text().get(..start)?.rsplit('\n').next()?;
    line.trim().is_empty().then_some(())
}
