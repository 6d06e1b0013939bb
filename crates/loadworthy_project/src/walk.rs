//! The files of a folder, sorted by path and told apart by name.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};
use ignore::{DirEntry, WalkBuilder};

use crate::exclusions::is_excluded_dir;
use crate::{Diagnostic, DiagnosticKind, DiscoverError, DiscoverOptions, Language, paths};

/// What the walk found. Every list is sorted.
#[derive(Default)]
pub(crate) struct Listing {
    /// Source files within the size limit, with their size.
    pub(crate) sources: Vec<(String, u64)>,
    /// `package.json` files.
    pub(crate) manifests: Vec<String>,
    /// `tsconfig*.json` and `jsconfig.json`.
    pub(crate) tsconfigs: Vec<String>,
    /// Configuration, deployment and schema files.
    pub(crate) others: Vec<String>,
    /// Whether anything was seen at all.
    pub(crate) is_empty: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Whether `.gitignore` files above the root count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parents {
    Honoured,
    Ignored,
}

/// Lists `root`. If the root itself lies in an ignored folder, ignore files above it do not count.
pub(crate) fn list(root: &Path, options: &DiscoverOptions) -> Result<Listing, DiscoverError> {
    let exclude = exclude_set(options)?;
    let listing = walk(root, options, &exclude, Parents::Honoured);
    if listing.sources.is_empty() {
        return Ok(walk(root, options, &exclude, Parents::Ignored));
    }
    Ok(listing)
}

fn exclude_set(options: &DiscoverOptions) -> Result<GlobSet, DiscoverError> {
    let mut builder = GlobSetBuilder::new();
    let bad = |pattern: &str, error: &globset::Error| DiscoverError::BadPattern {
        pattern: pattern.to_owned(),
        message: error.kind().to_string(),
    };
    for pattern in &options.exclude {
        let bare = pattern.trim_start_matches("./").trim_end_matches('/');
        builder.add(Glob::new(bare).map_err(|error| bad(pattern, &error))?);
    }
    builder.build().map_err(|error| bad("", &error))
}

fn walk(root: &Path, options: &DiscoverOptions, exclude: &GlobSet, parents: Parents) -> Listing {
    let mut listing = Listing { is_empty: true, ..Listing::default() };
    let mut builder = WalkBuilder::new(root);
    builder
        .hidden(false)
        .follow_links(false)
        .parents(parents == Parents::Honoured)
        .require_git(false)
        .git_global(false)
        .git_exclude(false)
        .add_custom_ignore_filename(".loadworthyignore")
        .sort_by_file_path(Path::cmp);
    let owned_root = root.to_path_buf();
    let exclude = exclude.clone();
    builder.filter_entry(move |entry| is_wanted(&owned_root, entry, &exclude));
    for entry in builder.build() {
        match entry {
            Ok(entry) => add(&mut listing, root, &entry, options),
            Err(error) => listing.diagnostics.push(walk_diagnostic(root, &error)),
        }
    }
    add_changes(&mut listing, root, options);
    sort(&mut listing);
    listing
}

/// Path order of the walker is by component; tables are sorted by text.
fn sort(listing: &mut Listing) {
    listing.sources.sort();
    listing.manifests.sort();
    listing.tsconfigs.sort();
    listing.others.sort();
    listing.diagnostics.sort();
}

fn is_wanted(root: &Path, entry: &DirEntry, exclude: &GlobSet) -> bool {
    if entry.depth() == 0 {
        return true;
    }
    let Some(path) = relative(root, entry.path()) else { return true };
    if exclude.is_match(&path) {
        return false;
    }
    if entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return !is_excluded_dir(entry.path(), &path);
    }
    true
}

/// `None` if a name is not UTF-8.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let names: Option<Vec<&str>> = path.strip_prefix(root).ok()?.iter().map(|name| name.to_str()).collect();
    names.map(|names| names.join("/"))
}

fn walk_diagnostic(root: &Path, error: &ignore::Error) -> Diagnostic {
    let message = error.to_string().replace(&format!("{}/", root.display()), "");
    Diagnostic { file: None, line: None, kind: DiagnosticKind::Unreadable, message }
}

fn add(listing: &mut Listing, root: &Path, entry: &DirEntry, options: &DiscoverOptions) {
    if !entry.file_type().is_some_and(|kind| kind.is_file()) {
        return;
    }
    listing.is_empty = false;
    let Some(path) = relative(root, entry.path()) else {
        let message = format!("skipped: the name is not UTF-8: {}", entry.path().to_string_lossy());
        let message = message.replace(&format!("{}/", root.display()), "");
        listing.diagnostics.push(Diagnostic {
            file: None,
            line: None,
            kind: DiagnosticKind::Encoding,
            message,
        });
        return;
    };
    let size = || entry.metadata().map_or(0, |metadata| metadata.len());
    let source = is_source_file(entry.path(), &path).then(size);
    add_file(listing, path, source, options);
}

