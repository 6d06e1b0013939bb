//! What a check says of one defect. The severity is not among it: that is the load model's.

use loadworthy_analysis::Site;
use loadworthy_capacity::{Assessment, Cost, Severity, assess};

use crate::audit::Audit;
use crate::forecast::Forecast;
use crate::meta::Meta;

/// A defect, or a pattern that one missing fact decides.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The check.
    pub meta: &'static Meta,
    /// Where it is.
    pub place: Place,
    /// Proven, or what is missing.
    pub verdict: Verdict,
    /// How sure the arithmetic is.
    pub confidence: Confidence,
    /// The chain from an entry point to the place, and whatever else shows it.
    pub evidence: Vec<Evidence>,
    /// What it costs.
    pub cost: Cost,
    /// The least and the most that the severity may be, where the model does not know better.
    pub bounds: (Severity, Severity),
    /// The words.
    pub words: Words,
    /// How to fix it.
    pub fix: Fix,
    /// The names of routes that reach it, where they are not those that reach the place (an app-wide gap).
    pub routes: Option<Vec<String>>,
    /// What was taken for granted, beside the model's own assumptions.
    pub assumptions: Vec<String>,
    /// The habit that it is one case of, where many places of a package may have the same shape.
    pub habit: Option<&'static str>,
    /// How many places of the habit are told of with it.
    pub joined: usize,
}

/// A place that a finding or its evidence is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A node of an audited file.
    Code(Site),
    /// A line of another file (schema, configuration), counted from 1.
    Line {
        /// Relative path.
        file: String,
        /// First line.
        first: u32,
        /// Last line.
        last: u32,
    },
}

/// Whether a finding is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Shown from the code.
    Proven,
    /// Decided by one fact that the code does not hold.
    Suspicious {
        /// The fact.
        missing_fact: String,
    },
}

/// How sure something is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Confidence {
    /// Guessed.
    Low,
    /// Likely.
    Medium,
    /// Proven from the code.
    High,
}

/// A step of an evidence chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// Where.
    pub place: Place,
    /// What is there.
    pub note: String,
}

/// What a finding says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// One line that names the code: "orders are read one by one in GET /orders".
    pub title: String,
    /// Two to four sentences: the problem and its failure mode under the load.
    pub problem: String,
    /// A step that verifies it on this code.
    pub verify: String,
    /// What the fix costs.
    pub tradeoff: String,
}

/// How to fix a finding.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fix {
    /// What to do.
    pub description: String,
    /// The code as it is.
    pub before: Option<String>,
    /// The code as it should be.
    pub after: Option<String>,
    /// Edits that do it; empty where a person must.
    pub edits: Vec<Edit>,
    /// Files that it adds: a migration.
    pub files: Vec<NewFile>,
    /// Packages that the edits import and the application does not declare yet.
    pub packages: Vec<NewPackage>,
    /// Or the setting that does it: file, setting, value.
    pub setting: Option<(String, String, String)>,
    /// Who may apply it.
    pub applicability: Applicability,
}

/// A replacement in an audited file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// Relative path.
    pub file: String,
    /// First byte replaced.
    pub start: u32,
    /// Byte after the last one replaced.
    pub end: u32,
    /// What takes their place.
    pub replacement: String,
}

/// A file that a fix adds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewFile {
    /// Relative path; there is none of it yet.
    pub path: String,
    /// Its text, lines ended by `\n`.
    pub text: String,
}

/// A package that a fix needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPackage {
    /// Its name.
    pub name: String,
    /// The range of versions that the fix is written for.
    pub range: String,
    /// The manifest that has to declare it: relative path of a `package.json`.
    pub manifest: String,
}

/// Who may apply a fix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Applicability {
    /// The tool: behaviour is kept.
    Safe,
    /// The tool, read by a person.
    Review,
    /// A person.
    #[default]
    Manual,
}

impl Finding {
    /// A proven finding. Evidence and cost are not optional: what can't be shown is not reported.
    #[must_use]
    pub fn new(
        meta: &'static Meta,
        site: Site,
        evidence: Vec<Evidence>,
        cost: Cost,
        words: Words,
        fix: Fix,
    ) -> Self {
        Self {
            meta,
            place: Place::Code(site),
            verdict: Verdict::Proven,
            confidence: Confidence::High,
            evidence,
            cost,
            bounds: (Severity::Monitor, Severity::Critical),
            words,
            fix,
            routes: None,
            assumptions: Vec::new(),
            habit: None,
            joined: 0,
        }
    }

    /// One case of a habit: the places of a package that have it are told of together where they are many.
    #[must_use]
    pub fn of_habit(mut self, habit: &'static str) -> Self {
        self.habit = Some(habit);
        self
    }

    /// Suspicious instead of proven: one fact decides it.
    #[must_use]
    pub fn unless(mut self, missing_fact: impl Into<String>) -> Self {
        self.verdict = Verdict::Suspicious { missing_fact: missing_fact.into() };
        self.confidence = self.confidence.min(Confidence::Medium);
        self
    }

    /// At most this sure.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = self.confidence.min(confidence);
        self
    }

    /// What it does to the target, the severity within the bounds of the check.
    #[must_use]
    pub fn assess(&self, audit: &Audit<'_, '_>, forecast: &Forecast) -> Assessment {
        let (least, most) = self.bounds;
        let background = forecast.background(audit, &self.place);
        let mut assessment = assess(&self.cost, audit.target, audit.environment, background);
        assessment.severity = assessment.severity.min(most).max(least);
        assessment
    }

    /// At least this severe, whatever the model says.
    #[must_use]
    pub fn at_least(mut self, severity: Severity) -> Self {
        self.bounds.0 = severity;
        self
    }

    /// At most this severe, whatever the model says.
    #[must_use]
    pub fn at_most(mut self, severity: Severity) -> Self {
        self.bounds.1 = severity;
        self
    }

    /// At another place than a node.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// With one more assumption.
    #[must_use]
    pub fn assuming(mut self, assumption: impl Into<String>) -> Self {
        self.assumptions.push(assumption.into());
        self
    }
}
