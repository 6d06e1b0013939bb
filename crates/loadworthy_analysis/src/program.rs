//! The whole program: every audited file, lowered, alive for the run; beside them the migrations, for what they tell
//! about the database.

use std::borrow::Cow;

use loadworthy_knowledge::{Knowledge, LibId};
use loadworthy_project::{Diagnostic, DiagnosticKind, FileClass, FileId, Project, Resolution, SourceFile};
use loadworthy_syntax::{ClassId, Kind, MemberKind, Module, STACK_BYTES, parse};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::generated_clients::GeneratedClients;
use crate::index::{ModuleIndex, Named};
use crate::links::{FunctionRef, Links};
use crate::stars::Stars;
use crate::values::{Memories, Site};

/// A project with its audited files and its migrations lowered.
pub struct Program<'p> {
    project: &'p Project,
    knowledge: &'p Knowledge,
    modules: Vec<Option<Loaded>>,
    generated: GeneratedClients,
    /// What handlers hand on with the request, by the member that holds it.
    handed_on: FxHashMap<Box<str>, Vec<Site>>,
    decorated: FxHashMap<Box<str>, Vec<Site>>,
    contexts: Vec<FunctionRef>,
    /// Classes by the name of the class that they extend.
    extending: FxHashMap<Box<str>, Vec<(FileId, ClassId)>>,
    /// Classes that extend something, by their names in lower case; absent where several have the name.
    heirs: FxHashMap<String, Option<(FileId, ClassId)>>,
    /// Methods of classes that extend something, by their names.
    heir_methods: FxHashMap<Box<str>, Vec<FunctionRef>>,
    /// The libraries that the audited files import.
    libraries: FxHashSet<LibId>,
    links: Links,
    stars: Stars,
    memories: Memories,
    diagnostics: Vec<Diagnostic>,
}

struct Loaded {
    module: Module,
    index: ModuleIndex,
    /// Where the specifiers that stand in the module lead. Values ask for them once for each imported name.
    resolutions: FxHashMap<Box<str>, Resolution>,
}

