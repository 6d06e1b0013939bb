//! The browser side: React, its compiler, the bundler, and how data is fetched.

use loadworthy_knowledge::{DefaultRow, Role};

use super::Scene;
use super::components::{Component, Proof};
use crate::code::settings::Candidate;
use crate::fact::{Basis, Confidence, Known, Place};
use crate::number::plain;

/// A library that fetches data, with the settings that decide how often.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFetch {
    /// The library.
    pub library: Component,
    /// Settings with their value, set or default: `staleTime 0 (default)`.
    pub settings: Vec<String>,
}

/// The React of the client.
pub(crate) fn react(scene: &Scene<'_>) -> Option<Known<Component>> {
    let mut known = scene.components(Role::UiFramework, Proof::Declared);
    let at = known.value.iter().position(|component| component.library == "react");
    let component = known.value.swap_remove(at.unwrap_or(usize::MAX).min(known.value.len().checked_sub(1)?));
    if component.library != "react" {
        return None;
    }
    if let Some(version) = scene.overrides.text("react.version") {
        let major = version.split('.').next().and_then(|major| major.parse().ok());
        return Some(Known::overridden(Component {
            version: Some(version.to_owned()),
            major,
            is_pinned: true,
            ..component
        }));
    }
    let place = scene.declared("react", component.package);
    Some(Known::read(component, Confidence::High, place.into_iter().collect()))
}

/// Whether the React Compiler memoises components.
pub(crate) fn compiler(scene: &Scene<'_>) -> Known<bool> {
    if let Some(flag) = scene.overrides.flag("react.compiler") {
        return Known::overridden(flag);
    }
    if let Some(sign) = scene.files.signs.react_compilers.first() {
        return Known::read(true, Confidence::High, vec![sign.place.clone()]);
    }
    let declared = scene.components(Role::ReactCompiler, Proof::Declared);
    match declared.evidence.first() {
        // Installed for its lint rule, or switched on where it was not seen.
        Some(place) => Known::read(false, Confidence::Low, vec![place.clone()]).confirm(
            "the build configuration: is the compiler's plugin listed?",
            "with it, components are memoised without memo and useMemo",
        ),
        None => Known::read(false, Confidence::High, Vec::new()),
    }
}

/// Build tools of the client: a tool that wraps another hides it.
pub(crate) fn bundlers(scene: &Scene<'_>) -> Known<Vec<Component>> {
    let mut known = scene.components(Role::Bundler, Proof::Declared);
    let clients: Vec<_> =
        scene.parts.all.iter().filter(|part| part.is_client).map(|part| part.package).collect();
    known.value.retain(|component| clients.is_empty() || clients.contains(&component.package));
    let has =
        |names: &[&str]| known.value.iter().any(|component| names.contains(&component.library.as_str()));
    let hidden: Vec<&str> = if has(&["next", "react-scripts", "vite", "gatsby", "expo"]) {
        vec!["webpack", "esbuild", "rollup", "tsup", "metro"]
    } else if has(&["webpack"]) {
        vec!["esbuild", "rollup", "tsup"]
    } else {
        Vec::new()
    };
    known.value.retain(|component| !hidden.contains(&component.library.as_str()));
    known.evidence = known.value.iter().filter_map(|it| scene.declared(&it.library, it.package)).collect();
    known
}

/// Data-fetch libraries of the client, with their effective settings.
pub(crate) fn data_fetch(scene: &Scene<'_>) -> Known<Vec<DataFetch>> {
    let known = scene.components(Role::DataFetch, Proof::Imported);
    let clients: Vec<_> =
        scene.parts.all.iter().filter(|part| part.is_client).map(|part| part.package).collect();
    let mut evidence = Vec::new();
    let mut value = Vec::new();
    for component in known.value {
        if !clients.is_empty() && is_server_only(scene, &component) {
            continue;
        }
        evidence.extend(scene.declared(&component.library, component.package));
        evidence.extend(scene.imports.within(scene.code, &component.library, component.package).cloned());
        let (settings, places) = settings(scene, &component);
        evidence.extend(places);
        value.push(DataFetch { library: component, settings });
    }
    evidence.extend(known.evidence.into_iter().filter(|place| place.note.ends_with("never imported")));
    Known { value, confidence: Confidence::High, basis: Basis::Read, evidence, needs_confirmation: None }
}

fn is_server_only(scene: &Scene<'_>, component: &Component) -> bool {
    scene.parts.all.iter().any(|part| part.package == component.package && part.is_server && !part.is_client)
}

/// Options of a shared client that decide how often data is fetched again, as set or by default.
fn settings(scene: &Scene<'_>, component: &Component) -> (Vec<String>, Vec<Place>) {
    const OPTIONS: [(&str, &str); 5] = [
        ("staleTime", "staleTime"),
        ("gcTime", "gcTime"),
        ("refetchOnWindowFocus", "refetchOnWindowFocus"),
        ("refetchInterval", "refetchInterval"),
        ("retry", "retry (queries)"),
    ];
    let mut shown = Vec::new();
    let mut places = Vec::new();
    let objects = shared_options(scene, component);
    for (option, row) in OPTIONS {
        let set = objects.iter().find_map(|object| scene.code.property(*object, option));
        if let Some(site) = set {
            let value = match scene
                .code
                .candidates(site)
                .into_iter()
                .find(|it| !matches!(it, Candidate::Variable(_)))
            {
                Some(Candidate::Number(number)) => plain(number),
                Some(Candidate::Flag(flag)) => flag.to_string(),
                Some(Candidate::Text(text)) => text,
                _ => infinity(scene, site).unwrap_or_else(|| "set".to_owned()),
            };
            shown.push(format!("{option} {value}"));
            places.push(scene.code.place(site, format!("{option} {value}")));
        } else if let Some(default) = default_of(scene, component, row) {
            shown.push(format!("{option} {} by default", default.text));
        }
    }
    (shown, places)
}

fn infinity(scene: &Scene<'_>, (file, node): loadworthy_analysis::Site) -> Option<String> {
    let source = scene.code.module(file)?.source(node);
    (source == "Infinity").then(|| source.to_owned())
}

fn default_of<'s>(scene: &Scene<'s>, component: &Component, option: &str) -> Option<&'s DefaultRow> {
    let found =
        scene.code.knowledge.default_nearest(&component.library, option, component.version.as_deref())?;
    // `gcTime` and the rest only where the library has them.
    found.is_exact.then_some(found.row).filter(|row| row.when.as_deref() != Some("server"))
}

/// `new QueryClient({ defaultOptions: { queries } })`, `<SWRConfig value>` is left to the checks.
fn shared_options(scene: &Scene<'_>, component: &Component) -> Vec<loadworthy_analysis::Site> {
    let made = scene.creations.iter().filter(|creation| {
        super::databases::package_of(&creation.module) == component.library
            && creation.name() == "QueryClient"
    });
    made.flat_map(|creation| {
        let arguments = scene.code.arguments(creation.site);
        let objects = arguments.into_iter().flat_map(|argument| scene.code.objects(argument));
        objects.filter_map(|object| scene.code.option(object, "defaultOptions.queries")).collect::<Vec<_>>()
    })
    .flat_map(|site| scene.code.objects(site))
    .collect()
}

impl DataFetch {
    /// The library with its settings.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.settings.is_empty() {
            return self.library.shown();
        }
        format!("{} ({})", self.library.shown(), self.settings.join(", "))
    }
}
