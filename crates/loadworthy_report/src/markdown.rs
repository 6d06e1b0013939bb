//! The report as Markdown, for people.

use std::fmt::{self, Write};

use crate::escape::{code_block, markdown_prose as prose};
use crate::model::{
    Fact, Figure, Finding, Fix, LoadTest, Location, PackageScore, Plan, PlanItem, Report, Score, Severity,
    Suspicion, Target,
};

/// The whole report, findings from the worst to the least.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    write_report(&mut out, report).unwrap_or_default();
    out
}

/// The load test alone, with what to measure.
#[must_use]
pub fn load_test_text(report: &Report) -> String {
    let mut out = String::new();
    let written = load_test(&mut out, &report.plan.load_test).and_then(|()| measures(&mut out, &report.plan));
    // Writing to a String does not fail.
    written.unwrap_or_default();
    if out.is_empty() {
        out.push_str("No route was found that a load test could drive.\n");
    }
    out
}

fn write_report(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "# Load readiness\n")?;
    writeln!(out, "{} {}\n", prose(&report.tool.name), prose(&report.tool.version))?;
    environment(out, report)?;
    score(out, report)?;
    findings(out, report)?;
    suspicious(out, report)?;
    plan(out, &report.plan)?;
    measures(out, &report.plan)?;
    load_test(out, &report.plan.load_test)?;
    routes(out, report)?;
    diagnostics(out, report)
}

fn environment(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "## Environment & Assumptions\n\n{}\n", target(&report.target))?;
    let (open, known): (Vec<&Fact>, Vec<&Fact>) =
        report.environment.iter().partition(|fact| fact.needs_confirmation.is_some());
    if !known.is_empty() {
        writeln!(out, "| Fact | Value | Confidence | Evidence |\n|---|---|---|---|")?;
        for fact in known {
            let evidence: Vec<String> = fact
                .evidence
                .iter()
                .map(|step| prose(&format!("{}:{}", step.file, step.start_line)))
                .collect();
            let [name, value] = [&fact.fact, &fact.value].map(|text| prose(text));
            writeln!(out, "| {name} | {value} | {} | {} |", fact.confidence.name(), evidence.join(", "))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "### Needs Confirmation\n")?;
    if open.is_empty() {
        return writeln!(out, "Nothing: every fact was read from the code.\n");
    }
    writeln!(out, "| Fact | Assumed | Where to look | Why it matters |\n|---|---|---|---|")?;
    for fact in open {
        let (look_at, why) = fact
            .needs_confirmation
            .as_ref()
            .map_or(("", ""), |needed| (&needed.look_at, &needed.matters_because));
        let [name, value, look_at, why] = [&fact.fact, &fact.value, look_at, why].map(prose);
        writeln!(out, "| {name} | {value} | {look_at} | {why} |")?;
    }
    writeln!(out)
}

fn target(target: &Target) -> String {
    format!(
        "Target: {} users, {} requests/s for {} s, p95 under {} ms, errors under {}%.",
        target.users,
        target.requests_per_second,
        target.duration_seconds,
        target.p95_millis,
        percent(target.error_rate)
    )
}

fn score(out: &mut String, report: &Report) -> fmt::Result {
    let score = &report.score;
    writeln!(out, "## Score: {:.1} / 10\n\n{}\n", score.value, score_line(score))?;
    for bullet in &score.justification {
        writeln!(out, "- {}", prose(bullet))?;
    }
    packages(out, &report.packages)?;
    writeln!(out, "\n### Top 3 fixes\n")?;
    if score.top_fixes.is_empty() {
        return writeln!(out, "None: no finding lowers the score.\n");
    }
    writeln!(out, "| | Fix | Points | Effort | Score after it |\n|---|---|---|---|---|")?;
    for (place, fix) in score.top_fixes.iter().enumerate() {
        let [check, title] = [&fix.check, &fix.title].map(|text| prose(text));
        writeln!(
            out,
            "| {} | {check} {title} | {} | {} min | {:.1} |",
            place + 1,
            fix.risk_removed,
            fix.effort_minutes,
            fix.score_after
        )?;
    }
    writeln!(out)
}

fn packages(out: &mut String, packages: &[PackageScore]) -> fmt::Result {
    if packages.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| Package | Folder | Score | |\n|---|---|---|---|")?;
    for package in packages {
        let [name, path] = [&package.name, &package.path].map(|text| prose(text));
        writeln!(out, "| {name} | {path} | {:.1} | {} |", package.score.value, package.score.band.meaning())?;
    }
    Ok(())
}

fn score_line(score: &Score) -> String {
    let meaning = score.band.meaning();
    if score.range.low < score.range.high {
        format!("Between {:.1} and {:.1}: {meaning}.", score.range.low, score.range.high)
    } else {
        format!("This means: {meaning}.")
    }
}

