//! Names of container images.

/// `registry:5000/bitnami/postgresql:16.2-debian@sha256:…`.
pub(crate) struct Image<'i> {
    name: &'i str,
    tag: Option<&'i str>,
}

impl<'i> Image<'i> {
    pub(crate) fn parse(text: &'i str) -> Self {
        let text = text.trim().split('@').next().unwrap_or_default();
        let last = text.rfind('/').map_or(0, |at| at + 1);
        match text.get(last..).and_then(|end| end.find(':')).map(|at| last + at) {
            Some(colon) => Self { name: text.get(..colon).unwrap_or(text), tag: text.get(colon + 1..) },
            None => Self { name: text, tag: None },
        }
    }

    /// Without tag and digest.
    pub(crate) fn name(&self) -> &'i str {
        self.name
    }

    /// The name and tag, for people.
    pub(crate) fn shown(&self) -> String {
        let name = self.name.rsplit('/').next().unwrap_or(self.name);
        match self.tag {
            Some(tag) => format!("{name}:{tag}"),
            None => name.to_owned(),
        }
    }

    /// The number at the start of the tag: `16.2` of `16.2-alpine`, `v16`, `pg16`.
    pub(crate) fn version(&self) -> Option<String> {
        let tag = self.tag?;
        // `2.25.2-pg17`: an extension's own version, then that of the server.
        let server =
            tag.split(['-', '_']).find(|part| part.strip_prefix("pg").is_some_and(starts_with_digit));
        let tag = server.unwrap_or(tag).trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        let end = tag.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(tag.len());
        let number = tag.get(..end)?.trim_matches('.');
        (!number.is_empty()).then(|| number.to_owned())
    }

    /// The version of Node.js, if the image is one of it: `20.11`, `lts`, `latest`.
    pub(crate) fn node_version(&self) -> Option<String> {
        let last = self.name.rsplit('/').next().unwrap_or(self.name);
        if matches!(last, "node" | "nodejs") || (last == "pm2" && self.name.contains("keymetrics")) {
            let Some(tag) = self.tag.filter(|tag| !tag.is_empty()) else { return Some("latest".to_owned()) };
            return match tag.split(['-', '.']).next() {
                Some(word @ ("lts" | "current" | "latest")) => Some(word.to_owned()),
                _ => self.version().or_else(|| code_name(tag)),
            };
        }
        // Distroless images carry the version in their name.
        let digits = last.strip_prefix("nodejs")?.trim_start_matches('-').split('-').next()?;
        digits.parse::<u32>().ok().map(|major| major.to_string())
    }

    pub(crate) fn is_lambda(&self) -> bool {
        self.name.contains("lambda/nodejs")
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
}

/// Release lines of Node.js have names too.
fn code_name(tag: &str) -> Option<String> {
    release_of(tag.split('-').next()?).map(str::to_owned)
}

/// The major version of a release line's name.
pub(crate) fn release_of(name: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 9] = [
        ("carbon", "8"),
        ("dubnium", "10"),
        ("erbium", "12"),
        ("fermium", "14"),
        ("gallium", "16"),
        ("hydrogen", "18"),
        ("iron", "20"),
        ("jod", "22"),
        ("krypton", "24"),
    ];
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, major)| *major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_told_apart() {
        let image = Image::parse("registry:5000/bitnami/postgresql:16.2-debian@sha256:abc");
        assert_eq!(
            (image.name(), image.version().as_deref()),
            ("registry:5000/bitnami/postgresql", Some("16.2"))
        );
        assert_eq!(Image::parse("pgvector/pgvector:pg16").version().as_deref(), Some("16"));
        assert_eq!(Image::parse("timescale/timescaledb:2.25.2-pg17").version().as_deref(), Some("17"));
        assert_eq!(Image::parse("redis").version(), None);
        assert_eq!(Image::parse("postgres:alpine").version(), None);
        assert_eq!(Image::parse("node:hydrogen-slim").node_version().as_deref(), Some("18"));
        assert_eq!(Image::parse("nodered/node-red:3").node_version(), None);
        assert_eq!(Image::parse("").node_version(), None);
    }
}
