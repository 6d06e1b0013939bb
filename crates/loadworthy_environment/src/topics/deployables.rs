//! Which packages of the project are deployed, and as what.

use loadworthy_knowledge::{Knowledge, Role};
use loadworthy_project::{DependencyKind, FileClass, Package, PackageId, Project};

use crate::paths;
use crate::signs::Unit;

/// A package that runs somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployable {
    /// Its package.
    pub package: PackageId,
    /// Its folder; `""` is the root.
    pub dir: String,
    /// Its name, or its folder where it has none.
    pub name: String,
    /// Whether it answers requests.
    pub is_server: bool,
    /// Whether it is a browser application.
    pub is_client: bool,
}

/// The deployable packages, with the server that the facts are about.
#[derive(Clone, Debug)]
pub(crate) struct Deployables {
    pub(crate) all: Vec<Deployable>,
    pub(crate) server: PackageId,
    server_dir: String,
    /// Folders of all packages, deployed or not.
    packages: Vec<(PackageId, String)>,
    /// Words that name a database, cache or proxy.
    products: Vec<String>,
}

/// Words in names of services that are not the server.
const CLIENT_WORDS: [&str; 5] = ["client", "frontend", "front", "ui", "storybook"];
const OTHER_WORDS: [&str; 12] = [
    "worker",
    "workers",
    "cron",
    "scheduler",
    "migrate",
    "migration",
    "migrations",
    "seed",
    "test",
    "tests",
    "e2e",
    "docs",
];

impl Deployables {
    pub(crate) fn find(project: &Project, knowledge: &Knowledge) -> Self {
        let mut all: Vec<Deployable> =
            project.packages.iter().filter_map(|package| deployable(project, knowledge, package)).collect();
        if all.is_empty() {
            all.extend(project.packages.first().map(|root| Deployable {
                package: root.id,
                dir: root.dir.clone(),
                name: label(root),
                is_server: has_server_files(project, root.id),
                is_client: false,
            }));
        }
        let weight = |part: &&Deployable| {
            let files = project.files.iter().filter(|file| file.package == part.package);
            files.filter(|file| file.class.may_be_server()).count()
        };
        // A server that also serves pages comes after one that only answers requests.
        let servers = all.iter().filter(|part| part.is_server);
        let main =
            servers.max_by_key(|part| (!part.is_client, weight(part), std::cmp::Reverse(part.package)));
        let main = main.or_else(|| all.first());
        let (server, server_dir) =
            main.map_or((PackageId::new(0), String::new()), |part| (part.package, part.dir.clone()));
        let packages = project.packages.iter().map(|package| (package.id, package.dir.clone())).collect();
        let products = knowledge
            .images()
            .iter()
            .flat_map(|row| &row.images)
            .map(|name| paths::file_name(name).to_owned());
        Self { all, server, server_dir, packages, products: products.collect() }
    }

    /// Whether a part of the project is the server, or around it; not the client, a worker or another server.
    pub(crate) fn concerns_server(&self, unit: &Unit) -> bool {
        let around = self.packages.iter().filter(|(_, dir)| paths::is_within(&unit.dir, dir));
        let owner = around.max_by_key(|(_, dir)| dir.len());
        let is_elsewhere = owner.is_some_and(|(package, dir)| {
            *package != self.server && !paths::is_within(&self.server_dir, dir)
        });
        if is_elsewhere {
            return false;
        }
        !self.is_named_otherwise(&unit.name)
    }

    /// Whether a package is a browser or native application and nothing else.
    pub(crate) fn is_client_only(&self, package: PackageId) -> bool {
        self.all.iter().any(|part| part.package == package && part.is_client && !part.is_server)
    }

    fn is_named_otherwise(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        let mut words = lower.split(['-', '_', '.', '/', ' ']);
        let is_other = |word: &str| {
            CLIENT_WORDS.contains(&word)
                || OTHER_WORDS.contains(&word)
                || word != "server" && self.products.iter().any(|product| product == word)
        };
        if words.clone().any(is_other) {
            return true;
        }
        // The name of a client-only package's folder: `web`, `admin`.
        let clients = self.all.iter().filter(|part| part.is_client && !part.is_server);
        let names: Vec<&str> =
            clients.map(|part| paths::file_name(&part.dir)).filter(|name| !name.is_empty()).collect();
        words.any(|word| names.contains(&word))
    }
}

fn deployable(project: &Project, knowledge: &Knowledge, package: &Package) -> Option<Deployable> {
    let has = |wanted: Role, kind: DependencyKind| {
        package.manifest.dependencies.iter().any(|dependency| {
            dependency.kind == kind
                && knowledge.roles_of(&dependency.name).iter().any(|row| row.role == wanted)
        })
    };
    let is_started = ["start", "dev", "serve", "develop", "build", "server"].iter().any(|name| {
        package
            .manifest
            .scripts
            .iter()
            .any(|script| script.name == *name || script.name.starts_with(&format!("{name}:")))
    });
    // A library of a workspace may depend on a framework: only a package that can be started is deployed.
    let has_files = has_server_files(project, package.id);
    let is_server = has(Role::WebFramework, DependencyKind::Normal) && (is_started || has_files)
        || has(Role::WebFramework, DependencyKind::Dev) && is_started && has_files;
    let is_client = has(Role::UiFramework, DependencyKind::Normal) && is_started;
    let is_library = package.is_workspace_member && !has_start(package);
    if is_library || !(is_server || is_client) {
        return None;
    }
    Some(Deployable {
        package: package.id,
        dir: package.dir.clone(),
        name: label(package),
        is_server,
        is_client,
    })
}

fn has_start(package: &Package) -> bool {
    package.manifest.scripts.iter().any(|script| {
        matches!(
            script.name.split([':', '-']).next(),
            Some("start" | "dev" | "serve" | "preview" | "develop")
        )
    })
}

fn has_server_files(project: &Project, package: PackageId) -> bool {
    project.files.iter().any(|file| file.package == package && file.class == FileClass::Server)
}

fn label(package: &Package) -> String {
    match &package.name {
        Some(name) => name.clone(),
        None if package.dir.is_empty() => "the root package".to_owned(),
        None => package.dir.clone(),
    }
}
