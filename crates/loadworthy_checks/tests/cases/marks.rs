//! Comments that say what must be found: `// finding: 1A HIGH`, `// suspicious: 1A`, several joined by `;`.
//!
//! A mark stands on the line that is reported, or alone on the line before. It is cut from the file that is audited.

use loadworthy_capacity::Severity;

/// Whether something is reported as proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tier {
    Finding,
    Suspicious,
}

impl Tier {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Suspicious => "suspicious",
        }
    }
}

/// What must be found on a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    /// Counted from 1.
    pub(crate) line: u32,
    pub(crate) tier: Tier,
    pub(crate) code: String,
    pub(crate) severity: Option<Severity>,
}

/// A text without its marks, and the marks.
pub(crate) fn take(text: &str) -> Result<(String, Vec<Mark>), String> {
    let mut marks = Vec::new();
    let mut clean = String::new();
    let mut waiting: Vec<Mark> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = u32::try_from(index + 1).map_err(|_| "too many lines")?;
        let (code, found) = split(line).map_err(|message| format!("line {number}: {message}"))?;
        clean.push_str(code);
        clean.push('\n');
        let is_alone = code.trim().is_empty() && !found.is_empty();
        waiting.extend(found);
        if !is_alone {
            marks.extend(waiting.drain(..).map(|mark| Mark { line: number, ..mark }));
        }
    }
    if waiting.is_empty() { Ok((clean, marks)) } else { Err("a mark after the last line".to_owned()) }
}

const OPENERS: [&str; 6] = ["{/*", "/*", "//", "<!--", "--", "#"];
const CLOSERS: [&str; 3] = ["*/}", "*/", "-->"];

/// The code of a line and its marks.
fn split(line: &str) -> Result<(&str, Vec<Mark>), String> {
    for opener in OPENERS {
        for (at, _) in line.match_indices(opener) {
            let (code, comment) = line.split_at(at);
            let comment = comment.trim_start_matches(opener).trim();
            if comment.starts_with("finding:") || comment.starts_with("suspicious:") {
                return Ok((code.trim_end(), all(comment)?));
            }
        }
    }
    Ok((line, Vec::new()))
}

fn all(comment: &str) -> Result<Vec<Mark>, String> {
    let open = CLOSERS.iter().find_map(|closer| comment.strip_suffix(closer)).unwrap_or(comment);
    open.split(';').map(|mark| one(mark.trim()).ok_or_else(|| malformed(mark.trim()))).collect()
}

fn malformed(mark: &str) -> String {
    format!("`{mark}` is not of the form `finding: 1A HIGH` or `suspicious: 1A` (joined by `;`)")
}

fn one(mark: &str) -> Option<Mark> {
    let (tier, rest) = mark.split_once(':')?;
    let tier = match tier {
        "finding" => Tier::Finding,
        "suspicious" => Tier::Suspicious,
        _ => return None,
    };
    let mut words = rest.split_whitespace();
    let code = words.next().filter(|code| is_code(code))?.to_owned();
    let severity = match words.next() {
        Some(word) => Some(severity(word)?),
        None => None,
    };
    words.next().is_none().then_some(Mark { line: 0, tier, code, severity })
}

fn is_code(text: &str) -> bool {
    matches!(text.as_bytes(), [b'1'..=b'9', b'A'..=b'Z'])
}

fn severity(word: &str) -> Option<Severity> {
    [Severity::Monitor, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|severity| severity.name() == word)
}
