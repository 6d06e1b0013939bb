//! One comment to the tool, read: what it silences and where.

use loadworthy_syntax::SUPPRESSION_WORD;

use crate::selection::named;

/// The forms of the comment, by what follows `loadworthy-ignore-`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    NextLine,
    Line,
    Start,
    End,
    File,
}

/// A comment's form and checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Directive {
    pub(crate) form: Form,
    /// Codes; empty for all checks.
    pub(crate) codes: Vec<&'static str>,
}

impl Directive {
    /// Reads `loadworthy-ignore-next-line n-plus-one, 3A -- reason`, or says what is wrong with it.
    pub(crate) fn parse(comment: &str) -> Result<Self, String> {
        let rest = comment.trim().strip_prefix(SUPPRESSION_WORD).unwrap_or(comment);
        let rest = rest.split(" -- ").next().unwrap_or_default();
        let mut words = rest.split([',', ' ', '\t', '\n', '\r', '*']).filter(|word| !word.is_empty());
        let form = if rest.starts_with('-') { words.next().unwrap_or_default() } else { "" };
        let form = match form {
            "-next-line" => Form::NextLine,
            "-line" => Form::Line,
            "-start" => Form::Start,
            "-end" => Form::End,
            "-file" => Form::File,
            _ => return Err(format!("`{SUPPRESSION_WORD}{form}` is none of {FORMS}")),
        };
        let codes = words.map(|word| named(word).map(|meta| meta.code).ok_or_else(|| unknown(word)));
        Ok(Self { form, codes: codes.collect::<Result<_, _>>()? })
    }

    pub(crate) fn is_about(&self, code: &str) -> bool {
        self.codes.is_empty() || self.codes.contains(&code)
    }
}

const FORMS: &str = "loadworthy-ignore-next-line, -line, -start, -end and -file";

fn unknown(word: &str) -> String {
    format!("the comment suppresses nothing: there is no check `{word}` (a reason stands after ` -- `)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_named_by_code_or_name_and_reasons_are_left_out() {
        let parsed =
            Directive::parse("loadworthy-ignore-next-line n-plus-one,1a -- one row, 3 at most").unwrap();
        assert_eq!(parsed, Directive { form: Form::NextLine, codes: vec!["1A", "1A"] });
        let all = Directive::parse("loadworthy-ignore-file").unwrap();
        assert!(all.form == Form::File && all.is_about("4D"));
    }

    #[test]
    fn unknown_forms_and_checks_are_told() {
        for text in ["loadworthy-ignore 1A", "loadworthy-ignore-next 1A", "loadworthy-ignore-line no-such"] {
            assert!(Directive::parse(text).is_err(), "{text}");
        }
    }
}
