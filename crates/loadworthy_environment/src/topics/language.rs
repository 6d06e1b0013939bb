//! TypeScript and the module system of the server.

use loadworthy_project::{FileClass, ModuleKind};

use super::Scene;
use crate::fact::{Confidence, Known, Place};

/// What the server's code is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// Version of TypeScript, where the server is written in it.
    pub typescript: Option<String>,
    /// `ES modules` or `CommonJS`.
    pub modules: &'static str,
}

/// Counts the server's files; `type` of its manifest decides over what the code looks like.
pub(crate) fn language(scene: &Scene<'_>) -> Known<Language> {
    let project = scene.code.project();
    let server = scene.server();
    let own = project.files.iter().filter(|file| file.package == server && file.class.is_audited());
    let mut files: Vec<_> = own.collect();
    if files.iter().any(|file| file.class == FileClass::Server) {
        files.retain(|file| file.class != FileClass::Client);
    }
    let typed = files.iter().filter(|file| file.language.is_typescript()).count();
    let is_typescript = typed * 2 > files.len();
    let manifest = project.package(server).map(|package| &package.manifest);
    let declared = manifest.and_then(|manifest| manifest.module_type.as_deref());
    let (modules, confidence) = match declared {
        Some("module") => ("ES modules", Confidence::High),
        // A compiler turns `import` into `require`: what runs is what the manifest says.
        _ if is_typescript => ("CommonJS", Confidence::Medium),
        Some("commonjs") => ("CommonJS", Confidence::High),
        _ => by_syntax(scene, &files),
    };
    let typescript = is_typescript.then(|| {
        let version = project.version_of(server, "typescript");
        version.map_or_else(|| "of unknown version".to_owned(), |version| version.text.clone())
    });
    let evidence = manifest
        .and_then(|manifest| manifest.file.as_deref())
        .map(|file| Place::whole(file, if declared.is_some() { "type stated" } else { "no type: CommonJS" }));
    Known::read(Language { typescript, modules }, confidence, evidence.into_iter().collect())
}

fn by_syntax(scene: &Scene<'_>, files: &[&loadworthy_project::SourceFile]) -> (&'static str, Confidence) {
    let is_module = |file: &&&loadworthy_project::SourceFile| {
        file.module_kind == ModuleKind::Module
            || scene
                .code
                .module(file.id)
                .is_some_and(|module| !module.imports().is_empty() && !module.text().contains("require("))
    };
    let modules = files.iter().filter(is_module).count();
    if modules * 2 > files.len() {
        ("ES modules (through a build step)", Confidence::Medium)
    } else {
        ("CommonJS", Confidence::High)
    }
}

impl Language {
    /// What it is, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.typescript {
            Some(version) => format!("TypeScript {version}, {}", self.modules),
            None => format!("JavaScript, {}", self.modules),
        }
    }
}
