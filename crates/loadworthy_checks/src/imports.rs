//! What an edit uses of another module: a name that the file has already, or the edit that brings it in the file's own style.

use loadworthy_project::{FileId, Language, ModuleKind};
use loadworthy_syntax::{Kind, Module, Span};

use crate::audit::Audit;
use crate::edit::line_end;
use crate::finding::{Edit, NewPackage};

/// What is taken of a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted<'n> {
    /// The default export (`CommonJS`: the whole module), under this name.
    Default(&'n str),
    /// A named export.
    Named(&'n str),
    /// A named export that is a type: `import type` where there is none.
    Type(&'n str),
}

impl<'n> Wanted<'n> {
    pub(crate) fn name(self) -> &'n str {
        match self {
            Self::Default(name) | Self::Named(name) | Self::Type(name) => name,
        }
    }
}

/// What something is called in a file, and what brings it there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Imported {
    /// Its name in the file.
    pub(crate) name: String,
    /// The edit that brings it; absent where the file has it.
    pub(crate) edit: Option<Edit>,
}

/// The first major version of Node.js's types that has the built-in modules by their `node:` names, and what fixes use of them.
const TYPES: (&str, u64) = ("@types/node", 16);

/// Whether the types of a typed file are older than what fixes use of built-in modules.
fn has_old_types(audit: &Audit<'_, '_>, file: FileId) -> bool {
    is_typed_before(audit, file, TYPES)
}

/// A built-in module without its scheme: `node:crypto` is `crypto`.
fn bare(package: &str) -> &str {
    package.strip_prefix("node:").unwrap_or(package)
}

/// Makes `wanted` of `package` known in a file. `None` where its name means something else there, or the file can't be
/// read. Two fixes that want the same give the same edit, which is applied once.
pub(crate) fn import(
    audit: &Audit<'_, '_>,
    file: FileId,
    package: &str,
    wanted: Wanted<'_>,
) -> Option<Imported> {
    let module = audit.program().module(file)?;
    if package.starts_with("node:") && has_old_types(audit, file) {
        return None;
    }
    let statements: Vec<Statement<'_>> = statements(module);
    let is_its = |it: &&Statement<'_>| bare(it.source) == bare(package);
    let held = statements.iter().filter(is_its).find_map(|it| it.local(wanted));
    if let Some(name) = held {
        return Some(Imported { name: name.to_owned(), edit: None });
    }
    let name = wanted.name();
    if module.bindings().iter().any(|binding| module.str(binding.name) == name) {
        return None;
    }
    let path = audit.program().path(file);
    let edit = |at: u32, replacement: String| {
        Some(Imported {
            name: name.to_owned(),
            edit: Some(Edit { file: path.to_owned(), start: at, end: at, replacement }),
        })
    };
    let longer = statements.iter().filter(is_its).find_map(|it| it.with(wanted));
    if let Some((at, text)) = longer {
        return edit(at, text);
    }
    let is_esm = is_esm(audit, file, module, &statements);
    let style = Style::of(module, &statements);
    let line = style.line(is_esm, package, wanted)?;
    match statements.last() {
        Some(last) => {
            let end = line_end(module, last.span.end as usize);
            edit(u32::try_from(end).ok()?, format!("\n{line}"))
        }
        None => edit(start_of_code(module), format!("{line}\n")),
    }
}

/// The package as a fix adds it for a file; nothing where the application declares it. `None` where nothing is known of the
/// package: a fix must not import what it can't declare.
pub(crate) fn package(audit: &Audit<'_, '_>, file: FileId, name: &str) -> Option<Vec<NewPackage>> {
    let project = audit.program().project();
    let own = project.file(file)?.package;
    if project.depends_on(own, name) {
        return Some(Vec::new());
    }
    if is_behind(audit, file) {
        return None;
    }
    let row = audit.knowledge().package(name)?;
    let dir = &project.package(own)?.dir;
    let manifest = if dir.is_empty() { String::from("package.json") } else { format!("{dir}/package.json") };
    let range = row.range(is_esm_file(audit, file)).to_owned();
    Some(vec![NewPackage { name: name.to_owned(), range, manifest }])
}

