//! Connection pools: what each client is configured to, or what its library does by default.

use loadworthy_analysis::Site;
use loadworthy_knowledge::{DefaultRow, DefaultValue, PoolRow, Unit};

use super::Scene;
use super::databases::{data_sources, package_of};
use crate::code::clients::Client;
use crate::code::settings::Candidate;
use crate::connection_url::ConnectionUrl;
use crate::fact::{Basis, Confidence, Known, Place};
use crate::number::{count, plain};

/// The connections of one client.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// The library's id in the knowledge.
    pub library: String,
    /// Its package, with the version.
    pub shown: String,
    /// Where the code creates it; absent where the creation was not found.
    pub created_at: Option<Place>,
    /// Most connections of one process.
    pub max: Known<u32>,
    /// Connections that are kept; `None` where the library has no such setting.
    pub min: Known<Option<u32>>,
    /// Milliseconds a request waits for a connection; `None` is for ever.
    pub acquire_timeout_ms: Known<Option<f64>>,
    /// Milliseconds an idle connection lives; `None` is for ever.
    pub idle_timeout_ms: Known<Option<f64>>,
    /// Milliseconds a statement may run; `None` is without limit.
    pub statement_timeout_ms: Known<Option<f64>>,
    /// Whether it is one connection, not a pool.
    pub is_single_connection: bool,
}

const MAX_MATTERS: &str =
    "it bounds the queries that run at once: Little's law decides whether requests queue for it";

/// Every pool, in source order.
pub(crate) fn pools(scene: &Scene<'_>, clients: &[Client<'_>], cores: &Known<f64>) -> Vec<Pool> {
    let mut pools: Vec<Pool> = clients
        .iter()
        .map(|client| Reader { scene, client: Some(client), row: client.row, cores }.pool())
        .collect();
    if pools.is_empty() {
        pools.extend(undiscovered(scene, cores));
    }
    pools
}

/// A mapper or driver that is a dependency although its client's creation was not found.
fn undiscovered(scene: &Scene<'_>, cores: &Known<f64>) -> Option<Pool> {
    let project = scene.code.project();
    let knowledge = scene.code.knowledge;
    let is_used = |row: &PoolRow| {
        let library = knowledge.library_id(&row.lib).map(|lib| knowledge.library(lib));
        library.into_iter().flat_map(|library| &library.packages).any(|name| {
            scene.imports.first(name).is_some()
                || row.url_in_schema
                    && project.packages.iter().any(|package| package.manifest.dependency(name).is_some())
        })
    };
    let row = knowledge.pools().iter().find(|row| row.fixed_max.is_none() && is_used(row))?;
    Some(Reader { scene, client: None, row, cores }.pool())
}

/// Reads the settings of one client.
#[derive(Clone, Copy)]
struct Reader<'r, 's> {
    scene: &'r Scene<'s>,
    client: Option<&'r Client<'s>>,
    row: &'s PoolRow,
    cores: &'r Known<f64>,
}

/// A number with where it stands and how sure it is.
struct Stated {
    number: f64,
    confidence: Confidence,
    evidence: Vec<Place>,
    seconds: bool,
}

