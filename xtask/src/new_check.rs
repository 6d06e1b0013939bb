//! A new check: its file, its first case and its line in the registry.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cargo::workspace;
use crate::failure::Failure;
use crate::say;

/// The names of a check.
#[derive(Args)]
pub(crate) struct Options {
    /// Its number in the catalogue: "1A".
    code: String,
    /// The problem as a noun: "unbounded-fetch".
    slug: String,
    /// database, memory, asynchrony, resilience or frontend.
    group: String,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    create(options, &workspace().join("crates/loadworthy_checks"))?;
    say(
        "Now write the page (`## Bad`, `## Good`), the case and the check: `cargo xtask cases` is red until they agree.",
    );
    Ok(())
}

fn create(options: &Options, root: &Path) -> Result<(), Failure> {
    let check = Check::new(options)?;
    let file = root.join(format!("src/{}/{}.rs", check.group, check.module));
    let case = root.join(format!("cases/{}/first.md", options.slug));
    write_new(&file, &check.source())?;
    write_new(&case, &check.case())?;
    edit(&root.join(format!("src/{}/mod.rs", check.group)), |text| Some(with_module(text, &check.module)))?;
    let path = format!("&{}::{}::{}", check.group, check.module, check.name);
    edit(&root.join("src/registry.rs"), |text| with_entry(text, &path, &options.code, root))
}

struct Check<'o> {
    options: &'o Options,
    group: &'static str,
    category: &'static str,
    module: String,
    name: String,
}

/// Folder and category.
const GROUPS: [(&str, &str); 5] = [
    ("database", "Database"),
    ("memory", "Memory"),
    ("asynchrony", "Async"),
    ("resilience", "Resilience"),
    ("frontend", "Frontend"),
];

impl<'o> Check<'o> {
    fn new(options: &'o Options) -> Result<Self, Failure> {
        let is_code = matches!(options.code.as_bytes(), [b'1'..=b'9', b'A'..=b'Z']);
        let is_slug = options.slug.split('-').all(|word| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        });
        let group = GROUPS.into_iter().find(|(group, _)| *group == options.group);
        let (true, true, Some((group, category))) = (is_code, is_slug, group) else {
            let groups = GROUPS.map(|(group, _)| group).join(", ");
            return Err(Failure::Usage(format!(
                "CODE is like 1A, SLUG like unbounded-fetch, GROUP one of {groups}"
            )));
        };
        let module = options.slug.replace('-', "_");
        Ok(Self { options, group, category, module, name: camel(&options.slug) })
    }

    fn source(&self) -> String {
        TEMPLATE
            .replace("{code}", &self.options.code)
            .replace("{slug}", &self.options.slug)
            .replace("{title}", &title(&self.options.slug))
            .replace("{category}", self.category)
            .replace("{module}", &self.module)
            .replace("{Name}", &self.name)
    }

    fn case(&self) -> String {
        CASE.replace("{code}", &self.options.code)
    }
}

const TEMPLATE: &str = include_str!("new_check.template");

const CASE: &str = r#"Say in one sentence what is shown.

## The shape

```ts title="src/app.ts"
import express from "express";

const app = express();
app.get("/", (_req, res) => {
  res.end(); // finding: {code}
});
```

## Its look-alike

```ts title="src/app.ts"
import express from "express";

const app = express();
app.get("/", (_req, res) => {
  res.end();
});
```
"#;

/// "unbounded-fetch" → "`UnboundedFetch`".
fn camel(slug: &str) -> String {
    slug.split('-').map(capital).collect()
}

/// "unbounded-fetch" → "Unbounded fetch".
fn title(slug: &str) -> String {
    capital(&slug.replace('-', " "))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    if path.exists() {
        return Err(Failure::Usage(format!("{} exists", path.display())));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Failure::at(folder))?;
    }
    fs::write(path, text).map_err(Failure::at(path))
}

fn edit(path: &Path, change: impl FnOnce(&str) -> Option<String>) -> Result<(), Failure> {
    let text = fs::read_to_string(path).map_err(Failure::at(path))?;
    let changed = change(&text)
        .ok_or_else(|| Failure::Usage(format!("{} has not the form that is known", path.display())))?;
    fs::write(path, changed).map_err(Failure::at(path))
}

