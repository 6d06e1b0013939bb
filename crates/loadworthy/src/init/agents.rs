//! Instructions for coding agents: when to audit, and how to read what the audit says.

/// A file that agents read.
pub(super) struct AgentFile {
    /// Where it lies, relative to the project.
    pub(super) path: &'static str,
    /// What the agent's tool wants at the head of a file of its own; `None` where the file is everybody's and the text is
    /// one part of it.
    head: Option<&'static str>,
}

/// The common rules file, a skill and an editor's rule.
pub(super) const FILES: &[AgentFile] = &[
    AgentFile { path: "AGENTS.md", head: None },
    AgentFile {
        path: ".claude/skills/loadworthy/SKILL.md",
        head: Some(
            "---\nname: loadworthy\ndescription: Audit a Node.js or React application for what breaks it under load, after changing routes, queries, caches, streams, outbound calls or components, and before a load test.\n---\n\n",
        ),
    },
    AgentFile {
        path: ".cursor/rules/loadworthy.mdc",
        head: Some(
            "---\ndescription: Audit for load readiness after changing routes, queries, caches, streams, outbound calls or components\nalwaysApply: false\n---\n\n",
        ),
    },
];

const BEGIN: &str = "<!-- loadworthy:begin -->\n";
const END: &str = "<!-- loadworthy:end -->\n";

const INSTRUCTIONS: &str = "\
## Load readiness

After a change to routes, queries, caches, streams, outbound calls or React components, run

    loadworthy . --format agent --since HEAD

It lists what the change breaks under load; without `--since HEAD` it lists all there is. It reads the code only.

- `[CRITICAL]` and `[HIGH]`: mend before you say that the work is done. `at:` is the place, `via:` the way from the route,
  `cause:` what happens under load, `do:` and `code:` the change, `done when:` how to prove it.
- `[MEDIUM]`: mend it if you wrote it; otherwise mention it.
- `[MONITOR]`: leave it; name the metric to whoever runs the service.
- `[VERIFY]`: one fact is missing. Find it out, then decide. Never silence it unread.
- `loadworthy fix . --safe --write` applies the fixes that keep the behaviour; `--review` those that change a response or
  a default: read its difference. `loadworthy explain 1A` is the page of a check.
- Run the same command again at the end. Silence a finding only if it is wrong, with the reason:
  `// loadworthy-ignore-next-line 1A -- at most three shops exist`.
";

impl AgentFile {
    /// The file's new text: its own whole, or the old one with our part in its place.
    pub(super) fn text(&self, old: Option<&str>) -> String {
        if let Some(head) = self.head {
            return format!("{head}{INSTRUCTIONS}");
        }
        let part = format!("{BEGIN}{INSTRUCTIONS}{END}");
        let Some(old) = old.filter(|old| !old.trim().is_empty()) else { return part };
        match old.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1))) {
            Some((before, after)) => format!("{before}{part}{after}"),
            None => format!("{}\n\n{part}", old.trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: &AgentFile = &AgentFile { path: "AGENTS.md", head: None };

    #[test]
    fn what_others_wrote_stays_and_our_part_is_there_once() {
        let first = COMMON.text(Some("# Rules\n\nBe kind.\n"));
        assert!(first.starts_with("# Rules\n\nBe kind.\n\n<!-- loadworthy:begin -->\n"));
        let with_more = format!("{first}\nMore.\n");
        assert_eq!(COMMON.text(Some(&with_more)), with_more);
        assert_eq!(COMMON.text(Some(&with_more.replace("Load readiness", "Old title"))), with_more);
    }

    #[test]
    fn a_part_without_end_is_left_alone() {
        let text = COMMON.text(Some("<!-- loadworthy:begin -->\nmine\n"));
        assert!(text.starts_with("<!-- loadworthy:begin -->\nmine\n\n<!-- loadworthy:begin -->\n## Load"));
    }
}
