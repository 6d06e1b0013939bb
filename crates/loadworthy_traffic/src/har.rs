//! HAR files, and arrays of records: one JSON value that is read as it comes.

use std::fmt;
use std::io::Read;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::request::Entry;
use crate::time;

/// What is asked of an entry; bodies are passed over.
#[derive(serde::Deserialize)]
pub(crate) struct HarEntry {
    #[serde(rename = "startedDateTime", default)]
    started: Option<String>,
    request: HarRequest,
}

#[derive(serde::Deserialize)]
struct HarRequest {
    method: String,
    url: String,
}

impl HarEntry {
    pub(crate) fn entry(&self) -> Entry {
        let at = self.started.as_deref().and_then(time::of_text);
        Entry::of(&self.request.method, &self.request.url, at)
    }
}

/// Hands the entries of a HAR on, one after the other.
pub(crate) fn har(input: impl Read, each: &mut dyn FnMut(&HarEntry)) -> serde_json::Result<()> {
    let entries = Each { each, of: PhantomData };
    let log = Within { key: "entries", inner: entries };
    let mut json = serde_json::Deserializer::from_reader(input);
    Within { key: "log", inner: log }.deserialize(&mut json)?;
    json.end()
}

/// Hands the elements of an array on, one after the other.
pub(crate) fn array<T: DeserializeOwned>(
    input: impl Read,
    each: &mut dyn FnMut(&T),
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_reader(input);
    Each { each, of: PhantomData }.deserialize(&mut json)?;
    json.end()
}

/// Reads the value of one key of an object, and passes over the others.
struct Within<S> {
    key: &'static str,
    inner: S,
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for Within<S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> Visitor<'de> for Within<S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut inner = Some(self.inner);
        while let Some(key) = map.next_key::<String>()? {
            match inner.take_if(|_| key == self.key) {
                Some(inner) => map.next_value_seed(inner)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Hands each element of an array on.
struct Each<'f, T> {
    each: &'f mut dyn FnMut(&T),
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Each<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<T>()? {
            (self.each)(&element);
        }
        Ok(())
    }
}
