//! The traffic mix of a file: an access log or a HAR.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use loadworthy_analysis::Analysis;
use loadworthy_capacity::plain;
use loadworthy_checks::{Answers, LEAST_SHARE, Mix, Observed, Rate};
use loadworthy_report::one_line;
use loadworthy_traffic::{Form, Log, ReadError, Request, Summary};

use crate::failure::Failure;

const HINT: &str =
    "--traffic takes an access log (common or combined, or JSON lines with method and path) or a HAR";
/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// Refuses what is no file, before the project is read.
pub(crate) fn refuse_no_file(file: &Path) -> Result<(), Failure> {
    let metadata = fs::metadata(file).map_err(|error| unread(file, error))?;
    if metadata.is_dir() { Err(unread(file, "this is a folder")) } else { Ok(()) }
}

/// The requests of a file by the routes that answer them.
pub(crate) fn mix(file: &Path, analysis: &Analysis<'_>) -> Result<Mix, Failure> {
    let input = File::open(file).map_err(|error| unread(file, error))?;
    let log = Log::open(BufReader::with_capacity(BUFFER, input)).map_err(|error| refused(file, &error))?;
    let answers = Answers::of(analysis);
    let form = log.form();
    let counted = match form {
        Form::Har => by_host(&answers, log),
        Form::Lines | Form::Records => together(&answers, log),
    };
    let (mut observed, summary, of) = counted.map_err(|error| refused(file, &error))?;
    if observed.matched() == 0 {
        let example = observed.unmatched().map_or_else(String::new, |it| format!(", as {}", one_line(it)));
        let problem =
            format!("no route of the project answers any of its requests ({}{example})", observed.requests());
        return Err(Failure::file(file, problem).hint(
            "`loadworthy routes PATH` lists the routes; cut what only a proxy puts before them from the paths of the file",
        ));
    }
    observed.source = source(file, form, summary, &observed, &of);
    Ok(Mix::Observed(Box::new(observed)))
}

/// What was counted, what of the file was read, and whose requests they are, in words.
type Counted = (Observed, Summary, String);

/// All requests of a log are the application's, whatever host they name.
fn together(answers: &Answers, log: Log<impl BufRead>) -> Result<Counted, ReadError> {
    let mut observed = Observed::new(answers);
    let summary = log.read(&mut |it| observed.add(answers, &it.method, &it.path, it.at))?;
    Ok((observed, summary, String::new()))
}

/// A browser asks many hosts; the application's is that whose requests the routes answer most often.
fn by_host(answers: &Answers, log: Log<impl BufRead>) -> Result<Counted, ReadError> {
    let mut hosts: BTreeMap<String, Vec<Request>> = BTreeMap::new();
    let summary = log.read(&mut |it| {
        hosts.entry(it.host.clone().unwrap_or_default()).or_default().push(it);
    })?;
    let is_one = hosts.len() == 1;
    let counted = hosts.into_iter().map(|(host, requests)| {
        let mut observed = Observed::new(answers);
        for it in requests {
            observed.add(answers, &it.method, &it.path, it.at);
        }
        (host, observed)
    });
    let most = counted.reduce(|a, b| if b.1.matched() > a.1.matched() { b } else { a });
    let (host, observed) = most.unwrap_or_else(|| (String::new(), Observed::new(answers)));
    let others = summary.requests - observed.requests();
    let of = if is_one {
        String::new()
    } else {
        format!(" (those of {}; {others} of other hosts are left out)", one_line(&host))
    };
    Ok((observed, summary, of))
}

/// "from access.log: 90 requests of 100 matched a route; 2 lines not read; …".
fn source(file: &Path, form: Form, read: Summary, observed: &Observed, of: &str) -> String {
    let counted = format!(
        "from {}: {} requests of {} matched a route{of}",
        one_line(&file.display().to_string()),
        observed.matched(),
        observed.requests(),
    );
    let not_read = format!("{} not read", form.count(read.unread));
    let parts = [Some(counted), Some(not_read), unseen(observed.unseen()), observed.rate().map(rate)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn unseen(count: usize) -> Option<String> {
    let most = plain(LEAST_SHARE * 100.0);
    match count {
        0 => None,
        1 => Some(format!("1 route that it does not have counts with {most}% at most")),
        _ => Some(format!("{count} routes that it does not have count with {most}% at most each")),
    }
}

fn rate(rate: Rate) -> String {
    let busiest = rate.busiest_minute.map(|it| format!(", {} in the busiest minute", plain(it)));
    format!("{} req/s on average{}", plain(rate.mean), busiest.unwrap_or_default())
}

fn unread(file: &Path, problem: impl Display) -> Failure {
    Failure::file(file, problem).hint(HINT)
}

fn refused(file: &Path, error: &ReadError) -> Failure {
    let failure = unread(file, error);
    match error {
        ReadError::Compressed(_) => failure.hint("unpack it first"),
        _ => failure,
    }
}
