//! Facts the user of the audit knows better: `key=value` settings.

use std::collections::BTreeMap;

/// Facts set by the user, by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    values: BTreeMap<&'static str, Setting>,
}

/// A value set by the user.
#[derive(Clone, Debug, PartialEq)]
enum Setting {
    Number(f64),
    Flag(bool),
    Text(String),
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// A whole number from 1.
    Count,
    /// A number from 0.
    Number,
    /// `true` or `false`.
    Flag,
    /// Any text.
    Text,
}

/// Every key, sorted.
const KEYS: &[(&str, Takes)] = &[
    ("database.kind", Takes::Text),
    ("database.max_connections", Takes::Count),
    ("database.pool.acquire_timeout_ms", Takes::Number),
    ("database.pool.max", Takes::Count),
    ("database.pool.min", Takes::Number),
    ("database.pool.statement_timeout_ms", Takes::Number),
    ("database.version", Takes::Text),
    ("deployment.cores", Takes::Number),
    ("deployment.heap_mb", Takes::Number),
    ("deployment.instances", Takes::Count),
    ("deployment.memory_mb", Takes::Number),
    ("deployment.node_env", Takes::Text),
    ("deployment.serverless", Takes::Flag),
    ("express.version", Takes::Text),
    ("node.version", Takes::Text),
    ("proxy.compression", Takes::Flag),
    ("proxy.present", Takes::Flag),
    ("proxy.rate_limit", Takes::Flag),
    ("react.compiler", Takes::Flag),
    ("react.version", Takes::Text),
];

/// Why a setting was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// There is no such key.
    #[error("unknown setting `{key}`; known: {}", known())]
    UnknownKey {
        /// The key as given.
        key: String,
    },
    /// The value has another form.
    #[error("`{key}` takes {expected}, not `{value}`")]
    BadValue {
        /// The key.
        key: &'static str,
        /// What it takes, in words.
        expected: &'static str,
        /// The value as given.
        value: String,
    },
    /// A pair without `=`.
    #[error("`{pair}` is not key=value")]
    NotAPair {
        /// The text as given.
        pair: String,
    },
}

fn known() -> String {
    KEYS.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", ")
}

impl Overrides {
    /// Every key that can be set.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        KEYS.iter().map(|(key, _)| *key)
    }

    /// Reads `key=value` pairs; of pairs with the same key the last counts.
    ///
    /// # Errors
    /// An unknown key, a value of another form, a text without `=`.
    pub fn parse<'p>(pairs: impl IntoIterator<Item = &'p str>) -> Result<Self, OverrideError> {
        let mut overrides = Self::default();
        for pair in pairs {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| OverrideError::NotAPair { pair: pair.to_owned() })?;
            overrides.set(key.trim(), value.trim())?;
        }
        Ok(overrides)
    }

    /// Reads the settings of a configuration: `{"database.pool.max": 20}` or `{"database": {"pool": {"max": 20}}}`.
    ///
    /// # Errors
    /// An unknown key or a value of another form.
    pub fn from_json(settings: &serde_json::Value) -> Result<Self, OverrideError> {
        let mut overrides = Self::default();
        overrides.add_json("", settings)?;
        Ok(overrides)
    }

    fn add_json(&mut self, prefix: &str, value: &serde_json::Value) -> Result<(), OverrideError> {
        match value {
            serde_json::Value::Object(entries) => {
                for (key, value) in entries {
                    let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    self.add_json(&key, value)?;
                }
                Ok(())
            }
            serde_json::Value::String(text) => self.set(prefix, text),
            other => self.set(prefix, &other.to_string()),
        }
    }

    /// Sets one key.
    ///
    /// # Errors
    /// An unknown key or a value of another form.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), OverrideError> {
        let (key, takes) = KEYS
            .iter()
            .find(|(known, _)| *known == key)
            .ok_or_else(|| OverrideError::UnknownKey { key: key.to_owned() })?;
        let setting = takes.read(value).ok_or_else(|| OverrideError::BadValue {
            key,
            expected: takes.in_words(),
            value: value.to_owned(),
        })?;
        self.values.insert(key, setting);
        Ok(())
    }

    /// Adds facts that go before those already set.
    pub fn extend(&mut self, over: Self) {
        self.values.extend(over.values);
    }

    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        match self.values.get(key)? {
            Setting::Number(number) => Some(*number),
            Setting::Flag(_) | Setting::Text(_) => None,
        }
    }

    pub(crate) fn count(&self, key: &str) -> Option<u32> {
        self.number(key).map(crate::number::count)
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.values.get(key)? {
            Setting::Flag(flag) => Some(*flag),
            Setting::Number(_) | Setting::Text(_) => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key)? {
            Setting::Text(text) => Some(text),
            Setting::Number(_) | Setting::Flag(_) => None,
        }
    }
}

impl Takes {
    fn read(self, value: &str) -> Option<Setting> {
        let number = || value.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        match self {
            Self::Count => value
                .parse::<u32>()
                .ok()
                .filter(|count| *count > 0)
                .map(|count| Setting::Number(count.into())),
            Self::Number => number().map(Setting::Number),
            Self::Flag => value.parse().ok().map(Setting::Flag),
            Self::Text => (!value.is_empty()).then(|| Setting::Text(value.to_owned())),
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::Count => "a whole number from 1",
            Self::Number => "a number from 0",
            Self::Flag => "true or false",
            Self::Text => "a text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_unique() {
        let keys: Vec<_> = Overrides::keys().collect();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(keys, sorted);
    }

    #[test]
    fn pairs_and_configurations_say_the_same() {
        let pairs = Overrides::parse(["database.pool.max=20", "deployment.serverless = true"]).unwrap();
        let nested = serde_json::json!({"database": {"pool": {"max": 20}}, "deployment.serverless": true});
        assert_eq!(pairs, Overrides::from_json(&nested).unwrap());
        assert_eq!(pairs.count("database.pool.max"), Some(20));
        assert_eq!(pairs.flag("deployment.serverless"), Some(true));
    }

    #[test]
    fn unknown_keys_list_the_known_ones() {
        let error = Overrides::parse(["database.pool.size=20"]).unwrap_err().to_string();
        assert!(error.contains("database.pool.size") && error.contains("database.pool.max"), "{error}");
    }

    #[test]
    fn values_of_another_form_are_refused() {
        for pair in
            ["deployment.instances=0", "deployment.instances=x", "proxy.present=yes", "deployment.cores=NaN"]
        {
            assert!(Overrides::parse([pair]).is_err(), "{pair}");
        }
        assert_eq!(
            Overrides::parse(["node.version"]).unwrap_err().to_string(),
            "`node.version` is not key=value"
        );
    }
}
