//! The pattern as a small tree, free of the parser's arena.

use oxc_allocator::Allocator;
use oxc_regular_expression::ast::{
    Alternative, BoundaryAssertionKind, CharacterClass, CharacterClassContents, CharacterClassContentsKind,
    CharacterClassEscapeKind, Disjunction, LookAroundAssertionKind, Modifier, Quantifier, Term,
    UnicodePropertyEscape,
};
use oxc_regular_expression::{LiteralParser, Options};
use oxc_span::Span;

use crate::analysis::Unknown;
use crate::charset::CharSet;

/// Longest pattern that is read, in bytes.
const LONGEST: usize = 8_000;
/// Deepest nesting of groups and classes that is read.
const DEEPEST: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assertion {
    Start { multiline: bool },
    End { multiline: bool },
    Boundary,
    NoBoundary,
}

#[derive(Debug)]
pub(crate) enum Node {
    Empty,
    /// One character of the set with this index.
    Set {
        set: usize,
        span: Span,
    },
    Cat(Vec<Node>),
    Alt(Vec<Node>),
    Repeat {
        body: Box<Node>,
        min: u64,
        max: Option<u64>,
        greedy: bool,
        span: Span,
    },
    Group {
        index: usize,
        body: Box<Node>,
    },
    Look {
        body: Box<Node>,
        ahead: bool,
        negative: bool,
    },
    Assert(Assertion),
    Reference(usize),
}

#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) root: Node,
    pub(crate) sets: Vec<CharSet>,
    pub(crate) groups: usize,
    pub(crate) sticky: bool,
}

pub(crate) fn read(pattern: &str, flags: &str) -> Result<Pattern, Unknown> {
    if pattern.len() > LONGEST || nesting(pattern) > DEEPEST {
        return Err(Unknown::TooLarge);
    }
    let allocator = Allocator::default();
    let parsed = LiteralParser::new(&allocator, pattern, Some(flags), Options::default())
        .parse()
        .map_err(|_| Unknown::DoesNotParse)?;
    let mut reader = Reader {
        sets: Vec::new(),
        names: Vec::new(),
        modes: Modes {
            ignore_case: flags.contains('i'),
            dot_all: flags.contains('s'),
            multiline: flags.contains('m'),
        },
    };
    let root = reader.disjunction(&parsed.body)?;
    Ok(Pattern { root, sets: reader.sets, groups: reader.names.len(), sticky: flags.contains('y') })
}

/// An upper bound of the nesting depth: every opening bracket counts, escaped or not, until a closing one.
fn nesting(pattern: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut escaped = false;
    for byte in pattern.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[derive(Clone, Copy)]
struct Modes {
    ignore_case: bool,
    dot_all: bool,
    multiline: bool,
}

struct Reader<'a> {
    sets: Vec<CharSet>,
    /// The name of each capturing group, in order of opening.
    names: Vec<Option<&'a str>>,
    modes: Modes,
}

impl<'a> Reader<'a> {
    fn disjunction(&mut self, body: &Disjunction<'a>) -> Result<Node, Unknown> {
        let mut alternatives = Vec::with_capacity(body.body.len());
        for alternative in &body.body {
            alternatives.push(self.alternative(alternative)?);
        }
        Ok(match alternatives.len() {
            1 => alternatives.pop().unwrap_or(Node::Empty),
            _ => Node::Alt(alternatives),
        })
    }

    fn alternative(&mut self, alternative: &Alternative<'a>) -> Result<Node, Unknown> {
        let mut terms = Vec::with_capacity(alternative.body.len());
        for term in &alternative.body {
            terms.push(self.term(term)?);
        }
        Ok(Node::Cat(terms))
    }

    fn term(&mut self, term: &Term<'a>) -> Result<Node, Unknown> {
        Ok(match term {
            Term::BoundaryAssertion(found) => Node::Assert(self.assertion(found.kind)),
            Term::LookAroundAssertion(look) => Node::Look {
                body: Box::new(self.disjunction(&look.body)?),
                ahead: matches!(
                    look.kind,
                    LookAroundAssertionKind::Lookahead | LookAroundAssertionKind::NegativeLookahead
                ),
                negative: matches!(
                    look.kind,
                    LookAroundAssertionKind::NegativeLookahead | LookAroundAssertionKind::NegativeLookbehind
                ),
            },
            Term::Quantifier(quantifier) => self.quantifier(quantifier)?,
            Term::Character(character) => {
                self.set(CharSet::of(&[(character.value, character.value)]), character.span)
            }
            Term::Dot(dot) => {
                let set = if self.modes.dot_all { CharSet::all() } else { CharSet::line_ends().complement() };
                self.set(set, dot.span)
            }
            Term::CharacterClassEscape(escape) => self.set(escape_set(escape.kind), escape.span),
            Term::UnicodePropertyEscape(property) => {
                let set = property_set(property)?;
                self.set(set, property.span)
            }
            Term::CharacterClass(class) => {
                let set = self.class(class)?;
                self.set_as_is(set, class.span)
            }
            Term::CapturingGroup(group) => {
                self.names.push(group.name.map(|name| name.as_str()));
                let index = self.names.len();
                Node::Group { index, body: Box::new(self.disjunction(&group.body)?) }
            }
            Term::IgnoreGroup(group) => {
                let outer = self.modes;
                if let Some(modifiers) = &group.modifiers {
                    self.modes = changed(outer, modifiers.enabling, modifiers.disabling);
                }
                let body = self.disjunction(&group.body);
                self.modes = outer;
                body?
            }
            Term::IndexedReference(reference) => {
                Node::Reference(usize::try_from(reference.index).unwrap_or(0))
            }
            Term::NamedReference(reference) => self
                .names
                .iter()
                .position(|name| *name == Some(reference.name.as_str()))
                .map_or(Node::Empty, |at| Node::Reference(at + 1)),
        })
    }