/// The compiler of typed files, and the oldest that reads the types which packages ship today.
const COMPILER: (&str, u64) = ("typescript", 4);

/// Whether a file is compiled by a compiler that can't read the types of a new package.
fn is_behind(audit: &Audit<'_, '_>, file: FileId) -> bool {
    is_typed_before(audit, file, COMPILER)
}

/// Whether a file is typed, and its project has an older version of a package.
fn is_typed_before(audit: &Audit<'_, '_>, file: FileId, (package, major): (&str, u64)) -> bool {
    let project = audit.program().project();
    let typed = project.file(file).filter(|it| matches!(it.language, Language::Ts | Language::Tsx));
    typed
        .and_then(|own| project.version_of(own.package, package))
        .is_some_and(|version| version.major < major)
}

/// Whether a file is an ES module.
pub(crate) fn is_esm_file(audit: &Audit<'_, '_>, file: FileId) -> bool {
    audit.program().module(file).is_some_and(|module| is_esm(audit, file, module, &statements(module)))
}

fn is_esm(audit: &Audit<'_, '_>, file: FileId, module: &Module, statements: &[Statement<'_>]) -> bool {
    if let Some(first) = statements.first() {
        return statements.iter().any(|it| it.is_esm) || first.is_esm;
    }
    if !module.imports().is_empty() || module.side_imports().next().is_some() {
        return true;
    }
    if module.text().contains("require(") || module.text().contains("module.exports") {
        return false;
    }
    audit.program().project().file(file).is_some_and(|file| match file.module_kind {
        ModuleKind::Module => true,
        ModuleKind::CommonJs => false,
        ModuleKind::Unknown => matches!(file.language, Language::Ts | Language::Tsx | Language::Jsx),
    })
}

/// Where the first statement begins, or the comment directly above it; directives and the comment at the head of the file
/// stand before it.
fn start_of_code(module: &Module) -> u32 {
    let Kind::Block(statements) = module.kind(module.root()) else { return 0 };
    let start = module.list(statements).next().map_or(0, |first| module.node(first).span.start);
    let before = module.text().get(..start as usize).unwrap_or_default();
    let mut at = before.len();
    for line in before.lines().rev() {
        if !line.trim_start().starts_with("//") {
            break;
        }
        at = before
            .get(..at)
            .and_then(|it| it.trim_end_matches(['\n', '\r']).rfind('\n'))
            .map_or(0, |it| it + 1);
    }
    if at == 0 { start } else { u32::try_from(at).unwrap_or(start) }
}

/// An import, or a `require` that is put into constants, at the head of a file.
struct Statement<'t> {
    span: Span,
    text: &'t str,
    source: &'t str,
    is_esm: bool,
}

/// The imports of a module, or else the `require`s that it begins with.
fn statements(module: &Module) -> Vec<Statement<'_>> {
    let Kind::Block(list) = module.kind(module.root()) else { return Vec::new() };
    let mut found = Vec::new();
    let mut is_head = true;
    for node in module.list(list) {
        let text = module.source(node);
        let span = module.node(node).span;
        if let Some(source) = text.strip_prefix("import").and_then(|_| source_of(text)) {
            found.push(Statement { span, text, source, is_esm: true });
        } else if is_head && let Some(source) = required(text) {
            found.push(Statement { span, text, source, is_esm: false });
        } else if !text.contains("require(") || text.contains('{') {
            is_head = false;
        }
    }
    if found.iter().any(|it| it.is_esm) {
        found.retain(|it| it.is_esm);
    }
    found
}

/// The specifier that an import ends with.
fn source_of(text: &str) -> Option<&str> {
    let (before, source) = last_string(text)?;
    let before = before.trim_end();
    (before.ends_with("from") || before == "import").then_some(source)
}

