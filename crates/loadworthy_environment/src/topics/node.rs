//! The version of Node.js.

use super::{Scene, best, settle};
use crate::fact::{Confidence, Known, Place};

/// The version of Node.js that runs the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeVersion {
    /// As written (`20.11`, `>=18`, `lts`).
    pub text: String,
    /// The lowest major version that fits.
    pub major: u32,
}

/// What `lts` means, and what the audit assumes where nothing says: a release line in long-term support.
const LTS_MAJOR: u32 = 22;

const MATTERS: &str =
    "unhandled rejections end the process from 15, and server timeouts and fetch differ by version";

pub(crate) fn version(scene: &Scene<'_>) -> Known<NodeVersion> {
    if let Some(text) = scene.overrides.text("node.version") {
        return Known::overridden(parsed(text));
    }
    let mut signs = scene.of_running_server(&scene.files.signs.node_versions);
    signs.retain(|sign| is_version(&sign.value));
    let is_stated = best(&signs).is_some_and(|sign| sign.confidence > Confidence::Low);
    if let Some(known) = settle(&signs) {
        let known = known.map(|text| parsed(&text));
        return if is_stated { known } else { known.confirm(look_at(scene), MATTERS) };
    }
    let assumed = NodeVersion { text: format!("{LTS_MAJOR} (assumed)"), major: LTS_MAJOR };
    Known::assumed(assumed, look_at(scene), MATTERS).with_evidence(types_hint(scene))
}

fn look_at(scene: &Scene<'_>) -> String {
    format!("`node --version` where the server runs; state it as engines.node in {}", scene.server_manifest())
}

/// `@types/node` follows the version that a developer had in mind.
fn types_hint(scene: &Scene<'_>) -> Option<Place> {
    let place = scene.declared("@types/node", scene.server())?;
    Some(Place { note: format!("{} (only a hint)", place.note), ..place })
}

fn is_version(text: &str) -> bool {
    text.contains(|letter: char| letter.is_ascii_digit())
        || ["lts", "latest", "current", "node", "stable"].iter().any(|word| text.starts_with(word))
}

fn parsed(text: &str) -> NodeVersion {
    let lowest = node_semver::Range::parse(text).ok().and_then(|range| range.min_version());
    let major = lowest.and_then(|version| u32::try_from(version.major).ok()).filter(|major| *major > 0);
    NodeVersion { text: text.to_owned(), major: major.or_else(|| code_name(text)).unwrap_or(LTS_MAJOR) }
}

/// `lts/iron`
fn code_name(text: &str) -> Option<u32> {
    let name = text.strip_prefix("lts/")?;
    crate::sources::images::release_of(name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_version_that_fits_counts() {
        for (text, major) in [
            ("20.11.0", 20),
            (">=14", 14),
            ("18.x || 20.x", 18),
            ("^16.13.0", 16),
            ("lts/iron", 20),
            ("lts", 22),
            ("20", 20),
            ("*", 22),
        ] {
            assert_eq!(parsed(text).major, major, "{text}");
        }
    }
}