impl<'s> Reader<'_, 's> {
    fn pool(&self) -> Pool {
        let created_at = self.client.map(|client| {
            self.scene
                .code
                .place(client.creation.site, format!("{} created", package_of(&client.creation.module)))
        });
        Pool {
            library: self.row.lib.clone(),
            shown: self.shown(),
            max: self.max(created_at.as_ref()),
            min: self.min(created_at.as_ref()),
            acquire_timeout_ms: self.timeout(
                &self.row.acquire_timeout,
                self.row.url_acquire_timeout.as_deref(),
                |row| &row.default_acquire_timeout,
                "database.pool.acquire_timeout_ms",
                created_at.as_ref(),
            ),
            idle_timeout_ms: self.timeout(
                &self.row.idle_timeout,
                None,
                |row| &row.default_idle_timeout,
                "",
                created_at.as_ref(),
            ),
            statement_timeout_ms: self.timeout(
                &self.row.statement_timeout,
                None,
                |_| &[],
                "database.pool.statement_timeout_ms",
                created_at.as_ref(),
            ),
            is_single_connection: self.row.fixed_max == Some(1) || self.is_in_process(),
            created_at,
        }
    }

    fn package(&self) -> &str {
        self.client.map_or(self.row.defaults.as_str(), |client| package_of(&client.creation.module))
    }

    fn shown(&self) -> String {
        let version = self.version_of(self.package());
        version.map_or_else(|| self.package().to_owned(), |version| format!("{} {version}", self.package()))
    }

    fn version_of(&self, library: &str) -> Option<String> {
        let project = self.scene.code.project();
        let own = self.client.and_then(|client| self.scene.code.package_of(client.creation.site.0));
        let found = project.version_of(own.unwrap_or_else(|| self.scene.server()), library);
        // A package of the workspace may hold the database layer.
        let found = found
            .or_else(|| project.packages.iter().find_map(|package| project.version_of(package.id, library)));
        found.map(|version| version.text.clone())
    }

    fn max(&self, created_at: Option<&Place>) -> Known<u32> {
        if let Some(max) = self.scene.overrides.count("database.pool.max") {
            return Known::overridden(max);
        }
        if let Some(stated) = self.stated(&self.row.max, self.row.url_max.as_deref()) {
            return Known::read(count(stated.number), stated.confidence, stated.evidence);
        }
        if let Some(fixed) = self.row.fixed_max.or_else(|| self.is_in_process().then_some(1)) {
            return Known::default_of(fixed, created_at.cloned().into_iter().collect());
        }
        if let Some(site) = self.unknown(&self.row.max) {
            let assumed = self.default_max().map_or(FALLBACK_MAX, |(number, _)| number);
            let place = self.scene.code.place(site, "a value that is not constant");
            return Known::assumed(assumed, format!("what the expression at {place} gives"), MAX_MATTERS)
                .with_evidence([place]);
        }
        match self.default_max() {
            Some((max, source)) => {
                let place =
                    created_at.map(|place| Place { note: format!("no size set: {source}"), ..place.clone() });
                let known = Known::default_of(max, place.into_iter().collect());
                // A default that counts the cores is as sure as the cores are.
                if source.contains(CORES) && !self.cores.is_stated() {
                    return Known { confidence: Confidence::Low, ..known }
                        .confirm("`nproc` on the host, from which the library takes its size", MAX_MATTERS);
                }
                known
            }
            None => Known::assumed(
                FALLBACK_MAX,
                created_at.map_or_else(
                    || "where the client is created".to_owned(),
                    |place| format!("{place}: its size is not set"),
                ),
                MAX_MATTERS,
            ),
        }
    }

    fn min(&self, created_at: Option<&Place>) -> Known<Option<u32>> {
        if let Some(min) = self.scene.overrides.count("database.pool.min") {
            return Known::overridden(Some(min));
        }
        if let Some(stated) = self.stated(&self.row.min, None) {
            return Known::read(Some(count(stated.number)), stated.confidence, stated.evidence);
        }
        let default = self.default_row(|row| &row.default_min).and_then(|row| match row.value() {
            DefaultValue::Number(number) => Some(count(number)),
            _ => None,
        });
        Known::default_of(default, created_at.cloned().into_iter().collect())
    }

    /// A time option in milliseconds; 0 and `false` are no limit.
    fn timeout(
        &self,
        options: &[String],
        parameter: Option<&str>,
        defaults: fn(&PoolRow) -> &[String],
        key: &str,
        created_at: Option<&Place>,
    ) -> Known<Option<f64>> {
        let limited = |millis: f64| Some(millis).filter(|millis| *millis > 0.0);
        if let Some(millis) = self.scene.overrides.number(key) {
            return Known::overridden(limited(millis));
        }
        if let Some(stated) = self.stated(options, parameter) {
            let factor = if stated.seconds { 1000.0 } else { 1.0 };
            return Known::read(limited(stated.number * factor), stated.confidence, stated.evidence);
        }
        let millis = self.default_row(defaults).and_then(millis_of);
        Known::default_of(millis.and_then(limited), created_at.cloned().into_iter().collect())
    }

    /// What the options or the connection URL say.
    fn stated(&self, options: &[String], parameter: Option<&str>) -> Option<Stated> {
        let client = self.client;
        for option in options {
            let sites = client
                .into_iter()
                .flat_map(|client| &client.options)
                .filter_map(|object| self.scene.code.option(*object, option));
            for site in sites {
                if let Some(stated) = self.number_at(site, option) {
                    return Some(Stated { seconds: self.row.seconds.contains(option), ..stated });
                }
            }
        }
        let parameter = parameter?;
        let stated = self.in_urls(parameter)?;
        Some(Stated { seconds: self.row.seconds.iter().any(|own| own == parameter), ..stated })
    }

    /// The number of a setting: an environment variable that a file sets, or the constant behind it.
    fn number_at(&self, site: Site, option: &str) -> Option<Stated> {
        let mut is_from_environment = false;
        for candidate in self.scene.code.candidates(site) {
            match candidate {
                Candidate::Variable(key) => {
                    is_from_environment = true;
                    let Some((value, place, confidence)) = self.scene.variable(&key) else { continue };
                    let Some(number) = value.number() else { continue };
                    let evidence = vec![
                        self.scene.code.place(site, format!("{option} from {key}")),
                        Place { note: format!("{key}={}", plain(number)), ..place.clone() },
                    ];
                    return Some(Stated { number, confidence, evidence, seconds: false });
                }
                Candidate::Number(number) => {
                    let confidence = if is_from_environment { Confidence::Medium } else { Confidence::High };
                    let note = if is_from_environment {
                        format!("{option}: {} unless the environment says otherwise", plain(number))
                    } else {
                        format!("{option}: {}", plain(number))
                    };
                    return Some(Stated {
                        number,
                        confidence,
                        evidence: vec![self.scene.code.place(site, note)],
                        seconds: false,
                    });
                }
                Candidate::Text(text) => {
                    let Ok(number) = text.trim().parse::<f64>() else { continue };
                    let confidence = if is_from_environment { Confidence::Medium } else { Confidence::High };
                    let note = format!("{option}: {}", plain(number));
                    return Some(Stated {
                        number,
                        confidence,
                        evidence: vec![self.scene.code.place(site, note)],
                        seconds: false,
                    });
                }
                Candidate::Flag(false) => {
                    let evidence = vec![self.scene.code.place(site, format!("{option}: off"))];
                    return Some(Stated {
                        number: 0.0,
                        confidence: Confidence::High,
                        evidence,
                        seconds: false,
                    });
                }
                Candidate::Flag(true) => {}
            }
        }
        None
    }

    /// An option that is set, though not to anything that could be read.
    fn unknown(&self, options: &[String]) -> Option<Site> {
        let client = self.client?;
        let set = options.iter().find_map(|option| {
            client.options.iter().find_map(|object| self.scene.code.option(*object, option))
        });
        set.or(client.unread)
    }

    /// An embedded database has no server: its mapper keeps one connection.
    fn is_in_process(&self) -> bool {
        let Some(client) = self.client.filter(|_| !self.row.url_in_schema) else { return false };
        super::databases::dialect(self.scene, client).is_some_and(|(kind, ..)| kind == "SQLite")
    }

    /// A numeric parameter of the connection URL: of the client's own, or of the schema's variable.
    fn in_urls(&self, parameter: &str) -> Option<Stated> {
        let mut variables = Vec::new();
        for site in self.client.into_iter().flat_map(|client| &client.urls) {
            for candidate in self.scene.code.candidates(*site) {
                match candidate {
                    Candidate::Variable(key) => variables.push(key),
                    Candidate::Text(text) => {
                        if let Some(number) =
                            ConnectionUrl::parse(&text).and_then(|url| url.number(parameter))
                        {
                            let place =
                                self.scene.code.place(*site, format!("{parameter}={}", plain(number)));
                            return Some(Stated {
                                number,
                                confidence: Confidence::High,
                                evidence: vec![place],
                                seconds: false,
                            });
                        }
                    }
                    Candidate::Number(_) | Candidate::Flag(_) => {}
                }
            }
        }
        if self.row.url_in_schema {
            variables.extend(data_sources(self.scene).into_iter().filter_map(|source| source.variable));
        }
        variables.iter().flat_map(|key| self.scene.settings_of(key)).find_map(|sign| {
            let number = ConnectionUrl::parse(sign.value.value.expose())?.number(parameter)?;
            let note = format!("{parameter}={} in {}", plain(number), sign.value.key);
            let place = Place { note, ..sign.place.clone() };
            Some(Stated { number, confidence: sign.confidence, evidence: vec![place], seconds: false })
        })
    }

    fn default_max(&self) -> Option<(u32, String)> {
        self.default_number(self.default_row(|row| &row.default_max)?)
    }

    /// The library's own default, or that of the driver it opens a pool of.
    fn default_row(&self, options: fn(&PoolRow) -> &[String]) -> Option<&DefaultRow> {
        self.default_of(self.row, options(self.row)).or_else(|| {
            let driver = self.driver()?;
            let reader = Reader { row: driver, ..*self };
            reader.default_of(driver, options(driver))
        })
    }

    fn default_number(&self, row: &DefaultRow) -> Option<(u32, String)> {
        let number = match row.value() {
            DefaultValue::Number(number) => number,
            DefaultValue::Expression(text) => {
                crate::number::expression(text, CORES, self.cores.value.ceil().max(1.0))?
            }
            _ => return None,
        };
        Some((count(number), format!("{} {} = {} by default", row.lib, row.option_path(), row.text)))
    }

    /// The pool of the driver that is installed.
    fn driver(&self) -> Option<&'s PoolRow> {
        let project = self.scene.code.project();
        let knowledge = self.scene.code.knowledge;
        self.row.drivers.iter().find_map(|id| {
            let library = knowledge.library(knowledge.library_id(id)?);
            let is_installed = library.packages.iter().any(|name| {
                project.packages.iter().any(|package| package.manifest.dependency(name).is_some())
            });
            if !is_installed {
                return None;
            }
            knowledge.pools().iter().find(|row| {
                row.lib == *id && (row.fixed_max.is_none() || row.create.contains(&String::new()))
            })
        })
    }

    /// The default row of the first option that applies.
    fn default_of(&self, row: &PoolRow, options: &[String]) -> Option<&'s DefaultRow> {
        let knowledge = self.scene.code.knowledge;
        let version = self.default_version();
        options.iter().find_map(|option| {
            let found = knowledge.default_nearest(&row.defaults, option, version.as_deref())?;
            if !found.is_exact && version.is_some() && !row.drivers.is_empty() {
                return None;
            }
            self.applies(found.row).then_some(found.row)
        })
    }

    /// The version of the package whose defaults count: of a bundled driver, the one that is bundled.
    fn default_version(&self) -> Option<String> {
        let Some(bundled) = &self.row.bundled else { return self.version_of(&self.row.defaults) };
        let own = self.version_of(self.package()).or_else(|| self.version_of(&self.row.lib));
        let row = self.scene.code.knowledge.default_nearest(&self.row.lib, bundled, own.as_deref())?.row;
        row.text.split_whitespace().nth(1).map(str::to_owned)
    }

    /// A default with the condition `useUnifiedTopology` needs that option to be on.
    fn applies(&self, row: &DefaultRow) -> bool {
        let Some(condition) = row.when.as_deref().filter(|when| crate::lines::is_key(when)) else {
            return true;
        };
        let objects = self.client.into_iter().flat_map(|client| &client.options);
        objects
            .filter_map(|object| self.scene.code.property(*object, condition))
            .any(|site| self.scene.code.candidates(site).contains(&Candidate::Flag(true)))
    }
}

