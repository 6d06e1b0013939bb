//! A row of reads with declarations between them, in an order in which the reads of a round stand together.

use loadworthy_analysis::{AwaitedStep, Waterfall};
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};

use super::remedy::{Member, filled, gathered, keyword};
use crate::edit::indentation;

/// What may give another value when it is evaluated earlier, or change what others read.
const MOMENTARY: [&str; 13] = [
    "Date.now",
    "performance.",
    "hrtime",
    "++",
    "--",
    ".push(",
    ".pop(",
    ".shift(",
    ".splice(",
    ".sort(",
    ".reverse(",
    ".delete(",
    ".set(",
];

/// A statement of the row with the comments that belong to it.
struct Piece<'t> {
    statement: NodeId,
    step: Option<&'t AwaitedStep>,
    /// The round after which its inputs are there.
    level: usize,
    head: Vec<&'t str>,
    tail: &'t str,
    /// Whether an empty line stands before it.
    is_apart: bool,
}

/// The lines of the row and how they read afterwards: per round what needs only earlier rounds, then its reads together.
/// `None` where an order other than the written one could matter.
pub(super) fn reordered(module: &Module, waterfall: &Waterfall) -> Option<(usize, usize, String)> {
    let pieces = pieces(module, waterfall)?;
    let first = pieces.first()?;
    let indentation = indentation(module, first.statement);
    let start = beginning(module, first)?;
    let last = pieces.last()?;
    let end = line_end(module, module.node(last.statement).span.end as usize);
    let mut out: Vec<(bool, String)> = Vec::new();
    for round in 0..=waterfall.rounds() {
        let reads: Vec<&Piece<'_>> =
            pieces.iter().filter(|it| it.step.is_some_and(|step| step.round == round)).collect();
        match reads.as_slice() {
            [] => {}
            [one] => out.push((one.is_apart, as_written(module, one, &indentation))),
            several => {
                let text = together(module, several, &indentation)?;
                out.push((several.iter().any(|it| it.is_apart), text));
            }
        }
        let plain = pieces.iter().filter(|it| it.step.is_none() && it.level == round);
        out.extend(plain.map(|it| (it.is_apart, as_written(module, it, &indentation))));
    }
    let mut text = String::new();
    for (at, (is_apart, piece)) in out.iter().enumerate() {
        if at > 0 {
            text.push_str(if *is_apart { "\n\n" } else { "\n" });
        }
        text.push_str(piece);
    }
    (module.text().get(start..end)? != text).then_some((start, end, text))
}

/// The statements from the first read to the last, each a read of the row or a constant.
fn pieces<'t>(module: &'t Module, waterfall: &'t Waterfall) -> Option<Vec<Piece<'t>>> {
    let (first, last) = (waterfall.steps.first()?.statement, waterfall.steps.last()?.statement);
    let (Kind::Block(block) | Kind::Case { body: block, .. }) = module.kind(module.parent(first)) else {
        return None;
    };
    let all: Vec<NodeId> = module.list(block).collect();
    let from = all.iter().position(|it| *it == first)?;
    let to = all.iter().position(|it| *it == last)?;
    let mut pieces: Vec<Piece<'t>> = Vec::new();
    let mut levels: Vec<(BindingId, usize)> = Vec::new();
    let mut before = None;
    for statement in all.get(from..=to)?.iter().copied() {
        let step = waterfall.steps.iter().find(|it| it.statement == statement);
        let needed = levels
            .iter()
            .filter(|(binding, _)| {
                module.references(*binding).iter().any(|name| module.contains(statement, *name))
            })
            .map(|(_, level)| *level)
            .max()
            .unwrap_or(0);
        let source = module.source(statement);
        if step.is_none()
            && (keyword(module, statement) != "const" || MOMENTARY.iter().any(|it| source.contains(it)))
        {
            return None;
        }
        let level = step.map_or(needed, |step| step.round);
        levels.extend(bindings(module, statement).into_iter().map(|binding| (binding, level)));
        let (head, is_apart) = above(module, before, statement)?;
        let tail = behind(module, statement)?;
        pieces.push(Piece { statement, step, level, head, tail, is_apart });
        before = Some(statement);
    }
    Some(pieces)
}

