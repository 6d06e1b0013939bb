//! The effective deadline of a call that leaves the process: its own options, its client's, what the caller wraps around
//! it, or the library's default.
//!
//! A signal counts only if a timer aborts it. Options are followed through variables, spreads, parameters and their
//! call sites.

mod options;
mod race;
mod registered;
mod signal;

use std::cell::{OnceCell, RefCell};

use loadworthy_knowledge::{DeadlineRow, DefaultRow, DefaultValue, LibId, Unit};
use loadworthy_project::PackageId;
use loadworthy_syntax::{Kind, NodeId};
use rustc_hash::FxHashMap;

use crate::analysis::Analysis;
use crate::calls::{Call, LibraryCall, package_name};
use crate::links::FunctionRef;
use crate::values::{Resolver, Site};
use options::Given;

pub use race::Race;

/// What ends a call.
#[derive(Clone, Debug)]
pub enum Deadline<'p> {
    /// The program says when.
    Set {
        /// Milliseconds, where they are a constant.
        millis: Option<f64>,
        /// Where it says so.
        by: Site,
    },
    /// The caller stops waiting; the work goes on.
    Raced(Race),
    /// The library's own.
    Default {
        /// Milliseconds.
        millis: f64,
        /// The fact; absent where the deadline's own row has it.
        row: Option<&'p DefaultRow>,
    },
    /// Nothing.
    Missing(Missing),
    /// Options that the code does not show.
    Unknown {
        /// The expression.
        options: Site,
    },
}

/// What was seen where no deadline is.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    /// A signal that no timer aborts.
    pub signal: Option<Site>,
    /// Calls of the helper around it that set none, while others do.
    pub callers: Vec<Site>,
}

/// Deepest chain of variables, parameters and callers that is followed.
const MAX_DEPTH: u32 = 12;

/// Answers what ends calls.
pub struct Deadlines<'a, 'p> {
    analysis: &'a Analysis<'p>,
    resolver: &'a Resolver<'p>,
    settings: Vec<Setting>,
    /// Library calls by library and by where their object was made.
    of_objects: OnceCell<ByObject>,
    /// What callers pass for a path of a parameter; `None` while it is being asked.
    passed: RefCell<FxHashMap<(FunctionRef, usize, String), Option<Given>>>,
}

type ByObject = FxHashMap<(LibId, Option<Site>), Vec<Site>>;

/// `object.defaults.option = value`.
struct Setting {
    object: Site,
    package: Option<PackageId>,
    option: Box<str>,
    value: Site,
}

impl<'a, 'p> Deadlines<'a, 'p> {
    /// Over a program.
    #[must_use]
    pub fn new(analysis: &'a Analysis<'p>, resolver: &'a Resolver<'p>) -> Self {
        let mut deadlines = Self {
            analysis,
            resolver,
            settings: Vec::new(),
            of_objects: OnceCell::new(),
            passed: RefCell::default(),
        };
        deadlines.settings = deadlines.find_settings();
        deadlines
    }

