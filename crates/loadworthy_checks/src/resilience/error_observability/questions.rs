//! The shortest question to an application's database, and how the file that creates the application comes by whom to ask.

use std::collections::BTreeSet;

use loadworthy_analysis::{Application, LibraryCall, Site};
use loadworthy_knowledge::{Effect, Ping};
use loadworthy_project::{FileId, Language, Resolution};
use loadworthy_syntax::{BindingKind, Export, ExportTarget, FunctionId, Kind, Module, NodeId};

use super::process::package_of;
use super::style::variable_of;
use crate::audit::Audit;
use crate::finding::{Edit, NewPackage};
use crate::imports::{Wanted, import, is_esm_file, package};

/// An expression that gives a promise, rejected while the database can't be reached.
pub(super) struct Question {
    pub(super) code: String,
    /// What makes the client known in the application's file; absent where that is not certain.
    pub(super) reached: Option<(Vec<Edit>, Vec<NewPackage>)>,
}

/// The question to the first database that the package of an application asks, or a promise that says yes.
pub(super) fn question(audit: &Audit<'_, '_>, application: &Application) -> Question {
    let mut seen = BTreeSet::new();
    for (call, library) in audit.analysis.effects(Effect::is_database_trip) {
        if package_of(audit, call.site) != Some(application.package) || !seen.insert(library.lib) {
            continue;
        }
        if let Some(ping) = audit.knowledge().ping(&audit.knowledge().library(library.lib).id) {
            return asked(audit, application.site.0, library, ping);
        }
    }
    Question { code: String::from("Promise.resolve(true)"), reached: Some((Vec::new(), Vec::new())) }
}

fn asked(audit: &Audit<'_, '_>, file: FileId, library: &LibraryCall<'_>, ping: &Ping) -> Question {
    let language = audit.program().project().file(file).map(|file| file.language);
    let is_typed = matches!(language, Some(Language::Ts | Language::Tsx));
    let code = ping.typescript.as_ref().filter(|_| is_typed).unwrap_or(&ping.code);
    if let Some((name, source)) = ping.import.as_deref().and_then(|it| it.split_once('|')) {
        return Question { code: code.clone(), reached: of_package(audit, file, name, source) };
    }
    let made = library.made_at;
    let name = made.and_then(|made| Some((made, client_name(audit, made)?)));
    let held = name
        .as_ref()
        .filter(|(made, _)| is_client(audit, library, ping, *made))
        .and_then(|(made, name)| held(audit, file, *made, name));
    if let Some((local, edit)) = held {
        let reached = Some((edit.into_iter().collect(), Vec::new()));
        return Question { code: code.replace("{db}", &local), reached };
    }
    let shown = name.map_or_else(|| String::from("db"), |(_, name)| name);
    Question { code: code.replace("{db}", &shown), reached: None }
}

/// A module that is asked itself, under the name that the code calls it by.
fn of_package(
    audit: &Audit<'_, '_>,
    file: FileId,
    name: &str,
    source: &str,
) -> Option<(Vec<Edit>, Vec<NewPackage>)> {
    let module = audit.program().module(file)?;
    let is_there = module.bindings().iter().any(|binding| match binding.kind {
        BindingKind::Import(id) if module.str(binding.name) == name => {
            module.import(id).is_some_and(|import| module.str(import.source) == source)
        }
        BindingKind::Constant if module.str(binding.name) == name => {
            is_required(module, binding.node, source)
        }
        _ => false,
    });
    if is_there {
        return Some((Vec::new(), Vec::new()));
    }
    let imported = import(audit, file, source, Wanted::Default(name)).filter(|it| it.name == name)?;
    Some((imported.edit.into_iter().collect(), package(audit, file, source)?))
}

/// Whether a constant of the module itself is a whole required module, wherever in the file that stands.
fn is_required(module: &Module, binding: NodeId, source: &str) -> bool {
    let Kind::Declarator { init, .. } = module.kind(module.parent(binding)) else { return false };
    let Kind::Call { callee, arguments } = module.kind(init) else { return false };
    let Some(Kind::String(specifier)) = module.list(arguments).next().map(|it| module.kind(it)) else {
        return false;
    };
    module.enclosing_function(init) == FunctionId::NONE
        && module.source(callee) == "require"
        && module.str(specifier) == source
}

