//! # Log flooding
//! Lines that every request writes: whole bodies, headers and rows, lines inside loops, every SQL statement.
//!
//! ## Why it fails under load
//! Lines per request × requests per second. Four lines at 100 req/s are 400 a second and 120,000 in a five-minute run. A line of
//! text costs 10 to 20 µs of the event loop, a printed object ten times as much, because it is inspected or serialised
//! first; `console` writes synchronously when the output is a file or a terminal. Bodies and headers fill the disk and the
//! bill of the log service, and carry passwords and tokens with them.
//!
//! ## Bad
//! ```ts title="src/app.ts"
//! import express from "express";
//! const app = express();
//! app.use(express.json());
//! app.use((req, _res, next) => {
//!   console.log("request", req.headers, req.body); // finding: 2C
//!   next();
//! });
//! app.get("/", (_req, res) => res.send("ok"));
//! app.listen(3000);
//! ```
//!
//! ## Good
//! ```ts title="src/app.ts"
//! import express from "express";
//! const app = express();
//! app.use(express.json());
//! app.use((req, res, next) => {
//!   res.on("finish", () => {
//!     if (res.statusCode >= 500) console.error(req.method, req.path, res.statusCode);
//!   });
//!   next();
//! });
//! app.get("/", (_req, res) => res.send("ok"));
//! app.listen(3000);
//! ```
//!
//! ## Leaves alone
//! One short line in a handler; lines in `catch` blocks and other rare branches; what a level or the environment guards;
//! start-up, scripts and tests; `debug` of loggers with levels.

mod captured;
mod lines;
mod statements;

use loadworthy_analysis::Site;
use loadworthy_capacity::Severity;
use loadworthy_project::FileId;

use self::lines::{Line, Why, lines};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};
use crate::runs::cost_of;

pub(crate) struct LogFlooding;

static META: Meta = Meta {
    code: "2C",
    slug: "log-flooding",
    category: Category::Memory,
    summary: "requests write more to the log than anybody reads",
    page: include_str!("log_flooding.rs"),
};

/// Milliseconds of the event loop for a line of text to a pipe (measured: the knowledge's `log.string.pipe`).
const LINE_MILLIS: f64 = 0.015;
/// Milliseconds for an object of about 5 kB that is inspected or serialised (`log.object.pipe`).
const DUMP_MILLIS: f64 = 0.15;
/// Bytes of a line, and of a dumped object.
const LINE_BYTES: f64 = 120.0;
const DUMP_BYTES: f64 = 5_000.0;
/// Part of the traffic from which a path is hot.
const HOT: f64 = 0.3;
/// Plain lines of one function that are a habit and not a note.
const MANY: usize = 3;

impl Check for LogFlooding {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let mut all = lines(audit);
        all.sort_by_key(|line| line.site);
        let mut files: Vec<FileId> = all.iter().map(|line| line.site.0).collect();
        files.dedup();
        for file in files {
            let own: Vec<&Line> = all.iter().filter(|line| line.site.0 == file).collect();
            findings.extend(of_file(audit, &own));
        }
        statements::run(audit, findings);
    }
}

/// One finding for a file, with every line that counts.
fn of_file(audit: &Audit<'_, '_>, lines: &[&Line]) -> Option<Finding> {
    let count_in = |line: &Line| lines.iter().filter(|it| it.owner == line.owner).count();
    let counted: Vec<&Line> =
        lines.iter().copied().filter(|line| line.why != Why::Plain || count_in(line) >= MANY).collect();
    let first = counted.iter().min_by_key(|line| (line.why, line.site))?;
    let sites: Vec<Site> = counted.iter().map(|line| line.site).collect();
    let is_dump = |line: &&&Line| matches!(line.why, Why::Dump);
    let dumps = counted.iter().filter(is_dump).count();
    let rounds: f64 = counted.iter().map(|line| line.rounds).sum();
    #[expect(clippy::cast_precision_loss, reason = "a file holds few log lines")]
    let (plain, dumped) = (rounds - dumps as f64, dumps as f64);
    let millis = plain * LINE_MILLIS + dumped * DUMP_MILLIS;
    let bytes = plain * LINE_BYTES + dumped * DUMP_BYTES;
    let cost = cost_of(audit, &sites).loop_block(millis);
    let rate = audit.target.rate_at(cost.share);
    let evidence = evidence(audit, &counted, first);
    let reached = audit.reached_by(first.site);
    let secrets = counted.iter().any(|line| line.has_secret);
    let what = match (first.why, counted.len()) {
        (Why::Dump, _) => format!("{reached} writes whole objects to the log"),
        (Why::Loop, _) => format!("{reached} writes a line per element to the log"),
        (Why::Plain, count) => format!("{reached} writes {count} lines per request to the log"),
    };
    let words = Words {
        title: what,
        problem: format!(
            "Each request writes about {} lines ({} kB) here: at the target that is {} lines/s and {} MB in a run of {} s. Objects are inspected or serialised on the event loop before they are written, and `console` blocks while a file or terminal takes the text.{}",
            crate::database::rows::plain(rounds),
            number(bytes / 1_000.0),
            crate::database::rows::plain(rate * rounds),
            crate::database::rows::plain(rate * bytes * audit.target.duration_seconds / 1e6),
            crate::database::rows::plain(audit.target.duration_seconds),
            if secrets { " Secrets (tokens, passwords) go to the log with it." } else { "" },
        ),
        verify: format!(
            "Run the load test on {reached} with the output in a file, then `wc -lc` it: lines and bytes ÷ requests are {} and {} now.",
            crate::database::rows::plain(rounds),
            crate::database::rows::plain(bytes)
        ),
        tradeoff: String::from(
            "Less to read when something goes wrong: keep one line per request with id, route, status and duration, and the details at a level that is switched on when needed.",
        ),
    };
    let before = audit.lines_around(audit.statement(first.site), 0);
    let fix = Fix {
        description: String::from(
            "Keep one structured line per request (id, route, status, milliseconds) and put details at `debug` of a logger with levels; never whole requests, bodies or rows.",
        ),
        after: lines::shorter(audit, first),
        before: Some(before),
        ..Fix::default()
    };
    let least = if cost.share >= HOT { Severity::Medium } else { Severity::Monitor };
    Some(
        Finding::new(&META, first.site, evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(least)
            .at_most(Severity::High)
            .assuming(format!("a dumped object has about {DUMP_BYTES} bytes")),
    )
}

fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn evidence(audit: &Audit<'_, '_>, counted: &[&Line], first: &Line) -> Vec<Evidence> {
    let note = |line: &Line| match line.why {
        Why::Dump => format!("prints a whole object: {}", audit.excerpt(line.site, 80)),
        Why::Loop => format!("once per element: {}", audit.excerpt(line.site, 80)),
        Why::Plain => format!("a line per request: {}", audit.excerpt(line.site, 80)),
    };
    let mut all = audit.chain_to(first.site, note(first));
    for line in counted.iter().filter(|line| line.site != first.site) {
        all.push(Evidence { place: Place::Code(line.site), note: note(line) });
    }
    all
}
