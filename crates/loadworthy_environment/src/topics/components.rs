//! Libraries that play a role, with their versions.

use loadworthy_knowledge::Role;
use loadworthy_project::{DependencyKind, PackageId, VersionSource};

use super::Scene;
use super::databases::package_of;
use crate::fact::{Basis, Confidence, Known, Place};

/// A library in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name for people.
    pub name: String,
    /// Its npm name.
    pub library: String,
    /// The version, as pinned or as the lowest that the range allows.
    pub version: Option<String>,
    /// First number of the version.
    pub major: Option<u64>,
    /// Whether a lockfile or installation pins the version.
    pub is_pinned: bool,
    /// The package that uses it.
    pub package: PackageId,
    /// The folder of that package; `""` is the root.
    pub dir: String,
}

/// What must be seen to believe that a library is in use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Declared is enough: build tools, and drivers that a mapper loads by name.
    Declared,
    /// Audited code imports it.
    Imported,
}

/// Roles that only count where requests are answered.
fn is_of_server(role: Role) -> bool {
    matches!(
        role,
        Role::Orm
            | Role::Driver
            | Role::Search
            | Role::Cache
            | Role::Queue
            | Role::Scheduler
            | Role::Websocket
            | Role::WebsocketAdapter
            | Role::Compression
            | Role::Session
            | Role::Logging
            | Role::Metrics
            | Role::Tracing
    )
}

impl Scene<'_> {
    /// Every library with a role; of one name and version the first. Those declared but never imported are evidence only.
    pub(crate) fn components(&self, role: Role, proof: Proof) -> Known<Vec<Component>> {
        let project = self.code.project();
        let mut found = Known {
            value: Vec::new(),
            confidence: Confidence::High,
            basis: Basis::Read,
            evidence: Vec::new(),
            needs_confirmation: None,
        };
        let mut idle = Vec::new();
        let mut packages: Vec<_> = project.packages.iter().collect();
        packages.sort_by_key(|package| package.id != self.server());
        for package in packages {
            if is_of_server(role) && self.parts.is_client_only(package.id) {
                continue;
            }
            for dependency in &package.manifest.dependencies {
                let rows = self.code.knowledge.roles_of(&dependency.name);
                let Some(row) = rows.into_iter().find(|row| row.role == role) else { continue };
                if dependency.kind == DependencyKind::Peer {
                    continue;
                }
                let import = self.imports.within(self.code, &dependency.name, package.id);
                let component = self.component(&row.name, &dependency.name, package.id);
                let declared = declaration(package.manifest.file.as_deref(), dependency.line, &component);
                if proof == Proof::Imported && import.is_none() {
                    idle.push(Place { note: format!("{}, never imported", declared.note), ..declared });
                    continue;
                }
                let known = found
                    .value
                    .iter()
                    .any(|it: &Component| it.name == component.name && it.version == component.version);
                if !known {
                    found.evidence.push(declared);
                    if found.value.iter().all(|it| it.name != component.name) {
                        found.evidence.extend(import.cloned());
                    }
                    found.value.push(component);
                }
            }
        }
        self.add_subpaths(role, &mut found);
        found.evidence.extend(idle);
        found
    }

    /// Roles of subpaths (`firebase/firestore`) show in imports only.
    fn add_subpaths(&self, role: Role, found: &mut Known<Vec<Component>>) {
        let is_subpath = |name: &str| name.matches('/').count() > usize::from(name.starts_with('@'));
        for row in self.code.knowledge.roles().iter().filter(|row| row.role == role) {
            let mut subpaths = row.packages.iter().filter(|name| is_subpath(name));
            let import = subpaths.find_map(|name| {
                let importers = self.imports.importers(name);
                let server = importers.iter().find(|(package, _)| !self.parts.is_client_only(*package));
                let (package, place) = server.or_else(|| importers.first())?;
                Some((name, *package, place))
            });
            if let Some((name, package, place)) = import
                && found.value.iter().all(|it| it.name != row.name)
            {
                found.value.push(self.component(&row.name, package_of(name), package));
                found.evidence.push(place.clone());
            }
        }
    }

    pub(crate) fn component(&self, name: &str, library: &str, package: PackageId) -> Component {
        let project = self.code.project();
        let version = project.version_of(package, library);
        let range = project
            .package(package)
            .and_then(|package| package.manifest.dependency(library))
            .map(|it| &it.range);
        let is_exact = version.is_some_and(|version| range == Some(&version.text));
        Component {
            name: name.to_owned(),
            library: library.to_owned(),
            version: version.map(|version| version.text.clone()),
            major: version.map(|version| version.major),
            is_pinned: is_exact || version.is_some_and(|version| version.source != VersionSource::Range),
            package,
            dir: project.package(package).map_or_else(String::new, |package| package.dir.clone()),
        }
    }

    /// Where a dependency is declared.
    pub(crate) fn declared(&self, library: &str, package: PackageId) -> Option<Place> {
        let manifest = &self.code.project().package(package)?.manifest;
        let dependency = manifest.dependency(library)?;
        let component = self.component(library, library, package);
        Some(declaration(manifest.file.as_deref(), dependency.line, &component))
    }
}

fn declaration(file: Option<&str>, line: Option<u32>, component: &Component) -> Place {
    let note = match &component.version {
        Some(version) if component.is_pinned => format!("{} {version}", component.library),
        Some(version) => format!("{} from {version}", component.library),
        None => component.library.clone(),
    };
    Place { file: file.unwrap_or("package.json").to_owned(), line, note }
}

impl Component {
    /// `Express 4.21.2`, `JWT (jsonwebtoken 9.0.2)`; `^` before the lowest version of a range.
    #[must_use]
    pub fn shown(&self) -> String {
        let version = match &self.version {
            Some(version) if self.is_pinned => format!(" {version}"),
            Some(version) => format!(" ^{version}"),
            None => String::new(),
        };
        let letters = |text: &str| {
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
        };
        if letters(&self.name) == letters(&self.library) {
            format!("{}{version}", self.name)
        } else {
            format!("{} ({}{version})", self.name, self.library)
        }
    }
}