/// Whether what was made there answers the question with a promise.
fn is_client(audit: &Audit<'_, '_>, library: &LibraryCall<'_>, ping: &Ping, (file, node): Site) -> bool {
    let making = audit.program().module(file).map_or("", |module| module.source(node));
    let gives_promises = ping.from.is_empty()
        || library.module.as_deref().is_some_and(|module| ping.from.iter().any(|it| it == module));
    gives_promises && ping.unless_made_by.as_ref().is_none_or(|text| !making.contains(text.as_str()))
}

fn client_name(audit: &Audit<'_, '_>, (file, node): Site) -> Option<String> {
    let module = audit.program().module(file)?;
    // `globalThis.db ?? new Client()`
    let kept = module.parent(node);
    let whole = if matches!(module.kind(kept), Kind::Binary { .. }) { kept } else { node };
    let name = variable_of(audit, (file, whole))?;
    name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '$')).then_some(name)
}

/// What a client is called in a file, and the edit that imports it. A file that was not loaded before the place of the import is
/// none to import: it may read what is set up in between.
fn held(audit: &Audit<'_, '_>, file: FileId, made: Site, name: &str) -> Option<(String, Option<Edit>)> {
    let maker = audit.module(made)?;
    if maker.enclosing_function(made.1) != FunctionId::NONE {
        return None;
    }
    if made.0 == file {
        return Some((name.to_owned(), None));
    }
    let module = audit.program().module(file)?;
    let wanted = exported(maker, made, name)?;
    let leads = |specifier: &str| match *audit.program().resolve(file, specifier) {
        Resolution::File(target) => Some(target),
        _ => None,
    };
    let known = module.sources().find(|specifier| leads(specifier) == Some(made.0));
    let specifier = match known {
        Some(known) => known.to_owned(),
        None => relative(module, audit.program().path(file), audit.program().path(made.0))?,
    };
    if leads(&specifier) != Some(made.0) || is_esm_file(audit, file) != is_esm_file(audit, made.0) {
        return None;
    }
    let imported = import(audit, file, &specifier, wanted)?;
    let is_safe = imported.edit.as_ref().is_none_or(|edit| {
        let head = module.text().get(..edit.start as usize).unwrap_or_default();
        let before = module.sources().filter(|it| is_quoted(head, it)).filter_map(leads);
        let loaded: Vec<FileId> = before.flat_map(|target| audit.analysis.loads(target)).collect();
        loaded.contains(&made.0) && !loaded.contains(&file)
    });
    is_safe.then_some((imported.name, imported.edit))
}

fn is_quoted(text: &str, specifier: &str) -> bool {
    ['"', '\''].iter().any(|quote| text.contains(&format!("{quote}{specifier}{quote}")))
}

/// What a module exports a variable as that is set where the client is made.
fn exported<'n>(maker: &Module, made: Site, name: &'n str) -> Option<Wanted<'n>> {
    let is_it = |target: &ExportTarget| match *target {
        ExportTarget::Binding(binding) => maker.binding(binding).is_some_and(|it| maker.str(it.name) == name),
        ExportTarget::Value(value) => match maker.kind(value) {
            Kind::Name { name: own, .. } => maker.str(own) == name,
            // The module is the object; the client is a member of it.
            Kind::Object(_) => false,
            _ => value == made.1,
        },
        ExportTarget::From { .. } | ExportTarget::Star { .. } => false,
    };
    let is_member = |target: &ExportTarget| {
        let ExportTarget::Value(value) = *target else { return false };
        let Kind::Object(parts) = maker.kind(value) else { return false };
        maker.list(parts).any(|part| match maker.kind(part) {
            Kind::Property { key, value } => {
                maker.str(key) == name
                    && matches!(maker.kind(value), Kind::Name { name: own, .. } if maker.str(own) == name)
            }
            _ => false,
        })
    };
    let is_whole = |export: &Export| maker.str(export.name) == "module.exports";
    if maker.exports().iter().any(|export| is_whole(export) && is_member(&export.target)) {
        return Some(Wanted::Named(name));
    }
    let mut found = maker.exports().iter().filter(|export| is_it(&export.target));
    found.find_map(|export| match maker.str(export.name) {
        "default" | "module.exports" => Some(Wanted::Default(name)),
        own if own == name => Some(Wanted::Named(name)),
        _ => None,
    })
}

