//! The list of applications: a TOML file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

/// A public repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    /// The name in tables and records.
    pub(super) name: String,
    /// `owner/name` on GitHub.
    pub(super) repository: String,
    /// The whole hash.
    pub(super) commit: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    app: Vec<Application>,
}

/// The applications of a list, in its order.
pub(super) fn read(file: &Path) -> Result<Vec<Application>, Failure> {
    let text = fs::read_to_string(file).map_err(Failure::at(file))?;
    parse(&text).map_err(|message| Failure::Usage(format!("{}: {message}", file.display())))
}

fn parse(text: &str) -> Result<Vec<Application>, String> {
    let list: List = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut names = BTreeSet::new();
    for app in &list.app {
        if !names.insert(&app.name) {
            return Err(format!("`{}` stands there twice", app.name));
        }
        // A branch or a short hash is not pinned; and none of these may be an option of git or a path.
        if app.commit.len() != 40 || !app.commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("`{}`: the commit must be a whole hash", app.name));
        }
        let plain = |name: &str| {
            !name.starts_with(['-', '.'])
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte))
        };
        let is_repository =
            app.repository.split_once('/').is_some_and(|(owner, name)| plain(owner) && plain(name));
        if !is_repository || !plain(&app.name) {
            return Err(format!("`{}`: a plain name and a repository `owner/name` are needed", app.name));
        }
    }
    Ok(list.app)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn entry(name: &str, repository: &str, commit: &str) -> String {
        format!("[[app]]\nname = \"{name}\"\nrepository = \"{repository}\"\ncommit = \"{commit}\"\n")
    }

    #[test]
    fn a_branch_is_not_pinned() {
        assert_eq!(parse(&entry("shop", "o/shop", COMMIT)).map(|apps| apps.len()), Ok(1));
        assert!(parse(&entry("shop", "o/shop", "main")).is_err());
    }

    #[test]
    fn names_are_unique() {
        let twice = entry("shop", "o/shop", COMMIT) + &entry("shop", "p/shop", COMMIT);
        assert!(parse(&twice).is_err());
    }

    #[test]
    fn nothing_in_the_list_can_be_a_path_or_an_option() {
        for (name, repository) in
            [("../shop", "o/shop"), ("shop", "shop"), ("shop", "--upload-pack=x/y"), ("shop", "o/../x")]
        {
            assert!(parse(&entry(name, repository, COMMIT)).is_err(), "{name} {repository}");
        }
    }

    #[test]
    fn the_list_of_the_workspace_is_valid() {
        let applications = read(&crate::cargo::workspace().join("xtask/eval.toml")).unwrap();
        assert!(applications.len() > 20);
    }
}
