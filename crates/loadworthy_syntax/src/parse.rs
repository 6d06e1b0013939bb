//! The parser in front of lowering: dialects, errors, and limits that keep hostile input from exhausting the stack.

use std::cell::RefCell;
use std::path::Path;

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;

use crate::lines::LineIndex;
use crate::lower::lower;
use crate::module::Module;

/// Deepest nesting of brackets that is parsed. Recursive descent needs about 2 kB of stack a level in an unoptimised
/// build; hand-written code stays below 50 levels, generated tables below 200.
const MAX_NESTING: u32 = 400;

/// Longest run of operators without a bracket, comma or semicolon between (`!!!!x`, `a ? b : c ? d : …`, `a + b + …`).
const MAX_CHAIN: u32 = 5_000;

/// Stack that a thread which calls [`parse`] needs, in bytes: the deepest accepted input, in an unoptimised build.
pub const STACK_BYTES: usize = 256 << 20;

/// What came of a file.
#[derive(Debug)]
pub struct Parsed {
    /// The lowered module; absent where nothing could be used.
    pub module: Option<Module>,
    /// What was wrong with the text.
    pub errors: Vec<SyntaxError>,
}

/// A place that could not be parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// Line, counted from 1; 1 where the whole file is meant.
    pub line: u32,
    /// What is wrong, in the parser's words.
    pub message: String,
}

thread_local! {
    /// One arena a thread, emptied after each file: the parser's tree is gone once it is lowered.
    static ARENA: RefCell<Allocator> = RefCell::new(Allocator::default());
}

/// Parses and lowers the text of `path` (its extension decides the dialect). Call it on a thread with
/// [`STACK_BYTES`] of stack: both parser and lowering recurse.
#[must_use]
pub fn parse(path: &str, text: &str) -> Parsed {
    if let Some(message) = too_deep(text) {
        return Parsed { module: None, errors: vec![SyntaxError { line: 1, message }] };
    }
    ARENA.with_borrow_mut(|arena| {
        let parsed = parse_dialects(arena, path, text);
        arena.reset();
        parsed
    })
}

/// `.js` may hold JSX or not, modules or scripts; the first dialect without errors wins, else the first that gave a tree.
fn parse_dialects(arena: &mut Allocator, path: &str, text: &str) -> Parsed {
    let mut best: Option<Parsed> = None;
    for dialect in dialects(path) {
        let parsed = parse_as(arena, dialect, text);
        arena.reset();
        if parsed.errors.is_empty() {
            return parsed;
        }
        if best.as_ref().is_none_or(|best| best.module.is_none() && parsed.module.is_some()) {
            best = Some(parsed);
        }
    }
    best.unwrap_or(Parsed { module: None, errors: Vec::new() })
}

fn dialects(path: &str) -> Vec<SourceType> {
    let declared = SourceType::from_path(Path::new(path)).unwrap_or_default();
    if declared.is_typescript() {
        return vec![declared];
    }
    // A script's `return` at top level or `await` as a name parse only as CommonJS or script.
    vec![declared.with_jsx(true), SourceType::cjs().with_jsx(true), SourceType::tsx()]
}

fn parse_as(arena: &Allocator, dialect: SourceType, text: &str) -> Parsed {
    let parsed = Parser::new(arena, text, dialect).parse();
    let lines = LineIndex::new(text);
    let mut errors: Vec<SyntaxError> = parsed
        .diagnostics
        .iter()
        .map(|error| SyntaxError {
            line: error.labels.iter().next().map_or(1, |label| lines.line(label.offset())),
            message: error.message.to_string(),
        })
        .collect();
    errors.sort_by_key(|error| error.line);
    if parsed.panicked {
        return Parsed { module: None, errors };
    }
    let semantic = SemanticBuilder::new().build(&parsed.program).semantic;
    Parsed { module: Some(lower(text, &parsed.program, semantic.scoping())), errors }
}

/// A message where the text nests deeper than a recursive parser should be asked to follow. Brackets in strings and
/// comments count too: an estimate from above that no hand-written file comes near.
fn too_deep(text: &str) -> Option<String> {
    let (mut depth, mut deepest, mut chain, mut longest) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut previous = 0;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => (depth, chain) = (depth + 1, 0),
            b')' | b']' | b'}' => (depth, chain) = (depth.saturating_sub(1), 0),
            b';' | b',' => chain = 0,
            b'!' | b'~' | b'?' | b'+' | b'&' | b'|' => chain += 1,
            b'>' if previous == b'=' => chain += 1,
            _ => {}
        }
        previous = byte;
        deepest = deepest.max(depth);
        longest = longest.max(chain);
    }
    if deepest > MAX_NESTING {
        return Some(format!("nested {deepest} levels deep (at most {MAX_NESTING} are read)"));
    }
    (longest > MAX_CHAIN)
        .then(|| format!("an expression of {longest} operators (at most {MAX_CHAIN} are read)"))
}
