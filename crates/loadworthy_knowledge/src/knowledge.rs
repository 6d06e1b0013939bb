//! All that is known, and the lookups on it.

use std::sync::{LazyLock, OnceLock};

use crate::attempts::{Attempts, AttemptsRow};
use crate::blocking::{Blocking, BlockingRow};
use crate::callbacks::{Callback, Callbacks};
use crate::closed_sets::{Flag, Op};
use crate::conventions::Convention;
use crate::deadlines::{DeadlineRow, Deadlines};
use crate::environment::{EnvironmentRows, HostRow, ImageRow, PlanRow, PoolRow, RoleRow};
use crate::error::KnowledgeError;
use crate::failures::{ErrorEvent, Failures, GivesUp, KeepsAlive, Rejection, Throws};
use crate::hooks::Hook;
use crate::libraries::{Libraries, Library};
use crate::members::{Members, Origin};
use crate::names::{HandleId, HandleNames, LibId};
use crate::options::{OptionRow, OptionRows, OptionTrait};
use crate::packages::PackageRow;
use crate::reference::{Cost, Costs, DefaultRow, Defaults, Trap, Traps};
use crate::retries::{Retries, RetryRow};
use crate::rows::Member;
use crate::source::{
    ATTEMPTS, BLOCKING, CALLBACKS, CONVENTIONS, COSTS, DEADLINES, DEFAULTS, EFFECTS, ENVIRONMENT, FAILURES,
    File, HANDLES, HOOKS, OPTIONS, PACKAGES, RETRIES, TRAPS, WIRING,
};
use crate::steps::{HandleRow, Step, Steps};
use crate::versions::{Nearest, installed};
use crate::wiring::{Concern, Ping, Wiring, WiringRows};

/// What libraries are and what calling them does.
#[derive(Debug, Default)]
pub struct Knowledge {
    handles: HandleNames,
    libraries: Libraries,
    members: Members,
    steps: Steps,
    callbacks: Callbacks,
    conventions: Vec<Convention>,
    failures: Failures,
    attempts: Attempts,
    retries: Retries,
    deadlines: Deadlines,
    blocking: Blocking,
    hooks: Vec<Hook>,
    packages: Vec<PackageRow>,
    defaults: OnceLock<Defaults>,
    costs: OnceLock<Costs>,
    traps: OnceLock<Traps>,
    environment: OnceLock<EnvironmentRows>,
    wiring: OnceLock<WiringRows>,
    options: OnceLock<OptionRows>,
}

/// A test reads every compiled-in file, so the empty fallback is never taken.
static BUILTIN: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::build(Vec::new()).unwrap_or_default());

impl Knowledge {
    /// The compiled-in knowledge.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// The compiled-in knowledge and a user's rows, which take precedence. A `[[library]]` row
    /// with the id of a known library gives it further packages and globals.
    ///
    /// # Errors
    /// If the text is not TOML of known rows, columns and words, or names an unknown library.
    pub fn with_overrides(user_toml: &str) -> Result<Self, KnowledgeError> {
        let mut user = File::parse(("user knowledge", user_toml))?;
        let defaults = std::mem::take(&mut user.default);
        let costs = std::mem::take(&mut user.cost);
        let traps = std::mem::take(&mut user.trap);
        let environment = File {
            role: std::mem::take(&mut user.role),
            host: std::mem::take(&mut user.host),
            image: std::mem::take(&mut user.image),
            plan: std::mem::take(&mut user.plan),
            pool: std::mem::take(&mut user.pool),
            ..File::default()
        };
        let knowledge = Self::build(vec![user])?;
        if !defaults.is_empty() {
            let _ = knowledge.defaults.set(all_defaults(defaults));
        }
        if !costs.is_empty() {
            let _ = knowledge.costs.set(all_costs(costs));
        }
        if !traps.is_empty() {
            let _ = knowledge.traps.set(all_traps(traps));
        }
        let _ = knowledge.environment.set(environment_rows(environment));
        Ok(knowledge)
    }