/// The specifier of `const x = require("source")`.
fn required(text: &str) -> Option<&str> {
    let declared = ["const ", "let ", "var "].iter().any(|word| text.starts_with(word));
    let (left, right) = text.split_once('=')?;
    let call = right.trim().strip_prefix("require(")?;
    let (before, source) = last_string(call)?;
    let rest = call.get(source.len() + 2..)?.trim_end_matches(';');
    (declared && rest.trim() == ")" && before.is_empty() && !left.contains(',') | left.contains('{'))
        .then_some(source)
}

/// The last string of a text, and what stands before it.
fn last_string(text: &str) -> Option<(&str, &str)> {
    let end = text.rfind(['\'', '"'])?;
    let quote = text.get(end..end + 1)?;
    let start = text.get(..end)?.rfind(quote)?;
    Some((text.get(..start)?, text.get(start + 1..end)?))
}

impl<'t> Statement<'t> {
    /// The part between the braces and where it ends in the statement.
    fn braces(&self) -> Option<(&'t str, usize)> {
        let open = self.text.find('{')?;
        let close = self.text.find('}')?;
        Some((self.text.get(open + 1..close)?, close))
    }

    fn is_type_only(&self) -> bool {
        self.is_esm && self.text.starts_with("import type ")
    }

    /// What `wanted` is called by this statement.
    fn local(&self, wanted: Wanted<'_>) -> Option<&'t str> {
        if self.is_type_only() && !matches!(wanted, Wanted::Type(_)) {
            return None;
        }
        match wanted {
            Wanted::Default(_) => {
                let after = self.text.split_once(' ')?.1.trim_start();
                let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))?;
                after.get(..end).filter(|name| !name.is_empty())
            }
            Wanted::Named(name) | Wanted::Type(name) => self.braces()?.0.split(',').find_map(|part| {
                let part = part.trim();
                let (is_type, part) = part.strip_prefix("type ").map_or((false, part), |rest| (true, rest));
                if is_type && !matches!(wanted, Wanted::Type(_)) {
                    return None;
                }
                let (own, local) = part
                    .split_once(" as ")
                    .or_else(|| part.split_once(':'))
                    .map_or((part, part), |(own, local)| (own.trim(), local.trim()));
                (own == name).then_some(local)
            }),
        }
    }

    /// The insertion that makes the statement bring `wanted` too.
    fn with(&self, wanted: Wanted<'_>) -> Option<(u32, String)> {
        let name = match wanted {
            Wanted::Named(name) if !self.is_type_only() => name.to_owned(),
            Wanted::Type(name) if self.is_type_only() => name.to_owned(),
            Wanted::Type(name) if self.is_esm => format!("type {name}"),
            _ => return None,
        };
        let (inside, close) = self.braces()?;
        let listed = inside.trim_end();
        let at = self.span.start + u32::try_from(close - (inside.len() - listed.len())).ok()?;
        let text = match (listed.trim().is_empty(), listed.ends_with(',')) {
            (true, _) => format!(" {name} "),
            (false, true) => match inside.rfind('\n').and_then(|line| inside.get(..line)?.rfind('\n')) {
                Some(_) => format!("{}{name},", indentation(inside)),
                None => format!(" {name},"),
            },
            (false, false) if inside.contains('\n') => format!(",{}{name}", indentation(inside)),
            (false, false) => format!(", {name}"),
        };
        Some((at, text))
    }
}

