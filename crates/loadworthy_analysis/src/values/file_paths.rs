//! What path of the project an expression means: `path.join(__dirname, "routes", name)`, `` `./routes/${name}` ``.

use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, BindingKind, Kind, List, Module, NodeId};

use super::{Resolver, Root, Site, Step, Value};

/// Stands for a part that is no constant.
const UNKNOWN: char = '*';

/// Longest chain of names that is followed.
const MAX_DEPTH: usize = 12;

/// Most files that one expression may mean.
const MAX_FILES: usize = 256;

/// Folders and names, with `*` for unknown parts. Rooted: below the project's root; else relative to something.
struct PathText {
    is_rooted: bool,
    text: String,
}

impl PathText {
    fn rooted(text: &str) -> Self {
        Self { is_rooted: true, text: text.to_owned() }
    }

    fn relative(text: &str) -> Self {
        Self { is_rooted: false, text: text.to_owned() }
    }

    fn then(self, next: &Self) -> Self {
        if next.is_rooted {
            return Self { is_rooted: true, text: next.text.clone() };
        }
        Self { is_rooted: self.is_rooted, text: format!("{}/{}", self.text, next.text) }
    }

    /// Without `.`, `..` and doubled separators; `None` above the root.
    fn normal(&self) -> Option<String> {
        let mut segments: Vec<&str> = Vec::new();
        for segment in self.text.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    segments.pop()?;
                }
                name => segments.push(name),
            }
        }
        Some(segments.join("/"))
    }
}

impl Resolver<'_> {
    /// The folder that an expression means, relative to the project's root; `None` where a part is no constant.
    #[must_use]
    pub fn folder_of(&self, site: Site) -> Option<String> {
        let path = self.path_text(site, 0)?;
        path.normal().filter(|normal| path.is_rooted && !normal.contains(UNKNOWN))
    }

    /// The files that `require(…)` or `import(…)` of an expression may load, where a part of it is no constant.
    #[must_use]
    pub fn loaded_files(&self, site: Site) -> Vec<FileId> {
        let Some(path) = self.path_text(site, 0) else { return Vec::new() };
        let path = if path.is_rooted { path } else { self.dir_of(site.0).then(&path) };
        let Some(pattern) = path.normal() else { return Vec::new() };
        // Nothing but unknown parts would load anything.
        let is_constant = |segment: &str| !segment.is_empty() && !segment.contains(UNKNOWN);
        if !pattern.contains(UNKNOWN) || !pattern.split('/').next().is_some_and(is_constant) {
            return Vec::new();
        }
        let files = self.program.modules().map(|(file, _)| file);
        files
            .filter(|file| *file != site.0 && matches(&pattern, self.program.path(*file)))
            .take(MAX_FILES)
            .collect()
    }

    fn dir_of(&self, file: FileId) -> PathText {
        let path = self.program.path(file);
        PathText::rooted(path.rsplit_once('/').map_or("", |(dir, _)| dir))
    }

    fn path_text(&self, (file, node): Site, depth: usize) -> Option<PathText> {
        let module = self.module(file)?;
        if depth > MAX_DEPTH {
            return None;
        }
        let inner = |node: NodeId| self.path_text((file, node), depth + 1);
        match module.kind(node) {
            Kind::String(text) => Some(PathText::relative(module.str(text))),
            Kind::Name { name, binding: BindingId::NONE } => match module.str(name) {
                "__dirname" => Some(self.dir_of(file)),
                "__filename" => Some(PathText::rooted(self.program.path(file))),
                _ => None,
            },
            Kind::Name { binding, .. } => {
                let declared = module.binding(binding)?;
                match (declared.kind, module.kind(module.parent(declared.node))) {
                    (BindingKind::Constant | BindingKind::Variable, Kind::Declarator { target, init })
                        if target == declared.node && init.is_some() =>
                    {
                        inner(init)
                    }
                    _ => self.text_of((file, node)).map(|text| PathText::relative(&text)),
                }
                .or_else(|| Some(PathText::relative("*")))
            }
            Kind::Member { object, name } if module.kind(object) == Kind::Meta => match module.str(name) {
                "dirname" => Some(self.dir_of(file)),
                "url" | "filename" => Some(PathText::rooted(self.program.path(file))),
                _ => None,
            },
            Kind::Template { strings, values } => {
                let mut values = module.list(values);
                let mut whole: Option<PathText> = None;
                for part in module.atoms(strings) {
                    whole = Some(concatenated(whole, PathText::relative(part)));
                    if let Some(value) = values.next() {
                        let value = inner(value).unwrap_or_else(|| PathText::relative("*"));
                        whole = Some(concatenated(whole, value));
                    }
                }
                whole
            }
            Kind::Binary { operator: Binary::Add, left, right } => {
                Some(concatenated(inner(left), inner(right).unwrap_or_else(|| PathText::relative("*"))))
            }
            Kind::Call { callee, arguments } | Kind::New { callee, arguments } => {
                self.path_call(file, module, callee, arguments, depth)
            }
            _ => Some(PathText::relative("*")),
        }
    }

    /// `path.join`, `path.resolve`, `path.dirname`, `fileURLToPath`, `new URL(relative, base)`, `process.cwd()`.
    fn path_call(
        &self,
        file: FileId,
        module: &Module,
        callee: NodeId,
        arguments: List,
        depth: usize,
    ) -> Option<PathText> {
        let mut parts = module.list(arguments).map(|argument| self.path_text((file, argument), depth + 1));
        match self.path_function(file, callee)?.as_str() {
            "join" | "resolve" => {
                let first = parts.next()??;
                parts.try_fold(first, |path, part| Some(path.then(&part?)))
            }
            "dirname" => {
                let path = parts.next()??;
                let text = path.text.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned();
                Some(PathText { text, ..path })
            }
            "fileURLToPath" | "pathToFileURL" | "normalize" => parts.next()?,
            "URL" => {
                let relative = parts.next()??;
                let base = parts.next()??;
                let dir = base.text.rsplit_once('/').map_or("", |(dir, _)| dir);
                Some(PathText { is_rooted: base.is_rooted, text: dir.to_owned() }.then(&relative))
            }
            "cwd" => {
                let package = self.program.project().file(file)?.package;
                Some(PathText::rooted(&self.program.project().package(package)?.dir))
            }
            _ => None,
        }
    }

    fn path_function(&self, file: FileId, callee: NodeId) -> Option<String> {
        self.value_of((file, callee)).iter().find_map(|value| {
            let Value::External(external) = value else { return None };
            let last = external.steps.iter().rev().find_map(|step| match step {
                Step::Get(name) => Some(name.to_string()),
                _ => None,
            });
            match &external.root {
                Root::Package(package) if matches!(&**package, "path" | "url" | "path/posix" | "upath") => {
                    last
                }
                Root::Global(name) if &**name == "URL" && last.is_none() => Some("URL".to_owned()),
                Root::Global(name) if &**name == "process" => last,
                _ => None,
            }
        })
    }
}