    /// `first` files, then the compiled-in ones: of equal rows the earlier wins.
    fn build(first: Vec<File>) -> Result<Self, KnowledgeError> {
        let mut files = first;
        for source in [
            EFFECTS,
            HANDLES,
            CALLBACKS,
            CONVENTIONS,
            FAILURES,
            DEADLINES,
            ATTEMPTS,
            RETRIES,
            BLOCKING,
            HOOKS,
            PACKAGES,
        ] {
            files.push(File::parse(source)?);
        }
        let mut knowledge = Self::default();
        knowledge.add_libraries(&mut files);
        for file in files {
            for row in file.handle {
                knowledge.add_handle(row)?;
            }
            for row in file.member {
                let lib = knowledge.known("member", &row.lib, row.names.first())?;
                knowledge.members.add(lib, row, &mut knowledge.handles);
            }
            knowledge.hooks.extend(file.hook);
            knowledge.packages.extend(file.package);
            for row in file.blocking {
                let lib = knowledge.known("blocking", &row.lib, row.names.first())?;
                knowledge.blocking.add(lib, row, &mut knowledge.handles);
            }
            for row in file.deadline {
                let lib = knowledge.known("deadline", &row.lib, row.names.first())?;
                knowledge.deadlines.add(lib, row, &mut knowledge.handles);
            }
            for row in file.attempts {
                let lib = knowledge.known("attempts", &row.lib, row.options.first())?;
                let wraps = row.wraps.as_deref();
                let wraps = wraps.map(|it| knowledge.known("attempts", it, None)).transpose()?;
                knowledge.attempts.add(lib, wraps, row);
            }
            for row in file.retry {
                let lib = knowledge.known("retry", &row.lib, row.names.first())?;
                knowledge.retries.add(lib, row, &mut knowledge.handles);
            }
            for row in file.callback {
                let lib = knowledge.known("callback", &row.lib, row.names.first())?;
                knowledge.callbacks.add(lib, row, &mut knowledge.handles);
            }
            for row in file.convention {
                let lib = knowledge.known("convention", &row.lib, row.exports.first())?;
                let convention = Convention::new(lib, row, &mut knowledge.handles);
                knowledge.conventions.push(convention);
            }
            for row in file.rejection {
                let lib = knowledge.known("rejection", &row.lib, row.names.first())?;
                knowledge.failures.add_rejection(lib, row);
            }
            for row in file.throws {
                let lib = knowledge.known("throws", &row.lib, row.names.first())?;
                knowledge.failures.add_throws(lib, row);
            }
            for row in file.gives_up {
                let lib = knowledge.known("gives_up", &row.lib, row.names.first())?;
                knowledge.failures.add_gives_up(lib, row);
            }
            knowledge.failures.keep_alive.extend(file.keeps_alive);
            for row in file.error_event {
                let lib = knowledge.known("error_event", &row.lib, Some(&row.handle))?;
                knowledge.failures.add_event(lib, row, &mut knowledge.handles);
            }
        }
        Ok(knowledge)
    }

    fn add_libraries(&mut self, files: &mut [File]) {
        for file in files.iter_mut() {
            for row in std::mem::take(&mut file.library) {
                self.libraries.add(row);
            }
        }
        for at in 0..self.libraries.rows().len() {
            self.steps.add_default_export(LibId(u32::try_from(at).unwrap_or(u32::MAX)));
        }
    }

    fn add_handle(&mut self, row: HandleRow) -> Result<(), KnowledgeError> {
        let lib = self.known("handle", &row.lib, Some(&row.to))?;
        let to_lib = match &row.to_lib {
            Some(to_lib) => self.known("handle", to_lib, Some(&row.to))?,
            None => lib,
        };
        self.steps.add((lib, to_lib), row, &mut self.handles)
    }

