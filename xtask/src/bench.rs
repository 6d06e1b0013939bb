//! `bench`: what an audit costs over a bare parse of the same files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use loadworthy_project::{DiscoverOptions, Project};

use crate::failure::Failure;
use crate::measure::{Usage, errors_of, measure, mib};
use crate::table::Table;
use crate::{cargo, say};

/// Longest run.
const TIMEOUT: Duration = Duration::from_mins(10);

/// Arguments of `bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Folders to audit, each on its own.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Runs of each program; the medians are shown.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Number of threads of both programs; 0 means one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// A built `loadworthy` to time, instead of building one with the release profile.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Times both programs on every folder.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let (audit, bare) = binaries(options)?;
    for path in &options.paths {
        say(&bench(options, path, &audit, &bare)?);
    }
    Ok(())
}

/// The audit and the bare parser, both of the release profile.
fn binaries(options: &Options) -> Result<(PathBuf, PathBuf), Failure> {
    let packages: &[&str] = if options.binary.is_some() { &["xtask"] } else { &["loadworthy", "xtask"] };
    let folder = cargo::release(packages)?;
    let audit = options.binary.clone().unwrap_or_else(|| folder.join("loadworthy"));
    Ok((audit, folder.join("xtask")))
}

fn bench(options: &Options, path: &Path, audit: &Path, bare: &Path) -> Result<String, Failure> {
    let scratch = std::env::temp_dir().join(format!("loadworthy-bench-{}", std::process::id()));
    fs::create_dir_all(&scratch).map_err(Failure::at(&scratch))?;
    let list = scratch.join("files");
    let corpus = Corpus::of(path)?;
    fs::write(&list, &corpus.list).map_err(Failure::at(&list))?;
    let threads = options.threads.to_string();
    let audit = words(&[audit, Path::new("audit"), path], &["--format", "json", "--threads", &threads]);
    let bare = words(&[bare, Path::new("bare-parse"), &list], &["--threads", &threads]);
    let (mut audits, mut parses) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        // By turns, so that both see the same load of the machine.
        parses.push(once(&bare, &scratch.join("parse"))?);
        audits.push(once(&audit, &scratch.join("audit"))?);
    }
    fs::remove_dir_all(&scratch).map_err(Failure::at(&scratch))?;
    Ok(report(path, &corpus, &Cost::median(&parses), &Cost::median(&audits)))
}

fn words(paths: &[&Path], options: &[&str]) -> Vec<String> {
    let paths = paths.iter().map(|path| path.display().to_string());
    paths.chain(options.iter().map(|&option| option.to_owned())).collect()
}

/// One run; a program that crashes or refuses its arguments is no measurement. 1 means findings.
fn once(command: &[String], output: &Path) -> Result<Usage, Failure> {
    let usage = measure(command, output, TIMEOUT)?;
    if matches!(usage.exit_code, Some(0 | 1)) && !usage.timed_out {
        return Ok(usage);
    }
    let said = fs::read_to_string(errors_of(output)).unwrap_or_default();
    Err(Failure::of(command.join(" "), format!("exit code {:?}: {}", usage.exit_code, said.trim())))
}

/// What is parsed.
struct Corpus {
    /// One path a line.
    list: String,
    files: usize,
    lines: usize,
    bytes: u64,
}

impl Corpus {
    /// The files that an audit of `path` reads to report on them.
    fn of(path: &Path) -> Result<Self, Failure> {
        let project = Project::discover(path, &DiscoverOptions::default())
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let mut corpus = Self { list: String::new(), files: 0, lines: 0, bytes: 0 };
        for file in project.files.iter().filter(|file| file.class.is_audited()) {
            let Ok(text) = project.read(file.id) else { continue };
            corpus.list.push_str(&project.root.join(&file.path).display().to_string());
            corpus.list.push('\n');
            corpus.files += 1;
            corpus.lines += text.lines().count();
            corpus.bytes += file.size;
        }
        if corpus.files == 0 {
            return Err(Failure::Usage(format!("{}: nothing to audit", path.display())));
        }
        Ok(corpus)
    }
}

/// Medians over the runs, each figure for itself.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
    peak_mib: f64,
}

impl Cost {
    fn median(runs: &[Usage]) -> Self {
        let of = |figure: fn(&Usage) -> f64| median(runs.iter().map(figure).collect());
        Self {
            seconds: of(|run| run.seconds),
            cpu_seconds: of(|run| run.cpu_seconds),
            peak_mib: of(Usage::peak_mib),
        }
    }
}

/// The middle value; the mean of the two middle ones of an even number; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.get(middle.wrapping_sub(1))) {
        (Some(upper), Some(lower)) if values.len().is_multiple_of(2) => f64::midpoint(*lower, *upper),
        (Some(middle), _) => *middle,
        (None, _) => 0.0,
    }
}

fn report(path: &Path, corpus: &Corpus, bare: &Cost, audit: &Cost) -> String {
    let mut table = Table::new(&["", "seconds", "cpu seconds", "peak MiB", "MiB per million lines"]);
    for (name, cost) in [("bare parse + semantic", bare), ("audit", audit)] {
        table.row([
            name.to_owned(),
            format!("{:.3}", cost.seconds),
            format!("{:.3}", cost.cpu_seconds),
            format!("{:.1}", cost.peak_mib),
            format!("{:.0}", per_million_lines(cost.peak_mib, corpus.lines)),
        ]);
    }
    table.row([
        "ratio".to_owned(),
        format!("{:.2}", audit.seconds / bare.seconds),
        format!("{:.2}", audit.cpu_seconds / bare.cpu_seconds),
        format!("{:.2}", audit.peak_mib / bare.peak_mib),
    ]);
    let head = format!(
        "{}: {} audited files, {} lines, {:.1} MiB",
        path.display(),
        corpus.files,
        corpus.lines,
        mib(corpus.bytes)
    );
    format!("{head}\n{}\n", table.render())
}

#[allow(clippy::cast_precision_loss, reason = "shown without decimals")]
fn per_million_lines(figure: f64, lines: usize) -> f64 {
    figure * 1e6 / lines.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_run_does_not_move_the_median() {
        assert!((median(vec![1.0, 9.0, 1.2]) - 1.2).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(Vec::new()).abs() < 1e-9);
    }

    #[test]
    fn the_ratio_is_audit_over_bare_parse() {
        let corpus = Corpus { list: String::new(), files: 2, lines: 500_000, bytes: 3 << 20 };
        let bare = Cost { seconds: 0.5, cpu_seconds: 1.0, peak_mib: 50.0 };
        let audit = Cost { seconds: 1.0, cpu_seconds: 1.5, peak_mib: 200.0 };
        let text = report(Path::new("app"), &corpus, &bare, &audit);
        assert!(text.starts_with("app: 2 audited files, 500000 lines, 3.0 MiB\n"), "{text}");
        let figures = |name: &str| -> Vec<String> {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().map(str::to_owned).collect()
        };
        assert_eq!(figures("ratio"), ["2.00", "1.50", "4.00"]);
        assert_eq!(figures("audit"), ["1.000", "1.500", "200.0", "400"]);
    }

    #[test]
    fn only_audited_files_are_parsed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.js"), "let a;\nlet b;\n").unwrap();
        fs::write(folder.path().join("a.test.js"), "let c;\n").unwrap();
        let corpus = Corpus::of(folder.path()).unwrap();
        assert_eq!((corpus.files, corpus.lines), (1, 2));
        assert!(corpus.list.ends_with("a.js\n"));
    }
}