/// The group's module file with one more module, in order.
fn with_module(text: &str, module: &str) -> String {
    let (modules, others): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("pub(crate) mod "));
    let own = format!("pub(crate) mod {module};");
    let mut modules: Vec<&str> = modules.into_iter().chain([own.as_str()]).collect();
    modules.sort_unstable();
    let head: Vec<&str> = others.into_iter().filter(|line| !line.is_empty()).collect();
    format!("{}\n\n{}\n", head.join("\n"), modules.join("\n"))
}

/// The registry with one more check, in the order of codes.
fn with_entry(text: &str, entry: &str, code: &str, root: &Path) -> Option<String> {
    const START: &str = "pub const CHECKS: &[&dyn Check] = &[";
    let (before, rest) = text.split_once(START)?;
    let (list, after) = rest.split_once("];")?;
    let known = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let mut entries: Vec<(String, String)> =
        known.map(|entry| (code_of(entry, root).unwrap_or_default(), entry.to_owned())).collect();
    entries.push((code.to_owned(), entry.to_owned()));
    entries.sort();
    let lines: String =
        entries.into_iter().fold(String::new(), |lines, (_, entry)| lines + "    " + &entry + ",\n");
    let group = entry.trim_start_matches('&').split("::").next()?;
    let used = format!("use crate::{group};\n");
    let before = if before.contains(&used) { before.to_owned() } else { with_use(before, &used) };
    Some(format!("{before}{START}\n{lines}];{after}"))
}

/// Imports stand in order: rustfmt sorts the block.
fn with_use(before: &str, used: &str) -> String {
    before.replacen("use crate::audit::Audit;\n", &format!("use crate::audit::Audit;\n{used}"), 1)
}

/// The code that the file of a registered check states.
fn code_of(entry: &str, root: &Path) -> Option<String> {
    let mut parts = entry.trim_start_matches('&').split("::");
    let (group, module) = (parts.next()?, parts.next()?);
    let places: [PathBuf; 2] = [format!("src/{group}/{module}.rs"), format!("src/{group}/{module}/mod.rs")]
        .map(|path| root.join(path));
    let text = places.iter().find_map(|path| fs::read_to_string(path).ok())?;
    let (_, rest) = text.split_once("code: \"")?;
    rest.split_once('"').map(|(code, _)| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "use crate::audit::Audit;\nuse crate::database;\n\npub const CHECKS: &[&dyn Check] = &[&database::n_plus_one::NPlusOne];\n";

    #[test]
    fn a_new_check_has_its_file_its_case_and_its_lines() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["src/database", "src/memory"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("src/registry.rs"), REGISTRY).unwrap();
        fs::write(root.path().join("src/database/n_plus_one.rs"), "code: \"1A\",").unwrap();
        fs::write(root.path().join("src/memory/mod.rs"), "//! Memory checks, one file each.\n").unwrap();
        let options =
            Options { code: "2B".to_owned(), slug: "unbounded-cache".to_owned(), group: "memory".to_owned() };
        create(&options, root.path()).unwrap();
        let read = |path: &str| fs::read_to_string(root.path().join(path)).unwrap();
        assert_eq!(
            read("src/memory/mod.rs"),
            "//! Memory checks, one file each.\n\npub(crate) mod unbounded_cache;\n"
        );
        assert!(read("src/registry.rs").ends_with(
            "= &[\n    &database::n_plus_one::NPlusOne,\n    &memory::unbounded_cache::UnboundedCache,\n];\n"
        ));
        assert!(read("src/registry.rs").contains("use crate::memory;\n"));
        let source = read("src/memory/unbounded_cache.rs");
        assert!(source.contains("pub(crate) struct UnboundedCache;") && !source.contains("{code}"));
        assert!(read("cases/unbounded-cache/first.md").contains("// finding: 2B"));
        assert!(create(&options, root.path()).is_err(), "an existing check is not overwritten");
    }

    #[test]
    fn names_of_another_form_are_refused() {
        for (code, slug, group) in [("1", "x", "memory"), ("1A", "X y", "memory"), ("1A", "x", "other")] {
            let options = Options { code: code.to_owned(), slug: slug.to_owned(), group: group.to_owned() };
            assert!(Check::new(&options).is_err(), "{code} {slug} {group}");
        }
    }
}