impl<'p> Program<'p> {
    /// Reads and lowers the audited files on `threads` threads (0: one a core), and the migrations and scripts that
    /// declare tables. Tests, generated and vendored files are not read.
    ///
    /// # Errors
    /// Where the threads can't be started.
    pub fn load(
        project: &'p Project,
        knowledge: &'p Knowledge,
        threads: usize,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES).build()?;
        Ok(pool.install(|| Self::read(project, knowledge)))
    }

    /// As [`Self::load`], on the threads of the current pool, whose stacks must have [`STACK_BYTES`].
    #[must_use]
    pub fn read(project: &'p Project, knowledge: &'p Knowledge) -> Self {
        let generated = GeneratedClients::find(project);
        let loaded: Vec<_> = project.files.par_iter().map(|file| load(project, &generated, file)).collect();
        let (modules, diagnostics): (Vec<_>, Vec<_>) = loaded.into_iter().unzip();
        let diagnostics = diagnostics.into_iter().flatten().collect();
        let libraries = FxHashSet::default();
        let (links, memories) = (Links::default(), Memories::default());
        let stars = Stars::new(project.files.len());
        let mut program = Self {
            project,
            knowledge,
            modules,
            generated,
            handed_on: FxHashMap::default(),
            decorated: FxHashMap::default(),
            contexts: Vec::new(),
            extending: FxHashMap::default(),
            heirs: FxHashMap::default(),
            heir_methods: FxHashMap::default(),
            libraries,
            links,
            stars,
            memories,
            diagnostics,
        };
        program.libraries = program.imported_libraries();
        program.handed_on = program.find_by_name(ModuleIndex::handed_on);
        program.contexts = program.find_contexts();
        program.extending = program.find_extending();
        program.decorated = program.find_by_name(ModuleIndex::decorated);
        program.heirs = program.find_heirs();
        program.heir_methods = program.find_heir_methods();
        program.links = Links::find(&program);
        program.memories.see();
        program.links = Links::with_parameters(&program);
        program.memories.see();
        program
    }

    /// What libraries are and do.
    #[must_use]
    pub fn knowledge(&self) -> &'p Knowledge {
        self.knowledge
    }

    /// Whether a library that is imported hands out objects by tokens or types.
    pub(crate) fn injects(&self) -> bool {
        self.libraries.iter().any(|lib| self.knowledge.has_containers(*lib))
    }

    /// Who is called and passed where.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// What resolvers found out.
    pub(crate) fn memories(&self) -> &Memories {
        &self.memories
    }

    /// The files and packages.
    #[must_use]
    pub fn project(&self) -> &'p Project {
        self.project
    }

    /// A lowered file; `None` where it is not audited or could not be used.
    #[must_use]
    pub fn module(&self, file: FileId) -> Option<&Module> {
        self.lowered(file).filter(|_| self.is_audited(file))
    }

    /// As [`Program::module`], migrations included.
    #[must_use]
    pub fn lowered(&self, file: FileId) -> Option<&Module> {
        self.loaded(file).map(|loaded| &loaded.module)
    }

    fn is_audited(&self, file: FileId) -> bool {
        self.project.file(file).is_some_and(|file| file.class.is_audited())
    }

    pub(crate) fn index(&self, file: FileId) -> Option<&ModuleIndex> {
        self.loaded(file).map(|loaded| &loaded.index)
    }

    fn loaded(&self, file: FileId) -> Option<&Loaded> {
        self.modules.get(file.index())?.as_ref()
    }

    /// Every audited file, in path order.
    pub fn modules(&self) -> impl Iterator<Item = (FileId, &Module)> + '_ {
        self.all_modules().filter(|(file, _)| self.is_audited(*file))
    }

    /// Migrations and the scripts that declare tables, in path order: read for what they say about the database, never
    /// reported on.
    pub fn migrations(&self) -> impl Iterator<Item = (FileId, &Module)> + '_ {
        self.all_modules().filter(|(file, _)| !self.is_audited(*file))
    }

    pub(crate) fn all_modules(&self) -> impl Iterator<Item = (FileId, &Module)> + '_ {
        self.modules
            .iter()
            .enumerate()
            .filter_map(|(index, loaded)| loaded.as_ref().map(|loaded| (FileId::new(index), &loaded.module)))
    }

    /// Files that could not be read or parsed, wholly or in part.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Where an import of `file` leads.
    #[must_use]
    pub fn resolve(&self, file: FileId, specifier: &str) -> Cow<'_, Resolution> {
        match self.loaded(file).and_then(|loaded| loaded.resolutions.get(specifier)) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(resolution(self.project, &self.generated, file, specifier)),
        }
    }

    /// Whether a file can export a name, its own or through `export *`.
    pub(crate) fn may_export(&self, file: FileId, name: &str) -> bool {
        self.stars.may_export(self, file, name)
    }

    /// Whether an audited file imports the library.
    #[must_use]
    pub fn imports(&self, library: LibId) -> bool {
        self.libraries.contains(&library)
    }

    /// What is assigned to a member of the request in any handler.
    pub(crate) fn handed_on(&self, member: &str) -> &[Site] {
        self.handed_on.get(member).map_or(&[], Vec::as_slice)
    }

    /// The functions that make the context of requests to a GraphQL server.
    pub(crate) fn contexts(&self) -> &[FunctionRef] {
        &self.contexts
    }

    fn find_contexts(&self) -> Vec<FunctionRef> {
        let is_of_server =
            |module: &Module| ["graphql", "apollo"].iter().any(|word| module.text().contains(word));
        let mut found = Vec::new();
        for (file, _) in self.modules().filter(|(_, module)| is_of_server(module)) {
            let contexts = self.index(file).map_or(&[][..], ModuleIndex::contexts);
            found.extend(contexts.iter().map(|function| (file, *function)));
        }
        found
    }

    /// The classes that extend one of that name; which one, their heritage tells.
    pub(crate) fn extending(&self, name: &str) -> &[(FileId, ClassId)] {
        self.extending.get(name).map_or(&[], Vec::as_slice)
    }

    fn find_extending(&self) -> FxHashMap<Box<str>, Vec<(FileId, ClassId)>> {
        let mut found: FxHashMap<Box<str>, Vec<(FileId, ClassId)>> = FxHashMap::default();
        for (file, module) in self.modules() {
            for (at, class) in
                module.classes().iter().enumerate().filter(|(_, class)| class.heritage.is_some())
            {
                // `Base`, `repositories.Base`, of `Base<Order>` the heritage holds the name alone.
                let text = module.source(class.heritage);
                let name = text.rsplit('.').next().unwrap_or(text);
                found.entry(name.into()).or_default().push((file, ClassId::new(at)));
            }
        }
        found
    }

    /// What an application, its requests or its replies are decorated with under a name.
    pub(crate) fn decorated(&self, name: &str) -> &[Site] {
        self.decorated.get(name).map_or(&[], Vec::as_slice)
    }

    fn find_by_name(&self, of: fn(&ModuleIndex) -> &Named) -> FxHashMap<Box<str>, Vec<Site>> {
        let mut found: FxHashMap<Box<str>, Vec<Site>> = FxHashMap::default();
        for (file, _) in self.modules() {
            for (member, value) in self.index(file).into_iter().flat_map(of) {
                found.entry(member.clone()).or_default().push((file, *value));
            }
        }
        found
    }

    /// The only class of that name which extends something, whatever the case of its letters.
    pub(crate) fn heir(&self, name: &str) -> Option<(FileId, ClassId)> {
        *self.heirs.get(&name.to_lowercase())?
    }

    /// The methods of that name of classes which extend something.
    pub(crate) fn heir_methods(&self, name: &str) -> &[FunctionRef] {
        self.heir_methods.get(name).map_or(&[], Vec::as_slice)
    }

    fn find_heir_methods(&self) -> FxHashMap<Box<str>, Vec<FunctionRef>> {
        let mut found: FxHashMap<Box<str>, Vec<FunctionRef>> = FxHashMap::default();
        for (file, module) in self.modules() {
            let heirs = module.classes().iter().filter(|class| class.heritage.is_some());
            for member in heirs.flat_map(|class| &class.members).filter(|member| !member.is_static) {
                if let (MemberKind::Method, Kind::Function(function)) =
                    (member.kind, module.kind(member.value))
                {
                    found.entry(module.str(member.name).into()).or_default().push((file, function));
                }
            }
        }
        found
    }

    fn find_heirs(&self) -> FxHashMap<String, Option<(FileId, ClassId)>> {
        let mut found: FxHashMap<String, Option<(FileId, ClassId)>> = FxHashMap::default();
        for (file, module) in self.modules() {
            for (id, class) in
                module.classes().iter().enumerate().filter(|(_, class)| class.heritage.is_some())
            {
                let own = Some((file, ClassId::new(id)));
                let name = module.str(class.name).to_lowercase();
                found.entry(name).and_modify(|known| *known = None).or_insert(own);
            }
        }
        found
    }

    fn imported_libraries(&self) -> FxHashSet<LibId> {
        let is_audited = |at: &usize| self.is_audited(FileId::new(*at));
        let audited = self.modules.iter().enumerate().filter(|(at, _)| is_audited(at));
        let loaded = audited.filter_map(|(_, loaded)| loaded.as_ref());
        let library = |resolution: &Resolution| match resolution {
            Resolution::Package { name, subpath } => self.knowledge.library_of(name, subpath),
            Resolution::Builtin(name) => self.knowledge.library_of(name, ""),
            Resolution::File(_) | Resolution::Missing => None,
        };
        #[allow(clippy::iter_over_hash_type, reason = "collected into a set again")]
        loaded.flat_map(|loaded| loaded.resolutions.values()).filter_map(library).collect()
    }

    /// Where a file's code runs; `None` for a file that is not of the project.
    #[must_use]
    pub fn class(&self, file: FileId) -> Option<FileClass> {
        self.project.file(file).map(|file| file.class)
    }

    /// The path of a file, relative to the root.
    #[must_use]
    pub fn path(&self, file: FileId) -> &'p str {
        self.project.files.get(file.index()).map_or("", |file| &file.path)
    }
}