fn findings(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "## Findings\n")?;
    if report.findings.is_empty() {
        return writeln!(out, "None.\n");
    }
    for severity in Severity::ALL {
        for finding in report.findings.iter().filter(|finding| finding.severity == severity) {
            write_finding(out, finding, None)?;
        }
    }
    Ok(())
}

fn suspicious(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "## Suspicious Patterns\n")?;
    if report.suspicious.is_empty() {
        return writeln!(out, "None.\n");
    }
    writeln!(out, "Each is a finding if the missing fact turns out as feared.\n")?;
    for severity in Severity::ALL {
        for suspicion in report.suspicious.iter().filter(|suspicion| suspicion.finding.severity == severity) {
            write_finding(out, &suspicion.finding, Some(suspicion))?;
        }
    }
    Ok(())
}

fn write_finding(out: &mut String, finding: &Finding, suspicion: Option<&Suspicion>) -> fmt::Result {
    writeln!(out, "### {} {}\n", prose(&finding.check), prose(&finding.title))?;
    writeln!(out, "[SEVERITY: {}]\n", finding.severity.name())?;
    writeln!(out, "Location: {}\n", place(&finding.location))?;
    writeln!(out, "Risk Category: {}\n", finding.category.name())?;
    writeln!(out, "The Problem: {}\n", prose(&finding.problem))?;
    evidence(out, finding)?;
    if let Some(suspicion) = suspicion {
        writeln!(out, "Missing Fact: {}\n", prose(&suspicion.missing_fact))?;
    }
    let (impact, confidence) = (prose(&finding.impact.text), finding.confidence.name());
    writeln!(out, "Performance Impact: {impact} Confidence: {confidence}\n")?;
    arithmetic(out, finding)?;
    writeln!(out, "How to Verify: {}\n", prose(&finding.verify))?;
    fix(out, &finding.fix, language_of(&finding.location.file))?;
    writeln!(out, "Trade-off Consideration: {}\n", prose(&finding.tradeoff))
}

/// `FileName : Line Number(s)`.
fn place(location: &Location) -> String {
    let file = prose(&location.file);
    if location.end_line > location.start_line {
        format!("{file} : {}-{}", location.start_line, location.end_line)
    } else {
        format!("{file} : {}", location.start_line)
    }
}

fn evidence(out: &mut String, finding: &Finding) -> fmt::Result {
    for (number, step) in finding.evidence.iter().enumerate() {
        let at = prose(&format!("{}:{}", step.file, step.start_line));
        writeln!(out, "{}. {at} {}", number + 1, prose(&step.note))?;
    }
    if !finding.evidence.is_empty() {
        writeln!(out)?;
    }
    if !finding.routes.is_empty() {
        let routes: Vec<String> = finding.routes.iter().map(|route| prose(route)).collect();
        writeln!(out, "Reached by {}: {}\n", counted(routes.len(), "route"), routes.join(", "))?;
    }
    Ok(())
}

fn arithmetic(out: &mut String, finding: &Finding) -> fmt::Result {
    for (name, figure) in &finding.impact.figures {
        writeln!(out, "- {}: {}", prose(name), amount(figure))?;
    }
    for assumption in &finding.impact.assumptions {
        writeln!(out, "- Assumed: {}", prose(assumption))?;
    }
    if finding.impact.figures.is_empty() && finding.impact.assumptions.is_empty() {
        Ok(())
    } else {
        writeln!(out)
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A part of one in percent, to two decimals.
fn percent(part: f64) -> f64 {
    (part * 10_000.0).round() / 100.0
}

fn amount(figure: &Figure) -> String {
    let unit = prose(&figure.unit);
    match figure.value {
        Some(value) => format!("{} {unit}", (value * 1000.0).round() / 1000.0),
        None => format!("unbounded {unit}"),
    }
}

fn fix(out: &mut String, fix: &Fix, language: &str) -> fmt::Result {
    writeln!(out, "The Fix: {}\n", prose(&fix.description))?;
    if let Some(config) = &fix.config {
        let [file, setting, value] = [&config.file, &config.setting, &config.value].map(|text| prose(text));
        writeln!(out, "In {file}, set {setting} to {value}.\n")?;
    }
    for (label, code) in [("Before:", &fix.before), ("After:", &fix.after)] {
        if let Some(code) = code {
            writeln!(out, "{label}\n\n{}", code_block(code, language))?;
        }
    }
    Ok(())
}

/// The name of the file's language in a fence.
fn language_of(file: &str) -> &'static str {
    match file.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "ts" | "mts" | "cts" => "ts",
        "tsx" => "tsx",
        "jsx" => "jsx",
        "js" | "mjs" | "cjs" => "js",
        "prisma" => "prisma",
        "sql" => "sql",
        "json" => "json",
        "yml" | "yaml" => "yaml",
        _ => "",
    }
}

