//! Connection URLs: what they say about the server, never who logs in.

use loadworthy_knowledge::{HostRow, Knowledge};

/// The parts of a URL that are no secret.
#[derive(Debug)]
pub(crate) struct ConnectionUrl<'u> {
    /// `postgresql`, `mongodb+srv`.
    pub(crate) scheme: &'u str,
    /// Host and port, without credentials.
    authority: &'u str,
    query: &'u str,
}

impl<'u> ConnectionUrl<'u> {
    pub(crate) fn parse(text: &'u str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let is_scheme =
            !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '-');
        if !is_scheme {
            return None;
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        // Passwords may hold `/` and `@` unescaped: the host stands after the last `@`.
        let after_login = before.rsplit('@').next().unwrap_or(before);
        let authority = after_login.split('/').next().unwrap_or_default();
        Some(Self { scheme, authority, query })
    }

    /// A parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.parameters()
            .find(|(key, _)| *key == name)?
            .1
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }

    fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.split(['&', '#']).filter_map(|pair| pair.split_once('='))
    }

    fn host(&self) -> &str {
        let first = self.authority.split(',').next().unwrap_or_default();
        first.split(':').next().unwrap_or_default()
    }

    /// The managed service it leads to.
    pub(crate) fn service<'k>(&self, knowledge: &'k Knowledge) -> Option<&'k HostRow> {
        knowledge.host(&self.host().to_ascii_lowercase())
    }

    /// Whether a connection pooler answers: by a parameter, the host name or the port.
    pub(crate) fn is_pooled(&self, knowledge: &Knowledge) -> bool {
        let by_parameter =
            self.parameters().any(|(key, value)| matches!(key, "pgbouncer" | "pooled") && value == "true");
        let mark = self.service(knowledge).and_then(|row| row.pooler.as_deref());
        by_parameter || self.scheme == "prisma" || mark.is_some_and(|mark| self.authority.contains(mark))
    }

    /// The product, where the scheme names it.
    pub(crate) fn product(&self, knowledge: &Knowledge) -> Option<String> {
        let scheme = self.scheme.split('+').next().unwrap_or_default();
        product_of(scheme, knowledge)
    }
}

/// The database product of a dialect, driver or scheme: `pg`, `postgresql`, `mysql2`.
pub(crate) fn product_of(word: &str, knowledge: &Knowledge) -> Option<String> {
    use loadworthy_knowledge::Role;
    let roles = knowledge.roles_of(word);
    let by_package = roles.iter().find(|row| row.role == Role::Database).map(|row| row.name.clone());
    by_package.or_else(|| {
        knowledge.image(word).filter(|row| row.role == Role::Database).map(|row| row.name.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_told_from_the_login() {
        let text = "postgresql://app:p@ss/w:rd@ep-x-pooler.eu.aws.neon.tech:5432/db?sslmode=require&connection_limit=5";
        let url = ConnectionUrl::parse(text).unwrap();
        let knowledge = Knowledge::builtin();
        assert_eq!(url.host(), "ep-x-pooler.eu.aws.neon.tech");
        assert_eq!(url.service(knowledge).unwrap().provider, "Neon");
        assert!(url.is_pooled(knowledge));
        assert_eq!(url.number("connection_limit"), Some(5.0));
        assert_eq!(url.product(knowledge).as_deref(), Some("PostgreSQL"));
    }

    #[test]
    fn several_hosts_and_schemes_with_a_suffix_are_understood() {
        let url = ConnectionUrl::parse("mongodb+srv://a:b@cluster0.abc.mongodb.net/?maxPoolSize=50").unwrap();
        assert_eq!(url.product(Knowledge::builtin()).as_deref(), Some("MongoDB"));
        assert_eq!(url.number("maxPoolSize"), Some(50.0));
        assert!(!url.is_pooled(Knowledge::builtin()));
        assert!(ConnectionUrl::parse("localhost:5432").is_none());
        assert!(ConnectionUrl::parse("${DB_URL}://x").is_none());
    }

    #[test]
    fn dialects_name_products() {
        for (word, product) in [
            ("pg", "PostgreSQL"),
            ("postgresql", "PostgreSQL"),
            ("mysql2", "MySQL"),
            ("better-sqlite3", "SQLite"),
            ("mongodb", "MongoDB"),
        ] {
            assert_eq!(product_of(word, Knowledge::builtin()).as_deref(), Some(product), "{word}");
        }
        assert_eq!(product_of("redis", Knowledge::builtin()), None);
    }
}