/// The line break and the spaces before the last name of a list that has one name a line.
fn indentation(inside: &str) -> &str {
    let listed = inside.trim_end();
    let line = listed.rfind('\n').unwrap_or(0);
    let rest = listed.get(line..).unwrap_or_default();
    let end = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// How the file writes its imports.
struct Style {
    quote: char,
    semicolon: &'static str,
}

impl Style {
    fn of(module: &Module, statements: &[Statement<'_>]) -> Self {
        let sample = statements.last().map_or(module.text(), |last| last.text);
        let singles = sample.matches('\'').count();
        let doubles = sample.matches('"').count();
        let ends = match statements.last() {
            Some(last) => last.text.ends_with(';'),
            None => module.text().contains(";\n"),
        };
        Self { quote: if doubles > singles { '"' } else { '\'' }, semicolon: if ends { ";" } else { "" } }
    }

    fn line(&self, is_esm: bool, package: &str, wanted: Wanted<'_>) -> Option<String> {
        let Self { quote, semicolon } = self;
        Some(match (is_esm, wanted) {
            (true, Wanted::Default(name)) => format!("import {name} from {quote}{package}{quote}{semicolon}"),
            (true, Wanted::Named(name)) => {
                format!("import {{ {name} }} from {quote}{package}{quote}{semicolon}")
            }
            (true, Wanted::Type(name)) => {
                format!("import type {{ {name} }} from {quote}{package}{quote}{semicolon}")
            }
            (false, Wanted::Default(name)) => {
                format!("const {name} = require({quote}{package}{quote}){semicolon}")
            }
            (false, Wanted::Named(name)) => {
                format!("const {{ {name} }} = require({quote}{package}{quote}){semicolon}")
            }
            (false, Wanted::Type(_)) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(text: &str) -> Statement<'_> {
        let is_esm = text.starts_with("import");
        let source = if is_esm { source_of(text) } else { required(text) };
        let span = Span { start: 100, end: 100 + u32::try_from(text.len()).unwrap_or(0) };
        Statement { span, text, source: source.unwrap_or(""), is_esm }
    }

    /// The statement after it brings `wanted` too.
    fn longer(text: &str, wanted: Wanted<'_>) -> Option<String> {
        let (at, added) = statement(text).with(wanted)?;
        let (before, after) = text.split_at(at as usize - 100);
        Some([before, &added, after].concat())
    }

    #[test]
    fn names_that_a_statement_brings_are_found() {
        let named = statement("import express, { type Request, Router as R } from 'express';");
        assert_eq!(named.source, "express");
        assert_eq!(named.local(Wanted::Default("x")), Some("express"));
        assert_eq!(named.local(Wanted::Named("Router")), Some("R"));
        assert_eq!(named.local(Wanted::Named("Request")), None);
        assert_eq!(named.local(Wanted::Type("Request")), Some("Request"));
        assert_eq!(statement("import * as pg from 'pg'").local(Wanted::Default("pg")), None);
        let required = statement("const { Pool: PgPool, types } = require(\"pg\");");
        assert_eq!(required.source, "pg");
        assert_eq!(required.local(Wanted::Named("Pool")), Some("PgPool"));
        assert_eq!(required.local(Wanted::Default("pg")), None);
        assert_eq!(statement("const a = require('a').b;").source, "");
        assert_eq!(statement("import './side.js'").source, "./side.js");
    }

    #[test]
    fn a_statement_is_made_longer_in_its_own_form() {
        assert_eq!(
            longer("import { eq } from 'drizzle-orm';", Wanted::Named("inArray")).as_deref(),
            Some("import { eq, inArray } from 'drizzle-orm';")
        );
        assert_eq!(
            longer("import {\n  eq,\n  and,\n} from 'drizzle-orm';", Wanted::Named("or")).as_deref(),
            Some("import {\n  eq,\n  and,\n  or,\n} from 'drizzle-orm';")
        );
        assert_eq!(
            longer("import {\n  eq,\n  and\n} from 'drizzle-orm';", Wanted::Named("or")).as_deref(),
            Some("import {\n  eq,\n  and,\n  or\n} from 'drizzle-orm';")
        );
        assert_eq!(
            longer("const {} = require('a')", Wanted::Named("b")).as_deref(),
            Some("const { b } = require('a')")
        );
        assert_eq!(longer("import type { A } from 'a';", Wanted::Named("b")), None);
        assert_eq!(longer("import a from 'a';", Wanted::Named("b")), None);
    }
}
