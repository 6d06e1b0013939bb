//! Interned names, and tables keyed by member names that may be patterns.

use rustc_hash::FxHashMap;

/// A library of the knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LibId(pub(crate) u32);

/// The name of a handle. The same name in two libraries is the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandleId(pub(crate) u32);

impl HandleId {
    /// A package's exports. Its default export is the module itself.
    pub const MODULE: Self = Self(0);
    /// Names that exist without an import.
    pub const GLOBAL: Self = Self(1);
}

/// The key of calling (or constructing) a handle itself.
pub(crate) const ITSELF: &str = "()";

/// One spelling for "the handle itself": `""`, `()`, and on a module `default`.
pub(crate) fn canonical(handle: HandleId, name: &str) -> &str {
    match name {
        "" => ITSELF,
        "default" if handle == HandleId::MODULE => ITSELF,
        _ => name,
    }
}

/// Whether a member's name is what a row says: that name, `()` for the handle itself, or a pattern.
#[must_use]
pub fn fits_name(row: &str, name: &str) -> bool {
    match Pattern::parse(row) {
        Some(pattern) => pattern.matches(name),
        None => row == canonical(HandleId::MODULE, name),
    }
}

/// Handle names and their ids.
#[derive(Debug)]
pub(crate) struct HandleNames {
    names: Vec<Box<str>>,
    ids: FxHashMap<Box<str>, HandleId>,
}

impl Default for HandleNames {
    fn default() -> Self {
        let mut names = Self { names: Vec::new(), ids: FxHashMap::default() };
        names.intern("module");
        names.intern("global");
        names
    }
}

impl HandleNames {
    pub(crate) fn intern(&mut self, name: &str) -> HandleId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = HandleId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.into());
        self.ids.insert(name.into(), id);
        id
    }

    pub(crate) fn get(&self, name: &str) -> Option<HandleId> {
        self.ids.get(name).copied()
    }

    pub(crate) fn name(&self, id: HandleId) -> &str {
        self.names.get(id.0 as usize).map_or("", |name| name)
    }
}

/// A name with one free part: `get<Assoc>`, `*Client`, `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    prefix: Box<str>,
    suffix: Box<str>,
}

impl Pattern {
    /// `None` if the name is literal. `*` is free only at an end; `<X>` anywhere.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (prefix, suffix) = match name.split_once('<') {
            Some((prefix, rest)) => (prefix, rest.split_once('>')?.1),
            None => name.split_once('*')?,
        };
        Some(Self { prefix: prefix.into(), suffix: suffix.into() })
    }

    /// A free part has at least one character and does not begin with `$`.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let free = name.strip_prefix(&*self.prefix).and_then(|rest| rest.strip_suffix(&*self.suffix));
        name != ITSELF && free.is_some_and(|free| !free.is_empty() && !free.starts_with('$'))
    }

    fn literal_length(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }
}

/// Values by name: literal names by hash, patterns after them, the most literal first.
#[derive(Debug)]
pub(crate) struct NameTable<T> {
    literal: FxHashMap<Box<str>, Vec<T>>,
    patterns: Vec<(Pattern, T)>,
}

impl<T> Default for NameTable<T> {
    fn default() -> Self {
        Self { literal: FxHashMap::default(), patterns: Vec::new() }
    }
}

impl<T> NameTable<T> {
    pub(crate) fn insert(&mut self, name: &str, value: T) {
        match Pattern::parse(name) {
            Some(pattern) => {
                let length = pattern.literal_length();
                let at = self.patterns.partition_point(|(p, _)| p.literal_length() >= length);
                self.patterns.insert(at, (pattern, value));
            }
            None => self.literal.entry(name.into()).or_default().push(value),
        }
    }

    pub(crate) fn literal(&self, name: &str) -> &[T] {
        self.literal.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn by_pattern<'t>(&'t self, name: &str) -> impl Iterator<Item = &'t T> {
        self.patterns.iter().filter(move |(pattern, _)| pattern.matches(name)).map(|(_, value)| value)
    }

    /// Literal entries, then patterns.
    pub(crate) fn all<'t>(&'t self, name: &str) -> impl Iterator<Item = &'t T> {
        self.literal(name).iter().chain(self.by_pattern(name))
    }
}

/// How well a row for `row` (a package or subpath; `None`: any of the library) fits an import of
/// `asked`. `None`: not at all.
pub(crate) fn module_fit(row: Option<&str>, asked: Option<&str>) -> Option<u8> {
    match (row, asked) {
        (None, None) => Some(3),
        (None, Some(_)) => Some(1),
        (Some(_), None) => Some(2),
        (Some(row), Some(asked)) => {
            let (row, asked) = (without_node(row), without_node(asked));
            let rest = asked.strip_prefix(row)?;
            match rest {
                "" => Some(3),
                rest => rest.starts_with('/').then_some(2),
            }
        }
    }
}

/// `fs` of `node:fs`.
pub(crate) fn without_node(specifier: &str) -> &str {
    specifier.strip_prefix("node:").unwrap_or(specifier)
}
