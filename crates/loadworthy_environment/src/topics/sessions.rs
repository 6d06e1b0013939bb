//! Sessions and authentication.

use loadworthy_analysis::{Root, Site, Value};
use loadworthy_knowledge::Role;

use super::Scene;
use super::components::{Component, Proof};
use super::databases::package_of;
use crate::fact::{Basis, Confidence, Known, Place};

/// How sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// The middleware.
    pub library: Component,
    /// Where they are kept.
    pub store: SessionStore,
    /// Where the middleware is made.
    pub place: Place,
}

/// Where sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionStore {
    /// In the memory of the process: lost at a restart, not shared, growing.
    Memory,
    /// In the cookie.
    Cookie,
    /// In a store with this product.
    External(String),
    /// In something the code does not tell.
    Unknown,
}

impl SessionStore {
    /// What it is, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Memory => "memory of the process".to_owned(),
            Self::Cookie => "the cookie".to_owned(),
            Self::External(product) => product.clone(),
            Self::Unknown => "a store that could not be read".to_owned(),
        }
    }
}

/// Session middlewares in use.
pub(crate) fn sessions(scene: &Scene<'_>) -> Vec<Known<Sessions>> {
    let mut found = Vec::new();
    for creation in scene.creations.iter().filter(|creation| creation.is_direct) {
        let package = package_of(&creation.module);
        let roles = scene.code.knowledge.roles_of(package);
        let Some(row) = roles.iter().find(|row| row.role == Role::Session) else { continue };
        // `session(options)`, not `session.Store` or `getIronSession`'s types.
        let is_store = creation.name().ends_with("Store");
        if is_store {
            continue;
        }
        let owner = scene.code.package_of(creation.site.0).unwrap_or_else(|| scene.server());
        let place = scene.code.place(creation.site, format!("{package} made"));
        let (store, evidence) = store_of(scene, creation.site, package, &place);
        let confidence = if store == SessionStore::Unknown { Confidence::Low } else { Confidence::High };
        let is_unknown = store == SessionStore::Unknown;
        let sessions =
            Sessions { library: scene.component(&row.name, package, owner), store, place: place.clone() };
        let known = Known::read(sessions, confidence, evidence);
        found.push(if is_unknown {
            known.confirm(
                format!("the `store` at {place}"),
                "sessions in memory are lost at a restart, are not shared by instances and grow",
            )
        } else {
            known
        });
    }
    found
}

fn store_of(scene: &Scene<'_>, site: Site, package: &str, place: &Place) -> (SessionStore, Vec<Place>) {
    // Only express-session and its kin have a `store`; the others keep everything in the cookie.
    if matches!(package, "cookie-session" | "client-sessions" | "iron-session" | "@fastify/secure-session") {
        return (SessionStore::Cookie, vec![place.clone()]);
    }
    let code = scene.code;
    let options: Vec<Site> =
        code.arguments(site).into_iter().flat_map(|argument| code.objects(argument)).collect();
    let Some(store) = options.iter().find_map(|object| code.property(*object, "store")) else {
        let is_read = !options.is_empty() || code.arguments(site).is_empty();
        let store = if is_read { SessionStore::Memory } else { SessionStore::Unknown };
        return (store, vec![Place { note: "no store given".to_owned(), ..place.clone() }]);
    };
    let values = code.resolver.filled(&code.resolver.value_of(store));
    let note = |text: &str| vec![code.place(store, text.to_owned())];
    for value in values.iter() {
        let Value::External(external) = value else { continue };
        let Root::Package(module) = &external.root else { continue };
        let roles = code.knowledge.roles_of(package_of(module));
        if let Some(row) = roles.iter().find(|row| row.role == Role::SessionStore) {
            let is_memory = row.name.starts_with("memory");
            let store =
                if is_memory { SessionStore::Memory } else { SessionStore::External(row.name.clone()) };
            return (store, note(&format!("store of {module}")));
        }
        if code.knowledge.roles_of(package_of(module)).iter().any(|row| row.role == Role::Session) {
            // `new session.MemoryStore()`
            return (SessionStore::Memory, note("MemoryStore"));
        }
    }
    // The store could not be followed; an imported store package tells what it is.
    let imported = scene.components(Role::SessionStore, Proof::Imported);
    match imported.value.first() {
        Some(component) if component.name.starts_with("memory") => {
            (SessionStore::Memory, note("store of an imported package"))
        }
        Some(component) => {
            (SessionStore::External(component.name.clone()), note("store of an imported package"))
        }
        None => (SessionStore::Unknown, note("store not followed")),
    }
}

/// Ways users prove who they are, with Passport's strategies named.
pub(crate) fn authentication(scene: &Scene<'_>) -> Known<Vec<Component>> {
    let mut known = scene.components(Role::Auth, Proof::Imported);
    for component in &mut known.value {
        if component.library != "passport" {
            continue;
        }
        let strategies = strategies(scene);
        if !strategies.is_empty() {
            component.name = format!("{} ({})", component.name, strategies.join(", "));
        }
    }
    // `@nestjs/jwt` and `passport-jwt` are one way to authenticate.
    let mut names: Vec<(String, loadworthy_project::PackageId)> = Vec::new();
    known.value.retain(|component| {
        let key = (component.name.clone(), component.package);
        let is_new = !names.contains(&key);
        names.push(key);
        is_new
    });
    if known.value.is_empty() {
        known.basis = Basis::Read;
        known.confidence = Confidence::Medium;
    }
    known
}

fn strategies(scene: &Scene<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for package in &scene.code.project().packages {
        for dependency in &package.manifest.dependencies {
            if let Some(name) = dependency.name.strip_prefix("passport-")
                && scene.imports.first(&dependency.name).is_some()
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
    }
    names
}