/// The files that changes add, and the sizes of those that they change.
fn add_changes(listing: &mut Listing, root: &Path, options: &DiscoverOptions) {
    for (path, text) in options.changes.iter() {
        let known = listing.sources.iter_mut().find(|(source, _)| source == path);
        let size = text.len() as u64;
        match known {
            Some((_, old)) => *old = size,
            None if root.join(path).exists() => {}
            None => add_file(listing, path.clone(), Language::of_path(path).map(|_| size), options),
        }
    }
}

/// Adds a file by its name; `source` is the size of one that is source code.
fn add_file(listing: &mut Listing, path: String, source: Option<u64>, options: &DiscoverOptions) {
    let name = paths::file_name(&path);
    if let Some(size) = source {
        if is_deployment_source(name) {
            listing.others.push(path.clone());
        }
        add_source(listing, size, path, options);
    } else if name == "package.json" {
        listing.manifests.push(path.clone());
        listing.others.push(path);
    } else if is_tsconfig(name) {
        listing.tsconfigs.push(path.clone());
        listing.others.push(path);
    } else if is_other(name) {
        listing.others.push(path);
    }
}

fn add_source(listing: &mut Listing, size: u64, path: String, options: &DiscoverOptions) {
    if size > options.max_file_bytes {
        listing.diagnostics.push(crate::read::too_large(&path, size, options.max_file_bytes));
    } else {
        listing.sources.push((path, size));
    }
}

fn is_source_file(location: &Path, path: &str) -> bool {
    Language::of_path(path).is_some() || is_node_script(location, path)
}

/// `bin/www` of the Express generator: no extension, started by node.
fn is_node_script(location: &Path, path: &str) -> bool {
    if paths::file_name(path).contains('.') || paths::file_name(paths::parent(path)) != "bin" {
        return false;
    }
    let mut head = [0; 64];
    let count = fs::File::open(location).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
    let first = String::from_utf8_lossy(head.get(..count).unwrap_or_default()).into_owned();
    first.lines().next().is_some_and(|line| line.starts_with("#!") && line.contains("node"))
}

fn is_tsconfig(name: &str) -> bool {
    name == "jsconfig.json" || (name.starts_with("tsconfig") && name.rsplit('.').next() == Some("json"))
}

fn is_deployment_source(name: &str) -> bool {
    ["ecosystem.config.", "pm2.config.", "next.config."].iter().any(|prefix| name.starts_with(prefix))
}

/// Names read by later stages: deployment, environment, schema and tool configuration.
fn is_other(name: &str) -> bool {
    const NAMES: &[&str] = &[
        ".babelrc",
        ".dockerignore",
        ".env",
        ".htaccess",
        ".node-version",
        ".npmrc",
        ".nvmrc",
        ".replit",
        ".tool-versions",
        ".yarnrc",
        "Dockerfile",
        "Dockerrun.aws.json",
        "Jenkinsfile",
        "Makefile",
        "Procfile",
        "angular.json",
        "app.json",
        "appspec.json",
        "bun.lock",
        "bun.lockb",
        "captain-definition",
        "deno.json",
        "ecosystem.config.json",
        "ecosystem.json",
        "env.example",
        "env.sample",
        "env.template",
        "firebase.json",
        "haproxy.cfg",
        "lerna.json",
        "loadworthy.json",
        "loadworthy.jsonc",
        "nest-cli.json",
        "nodemon.json",
        "now.json",
        "npm-shrinkwrap.json",
        "nx.json",
        "ormconfig.json",
        "package-lock.json",
        "pm2.json",
        "process.json",
        "project.json",
        "railway.json",
        "schema.graphql",
        "staticwebapp.config.json",
        "task-definition.json",
        "taskdef.json",
        "turbo.json",
        "vercel.json",
        "wrangler.json",
        "wrangler.jsonc",
        "yarn.lock",
    ];
    const EXTENSIONS: &[&str] = &[
        "prisma",
        "sql",
        "yaml",
        "yml",
        "cnf",
        "conf",
        "env",
        "toml",
        "tf",
        "service",
        "dockerfile",
        "graphql",
        "gql",
        "dbml",
    ];
    const PREFIXES: &[&str] = &[".env", "Caddyfile", "Dockerfile", "Containerfile", "Procfile", "nginx"];
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    NAMES.contains(&name)
        || EXTENSIONS.contains(&extension)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.ends_with(".conf.template")
        || name.to_ascii_lowercase().starts_with("dockerfile")
}
