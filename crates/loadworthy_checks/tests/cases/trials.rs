//! Every example as a test of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use loadworthy_checks::{CHECKS, Meta};

use crate::app::App;
use crate::audit::{Got, audit};
use crate::compare::differences;
use crate::document::{Document, Section};
use crate::fixes;

/// The pages, the cases and the apps.
pub(crate) fn all() -> Vec<Trial> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trials: Vec<Trial> = metas().flat_map(page).collect();
    for folder in folders(&here.join("cases")) {
        let slug = name(&folder);
        for file in files(&folder) {
            trials.extend(cases(&slug, &file));
        }
    }
    for folder in folders(&here.join("tests/apps")) {
        trials.push(Trial::test(format!("app/{}", name(&folder)), move || app(&folder)));
    }
    trials
}

fn metas() -> impl Iterator<Item = &'static Meta> {
    CHECKS.iter().map(|check| check.meta())
}

/// One example: what it is called, where it stands, its files, its check.
struct Example {
    name: String,
    document: String,
    app: App,
    code: Option<&'static str>,
}

impl Example {
    fn judge(&self) -> Result<(), Failed> {
        let marked: BTreeSet<&str> =
            self.app.files.iter().flat_map(|file| &file.marks).map(|mark| mark.code.as_str()).collect();
        self.are_registered(&marked)?;
        let is_judged = |code: &str| self.code == Some(code) || marked.contains(code);
        let folder = Folder::new(&self.name)?;
        self.app.write(&folder.path)?;
        let outcome = audit(&folder.path, is_judged)?;
        let unread = outcome.diagnostics.iter().map(|note| format!("  the app can't be read: {note}"));
        let mut report: Vec<String> = unread.collect();
        report.extend(differences(&self.app, &self.document, &outcome, is_judged));
        report.extend(outcome.got.iter().filter(|got| !got.gaps.is_empty()).map(lacking));
        if let Some(code) = self.code {
            report.extend(fixes::problems(&self.app, &outcome, code, &folder.path)?);
        }
        if report.is_empty() {
            return Ok(());
        }
        let routes = if outcome.routes.is_empty() { "none".to_owned() } else { outcome.routes.join(", ") };
        Err(format!("\n{}\n  routes found: {routes}", report.join("\n")).into())
    }

    /// An app may be marked for checks that are not there yet; a case may not.
    fn are_registered(&self, marked: &BTreeSet<&str>) -> Result<(), Failed> {
        let unknown = marked.iter().find(|code| metas().all(|meta| meta.code != **code));
        match (self.code, unknown) {
            (Some(_), Some(code)) => Err(format!("{}: no check {code} is registered", self.document).into()),
            _ => Ok(()),
        }
    }
}

fn lacking(got: &Got) -> String {
    format!("  {}:{} {} lacks {}", got.file, got.line, got.code, got.gaps.join(", "))
}

/// `## Bad…` and `## Good…` of a check's page.
fn page(meta: &'static Meta) -> Vec<Trial> {
    let document = format!("the page of {} {}", meta.code, meta.slug);
    let parsed = match Document::parse(&meta.documentation()) {
        Ok(parsed) => parsed,
        Err(message) => return vec![broken(&document, message)],
    };
    let mut trials = Vec::new();
    for kind in ["Bad", "Good"] {
        let sections: Vec<&Section> =
            parsed.sections.iter().filter(|it| it.heading.starts_with(kind)).collect();
        if sections.is_empty() {
            trials.push(broken(&format!("{} page has `## {kind}`", meta.slug), "it has not".to_owned()));
        }
        for section in sections {
            trials.push(page_example(meta, &document, kind, section));
        }
    }
    trials
}

fn page_example(meta: &'static Meta, document: &str, kind: &'static str, section: &Section) -> Trial {
    let name = format!("{}/page/{}", meta.slug, slug(&section.heading));
    let app = App::of_blocks(section.blocks.iter());
    let document = document.to_owned();
    Trial::test(name.clone(), move || {
        let app = app.map_err(|message| format!("{document}: {message}"))?;
        let is_marked = app.files.iter().flat_map(|file| &file.marks).any(|mark| mark.code == meta.code);
        match kind {
            "Bad" if !is_marked => return Err("`## Bad` has no line with `// finding: …`".into()),
            "Good" if is_marked => return Err("`## Good` has a line that is marked".into()),
            _ => {}
        }
        Example { name, document, app, code: Some(meta.code) }.judge()
    })
}

/// The examples of a case file: one for each `##` section with blocks, the blocks above them in each; or the whole file.
fn cases(folder: &str, file: &Path) -> Vec<Trial> {
    let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let document = format!("crates/loadworthy_checks/cases/{folder}/{stem}.md");
    let name = format!("{folder}/{stem}");
    let Some(meta) = metas().find(|meta| meta.slug == folder) else {
        return vec![broken(&name, format!("no check `{folder}` is registered"))];
    };
    let text = fs::read_to_string(file).map_err(|error| error.to_string());
    let parsed = match text.and_then(|text| described(&text).and_then(|()| Document::parse(&text))) {
        Ok(parsed) => parsed,
        Err(message) => return vec![broken(&name, format!("{document}: {message}"))],
    };
    let sections: Vec<&Section> = parsed.sections.iter().filter(|it| !it.blocks.is_empty()).collect();
    if sections.is_empty() {
        return vec![case(meta, name, document, App::of_blocks(parsed.head.blocks.iter()))];
    }
    let examples = sections.into_iter().map(|section| {
        let app = App::of_blocks(parsed.head.blocks.iter().chain(&section.blocks));
        case(meta, format!("{name}/{}", slug(&section.heading)), document.clone(), app)
    });
    examples.collect()
}

/// A case begins with what it shows.
fn described(text: &str) -> Result<(), String> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if first.is_empty() || first.starts_with("```") {
        return Err("the first line must say what the case shows".to_owned());
    }
    Ok(())
}

fn case(meta: &'static Meta, name: String, document: String, app: Result<App, String>) -> Trial {
    Trial::test(name.clone(), move || {
        let app = app.map_err(|message| format!("{document}: {message}"))?;
        if app.files.is_empty() {
            return Err(format!("{document}: no code block").into());
        }
        Example { name, document, app, code: Some(meta.code) }.judge()
    })
}

fn app(folder: &Path) -> Result<(), Failed> {
    let name = format!("app/{}", name(folder));
    let document = format!("crates/loadworthy_checks/tests/apps/{}", self::name(folder));
    Example { name, document, app: App::of_folder(folder)?, code: None }.judge()
}

fn broken(name: &str, message: String) -> Trial {
    Trial::test(name, move || Err(message.into()))
}

/// The folder that an example is written to: a temporary one, or one that stays below `LOADWORTHY_CASES_DIR`.
struct Folder {
    path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    fn new(name: &str) -> Result<Self, String> {
        let Some(kept) = std::env::var_os("LOADWORTHY_CASES_DIR") else {
            let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
            return Ok(Self { path: temporary.path().to_path_buf(), _temporary: Some(temporary) });
        };
        let path = Path::new(&kept).join(name);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path, _temporary: None })
    }
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    entries(parent).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|it| it == "md")).collect()
}

fn entries(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// "The loop is here" → "the-loop-is-here".
fn slug(heading: &str) -> String {
    let words: Vec<String> = heading
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}
