//! The forms for machines and agents, of the same reports; and that no text of the audited code breaks out of them.

mod common;

use common::{empty, sample};
use loadworthy_report::{
    Report, Rule, agent, github, github_summary, gitlab, html, html_script, junit, sarif,
};
use serde_json::Value;

fn rules() -> Vec<Rule> {
    let rule = |code: &str, slug: &str| Rule {
        code: code.to_owned(),
        slug: slug.to_owned(),
        summary: format!("what {slug} is"),
        page: format!("# {slug}\n"),
    };
    vec![rule("1A", "n-plus-one"), rule("2B", "unbounded-cache"), rule("5A", "rerender-storm")]
}

/// Everything that an attacker can put into names, comments and strings.
const HOSTILE: &str = "x\n::error file=a::b <script>alert(1)</script> ]]> \u{202E}\u{0} \"'& %0A";

fn hostile() -> Report {
    let mut report = sample();
    for finding in &mut report.findings {
        HOSTILE.clone_into(&mut finding.title);
        HOSTILE.clone_into(&mut finding.problem);
        HOSTILE.clone_into(&mut finding.location.file);
        HOSTILE.clone_into(&mut finding.fix.description);
        finding.fix.after = Some(HOSTILE.to_owned());
        for step in &mut finding.evidence {
            HOSTILE.clone_into(&mut step.note);
            HOSTILE.clone_into(&mut step.file);
        }
    }
    report
}

#[test]
fn sarif_of_a_report() {
    insta::assert_snapshot!(sarif(&sample(), &rules()));
}

#[test]
fn github_of_a_report() {
    insta::assert_snapshot!(github(&sample()) + "---\n" + &github_summary(&sample()));
}

#[test]
fn gitlab_of_a_report() {
    insta::assert_snapshot!(gitlab(&sample()));
}

#[test]
fn junit_of_a_report() {
    insta::assert_snapshot!(junit(&sample(), &rules()));
}

#[test]
fn agent_of_a_report() {
    insta::assert_snapshot!(agent(&sample()));
}

#[test]
fn agent_of_an_empty_report() {
    insta::assert_snapshot!(agent(&empty()));
}

/// The places of a SARIF log where the standard demands a relation between parts.
#[test]
fn sarif_refers_to_its_own_rules_and_has_lines_from_one() {
    for report in [sample(), empty(), hostile()] {
        let log: Value = serde_json::from_str(&sarif(&report, &rules())).unwrap();
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), report.findings.len() + report.suspicious.len());
        for result in results {
            if let Some(index) = result["ruleIndex"].as_u64() {
                assert_eq!(rules[usize::try_from(index).unwrap()]["id"], result["ruleId"]);
            }
            let region = &result["locations"][0]["physicalLocation"]["region"];
            assert!(region["startLine"].as_u64().unwrap() >= 1);
            assert!(region["endLine"].as_u64().unwrap() >= region["startLine"].as_u64().unwrap());
            let is_review = result["kind"] == "review";
            assert_eq!(is_review, result["level"] == "none");
            assert!(!result["partialFingerprints"]["loadworthy/v1"].as_str().unwrap().is_empty());
        }
    }
}

#[test]
fn no_text_of_the_code_becomes_a_workflow_command() {
    let report = hostile();
    let commands = github(&report).lines().filter(|line| line.starts_with("::")).count();
    assert_eq!(commands, report.findings.len() + report.suspicious.len());
}

#[test]
fn no_text_of_the_code_becomes_markup_of_junit() {
    let text = junit(&hostile(), &rules());
    assert!(!text.contains("<script>") && !text.contains('\u{0}') && !text.contains('\u{202E}'));
    let opened = text.matches("<testcase ").count();
    let closed = text.matches("</testcase>").count() + text.matches("name=\"nothing found\"/>").count();
    assert_eq!(opened, closed);
}

#[test]
fn what_agents_read_ends_with_one_line_that_says_how_it_stands() {
    for report in [sample(), empty(), hostile()] {
        let text = agent(&report);
        assert!(text.lines().last().unwrap().starts_with("loadworthy: "), "{text}");
        assert!(!text.contains('\u{202E}'));
    }
}

#[test]
fn the_policy_of_the_page_names_its_script() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let (script, named) = html_script();
    assert_eq!(base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script)), named);
    let page = html(&sample());
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains(&format!("script-src 'sha256-{named}'")));
}

#[test]
fn no_text_of_the_code_becomes_markup_of_the_page() {
    let page = html(&hostile());
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains('\u{0}') && !page.contains('\u{202E}'));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn the_page_has_every_finding_once_and_links_lead_to_them() {
    let report = sample();
    let page = html(&report);
    for finding in &report.findings {
        assert_eq!(page.matches(&format!("id=\"f-{}\"", finding.id)).count(), 1);
    }
    for fix in &report.score.top_fixes {
        assert!(page.contains(&format!("href=\"#f-{}\"", fix.finding)));
    }
}