/// The name that defaults have for the cores of the machine.
const CORES: &str = "num_physical_cpus";

/// Where neither code nor knowledge tells: the size most drivers have.
const FALLBACK_MAX: u32 = 10;

fn millis_of(row: &DefaultRow) -> Option<f64> {
    let DefaultValue::Number(number) = row.value() else { return None };
    match row.unit {
        Unit::Ms => Some(number),
        Unit::S => Some(number * 1000.0),
        _ => None,
    }
}

impl Pool {
    /// What it is and what its size is.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.is_single_connection {
            return format!("{}: one connection, no pool", self.shown);
        }
        let source = match self.max.basis {
            Basis::Default => " (the library's default)",
            Basis::Assumed => " (assumed)",
            Basis::Override => " (set by the user)",
            Basis::Read => "",
        };
        let time = |known: &Known<Option<f64>>, none: &str| {
            known.value.map_or_else(|| none.to_owned(), |millis| format!("{} ms", plain(millis)))
        };
        format!(
            "{}: max {}{source}, {}wait for a connection {}, statement timeout {}",
            self.shown,
            self.max.value,
            self.min.value.map(|min| format!("min {min}, ")).unwrap_or_default(),
            time(&self.acquire_timeout_ms, "without limit"),
            time(&self.statement_timeout_ms, "none"),
        )
    }
}
