//! How the application is written: ES modules or `CommonJS`, TypeScript or not, and what its object is called.

use loadworthy_analysis::{Application, Site};
use loadworthy_project::Language;
use loadworthy_syntax::{Kind, Module};

use crate::audit::Audit;
use crate::finding::Edit;

/// The form of the file that creates the application.
pub(super) struct Style<'a> {
    pub(super) file: &'a str,
    pub(super) is_esm: bool,
    pub(super) is_typescript: bool,
    /// The variable that holds the application.
    pub(super) app: String,
    module: Option<&'a Module>,
}

impl<'p> Style<'p> {
    pub(super) fn of(audit: &Audit<'_, 'p>, application: &Application) -> Self {
        let site = application.site;
        let module = audit.module(site);
        let language = audit.program().project().file(site.0).map(|file| file.language);
        Self {
            file: audit.program().path(site.0),
            is_esm: module.is_some_and(|module| !module.imports().is_empty()),
            is_typescript: matches!(language, Some(Language::Ts | Language::Tsx)),
            app: variable_of(audit, site).unwrap_or_else(|| String::from("app")),
            module,
        }
    }

    /// `import name from "package";` or `const name = require("package");`.
    pub(super) fn import(&self, name: &str, package: &str) -> String {
        if self.is_esm {
            format!("import {name} from \"{package}\";")
        } else {
            let name = name.replace(" as ", ": ");
            format!("const {name} = require(\"{package}\");")
        }
    }

    /// A new file beside this one, in its dialect.
    pub(super) fn file_named(&self, name: &str) -> String {
        let folder = self.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let extension = match (self.is_typescript, self.is_esm) {
            (true, _) => "ts",
            (false, true) => "mjs",
            (false, false) => "cjs",
        };
        if folder.is_empty() { format!("{name}.{extension}") } else { format!("{folder}/{name}.{extension}") }
    }

    /// An import for its side effect.
    pub(super) fn side_import(&self, package: &str) -> String {
        if self.is_esm { format!("import \"{package}\";") } else { format!("require(\"{package}\");") }
    }

    /// The edit that puts a line before the first statement of the file.
    pub(super) fn first_line(&self, line: &str) -> Option<Edit> {
        let module = self.module?;
        let Kind::Block(statements) = module.kind(module.root()) else { return None };
        let first = module.list(statements).next()?;
        let at = module.node(first).span.start;
        Some(Edit { file: self.file.to_owned(), start: at, end: at, replacement: format!("{line}\n") })
    }

    /// The first line of code in the file.
    pub(super) fn opening(&self) -> String {
        let first = self.module.and_then(|module| match module.kind(module.root()) {
            Kind::Block(statements) => module.list(statements).next().map(|first| module.source(first)),
            _ => None,
        });
        first.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
    }
}

/// The variable that a call's result is put into.
pub(super) fn variable_of(audit: &Audit<'_, '_>, (file, node): Site) -> Option<String> {
    let module = audit.program().module(file)?;
    let mut at = module.parent(node);
    if let Kind::Await(_) = module.kind(at) {
        at = module.parent(at);
    }
    match module.kind(at) {
        Kind::Declarator { target, .. } | Kind::Assign { target, .. } => {
            Some(module.source(target).split(':').next().unwrap_or_default().trim().to_owned())
        }
        _ => None,
    }
}
