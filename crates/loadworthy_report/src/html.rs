//! The report as one HTML file: no network, no other files, nothing of the audited code that runs.
//!
//! All text goes through [`text`]; the only script is `html/page.js`, which the page's content security policy names by its
//! hash. Without scripts everything is there, only filters and search are not.

use std::fmt::{self, Write};

use crate::escape::visible;
use crate::github::count;
use crate::model::{Finding, PlanItem, Report, Route, Severity};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
/// SHA-256 of [`SCRIPT`] in base 64; a test compares them.
const SCRIPT_HASH: &str = "5y2SCJfkTlEAv5EUeAaxSiYpuidWhRntCb4sW6xtVNQ=";

/// The whole report.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    page(&mut out, report).unwrap_or_default();
    out
}

/// The script of the page and the hash that its policy names, for the test that compares them.
#[must_use]
pub fn html_script() -> (&'static str, &'static str) {
    (SCRIPT, SCRIPT_HASH)
}

/// Text as HTML: markup is text, and so are characters that do not print or that reorder what does. Line breaks stay.
fn text(source: &str) -> String {
    let lines: Vec<String> = source.lines().map(visible).collect();
    let mut out = String::with_capacity(source.len());
    for character in lines.join("\n").chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
    out
}

/// Prose whose code spans (between backticks) are code elements.
fn prose(source: &str) -> String {
    let parts: Vec<&str> = source.split('`').collect();
    let is_paired = parts.len() % 2 == 1;
    let part = |(at, part): (usize, &&str)| {
        if is_paired && at % 2 == 1 { format!("<code>{}</code>", text(part)) } else { text(part) }
    };
    parts.iter().enumerate().map(part).collect()
}

fn page(out: &mut String, report: &Report) -> fmt::Result {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src \
         'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Load readiness {:.1}/10</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n",
        report.score.value
    )?;
    head(out, report)?;
    out.push_str("<main>\n");
    score(out, report)?;
    resources(out, report)?;
    findings(out, report)?;
    plan(out, report)?;
    routes(out, &report.routes)?;
    measures(out, report)?;
    environment(out, report)?;
    diagnostics(out, report)?;
    out.push_str("</main>\n");
    let (name, version) = (text(&report.tool.name), text(&report.tool.version));
    write!(
        out,
        "<footer>{name} {version}. Press / to search.</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Monitor => "monitor",
    }
}

/// The arc of the dial: radius 60, so a circumference of 377.
const CIRCUMFERENCE: f64 = 377.0;

fn head(out: &mut String, report: &Report) -> fmt::Result {
    let score = &report.score;
    let arc = CIRCUMFERENCE * (score.value / 10.0).clamp(0.0, 1.0);
    let target = &report.target;
    writeln!(
        out,
        "<header>\n<svg class=\"dial\" viewBox=\"0 0 140 140\" role=\"img\" aria-label=\"Score {0:.1} of 10\"><circle \
         class=\"rail\" cx=\"70\" cy=\"70\" r=\"60\"/><circle class=\"value\" cx=\"70\" cy=\"70\" r=\"60\" \
         stroke-dasharray=\"{arc:.1} {CIRCUMFERENCE}\" transform=\"rotate(-90 70 70)\"/><text x=\"70\" y=\"76\">{0:.1}</text><text \
         class=\"of\" x=\"70\" y=\"96\">of 10</text></svg>\n<div>\n<h1>Load readiness</h1>\n<p>{1}.</p>\n<p class=\"soft\">Target: \
         {2} users, {3} requests/s for {4} s, p95 under {5} ms, errors under {6}%.</p>\n<ul class=\"counts\">",
        score.value,
        text(score.band.meaning()),
        target.users,
        target.requests_per_second,
        target.duration_seconds,
        target.p95_millis,
        (target.error_rate * 10_000.0).round() / 100.0
    )?;
    for severity in Severity::ALL {
        let of = report.findings.iter().filter(|finding| finding.severity == severity).count();
        writeln!(out, "<li class=\"tag {}\">{of} {}</li>", class(severity), severity.name())?;
    }
    writeln!(out, "<li class=\"tag\">{} suspicious</li>\n</ul>\n</div>\n</header>", report.suspicious.len())?;
    out.push_str(
        "<nav aria-label=\"Sections\"><ul><li><a href=\"#score\">Score</a></li><li><a href=\"#findings\">Findings</a></li><li><a \
         href=\"#plan\">Plan</a></li><li><a href=\"#routes\">Routes</a></li><li><a href=\"#measures\">Before the test</a></li><li><a \
         href=\"#environment\">Environment</a></li></ul></nav>\n",
    );
    Ok(())
}