    fn quantifier(&mut self, quantifier: &Quantifier<'a>) -> Result<Node, Unknown> {
        Ok(Node::Repeat {
            body: Box::new(self.term(&quantifier.body)?),
            min: quantifier.min,
            max: quantifier.max,
            greedy: quantifier.greedy,
            span: quantifier.span,
        })
    }

    fn assertion(&self, kind: BoundaryAssertionKind) -> Assertion {
        let multiline = self.modes.multiline;
        match kind {
            BoundaryAssertionKind::Start => Assertion::Start { multiline },
            BoundaryAssertionKind::End => Assertion::End { multiline },
            BoundaryAssertionKind::Boundary => Assertion::Boundary,
            BoundaryAssertionKind::NegativeBoundary => Assertion::NoBoundary,
        }
    }

    fn set(&mut self, set: CharSet, span: Span) -> Node {
        let set = if self.modes.ignore_case { set.ignoring_case() } else { set };
        self.set_as_is(set, span)
    }

    fn set_as_is(&mut self, set: CharSet, span: Span) -> Node {
        let index = self.sets.iter().position(|known| *known == set).unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        Node::Set { set: index, span }
    }

    fn class(&self, class: &CharacterClass<'_>) -> Result<CharSet, Unknown> {
        let mut whole: Option<CharSet> = None;
        for part in &class.body {
            let part = self.class_part(part)?;
            whole = Some(match (whole, class.kind) {
                (None, _) => part,
                (Some(sum), CharacterClassContentsKind::Union) => sum.union(&part),
                (Some(sum), CharacterClassContentsKind::Intersection) => sum.intersection(&part),
                (Some(sum), CharacterClassContentsKind::Subtraction) => sum.intersection(&part.complement()),
            });
        }
        let whole = whole.unwrap_or_default();
        Ok(if class.negative { whole.complement() } else { whole })
    }

    fn class_part(&self, part: &CharacterClassContents<'_>) -> Result<CharSet, Unknown> {
        let set = match part {
            CharacterClassContents::CharacterClassRange(range) => {
                CharSet::of(&[(range.min.value, range.max.value)])
            }
            CharacterClassContents::CharacterClassEscape(escape) => escape_set(escape.kind),
            CharacterClassContents::UnicodePropertyEscape(property) => property_set(property)?,
            CharacterClassContents::Character(character) => {
                CharSet::of(&[(character.value, character.value)])
            }
            CharacterClassContents::NestedCharacterClass(nested) => self.class(nested)?,
            CharacterClassContents::ClassStringDisjunction(_) => return Err(Unknown::Unsupported),
        };
        Ok(if self.modes.ignore_case { set.ignoring_case() } else { set })
    }
}

fn changed(modes: Modes, on: Modifier, off: Modifier) -> Modes {
    let apply = |now: bool, flag| (now || on.contains(flag)) && !off.contains(flag);
    Modes {
        ignore_case: apply(modes.ignore_case, Modifier::I),
        dot_all: apply(modes.dot_all, Modifier::S),
        multiline: apply(modes.multiline, Modifier::M),
    }
}

fn escape_set(kind: CharacterClassEscapeKind) -> CharSet {
    match kind {
        CharacterClassEscapeKind::D => CharSet::digits(),
        CharacterClassEscapeKind::NegativeD => CharSet::digits().complement(),
        CharacterClassEscapeKind::S => CharSet::space(),
        CharacterClassEscapeKind::NegativeS => CharSet::space().complement(),
        CharacterClassEscapeKind::W => CharSet::word(),
        CharacterClassEscapeKind::NegativeW => CharSet::word().complement(),
    }
}

/// The ASCII part of a property: enough for attack texts, which then stay in ASCII.
fn property_set(property: &UnicodePropertyEscape<'_>) -> Result<CharSet, Unknown> {
    let name = property.value.as_ref().unwrap_or(&property.name).as_str();
    let ascii = match name {
        "L" | "Letter" | "Alphabetic" | "Alpha" | "LC" | "Script=Latin" | "Latin" => {
            CharSet::of(&[(0x41, 0x5A), (0x61, 0x7A)])
        }
        "Lu" | "Uppercase_Letter" | "Uppercase" => CharSet::of(&[(0x41, 0x5A)]),
        "Ll" | "Lowercase_Letter" | "Lowercase" => CharSet::of(&[(0x61, 0x7A)]),
        "N" | "Number" | "Nd" | "Decimal_Number" => CharSet::digits(),
        "White_Space" | "space" => CharSet::of(&[(0x09, 0x0D), (0x20, 0x20)]),
        "Z" | "Zs" | "Separator" | "Space_Separator" => CharSet::of(&[(0x20, 0x20)]),
        "ASCII" => CharSet::of(&[(0, 0x7F)]),
        "Any" => CharSet::all(),
        "M"
        | "Mn"
        | "Mark"
        | "Extended_Pictographic"
        | "Emoji_Presentation"
        | "Han"
        | "Hiragana"
        | "Katakana"
        | "Cyrillic"
        | "Greek"
        | "Arabic"
        | "Hebrew"
        | "Hangul" => CharSet::default(),
        "P" | "Punctuation" => CharSet::of(&[
            (0x21, 0x23),
            (0x25, 0x2A),
            (0x2C, 0x2F),
            (0x3A, 0x3B),
            (0x3F, 0x40),
            (0x5B, 0x5D),
            (0x5F, 0x5F),
            (0x7B, 0x7B),
            (0x7D, 0x7D),
        ]),
        _ => return Err(Unknown::Unsupported),
    };
    Ok(if property.negative { ascii.complement() } else { ascii })
}