    fn known(&self, row: &'static str, lib: &str, name: Option<&String>) -> Result<LibId, KnowledgeError> {
        self.libraries.id(lib).ok_or_else(|| KnowledgeError::UnknownLibrary {
            row,
            name: name.cloned().unwrap_or_default(),
            lib: lib.to_owned(),
        })
    }

    /// The library of an import: `("pg", "")`, `("next", "cache")`, `("fs", "")`,
    /// `("node:fs", "promises")`. A subpath that has no entry belongs to its package's library.
    #[must_use]
    pub fn library_of(&self, package: &str, subpath: &str) -> Option<LibId> {
        self.libraries.of_package(package, subpath)
    }

    /// The library with a key of the data (`node:core`, `prisma`).
    #[must_use]
    pub fn library_id(&self, id: &str) -> Option<LibId> {
        self.libraries.id(id)
    }

    /// A library's description.
    #[must_use]
    pub fn library(&self, lib: LibId) -> &Library {
        self.libraries.get(lib)
    }

    /// Every library with its id.
    pub fn libraries(&self) -> impl Iterator<Item = (LibId, &Library)> {
        let rows = self.libraries.rows().iter();
        rows.enumerate().map(|(at, row)| (LibId(u32::try_from(at).unwrap_or(u32::MAX)), row))
    }

    /// The id of a handle name.
    #[must_use]
    pub fn handle(&self, name: &str) -> Option<HandleId> {
        self.handles.get(name)
    }

    /// The name of a handle.
    #[must_use]
    pub fn handle_name(&self, handle: HandleId) -> &str {
        self.handles.name(handle)
    }

    /// The library that a name belongs to which exists without an import.
    #[must_use]
    pub fn global(&self, name: &str) -> Option<LibId> {
        self.libraries.global(name)
    }

    /// The handle that an operation gives: `new name()`, a call of or access to member `name`, a
    /// class that extends `name`. `""`, `()` and (of a module) `default` are the handle itself.
    /// The exact name first, then patterns.
    #[must_use]
    pub fn step(&self, lib: LibId, from: HandleId, op: Op, name: &str) -> Option<&Step> {
        self.step_in(lib, from, op, name, None)
    }

    /// As [`Knowledge::step`], for an import of `module`: the packages of some libraries have
    /// different default exports (`koa` and `@koa/router`).
    #[must_use]
    pub fn step_in(
        &self,
        lib: LibId,
        from: HandleId,
        op: Op,
        name: &str,
        module: Option<&str>,
    ) -> Option<&Step> {
        let step = self.steps.step((lib, from, op), name, module)?;
        // `stripe.paymentIntents.create`: a member that is known by its name is no further object of a `*`.
        let is_member = op == Op::Get
            && self.steps.is_by_pattern((lib, from, op), name, module)
            && self
                .member_nearest(lib, from, name, module, None)
                .is_some_and(|found| !found.row.flags.contains(&Flag::DynamicName));
        (!is_member).then_some(step)
    }

    /// The handle (with its library) that parameter `param` receives of a function that is argument `arg` of `argc`
    /// in a call (or construction) of `name`. `event`: the first argument, if a literal.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "the coordinates of a parameter")]
    pub fn callback_param(
        &self,
        lib: LibId,
        from: HandleId,
        name: &str,
        arg: usize,
        argc: usize,
        param: usize,
        event: Option<&str>,
    ) -> Option<(LibId, HandleId)> {
        self.steps.parameter((lib, from), name, (arg, argc, param), event)
    }

    /// Whether objects of the library hand out others by tokens or types: it has a handle named `container`.
    #[must_use]
    pub fn has_containers(&self, lib: LibId) -> bool {
        self.handles.get("container").is_some_and(|container| self.steps.leads_to(lib, container))
    }

    /// The handle that values of an exported TypeScript type are.
    #[must_use]
    pub fn type_handle(&self, lib: LibId, type_name: &str) -> Option<HandleId> {
        self.steps.of_type(lib, type_name)
    }

    /// The handle, with its library, that an exported decorator injects.
    #[must_use]
    pub fn injected(&self, lib: LibId, decorator: &str) -> Option<(LibId, HandleId)> {
        self.steps.injected(lib, decorator)
    }

