//! What a check is called, and the interface that all of them have.

use crate::audit::Audit;
use crate::finding::Finding;

/// A check's names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// Its number in the catalogue of checks: "1A".
    pub code: &'static str,
    /// Its name, the problem as a noun: "n-plus-one".
    pub slug: &'static str,
    /// What it endangers.
    pub category: Category,
    /// One line.
    pub summary: &'static str,
    /// Its page: the documentation comment of its file.
    pub page: &'static str,
}

impl Meta {
    /// Its page as Markdown: the comment at the head of its file, without the comment signs.
    #[must_use]
    pub fn documentation(&self) -> String {
        let comment = self.page.lines().map_while(|line| line.strip_prefix("//!"));
        let mut text = String::new();
        for line in comment {
            text.push_str(line.strip_prefix(' ').unwrap_or(line));
            text.push('\n');
        }
        text
    }
}

/// What a check endangers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Category {
    /// Queries, indexes, pools.
    Database,
    /// The heap.
    Memory,
    /// Waiting and ordering.
    Async,
    /// The event loop and the process.
    Runtime,
    /// Limits, breakers, errors.
    Resilience,
    /// React.
    Frontend,
}

impl Category {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "Database",
            Self::Memory => "Memory",
            Self::Async => "Async",
            Self::Runtime => "Runtime",
            Self::Resilience => "Resilience",
            Self::Frontend => "Frontend",
        }
    }
}

/// One of the checks.
pub trait Check: Sync {
    /// Its names.
    fn meta(&self) -> &'static Meta;

    /// Looks for its defects; any order, each once.
    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>);
}
