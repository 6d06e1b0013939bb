//! `.env` files and their examples. Keys are facts; values are only looked into, never shown.

use crate::command;
use crate::fact::{Confidence, Place};
use crate::lines;
use crate::paths;
use crate::signs::{Scope, Signs, Tier};

/// A file that lists environment variables.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EnvFile {
    pub(crate) path: String,
    /// An example to copy, not what runs.
    pub(crate) is_example: bool,
    pub(crate) keys: Vec<(String, Place)>,
}

/// Whether a file name is one of a list of variables.
pub(crate) fn is_env_file(path: &str) -> bool {
    let name = paths::file_name(path);
    name.starts_with(".env")
        || paths::extension(name) == "env"
        || name.starts_with("env.") && is_example(path)
}

/// Whether a list of variables is an example to copy.
pub(crate) fn is_example(path: &str) -> bool {
    let name = paths::file_name(path).to_ascii_lowercase();
    ["example", "sample", "template", "dist", "defaults", "schema"]
        .iter()
        .any(|word| name.split(['.', '-', '_']).any(|part| part == *word))
}

/// What environment the name of a file speaks of.
pub(crate) fn tier(path: &str) -> Tier {
    let name = paths::file_name(path).to_ascii_lowercase();
    let has = |words: &[&str]| name.split(['.', '-', '_']).any(|part| words.contains(&part));
    if has(&["test", "testing", "ci", "e2e", "dev", "development", "local"]) {
        Tier::Development
    } else if has(&["prod", "production", "staging"]) {
        Tier::Production
    } else {
        Tier::Unspecified
    }
}

/// Reads one file.
pub(crate) fn read(text: &str, scope: &Scope<'_>, signs: &mut Signs) -> EnvFile {
    let mut keys = Vec::new();
    let known = signs.variables.len();
    for (line, row) in (1u32..).zip(text.lines()) {
        // `# KEY=` documents an optional variable.
        let bare = row.trim_start_matches(['#', ' ', '\t']);
        let Some((key, value)) = lines::assignment(bare) else { continue };
        let is_comment = row.trim_start().starts_with('#');
        if is_comment
            && !key
                .chars()
                .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
        {
            continue;
        }
        keys.push((key.to_owned(), Place::at(scope.file, line, format!("{key} listed"))));
        if !is_comment {
            command::variable(key, &value, scope, line, signs);
        }
    }
    if is_example(scope.file) {
        // What an operator would copy, not what runs.
        for sign in signs.variables.iter_mut().skip(known) {
            sign.confidence = Confidence::Low;
        }
    }
    EnvFile { path: scope.file.to_owned(), is_example: is_example(scope.file), keys }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signs::Unit;

    #[test]
    fn keys_are_read_and_values_stay_hidden() {
        let text = "# Database settings\nDATABASE_URL=\"postgres://app:hunter2@db:5432/app?connection_limit=5\"\n#REDIS_URL=\nexport PG_MAX = 30\nnonsense\n# a = b\n";
        let mut signs = Signs::default();
        let scope = Scope { file: ".env.example", tier: tier(".env.example"), unit: Unit::default() };
        let file = read(text, &scope, &mut signs);
        let keys: Vec<_> = file.keys.iter().map(|(key, place)| (key.as_str(), place.line.unwrap())).collect();
        assert_eq!(keys, [("DATABASE_URL", 2), ("REDIS_URL", 3), ("PG_MAX", 4)]);
        assert_eq!(signs.variables.len(), 2);
        assert!(file.is_example);
        assert!(!format!("{signs:?}{file:?}").contains("hunter2"));
    }

    #[test]
    fn names_tell_examples_and_environments() {
        assert!(
            is_env_file("server/.env.example")
                && is_env_file("config/config.env")
                && is_env_file("env.sample")
        );
        assert!(!is_env_file("src/environment.ts") && !is_env_file("env.ts"));
        assert_eq!(tier(".env.production"), Tier::Production);
        assert_eq!(tier(".env"), Tier::Unspecified);
        assert_eq!(tier(".env.local"), Tier::Development);
        assert!(is_example(".env.production.sample") && !is_example(".env.production"));
    }
}