/// The specifier of a file as the relative ones of the importing file are written; `None` where there is none to go by.
fn relative(module: &Module, from: &str, to: &str) -> Option<String> {
    let sample = module.sources().find(|specifier| specifier.starts_with('.'))?;
    let last = sample.rsplit('/').next().unwrap_or_default();
    let extension = last.rsplit_once('.').map(|(_, extension)| extension);
    let written = extension.filter(|it| matches!(*it, "js" | "mjs" | "cjs" | "ts" | "mts" | "cts"));
    let (stem, own) = to.rsplit_once('.')?;
    let target = match written {
        // `./db.js` is how ./db.ts is imported where extensions are written for what is run.
        Some("js") if own == "ts" => format!("{stem}.js"),
        Some(_) => to.to_owned(),
        None => stem.to_owned(),
    };
    let folder: Vec<&str> = from.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect();
    let parts: Vec<&str> = target.split('/').collect();
    let same = folder.iter().zip(&parts).take_while(|(left, right)| left == right).count();
    let up = "../".repeat(folder.len() - same);
    let down = parts.get(same..)?.join("/");
    Some(if up.is_empty() { format!("./{down}") } else { format!("{up}{down}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(text: &str) -> Module {
        loadworthy_syntax::parse("a.js", text).module.unwrap()
    }

    /// How `db` of a module is imported elsewhere.
    fn db_of(text: &str) -> Option<String> {
        let maker = module(text);
        let made = maker.node_ids().find(|node| matches!(maker.kind(*node), Kind::New { .. })).unwrap();
        exported(&maker, (FileId::new(0), made), "db").map(|wanted| format!("{wanted:?}"))
    }

    #[test]
    fn a_client_is_imported_as_it_is_exported() {
        assert_eq!(db_of("export const db = new Pool();").as_deref(), Some("Named(\"db\")"));
        assert_eq!(db_of("const db = new Pool();\nexport default db;").as_deref(), Some("Default(\"db\")"));
        assert_eq!(db_of("const db = new Pool();\nmodule.exports = db;").as_deref(), Some("Default(\"db\")"));
        assert_eq!(
            db_of("const db = new Pool();\nmodule.exports = { ask, db };").as_deref(),
            Some("Named(\"db\")")
        );
    }

    #[test]
    fn a_client_that_is_kept_or_wrapped_is_not_imported() {
        assert_eq!(db_of("const db = new Pool();\nexport const ask = () => db.query(\"\");"), None);
        assert_eq!(
            db_of("const db = new Pool();\nmodule.exports = { ask: (text) => db.query(text) };"),
            None
        );
        assert_eq!(db_of("const db = new Pool();\nmodule.exports = { db: wrapped };"), None);
    }

    #[test]
    fn specifiers_are_written_as_those_of_the_file() {
        let of = |text: &str, from: &str, to: &str| relative(&module(text), from, to);
        let bare = "import a from './routes';";
        assert_eq!(of(bare, "src/app.ts", "src/db/client.ts").as_deref(), Some("./db/client"));
        assert_eq!(of(bare, "src/http/app.ts", "src/db.ts").as_deref(), Some("../db"));
        let extended = "import a from './routes.js';";
        assert_eq!(of(extended, "src/app.ts", "src/db.ts").as_deref(), Some("./db.js"));
        assert_eq!(of(extended, "app.js", "lib/db.mjs").as_deref(), Some("./lib/db.mjs"));
        assert_eq!(of("import a from 'express';", "app.js", "db.js"), None);
    }

    #[test]
    fn only_a_whole_module_at_the_top_is_the_module() {
        let of = |text: &str| {
            let module = module(text);
            let found = module.bindings().iter().find(|it| module.str(it.name) == "m").map(|it| it.node);
            is_required(&module, found.unwrap(), "mongoose")
        };
        assert!(of("const m = require('mongoose');"));
        assert!(!of("const m = require('mongoose').connection;"));
        assert!(!of("const m = require('./mongoose');"));
        assert!(!of("function start() { const m = require('mongoose'); }"));
    }
}