    /// What is known of the deadlines of a call.
    #[must_use]
    pub fn row(&self, call: &Call<'p>, library: &LibraryCall<'p>) -> Option<&'p DeadlineRow> {
        let module = library.module.as_deref();
        let knowledge = self.analysis.knowledge();
        let version = self.version(call.site, package_name(module.unwrap_or_default()));
        let row = knowledge.deadline(library.lib, library.on, &library.name, module, version)?;
        row.only.as_ref().is_none_or(|only| self.holds(call.site, row, only)).then_some(row)
    }

    /// What ends a call with such a row.
    #[must_use]
    pub fn of(&self, call: &Call<'p>, library: &LibraryCall<'p>, row: &'p DeadlineRow) -> Deadline<'p> {
        let given = self
            .by_call(call.site, row)
            .or_else(|| self.by_client(call.site, library, row))
            .or_else(|| self.by_setting(call.site, library, row));
        match given {
            Given::Set { millis, by } => return Deadline::Set { millis, by },
            Given::Absent | Given::Signal(_) | Given::Mixed(_) | Given::Unknown(_) => {}
        }
        if let Some(race) = self.wrapped(call.site) {
            return if race.at.is_some() {
                Deadline::Raced(race)
            } else {
                Deadline::Set { millis: None, by: race.by }
            };
        }
        match given {
            Given::Unknown(options) => Deadline::Unknown { options },
            Given::Signal(signal) => Deadline::Missing(Missing { signal: Some(signal), callers: Vec::new() }),
            Given::Mixed(callers) => Deadline::Missing(Missing { signal: None, callers }),
            _ => self.by_default(call.site, row),
        }
    }

    /// `only` is `option=value`: whether the options of the call say so.
    fn holds(&self, call: Site, row: &DeadlineRow, only: &str) -> bool {
        let Some((option, value)) = only.split_once('=') else { return true };
        let Some(options) = self.options_of(call, row) else { return false };
        self.text_at(options, option).is_some_and(|text| text == value)
    }

    /// The argument that holds the options of a call, if it is given.
    fn options_of(&self, call: Site, row: &DeadlineRow) -> Option<Site> {
        let at = row.argument?;
        let module = self.analysis.program().module(call.0)?;
        let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call.1) else {
            return None;
        };
        let count = i64::try_from(arguments.len()).ok()?;
        let at = if at < 0 { count + i64::from(at) } else { i64::from(at) };
        self.resolver.argument(call, usize::try_from(at).ok()?)
    }

    fn by_call(&self, call: Site, row: &DeadlineRow) -> Given {
        if let Some(by) = self.chained(call, &row.chained) {
            return Given::Set { millis: None, by };
        }
        if let Some(at) = row.positional.and_then(|at| self.resolver.argument(call, at)) {
            return self.duration(at, 0);
        }
        let Some(options) = self.options_of(call, row) else { return Given::Absent };
        self.in_options(options, &row.options, &row.signals)
    }

    /// `request.get(url).timeout(500)`, `const req = https.get(url); req.setTimeout(500)`.
    fn chained(&self, (file, call): Site, names: &[String]) -> Option<Site> {
        let module = self.analysis.program().module(file)?;
        let is_one = |object: NodeId| match module.kind(module.parent(object)) {
            Kind::Member { object: of, name } => {
                of == object && names.iter().any(|it| it == module.str(name))
            }
            _ => false,
        };
        let mut at = call;
        loop {
            if is_one(at) {
                return Some((file, module.parent(at)));
            }
            let parent = module.parent(at);
            at = match module.kind(parent) {
                Kind::Member { object, .. } if object == at => parent,
                Kind::Call { callee, .. } if callee == at => parent,
                Kind::Await(_) => parent,
                Kind::Declarator { target, .. } => {
                    let Kind::Binding(binding) = module.kind(target) else { return None };
                    let set = module.references(binding).iter().find(|name| is_one(**name))?;
                    return Some((file, *set));
                }
                _ => return None,
            };
        }
    }

    /// The options of the call that made the object, and of the objects that one was made from.
    fn by_client(&self, call: Site, library: &LibraryCall<'p>, row: &DeadlineRow) -> Given {
        if row.client_options.is_empty() {
            return Given::Absent;
        }
        let Some(mut made_at) = library.made_at else {
            let is_exported =
                matches!(self.analysis.knowledge().handle_name(library.on), "module" | "global");
            return if is_exported { Given::Absent } else { registered::given(self, call, row) };
        };
        let mut options = library.options;
        let mut given = Given::Absent;
        for _ in 0..MAX_DEPTH {
            if let Some(options) = options {
                given = given.or_else(|| self.in_options(options, &row.client_options, &[]));
            }
            let parent = self.analysis.calls().at(made_at).and_then(|call| call.library.as_ref());
            match parent.map(|parent| (parent.made_at, parent.options)) {
                Some((Some(at), of)) if at != made_at => (made_at, options) = (at, of),
                _ => break,
            }
        }
        given
    }

    /// `axios.defaults.timeout = 5000`, `sendgrid.setTimeout(5000)`, an interceptor that sets it.
    fn by_setting(&self, site: Site, library: &LibraryCall<'p>, row: &DeadlineRow) -> Given {
        let package = self.package(site);
        if row.settable {
            let wanted = row.options.iter().chain(&row.client_options);
            let named: Vec<&str> = wanted.map(String::as_str).collect();
            let settings = self.settings.iter().filter(|it| named.contains(&&*it.option));
            let holds = |it: &&Setting| self.is_of(it.object, library) || self.is_copied(it, library);
            for setting in settings.filter(|it| it.package == package).filter(holds) {
                if let set @ Given::Set { .. } = self.duration(setting.value, 0) {
                    return set;
                }
            }
        }
        for (other, of) in self.of_object(library) {
            if self.package(other.site) != package {
                continue;
            }
            if row.setters.iter().any(|setter| **setter == *of.name) || self.hooks_set(other, row) {
                return Given::Set { millis: None, by: other.site };
            }
        }
        Given::Absent
    }

    /// The calls of the object that a library call is of.
    fn of_object(
        &self,
        library: &LibraryCall<'p>,
    ) -> impl Iterator<Item = (&'a Call<'p>, &'a LibraryCall<'p>)> {
        let calls = self.analysis.calls();
        let of_objects = self.of_objects.get_or_init(|| {
            let mut found = ByObject::default();
            for call in calls.iter() {
                if let Some(library) = &call.library {
                    found.entry((library.lib, library.made_at)).or_default().push(call.site);
                }
            }
            found
        });
        let sites = of_objects.get(&(library.lib, library.made_at));
        let call = |site: &Site| {
            let call = calls.at(*site)?;
            Some((call, call.library.as_ref()?))
        };
        sites.into_iter().flatten().filter_map(call)
    }

    /// Whether a function that the call registers sets an option of each request.
    fn hooks_set(&self, call: &Call<'p>, row: &DeadlineRow) -> bool {
        if !row.settable || call.handed.is_empty() {
            return false;
        }
        let named = |name: &str| row.options.iter().chain(&row.signals).any(|it| it == name);
        call.handed.iter().any(|handed| {
            let (file, function) = handed.function;
            let Some(module) = self.analysis.program().module(file) else { return false };
            let Some(function) = module.function(function) else { return false };
            module.all_nodes(function.node).into_iter().any(|node| match module.kind(node) {
                Kind::Assign { target, .. } => {
                    matches!(module.kind(target), Kind::Member { name, .. } if named(module.str(name)))
                }
                Kind::Property { key, value } => {
                    named(module.str(key)) && !matches!(module.kind(value), Kind::Binding(_))
                }
                _ => false,
            })
        })
    }

    fn by_default(&self, site: Site, row: &DeadlineRow) -> Deadline<'p> {
        if let Some(millis) = row.own_millis {
            return Deadline::Default { millis, row: None };
        }
        let missing = Deadline::Missing(Missing::default());
        let (Some(package), Some(option)) = (&row.defaults, &row.default) else { return missing };
        let version = self.version(site, package);
        let Some(found) = self.analysis.knowledge().default_nearest(package, option, version) else {
            return missing;
        };
        let unit = match found.row.unit {
            Unit::Ms => 1.0,
            Unit::S => 1000.0,
            _ => return missing,
        };
        match found.row.value() {
            DefaultValue::Number(number) if number > 0.0 => {
                Deadline::Default { millis: number * unit, row: Some(found.row) }
            }
            _ => missing,
        }
    }

    fn find_settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for (file, module) in self.analysis.program().modules() {
            if !module.text().contains(".defaults.") {
                continue;
            }
            for node in module.node_ids() {
                let Kind::Assign { target, value, .. } = module.kind(node) else { continue };
                let Kind::Member { object, name: option } = module.kind(target) else { continue };
                let Kind::Member { object, name } = module.kind(object) else { continue };
                if module.str(name) == "defaults" {
                    settings.push(Setting {
                        object: (file, object),
                        package: self.package((file, node)),
                        option: module.str(option).into(),
                        value: (file, value),
                    });
                }
            }
        }
        settings
    }

    /// Whether an expression is the object that a call is of.
    /// `axios.defaults.timeout = 3000; axios.create(…)`: an object takes over what the module's defaults are when it is made.
    fn is_copied(&self, setting: &Setting, library: &LibraryCall<'p>) -> bool {
        let Some(made_at) = library.made_at.filter(|made_at| made_at.0 == setting.object.0) else {
            return false;
        };
        let folded = self.resolver.folded(&self.resolver.filled(&self.resolver.value_of(setting.object)));
        let is_module = folded.iter().any(|folded| match folded {
            crate::handles::Folded::Held(held) => held.lib == library.lib && held.made_at.is_none(),
            _ => false,
        });
        is_module && setting.object.1.index() < made_at.1.index()
    }

    fn is_of(&self, object: Site, library: &LibraryCall<'p>) -> bool {
        let folded = self.resolver.folded(&self.resolver.filled(&self.resolver.value_of(object)));
        folded.iter().any(|folded| match folded {
            crate::handles::Folded::Held(held) => held.lib == library.lib && held.made_at == library.made_at,
            _ => false,
        })
    }

    fn package(&self, site: Site) -> Option<PackageId> {
        self.analysis.program().project().file(site.0).map(|file| file.package)
    }

    fn version(&self, site: Site, package: &str) -> Option<&'p str> {
        let project = self.analysis.program().project();
        project.version_of(self.package(site)?, package).map(|version| version.text.as_str())
    }
}