fn concatenated(left: Option<PathText>, right: PathText) -> PathText {
    match left {
        None => right,
        Some(left) if left.text.is_empty() && !left.is_rooted => right,
        // `${__dirname}/routes`
        Some(left) => PathText { is_rooted: left.is_rooted, text: left.text + &right.text },
    }
}

/// Whether a path of a file fits a pattern whose `*` stand for any part of one name; the extension may be left out.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/').peekable(), path.split('/').peekable());
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted_name), Some(name)) => {
                let is_last = wanted.peek().is_none() && given.peek().is_none();
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
                let is_fit = fits(wanted_name, name) || (is_last && fits(wanted_name, stem));
                if !is_fit {
                    return false;
                }
            }
            // A folder stands for its index.
            (None, Some(name)) => return given.peek().is_none() && name.starts_with("index."),
            (Some(_), None) => return false,
        }
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split(UNKNOWN);
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parts_stand_for_one_name() {
        assert!(matches("server/routes/*", "server/routes/users.js"));
        assert!(matches("server/routes/*.route", "server/routes/users.route.ts"));
        assert!(matches("server/modules/*/routes", "server/modules/users/routes/index.ts"));
        assert!(!matches("server/routes/*", "server/routes/v1/users.js"));
        assert!(!matches("server/routes/*.route", "server/routes/users.js"));
    }

    #[test]
    fn dots_are_resolved_below_the_root() {
        assert_eq!(PathText::rooted("a/b/../c/./d").normal().as_deref(), Some("a/c/d"));
        assert_eq!(PathText::rooted("../a").normal(), None);
    }
}