/// The names that a declaration fills.
fn bindings(module: &Module, statement: NodeId) -> Vec<BindingId> {
    let Kind::Variables(list) = module.kind(statement) else { return Vec::new() };
    let targets = module.list(list).filter_map(|it| match module.kind(it) {
        Kind::Declarator { target, .. } => Some(target),
        _ => None,
    });
    targets
        .flat_map(|target| module.all_nodes(target))
        .filter_map(|node| match module.kind(node) {
            Kind::Binding(binding) => Some(binding),
            _ => None,
        })
        .collect()
}

/// The comments between the statement before and this one, or directly above the first; and whether an empty line is there.
fn above(module: &Module, before: Option<NodeId>, statement: NodeId) -> Option<(Vec<&str>, bool)> {
    let text = module.text();
    let start = module.node(statement).span.start as usize;
    let Some(before) = before else {
        let mut head: Vec<&str> = Vec::new();
        let line = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        for line in text.get(..line)?.lines().rev() {
            if !line.trim_start().starts_with("//") {
                break;
            }
            head.insert(0, line.trim());
        }
        return Some((head, false));
    };
    let end = line_end(module, module.node(before).span.end as usize);
    let gap = text.get(end..start)?;
    // Two statements on one line have nothing that could be moved by lines.
    gap.contains('\n').then_some(())?;
    let lines: Vec<&str> = gap.lines().skip(1).map(str::trim).collect();
    let lines = lines.get(..lines.len().saturating_sub(usize::from(!gap.ends_with('\n')))).unwrap_or(&[]);
    let head: Vec<&str> = lines.iter().copied().filter(|line| !line.is_empty()).collect();
    let is_comment = |line: &&str| line.starts_with("//");
    head.iter().all(is_comment).then(|| (head, lines.contains(&"")))
}

/// The comment behind a statement on its line; `None` where something else stands there.
fn behind(module: &Module, statement: NodeId) -> Option<&str> {
    let end = module.node(statement).span.end as usize;
    let rest = module.text().get(end..line_end(module, end))?.trim();
    (rest.is_empty() || rest.starts_with("//")).then_some(rest)
}

fn line_end(module: &Module, at: usize) -> usize {
    let rest = module.text().get(at..).unwrap_or_default();
    at + rest.find('\n').unwrap_or(rest.len())
}

/// Where the first comment of a piece begins, or the line of its statement.
fn beginning(module: &Module, piece: &Piece<'_>) -> Option<usize> {
    let text = module.text();
    let start = module.node(piece.statement).span.start as usize;
    let mut line = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    text.get(line..start)?.trim().is_empty().then_some(())?;
    for _ in &piece.head {
        line = text.get(..line.checked_sub(1)?)?.rfind('\n').map_or(0, |at| at + 1);
    }
    Some(line)
}

fn as_written(module: &Module, piece: &Piece<'_>, indentation: &str) -> String {
    let tail = if piece.tail.is_empty() { String::new() } else { format!(" {}", piece.tail) };
    let own = format!("{}{tail}", module.source(piece.statement));
    let lines: Vec<String> =
        piece.head.iter().copied().chain([own.as_str()]).map(|it| format!("{indentation}{it}")).collect();
    lines.join("\n")
}

/// The reads of a round as one, where each fills names without types.
fn together(module: &Module, reads: &[&Piece<'_>], indentation: &str) -> Option<String> {
    let first = reads.first()?;
    let word = keyword(module, first.statement);
    let mut members = Vec::new();
    for read in reads {
        if keyword(module, read.statement) != word {
            return None;
        }
        let call = read.step?.call;
        members.push(Member {
            target: filled(module, read.statement)?,
            call,
            head: read.head.clone(),
            tail: read.tail,
        });
    }
    let terminator = if module.source(first.statement).ends_with(';') { ";" } else { "" };
    Some(format!("{indentation}{}", gathered(module, word, &members, indentation, terminator)))
}