fn plan(out: &mut String, plan: &Plan) -> fmt::Result {
    writeln!(out, "## Summary & Action Plan\n\n### Fix Now\n")?;
    if !plan.fix_now.is_empty() {
        writeln!(out, "Estimated time: {}.\n", time(plan.fix_now_minutes))?;
    }
    plan_items(out, &plan.fix_now)?;
    writeln!(out, "### Fix Soon\n")?;
    plan_items(out, &plan.fix_soon)?;
    writeln!(out, "### Monitor\n")?;
    if plan.monitor.is_empty() {
        return writeln!(out, "Nothing.\n");
    }
    writeln!(out, "| Finding | Location | Metric | Act when |\n|---|---|---|---|")?;
    for item in &plan.monitor {
        let [check, title, metric, threshold] =
            [&item.check, &item.title, &item.metric, &item.threshold].map(|text| prose(text));
        writeln!(out, "| {check} {title} | {} | {metric} | {threshold} |", place(&item.location))?;
    }
    writeln!(out)
}

fn measures(out: &mut String, plan: &Plan) -> fmt::Result {
    if plan.measure.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Metrics, Tracing and Logging before the test\n")?;
    writeln!(out, "| Kind | Name | Labels | Shows | Failed when |\n|---|---|---|---|---|")?;
    for measure in &plan.measure {
        let [name, labels, shows] =
            [&measure.name, &measure.labels.join(", "), &measure.shows].map(|text| prose(text));
        let threshold = measure.threshold.as_deref().map_or_else(|| String::from("–"), prose);
        writeln!(out, "| {} | {name} | {labels} | {shows} | {threshold} |", measure.kind.name())?;
    }
    writeln!(out)
}

fn load_test(out: &mut String, test: &LoadTest) -> fmt::Result {
    if test.requests.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## Load Test\n\n`loadworthy plan --output load-test` writes the scripts. The busiest route alone:\n"
    )?;
    writeln!(out, "{}", code_block(&test.command, "sh"))?;
    for (number, step) in test.steps.iter().enumerate() {
        writeln!(out, "{}. {}", number + 1, prose(step))?;
    }
    if !test.weights.is_empty() {
        writeln!(out, "\nShares {}.", prose(&test.weights))?;
    }
    writeln!(out, "\n| Request | Share |\n|---|---|")?;
    for request in test.requests.iter().take(TEST_REQUESTS) {
        let name = prose(&format!("{} {}", request.method, request.path));
        writeln!(out, "| {name} | {:.1} % |", request.share * 100.0)?;
    }
    if let Some(more) = test.requests.len().checked_sub(TEST_REQUESTS).filter(|more| *more > 0) {
        writeln!(out, "| {more} more | |")?;
    }
    writeln!(out)?;
    for line in &test.seed {
        writeln!(out, "- Data: {}", prose(line))?;
    }
    for left in &test.left_out {
        writeln!(out, "- Left out: {} ({})", prose(&left.route), prose(&left.reason))?;
    }
    writeln!(out)
}

/// Most requests of the load test that the report lists; the kit has all.
const TEST_REQUESTS: usize = 20;

fn plan_items(out: &mut String, items: &[PlanItem]) -> fmt::Result {
    if items.is_empty() {
        return writeln!(out, "Nothing.\n");
    }
    for (number, item) in items.iter().enumerate() {
        let [check, title] = [&item.check, &item.title].map(|text| prose(text));
        writeln!(
            out,
            "{}. {} {check} {title} ({}), {} min",
            number + 1,
            item.severity.name(),
            place(&item.location),
            item.effort_minutes
        )?;
    }
    writeln!(out)
}

fn time(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn routes(out: &mut String, report: &Report) -> fmt::Result {
    if report.routes.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Routes\n\n| Route | Declared | Queries | Predicted p95 |\n|---|---|---|---|")?;
    for route in &report.routes {
        let name = prose(&format!("{} {}", route.method, route.path));
        let queries = route
            .queries_per_request
            .map_or("–".to_owned(), |queries| format!("{}", (queries * 10.0).round() / 10.0));
        let p95 = route.p95_millis.map_or("–".to_owned(), |millis| format!("{millis:.0} ms"));
        writeln!(out, "| {name} | {} | {queries} | {p95} |", place(&route.location))?;
    }
    writeln!(out)
}

fn diagnostics(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "## Diagnostics\n")?;
    if report.diagnostics.is_empty() {
        return writeln!(out, "Every file was read and parsed.");
    }
    for diagnostic in &report.diagnostics {
        let place = match (&diagnostic.file, diagnostic.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            (Some(file), None) => format!("{file}: "),
            (None, _) => String::new(),
        };
        writeln!(out, "- {}", prose(&format!("{place}{}", diagnostic.message)))?;
    }
    Ok(())
}