/// Where an import leads; a client that a tool generates from a schema is the package that it stands for.
fn resolution(project: &Project, generated: &GeneratedClients, file: FileId, specifier: &str) -> Resolution {
    let found = project.resolve(file, specifier);
    let is_read = match &found {
        Resolution::File(target) => project.file(*target).is_some_and(|file| file.class.is_audited()),
        Resolution::Missing => false,
        // `@generated/prisma` may be an alias of a folder that is not there.
        Resolution::Package { name, .. } => {
            let package = project.file(file).and_then(|file| project.package(file.package));
            !name.starts_with("@generated")
                || package.is_some_and(|package| package.manifest.dependency(name).is_some())
        }
        Resolution::Builtin(_) => true,
    };
    if is_read {
        return found;
    }
    let importer = project.file(file).map_or("", |file| &file.path);
    match generated.package(importer, specifier) {
        Some(package) => Resolution::Package { name: package.to_owned(), subpath: String::new() },
        None => found,
    }
}

/// A migration or script with none of these words says nothing about tables.
const DECLARING_WORDS: [&str; 9] = [
    "CREATE TABLE",
    "CREATE INDEX",
    "CREATE UNIQUE",
    "create table",
    "create index",
    "create unique",
    "createTable",
    "createIndex",
    "ensureIndex",
];

