//! Effects that depend on what a parent makes anew in each of its renders.

use loadworthy_analysis::{Site, elements_of, given, made_anew, property_of};
use loadworthy_capacity::Severity;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::effects::Case;
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Place};

/// A property that a parent makes anew in each render.
struct Given {
    /// The dependency.
    dependency: NodeId,
    /// What the element is given.
    value: Site,
    /// The component that renders the element.
    parent: FunctionId,
}

impl Case<'_> {
    /// A dependency that every element of the component is given as a literal, and an effect that sends, or that renders the
    /// parent, which makes the next one.
    pub(super) fn given_anew(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let requests = self.requests(audit);
        let dependencies = self.effect.dependencies.as_ref()?;
        let found = dependencies.iter().find_map(|node| self.given(audit, *node))?;
        let parent = audit.function_name((found.value.0, found.parent));
        let name = self.module.source(found.dependency).to_owned();
        let back = self.renders_parent(audit, &found);
        if !requests && back.is_none() {
            return None;
        }
        let text = format!("depends on `{name}`, which {parent} makes anew in each of its renders");
        let is_endless = back.as_ref().is_some_and(|back| back.is_endless);
        let least = if is_endless { Severity::High } else { Severity::Medium };
        let mut finding = self.finding(audit, &text, (self.file, found.dependency), least);
        finding.evidence.push(Evidence {
            place: Place::Code(found.value),
            note: format!("{parent} gives another value each time"),
        });
        finding.words.problem = match &back {
            Some(back) => {
                finding.evidence.push(Evidence {
                    place: Place::Code(back.call),
                    note: format!("renders {parent}, which gives the next one"),
                });
                format!(
                    "The effect runs whenever `{name}` is another value, and {parent} makes it anew in each render. What the effect calls \
                     sets state of {parent}: it renders, gives another `{name}`, and the effect runs again{}.",
                    if is_endless {
                        ", without end, as the state is another object each time"
                    } else {
                        ", until what is set stays the same"
                    }
                )
            }
            None => format!(
                "The effect sends its request whenever `{name}` is another value, and {parent} makes it anew in each render: every render \
                 of {parent}, whatever caused it, asks the server again."
            ),
        };
        finding.fix.description = format!(
            "Give `{name}` a value that stays the same in {parent} (`useCallback`, `useMemo`, or a constant of the module), or keep the latest one in a ref here and leave it out of the dependencies."
        );
        Some(match (requests, is_endless) {
            (_, true) => finding.at_least(Severity::High),
            (true, false) => finding.at_most(Severity::Medium),
            // One more render or two: what is set is the same then.
            (false, false) => finding.at_least(Severity::Monitor).at_most(Severity::Monitor),
        })
    }

    /// What a dependency is given, where it is a property and all elements of the component are given it anew.
    fn given(&self, audit: &Audit<'_, '_>, dependency: NodeId) -> Option<Given> {
        let Kind::Name { binding, .. } = self.module.kind(dependency) else { return None };
        let component = (self.file, self.component.function.1);
        let property = property_of(self.module, component, binding)?;
        let elements = elements_of(audit.analysis, audit.resolver, component);
        let mut found = None;
        for (file, element) in elements {
            let module = audit.program().module(file)?;
            let value = given(module, element, &property)?;
            let parent = owner(audit, module, (file, element))?;
            made_anew(audit.analysis, audit.resolver, (file, parent), value)?;
            if !renders_again(audit, module, (file, parent)) {
                return None;
            }
            found = found.or(Some(Given { dependency, value: (file, value), parent }));
        }
        found
    }

    /// The call in the effect of a property whose function sets state of the parent.
    fn renders_parent(&self, audit: &Audit<'_, '_>, found: &Given) -> Option<Back> {
        let (file, _) = found.value;
        let outer = audit.program().module(file)?;
        let element =
            outer.ancestors(found.value.1).find(|it| matches!(outer.kind(*it), Kind::Element { .. }))?;
        let components = audit.analysis.components(file);
        let parent = components.iter().find(|it| it.function == (file, found.parent))?;
        let body = self.module.function(self.effect.function)?.body;
        self.module.all_nodes(body).into_iter().find_map(|call| {
            let Kind::Call { callee, arguments } = self.module.kind(call) else { return None };
            let Kind::Name { binding, .. } = self.module.kind(callee) else { return None };
            if self.module.enclosing_function(call) != self.effect.function {
                return None;
            }
            let property = property_of(self.module, (self.file, self.component.function.1), binding)?;
            let handler = given(outer, element, &property)?;
            let gives_object = self
                .module
                .list(arguments)
                .next()
                .is_some_and(|first| matches!(self.module.kind(first), Kind::Object(_) | Kind::Array(_)));
            let setters = parent.states.iter().filter_map(|state| state.setter);
            let names = setters.flat_map(|setter| outer.references(setter));
            let Some(set) = names.into_iter().find(|name| outer.contains(handler, **name)) else {
                return sets_watched(outer, found.parent, handler)
                    .then_some(Back { call: (self.file, call), is_endless: false });
            };
            let is_whole = match outer.kind(outer.parent(*set)) {
                // `onChange={setFilter}`
                Kind::Property { .. } => gives_object,
                Kind::Call { callee, arguments } if callee == *set => {
                    outer.list(arguments).next().is_some_and(|first| match outer.kind(first) {
                        Kind::Object(_) | Kind::Array(_) => true,
                        Kind::Name { binding, .. } => gives_object && is_parameter(outer, binding),
                        _ => false,
                    })
                }
                _ => false,
            };
            Some(Back { call: (self.file, call), is_endless: is_whole && !self.is_guarded(call) })
        })
    }
}

/// `form.setValue("host", host)` in a component that watches the form: it renders with each value.
fn sets_watched(module: &Module, parent: FunctionId, handler: NodeId) -> bool {
    let watches = module.function(parent).is_some_and(|it| module.source(it.node).contains("watch("));
    watches
        && module.all_nodes(handler).into_iter().any(|node| {
            let Kind::Call { callee, .. } = module.kind(node) else { return false };
            matches!(module.kind(callee), Kind::Member { name, .. }
                if matches!(module.str(name), "setValue" | "setFieldValue" | "setValues"))
        })
}

/// A call that renders the parent.
struct Back {
    call: Site,
    is_endless: bool,
}

fn is_parameter(module: &Module, binding: loadworthy_syntax::BindingId) -> bool {
    module.binding(binding).is_some_and(|it| it.kind == loadworthy_syntax::BindingKind::Parameter)
}

/// The component whose code an element stands in.
fn owner(audit: &Audit<'_, '_>, module: &Module, (file, element): Site) -> Option<FunctionId> {
    let mut function = module.enclosing_function(element);
    for _ in 0..6 {
        if audit.analysis.components(file).iter().any(|it| it.function == (file, function)) {
            return Some(function);
        }
        function = module.function(function)?.parent;
    }
    None
}

/// Whether a component may render again by itself: it has state, or reads a hook.
fn renders_again(
    audit: &Audit<'_, '_>,
    module: &Module,
    component: loadworthy_analysis::FunctionRef,
) -> bool {
    audit.analysis.calls().of_function(component).any(|call| {
        matches!(module.kind(call.site.1), Kind::Call { callee, .. }
            if module.source(callee).rsplit('.').next().is_some_and(|name| name.starts_with("use")))
    })
}