fn score(out: &mut String, report: &Report) -> fmt::Result {
    let score = &report.score;
    out.push_str("<section id=\"score\">\n<h2>Score</h2>\n");
    if score.range.low < score.range.high {
        writeln!(
            out,
            "<p>Between {:.1} and {:.1}, with the suspicious patterns.</p>",
            score.range.low, score.range.high
        )?;
    }
    out.push_str("<ul>\n");
    for line in &score.justification {
        writeln!(out, "<li>{}</li>", prose(line))?;
    }
    out.push_str("</ul>\n");
    if !score.top_fixes.is_empty() {
        out.push_str("<h3>Top 3 fixes</h3>\n<ol>\n");
        for fix in &score.top_fixes {
            writeln!(
                out,
                "<li><a href=\"#f-{}\">{} {}</a>: {} min, then {:.1}</li>",
                text(&fix.finding),
                text(&fix.check),
                prose(&fix.title),
                fix.effort_minutes,
                fix.score_after
            )?;
        }
        out.push_str("</ol>\n");
    }
    if !report.packages.is_empty() {
        out.push_str("<h3>Packages</h3>\n<ul>\n");
        for package in &report.packages {
            writeln!(
                out,
                "<li>{} ({}): {:.1}</li>",
                text(&package.name),
                text(&package.path),
                package.score.value
            )?;
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
    Ok(())
}

/// How much of a resource the whole application takes, as the findings' arithmetic has it.
fn resources(out: &mut String, report: &Report) -> fmt::Result {
    let known = [
        ("loop_utilisation_in_all", "Event loop of one instance"),
        ("pool_utilisation", "Database connections"),
    ];
    let utilisation = |figure: &str| {
        let values = report.findings.iter().filter_map(|finding| finding.impact.figures.get(figure)?.value);
        values.fold(None, |most: Option<f64>, value| Some(most.map_or(value, |most| most.max(value))))
    };
    let all: Vec<(&str, f64)> =
        known.iter().filter_map(|(figure, name)| Some((*name, utilisation(figure)?))).collect();
    if all.is_empty() {
        return Ok(());
    }
    out.push_str("<section id=\"resources\">\n<h2>What saturates first</h2>\n<div class=\"bars\">\n");
    for (name, part) in all {
        let full = if part >= 1.0 { " full" } else { "" };
        let at = if part > 0.0 { report.target.requests_per_second / part } else { f64::INFINITY };
        let when = if at.is_finite() && at < 100_000.0 {
            format!("saturates at about {at:.0} requests/s")
        } else {
            String::from("far from its limit")
        };
        writeln!(
            out,
            "<div class=\"bar\"><strong>{name}</strong>: {:.0}% busy at the target, {when}<div class=\"rail-box\"><div class=\"fill{full}\" \
             style=\"width:{:.1}%\"></div></div></div>",
            part * 100.0,
            (part * 100.0).clamp(0.0, 100.0)
        )?;
    }
    out.push_str("</div>\n</section>\n");
    Ok(())
}

fn findings(out: &mut String, report: &Report) -> fmt::Result {
    out.push_str("<section id=\"findings\">\n<h2>Findings</h2>\n");
    writeln!(out, "<p>{}.</p>", count(report))?;
    let mut checks: Vec<&str> = report.findings.iter().map(|finding| finding.check.as_str()).collect();
    checks.extend(report.suspicious.iter().map(|it| it.finding.check.as_str()));
    checks.sort_unstable();
    checks.dedup();
    out.push_str(
        "<div class=\"tools\" role=\"search\"><input type=\"search\" id=\"search\" aria-label=\"Search findings and routes\" \
         placeholder=\"Search (/)\"><select id=\"check\" aria-label=\"Check\"><option value=\"\">all checks</option>",
    );
    for check in checks {
        write!(out, "<option>{}</option>", text(check))?;
    }
    out.push_str("</select>");
    for severity in Severity::ALL {
        let (class, name) = (class(severity), severity.name());
        write!(
            out,
            "<label class=\"{class}\"><input type=\"checkbox\" name=\"severity\" value=\"{class}\" checked> {name}</label>"
        )?;
    }
    out.push_str("<span id=\"shown\" role=\"status\"></span></div>\n");
    for severity in Severity::ALL {
        for finding in report.findings.iter().filter(|finding| finding.severity == severity) {
            card(out, finding, None)?;
        }
    }
    out.push_str("<h2>Suspicious patterns</h2>\n");
    if report.suspicious.is_empty() {
        out.push_str("<p>None.</p>\n");
    }
    for suspicion in &report.suspicious {
        card(out, &suspicion.finding, Some(&suspicion.missing_fact))?;
    }
    out.push_str("</section>\n");
    Ok(())
}

fn place(finding: &Finding) -> String {
    let location = &finding.location;
    if location.end_line > location.start_line {
        format!("{} : {}-{}", location.file, location.start_line, location.end_line)
    } else {
        format!("{} : {}", location.file, location.start_line)
    }
}

fn card(out: &mut String, finding: &Finding, missing_fact: Option<&str>) -> fmt::Result {
    let class = class(finding.severity);
    writeln!(
        out,
        "<details class=\"finding {class}\" id=\"f-{}\" data-severity=\"{class}\" data-check=\"{}\"><summary><span class=\"tag \
         {class}\">{}</span> {} {}<span class=\"where\">{} · {}</span></summary><div>",
        text(&finding.id),
        text(&finding.check),
        finding.severity.name(),
        text(&finding.check),
        prose(&finding.title),
        text(&place(finding)),
        finding.category.name()
    )?;
    section(out, "The problem", &finding.problem)?;
    if let Some(fact) = missing_fact {
        section(out, "To verify first", fact)?;
    }
    if !finding.evidence.is_empty() {
        out.push_str("<h3>How the request gets there</h3>\n<ol class=\"chain\">\n");
        for step in &finding.evidence {
            writeln!(
                out,
                "<li><code>{}:{}</code> {}</li>",
                text(&step.file),
                step.start_line,
                prose(&step.note)
            )?;
        }
        out.push_str("</ol>\n");
    }
    if !finding.routes.is_empty() {
        let routes: Vec<String> =
            finding.routes.iter().map(|route| format!("<code>{}</code>", text(route))).collect();
        writeln!(out, "<p>Reached by {}</p>", routes.join(", "))?;
    }
    section(out, "Performance impact", &finding.impact.text)?;
    writeln!(out, "<p class=\"soft\">Confidence: {}</p>", finding.confidence.name())?;
    for assumption in &finding.impact.assumptions {
        writeln!(out, "<p class=\"soft\">Assumed: {}</p>", prose(assumption))?;
    }
    section(out, "How to verify", &finding.verify)?;
    section(out, "The fix", &finding.fix.description)?;
    for (name, class, code) in
        [("Before", "before", &finding.fix.before), ("After", "after", &finding.fix.after)]
    {
        if let Some(code) = code {
            writeln!(
                out,
                "<p class=\"soft\">{name}</p><pre class=\"{class}\" tabindex=\"0\">{}</pre>",
                text(code)
            )?;
        }
    }
    section(out, "Trade-off", &finding.tradeoff)?;
    out.push_str("</div></details>\n");
    Ok(())
}

fn section(out: &mut String, name: &str, said: &str) -> fmt::Result {
    writeln!(out, "<h3>{name}</h3>\n<p>{}</p>", prose(said))
}

fn plan(out: &mut String, report: &Report) -> fmt::Result {
    let plan = &report.plan;
    writeln!(
        out,
        "<section id=\"plan\">\n<h2>Action plan</h2>\n<p>Fix now: about {} minutes.</p>",
        plan.fix_now_minutes
    )?;
    for (name, items) in [("Fix now", &plan.fix_now), ("Fix soon", &plan.fix_soon)] {
        writeln!(out, "<h3>{name}</h3>")?;
        checklist(out, items)?;
    }
    out.push_str("<h3>Monitor</h3>\n<ul>\n");
    for item in &plan.monitor {
        writeln!(
            out,
            "<li><a href=\"#f-{}\">{} {}</a>: {} — {}</li>",
            text(&item.finding),
            text(&item.check),
            prose(&item.title),
            prose(&item.metric),
            prose(&item.threshold)
        )?;
    }
    out.push_str("</ul>\n</section>\n");
    Ok(())
}

fn checklist(out: &mut String, items: &[PlanItem]) -> fmt::Result {
    if items.is_empty() {
        out.push_str("<p>Nothing.</p>\n");
        return Ok(());
    }
    out.push_str("<ul class=\"checklist\">\n");
    for item in items {
        writeln!(
            out,
            "<li><label><input type=\"checkbox\"> <span><span class=\"tag {}\">{}</span> {} {} <span class=\"soft\">({}:{}, {} \
             min)</span></span></label></li>",
            class(item.severity),
            item.severity.name(),
            text(&item.check),
            prose(&item.title),
            text(&item.location.file),
            item.location.start_line,
            item.effort_minutes
        )?;
    }
    out.push_str("</ul>\n");
    Ok(())
}

fn routes(out: &mut String, routes: &[Route]) -> fmt::Result {
    out.push_str(
        "<section id=\"routes\">\n<h2>Routes</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Routes\">\n<table \
         id=\"routes-table\"><thead><tr><th scope=\"col\">Method</th><th scope=\"col\">Path</th><th scope=\"col\" \
         class=\"number\">Queries</th><th scope=\"col\" class=\"number\">p95 (ms)</th><th scope=\"col\" class=\"number\">Share</th><th \
         scope=\"col\">Where, and what runs before</th></tr></thead>\n<tbody>\n",
    );
    let number = |value: Option<f64>| value.map_or_else(|| String::from("–"), |value| format!("{value:.1}"));
    for route in routes {
        writeln!(
            out,
            "<tr><td>{}</td><td><code>{}</code></td><td class=\"number\">{}</td><td class=\"number\">{}</td><td \
             class=\"number\">{:.1}%</td><td><details><summary>{}:{}</summary>{}</details></td></tr>",
            text(&route.method),
            text(&route.path),
            number(route.queries_per_request),
            number(route.p95_millis),
            route.traffic_share * 100.0,
            text(&route.location.file),
            route.location.start_line,
            text(&route.middleware.join(" → "))
        )?;
    }
    out.push_str("</tbody></table>\n</div>\n</section>\n");
    Ok(())
}

fn measures(out: &mut String, report: &Report) -> fmt::Result {
    let plan = &report.plan;
    out.push_str("<section id=\"measures\">\n<h2>Before the load test</h2>\n<ul>\n");
    for measure in &plan.measure {
        let limit =
            measure.threshold.as_deref().map_or_else(String::new, |limit| format!(" ({})", prose(limit)));
        writeln!(
            out,
            "<li>{} <code>{}</code>: {}{limit}</li>",
            measure.kind.name(),
            text(&measure.name),
            prose(&measure.shows)
        )?;
    }
    out.push_str("</ul>\n");
    if !plan.load_test.command.is_empty() {
        writeln!(
            out,
            "<h3>Load test</h3>\n<pre tabindex=\"0\">{}</pre>\n<ol>",
            text(&plan.load_test.command)
        )?;
        for step in &plan.load_test.steps {
            writeln!(out, "<li>{}</li>", prose(step))?;
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</section>\n");
    Ok(())
}

fn environment(out: &mut String, report: &Report) -> fmt::Result {
    out.push_str(
        "<section id=\"environment\">\n<h2>Environment and assumptions</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Environment\">\n<table><thead><tr><th scope=\"col\">Fact</th><th scope=\"col\">Value</th><th scope=\"col\">Evidence, or \
         where to look</th></tr></thead>\n<tbody>\n",
    );
    for fact in &report.environment {
        let shown = if let Some(needed) = &fact.needs_confirmation {
            format!("<strong>Needs confirmation</strong>: {}", prose(&needed.look_at))
        } else {
            let places = fact.evidence.iter().map(|step| text(&format!("{}:{}", step.file, step.start_line)));
            places.collect::<Vec<_>>().join(", ")
        };
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{shown}</td></tr>",
            text(&fact.fact),
            prose(&fact.value)
        )?;
    }
    out.push_str("</tbody></table>\n</div>\n</section>\n");
    Ok(())
}

fn diagnostics(out: &mut String, report: &Report) -> fmt::Result {
    if report.diagnostics.is_empty() {
        return Ok(());
    }
    out.push_str("<section id=\"diagnostics\">\n<h2>What could not be audited</h2>\n<ul>\n");
    for diagnostic in &report.diagnostics {
        let file = diagnostic.file.as_deref().unwrap_or_default();
        let line = diagnostic.line.map_or_else(String::new, |line| format!(":{line}"));
        writeln!(out, "<li>{}{line} {}</li>", text(file), prose(&diagnostic.message))?;
    }
    out.push_str("</ul>\n</section>\n");
    Ok(())
}
