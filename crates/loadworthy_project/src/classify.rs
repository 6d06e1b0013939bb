//! What a file is for, by its path and its first lines.

/// What a file is for. Only server, client and shared code is audited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileClass {
    /// Runs on the server.
    Server,
    /// Runs in the browser.
    Client,
    /// Either.
    Shared,
    /// A test, mock, fixture or story.
    Test,
    /// A script, seed or configuration.
    Script,
    /// A database migration.
    Migration,
    /// Written by a tool.
    Generated,
    /// Somebody else's code.
    Vendored,
    /// Compressed for delivery.
    Minified,
}

impl FileClass {
    /// Whether findings are reported in it.
    #[must_use]
    pub fn is_audited(self) -> bool {
        matches!(self, Self::Server | Self::Client | Self::Shared)
    }
}

/// The dialect of a source file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// JavaScript.
    Js,
    /// JavaScript that may hold JSX.
    Jsx,
    /// TypeScript.
    Ts,
    /// TypeScript with JSX.
    Tsx,
}

impl Language {
    /// By a file's name; `None` where it is no source file (declaration files hold no code).
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        if [".d.ts", ".d.mts", ".d.cts"].iter().any(|ending| path.ends_with(ending)) {
            return None;
        }
        match path.rsplit_once('.')?.1 {
            "js" | "mjs" | "cjs" => Some(Self::Js),
            "jsx" => Some(Self::Jsx),
            "ts" | "mts" | "cts" => Some(Self::Ts),
            "tsx" => Some(Self::Tsx),
            _ => None,
        }
    }
}

const TEST_FOLDERS: [&str; 11] = [
    "__tests__",
    "__mocks__",
    "__fixtures__",
    "test",
    "tests",
    "e2e",
    "cypress",
    "spec",
    "fixtures",
    "stories",
    "playwright",
];
const SCRIPT_FOLDERS: [&str; 6] = ["scripts", "script", "bin", "tools", "seeds", "seeders"];
const VENDOR_FOLDERS: [&str; 5] = ["vendor", "vendors", "third_party", "third-party", "bower_components"];
const SERVER_FOLDERS: [&str; 10] = [
    "server",
    "api",
    "backend",
    "routes",
    "controllers",
    "services",
    "middleware",
    "middlewares",
    "models",
    "workers",
];
const CLIENT_FOLDERS: [&str; 3] = ["components", "hooks", "web"];

/// Longest average line of hand-written code, in bytes: formatters break lines at 80 to 140.
const LONGEST_AVERAGE_LINE: usize = 500;

/// The class of a source file; `head` is how its text begins.
#[must_use]
pub(crate) fn classify(path: &str, language: Language, head: &str) -> FileClass {
    let folders: Vec<&str> = path.split('/').rev().skip(1).collect();
    let name = path.rsplit('/').next().unwrap_or(path);
    let within = |wanted: &[&str]| folders.iter().any(|folder| wanted.contains(folder));
    if within(&VENDOR_FOLDERS) {
        return FileClass::Vendored;
    }
    if name.contains(".min.") || is_minified(head) {
        return FileClass::Minified;
    }
    if is_generated(name, &folders, head) {
        return FileClass::Generated;
    }
    if within(&TEST_FOLDERS)
        || [".test.", ".spec.", ".stories.", ".e2e", ".cy."].iter().any(|part| name.contains(part))
    {
        return FileClass::Test;
    }
    if within(&["migrations", "migration"]) {
        return FileClass::Migration;
    }
    if within(&SCRIPT_FOLDERS)
        || name.contains(".config.")
        || name.starts_with("seed")
        || name.ends_with("rc.js")
    {
        return FileClass::Script;
    }
    side(language, &folders, head)
}

/// The nearest folder with a telling name decides; JSX is the browser's unless a directive says more.
fn side(language: Language, folders: &[&str], head: &str) -> FileClass {
    let begins = head.trim_start();
    if begins.starts_with("'use client'") || begins.starts_with("\"use client\"") {
        return FileClass::Client;
    }
    if begins.starts_with("'use server'") || begins.starts_with("\"use server\"") {
        return FileClass::Server;
    }
    if matches!(language, Language::Jsx | Language::Tsx) {
        return FileClass::Client;
    }
    // A browser app has folders named `api` and `services` too.
    if folders.iter().any(|folder| matches!(*folder, "client" | "frontend")) {
        return FileClass::Client;
    }
    for folder in folders {
        if CLIENT_FOLDERS.contains(folder) {
            return FileClass::Client;
        }
        if SERVER_FOLDERS.contains(folder) {
            return FileClass::Server;
        }
    }
    FileClass::Shared
}

fn is_minified(head: &str) -> bool {
    head.len() > 4 * LONGEST_AVERAGE_LINE && head.len() / head.lines().count().max(1) > LONGEST_AVERAGE_LINE
}

fn is_generated(name: &str, folders: &[&str], head: &str) -> bool {
    let start: String = head.lines().take(6).collect();
    let says_so =
        ["@generated", "DO NOT EDIT", "do not edit", "Do not edit"].iter().any(|mark| start.contains(mark));
    says_so
        || folders.iter().any(|folder| matches!(*folder, "__generated__" | "generated"))
        || name.contains(".gen.")
        || name.contains(".generated.")
}

#[cfg(test)]
mod tests {
    use super::{FileClass, Language, classify};

    fn class(path: &str) -> FileClass {
        classify(path, Language::of(path).unwrap(), "const a = 1;\n")
    }

    #[test]
    fn paths_tell_what_a_file_is_for() {
        for (path, expected) in [
            ("server/routes/users.ts", FileClass::Server),
            ("client/src/api/users.ts", FileClass::Client),
            ("client/src/lib/format.ts", FileClass::Client),
            ("src/pages/Home.tsx", FileClass::Client),
            ("shared/schema.ts", FileClass::Shared),
            ("src/users.test.ts", FileClass::Test),
            ("test/helpers/db.js", FileClass::Test),
            ("scripts/import.js", FileClass::Script),
            ("vite.config.ts", FileClass::Script),
            ("db/migrations/001_init.js", FileClass::Migration),
            ("src/__generated__/types.ts", FileClass::Generated),
            ("public/vendor/jquery.js", FileClass::Vendored),
            ("public/app.min.js", FileClass::Minified),
        ] {
            assert_eq!(class(path), expected, "{path}");
        }
    }

    #[test]
    fn first_lines_tell_more_than_the_path() {
        let long = format!("!function(){{{}}}()", "a();".repeat(1_000));
        assert_eq!(classify("src/a.js", Language::Js, &long), FileClass::Minified);
        assert_eq!(classify("src/a.ts", Language::Ts, "// @generated by x\n"), FileClass::Generated);
        assert_eq!(classify("api/a.ts", Language::Ts, "'use client'\n"), FileClass::Client);
    }

    #[test]
    fn declaration_files_hold_no_code() {
        assert_eq!(Language::of("a.d.ts"), None);
        assert_eq!(Language::of("a.mts"), Some(Language::Ts));
        assert_eq!(Language::of("a.css"), None);
    }
}
