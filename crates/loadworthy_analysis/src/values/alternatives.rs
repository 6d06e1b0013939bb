//! The answer to a question of values: the alternatives that an expression may be.

use std::ops::Deref;
use std::sync::Arc;

use super::Value;

/// Most alternatives that are kept apart; past it the value is as good as unknown.
pub(super) const MAX_ALTERNATIVES: usize = 8;

/// The alternatives; none where nothing is known, which is most often so and therefore costs no memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Values(Option<Arc<[Value]>>);

impl Deref for Values {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl FromIterator<Value> for Values {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        values.into_iter().collect::<Vec<_>>().into()
    }
}

impl From<Vec<Value>> for Values {
    fn from(values: Vec<Value>) -> Self {
        Self((!values.is_empty()).then(|| values.into()))
    }
}

impl From<Value> for Values {
    fn from(value: Value) -> Self {
        Self(Some(Arc::new([value])))
    }
}

pub(super) fn none() -> Values {
    Values(None)
}

pub(super) fn one(value: Value) -> Values {
    value.into()
}

/// All alternatives of the parts, each once; none if they are too many.
pub(super) fn join(parts: impl IntoIterator<Item = Values>) -> Values {
    let mut parts = parts.into_iter().filter(|part| !part.is_empty());
    let Some(first) = parts.next() else { return none() };
    let mut rest = parts.peekable();
    if first.len() == 1 && rest.peek().is_none() {
        return first;
    }
    let mut all: Vec<Value> = Vec::new();
    for part in std::iter::once(first).chain(rest) {
        for value in part.iter() {
            if !all.contains(value) {
                all.push(value.clone());
            }
        }
    }
    if all.len() > MAX_ALTERNATIVES { none() } else { all.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Values {
        one(Value::Text(text.into()))
    }

    #[test]
    fn alternatives_are_joined_once_in_the_order_of_the_parts() {
        let joined = join([none(), text("b"), text("a"), text("b")]);
        assert_eq!(*joined, [Value::Text("b".into()), Value::Text("a".into())]);
    }

    #[test]
    fn one_part_is_the_answer_and_too_many_are_none() {
        assert_eq!(join([none(), text("a")]), text("a"));
        assert_eq!(join([none(), none()]), none());
        let many = |count: usize| join((0..count).map(|at| text(&at.to_string()))).len();
        assert_eq!((many(MAX_ALTERNATIVES), many(MAX_ALTERNATIVES + 1)), (MAX_ALTERNATIVES, 0));
    }

    #[test]
    fn nothing_is_equal_however_it_came_about() {
        assert_eq!(Values::from(Vec::new()), none());
        assert_eq!(std::iter::empty().collect::<Values>(), Values::default());
    }
}