const EXPORTING_WORDS: [&str; 2] = ["export ", "module.exports"];

fn is_wanted(file: &SourceFile, text: &str) -> bool {
    match file.class {
        FileClass::Migration => true,
        // A script that exports may be what audited code imports: a data source that migrations are run with.
        FileClass::Script => DECLARING_WORDS.iter().chain(&EXPORTING_WORDS).any(|word| text.contains(word)),
        class => class.is_audited(),
    }
}

fn load(
    project: &Project,
    generated: &GeneratedClients,
    file: &SourceFile,
) -> (Option<Loaded>, Vec<Diagnostic>) {
    let is_read = file.class.is_audited() || matches!(file.class, FileClass::Migration | FileClass::Script);
    if !is_read {
        return (None, Vec::new());
    }
    let text = match project.read(file.id) {
        Ok(text) => text,
        Err(diagnostic) => return (None, vec![diagnostic]),
    };
    if !is_wanted(file, &text) {
        return (None, Vec::new());
    }
    let parsed = parse(&file.path, &text);
    let diagnostics = parsed
        .errors
        .into_iter()
        .take(1) // The first error of a file explains the rest.
        .map(|error| Diagnostic {
            file: Some(file.path.clone()),
            line: Some(error.line),
            kind: DiagnosticKind::Syntax,
            message: error.message,
        })
        .collect();
    let loaded = parsed.module.map(|module| Loaded {
        index: ModuleIndex::new(&module),
        resolutions: resolutions(project, generated, file.id, &module),
        module,
    });
    (loaded, diagnostics)
}

fn resolutions(
    project: &Project,
    generated: &GeneratedClients,
    file: FileId,
    module: &Module,
) -> FxHashMap<Box<str>, Resolution> {
    let mut known: FxHashMap<Box<str>, Resolution> = FxHashMap::default();
    for source in module.sources() {
        if !known.contains_key(source) {
            known.insert(source.into(), resolution(project, generated, file, source));
        }
    }
    known
}