    /// What a member does. `module`: the import specifier; `version`: installed, or the declared
    /// range. `None` if rows exist but for other versions: see [`Knowledge::member_nearest`].
    #[must_use]
    pub fn member(
        &self,
        lib: LibId,
        on: HandleId,
        name: &str,
        module: Option<&str>,
        version: Option<&str>,
    ) -> Option<&Member> {
        let is_version_known = version.and_then(installed).is_some();
        let found = self.member_nearest(lib, on, name, module, version)?;
        (found.is_exact || !is_version_known).then_some(found.row)
    }

    /// What a member does, by the row of the nearest versions if none covers the version.
    #[must_use]
    pub fn member_nearest(
        &self,
        lib: LibId,
        on: HandleId,
        name: &str,
        module: Option<&str>,
        version: Option<&str>,
    ) -> Option<Nearest<'_, Member>> {
        let version = version.and_then(installed);
        let origin = Origin { module, version: version.as_ref() };
        self.members.nearest(lib, on, name, origin)
    }

    /// What ends a call of `name` on a handle, by the row of the nearest versions; `None` where nothing is known.
    #[must_use]
    pub fn deadline(
        &self,
        lib: LibId,
        on: HandleId,
        name: &str,
        module: Option<&str>,
        version: Option<&str>,
    ) -> Option<&DeadlineRow> {
        self.deadlines.find((lib, on), name, module, version.and_then(installed).as_ref())
    }

    /// How often a library tries a call by itself; `None` where it does not, or nothing is known.
    #[must_use]
    pub fn attempts(&self, lib: LibId, version: Option<&str>) -> Option<&AttemptsRow> {
        self.attempts.of(lib, version.and_then(installed).as_ref())
    }

    /// Libraries that make a client of this one try again, with their rows.
    pub fn retried_by(&self, lib: LibId) -> impl Iterator<Item = (LibId, &AttemptsRow)> {
        self.attempts.around(lib)
    }

    /// What a call tells its library to repeat.
    pub fn retries(
        &self,
        lib: LibId,
        on: HandleId,
        name: &str,
        module: Option<&str>,
    ) -> impl Iterator<Item = &RetryRow> {
        self.retries.find((lib, on), name, module)
    }

    /// Every row of retries.
    #[must_use]
    pub fn retry_rows(&self) -> &[RetryRow] {
        self.retries.rows()
    }

    /// Every row of attempts.
    pub fn attempts_rows(&self) -> impl Iterator<Item = &AttemptsRow> {
        self.attempts.rows()
    }

    /// What a member that holds the event loop costs, by the row of the nearest versions.
    #[must_use]
    pub fn blocking(
        &self,
        lib: LibId,
        on: HandleId,
        name: &str,
        module: Option<&str>,
        version: Option<&str>,
    ) -> Option<&BlockingRow> {
        self.blocking.find((lib, on), name, module, version.and_then(installed).as_ref())
    }

    /// What libraries run when other members are called.
    #[must_use]
    pub fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    /// A package that fixes may add.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&PackageRow> {
        self.packages.iter().find(|row| row.name == name)
    }

    /// Every blocking row.
    #[must_use]
    pub fn blocking_rows(&self) -> &[BlockingRow] {
        self.blocking.rows()
    }

    /// Every deadline row.
    #[must_use]
    pub fn deadlines(&self) -> &[DeadlineRow] {
        self.deadlines.rows()
    }

    /// The member whose name is of one library only, so that it tells without the object.
    #[must_use]
    pub fn unmistakable(&self, name: &str) -> Option<(LibId, HandleId, &Member)> {
        let row = self.members.unmistakable(name)?;
        let on = row.on.first()?;
        Some((self.libraries.id(&row.lib)?, self.handles.get(on)?, row))
    }

    /// What becomes of a function that is argument `arg` of `argc` in a call (or construction) of
    /// `name`.
    #[must_use]
    pub fn callback(
        &self,
        lib: LibId,
        on: HandleId,
        name: &str,
        arg: usize,
        argc: usize,
    ) -> Option<&Callback> {
        self.callbacks.find((lib, on), name, (arg, argc), None)
    }

    /// Whether the library calls functions that are properties of an argument.
    #[must_use]
    pub fn calls_properties(&self, lib: LibId) -> bool {
        self.callbacks.calls_properties(lib)
    }

    /// What becomes of a function that is property `property` of argument `arg`:
    /// `consumer.run({ eachMessage })`.
    #[must_use]
    pub fn callback_property(
        &self,
        lib: LibId,
        on: HandleId,
        name: &str,
        arg: usize,
        argc: usize,
        property: &str,
    ) -> Option<&Callback> {
        self.callbacks.find((lib, on), name, (arg, argc), Some(property))
    }

    /// What becomes of the failure of a function handed to a member: for the installed (or declared) version, or by the
    /// row of the nearest versions.
    #[must_use]
    pub fn rejection(
        &self,
        lib: LibId,
        on: HandleId,
        name: &str,
        module: Option<&str>,
        version: Option<&str>,
    ) -> Option<Nearest<'_, Rejection>> {
        self.failures.rejection(lib, (on, self.handle_name(on)), name, module, version)
    }

    /// Whether a member throws on bad input, and on which.
    #[must_use]
    pub fn throws(&self, lib: LibId, on: HandleId, name: &str) -> Option<&Throws> {
        self.failures.throws(lib, (on, self.handle_name(on)), name)
    }

    /// Whether a connect that fails is never tried again, and what follows.
    #[must_use]
    pub fn gives_up(&self, lib: LibId, on: HandleId, name: &str) -> Option<&GivesUp> {
        self.failures.gives_up(lib, self.handle_name(on), name)
    }

    /// Packages that keep the process alive when nobody handles a rejection.
    #[must_use]
    pub fn keep_alive(&self) -> &[KeepsAlive] {
        &self.failures.keep_alive
    }

    /// The events that need a listener, with the library and handle that emits them.
    pub fn error_events(&self) -> impl Iterator<Item = (LibId, HandleId, &ErrorEvent)> {
        self.failures.events().iter().map(|(lib, handle, row)| (*lib, *handle, row))
    }

    /// Whether a call of `name` is known to run functions that are properties of an argument.
    #[must_use]
    pub fn has_callback_properties(&self, lib: LibId, on: HandleId, name: &str) -> bool {
        self.callbacks.has_properties((lib, on), name)
    }

    /// The default of an option. `lib`: npm package, `node:http`, server or platform. `None` if
    /// rows exist but for other versions: see [`Knowledge::default_nearest`].
    #[must_use]
    pub fn default_of(&self, lib: &str, option: &str, version: Option<&str>) -> Option<&DefaultRow> {
        let is_version_known = version.and_then(installed).is_some();
        let found = self.default_nearest(lib, option, version)?;
        (found.is_exact || !is_version_known).then_some(found.row)
    }

    /// The default of an option, by the row of the nearest versions if none covers the version.
    #[must_use]
    pub fn default_nearest(
        &self,
        lib: &str,
        option: &str,
        version: Option<&str>,
    ) -> Option<Nearest<'_, DefaultRow>> {
        self.default_table().nearest(lib, option, version)
    }

    /// Every default row.
    #[must_use]
    pub fn defaults(&self) -> &[DefaultRow] {
        self.default_table().rows()
    }

    /// The measured cost of an operation.
    #[must_use]
    pub fn cost(&self, op: &str) -> Option<&Cost> {
        self.cost_table().get(op)
    }

    /// Every cost row.
    #[must_use]
    pub fn costs(&self) -> &[Cost] {
        self.cost_table().rows()
    }

    /// The surprises of a package, Node.js module, server or platform.
    pub fn traps(&self, lib: &str) -> impl Iterator<Item = &Trap> {
        self.traps.get_or_init(|| all_traps(Vec::new())).of(lib).iter()
    }

    /// What packages tell about the environment, in the order of the data.
    #[must_use]
    pub fn roles(&self) -> &[RoleRow] {
        self.environment_table().roles()
    }

    /// What a package tells about the environment.
    #[must_use]
    pub fn roles_of(&self, package: &str) -> Vec<&RoleRow> {
        self.environment_table().roles_of(package)
    }

    /// The managed service of a host name.
    #[must_use]
    pub fn host(&self, host: &str) -> Option<&HostRow> {
        self.environment_table().host(host)
    }

    /// The product of a container image (`bitnami/postgresql:16` without its tag).
    #[must_use]
    pub fn image(&self, image: &str) -> Option<&ImageRow> {
        self.environment_table().image(image)
    }

    /// Every product with container images.
    #[must_use]
    pub fn images(&self) -> &[ImageRow] {
        self.environment_table().images()
    }

    /// What a plan of a hosting platform gives one instance.
    #[must_use]
    pub fn plan(&self, platform: &str, name: &str) -> Option<&PlanRow> {
        self.environment_table().plan(platform, name)
    }

    /// Code that gives an application of a framework what it lacks.
    #[must_use]
    pub fn wiring(&self, concern: Concern, framework: &str) -> Option<&Wiring> {
        self.wiring_rows().wiring(concern, framework)
    }

    /// The shortest question to a database.
    #[must_use]
    pub fn ping(&self, lib: &str) -> Option<&Ping> {
        self.wiring_rows().ping(lib)
    }

    /// The options that do such a thing.
    pub fn options(&self, does: OptionTrait) -> impl Iterator<Item = &OptionRow> {
        let rows = self.options.get_or_init(|| OptionRows::new(File::parse(OPTIONS).unwrap_or_default()));
        rows.rows.iter().filter(move |row| row.does == does)
    }

    fn wiring_rows(&self) -> &WiringRows {
        self.wiring.get_or_init(|| WiringRows::new(File::parse(WIRING).unwrap_or_default()))
    }

    /// How connection pools are created and configured.
    #[must_use]
    pub fn pools(&self) -> &[PoolRow] {
        self.environment_table().pools()
    }

    fn environment_table(&self) -> &EnvironmentRows {
        self.environment.get_or_init(|| environment_rows(File::default()))
    }

    fn default_table(&self) -> &Defaults {
        self.defaults.get_or_init(|| all_defaults(Vec::new()))
    }

    fn cost_table(&self) -> &Costs {
        self.costs.get_or_init(|| all_costs(Vec::new()))
    }

    /// Every member row.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        self.members.rows()
    }

    /// Functions that frameworks call because of where they stand.
    #[must_use]
    pub fn conventions(&self) -> &[Convention] {
        &self.conventions
    }

    /// Every callback row.
    #[must_use]
    pub fn callbacks(&self) -> &[Callback] {
        self.callbacks.rows()
    }
}

fn all_defaults(mut rows: Vec<DefaultRow>) -> Defaults {
    rows.extend(File::parse(DEFAULTS).unwrap_or_default().default);
    Defaults::new(rows)
}

fn all_costs(mut rows: Vec<Cost>) -> Costs {
    rows.extend(File::parse(COSTS).unwrap_or_default().cost);
    Costs::new(rows)
}

fn all_traps(mut rows: Vec<Trap>) -> Traps {
    rows.extend(File::parse(TRAPS).unwrap_or_default().trap);
    Traps::new(rows)
}

fn environment_rows(mut rows: File) -> EnvironmentRows {
    let own = File::parse(ENVIRONMENT).unwrap_or_default();
    rows.role.extend(own.role);
    rows.host.extend(own.host);
    rows.image.extend(own.image);
    rows.plan.extend(own.plan);
    rows.pool.extend(own.pool);
    EnvironmentRows::new(rows)
}

#[cfg(test)]
mod tests;
