//! One `await` for reads that need the same round.

use loadworthy_analysis::{AwaitedStep, Waterfall};
use loadworthy_syntax::{Kind, Module, NodeId};

use super::reordered::reordered;
use crate::audit::{Audit, dedent};
use crate::edit::{between, deeper, shortened, unit};
use crate::finding::{Applicability, Fix};

/// Adjacent declarations `const x = await f()` of the same round become one `Promise.all`.
pub(super) fn fix(audit: &Audit<'_, '_>, module: &Module, waterfall: &Waterfall) -> Fix {
    let description =
        String::from("Start the reads that don't need each other together and await them once.");
    let run = adjacent(module, waterfall);
    // What stands between them goes before or behind, so that none is left alone.
    if run.is_none_or(|run| run.len() < waterfall.steps.len())
        && let Some((start, end, text)) = reordered(module, waterfall)
    {
        let (before, after) = shortened(module.text().get(start..end).unwrap_or_default(), &text);
        return Fix {
            description,
            before: Some(before),
            after: Some(after),
            edits: between(audit, waterfall.file, (start, end), text).into_iter().collect(),
            applicability: Applicability::Review,
            ..Fix::default()
        };
    }
    let Some(run) = run else {
        let (before, after) = together(module, waterfall).unzip();
        return Fix { description, before, after, ..Fix::default() };
    };
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return Fix { description, ..Fix::default() };
    };
    let (start, end) = (module.node(first.statement).span.start, module.node(last.statement).span.end);
    let text = module.text();
    let before = text.get(start as usize..end as usize).unwrap_or_default();
    let indentation = indentation_of(text, start);
    let members: Vec<Member<'_>> = run
        .iter()
        .filter_map(|step| {
            Some(Member {
                target: filled(module, step.statement)?,
                call: step.call,
                head: Vec::new(),
                tail: "",
            })
        })
        .collect();
    let terminator = if before.ends_with(';') { ";" } else { "" };
    let after = gathered(module, keyword(module, first.statement), &members, indentation, terminator);
    let with_indentation = |code: &str| {
        let whole = format!("{indentation}{code}");
        dedent(&whole.lines().collect::<Vec<_>>())
    };
    Fix {
        description,
        before: Some(with_indentation(before)),
        after: Some(with_indentation(&after)),
        edits: between(audit, waterfall.file, (start as usize, end as usize), after).into_iter().collect(),
        applicability: Applicability::Safe,
        ..Fix::default()
    }
}

/// A read that is started with others.
pub(super) struct Member<'t> {
    /// The pattern that holds its result.
    pub(super) target: NodeId,
    /// The call.
    pub(super) call: NodeId,
    /// Comments that stand above it.
    pub(super) head: Vec<&'t str>,
    /// The comment behind it on its line.
    pub(super) tail: &'t str,
}

/// Columns of a line up to which names stand side by side.
const WIDTH: usize = 100;

/// `const [a, b] = await Promise.all([…])`, the first line without indentation.
pub(super) fn gathered(
    module: &Module,
    keyword: &str,
    members: &[Member<'_>],
    indentation: &str,
    terminator: &str,
) -> String {
    let unit = unit(module);
    let (mut targets, mut lines) = (Vec::new(), Vec::new());
    for member in members {
        lines.extend(member.head.iter().map(|line| format!("{indentation}{unit}{line}")));
        let parts = parts(module, member);
        let is_nested = parts.len() != 1 || parts.first().is_some_and(|(_, value)| *value != member.call);
        for (target, value) in parts {
            targets.push(module.source(target));
            let tail = if member.tail.is_empty() { String::new() } else { format!(" {}", member.tail) };
            // What was in a list already stands as far in as it has to.
            let by = if is_nested { "" } else { unit };
            lines.push(format!("{indentation}{unit}{},{tail}", deeper(module, value, by)));
        }
    }
    let names = targets.join(", ");
    let head = if indentation.len() + names.len() > WIDTH {
        let names: Vec<String> = targets.iter().map(|it| format!("{indentation}{unit}{it},\n")).collect();
        format!("{keyword} [\n{}{indentation}] = await Promise.all([", names.concat())
    } else {
        format!("{keyword} [{names}] = await Promise.all([")
    };
    lines.insert(0, head);
    lines.push(format!("{indentation}]){terminator}"));
    lines.join("\n")
}

/// What a member fills and by which calls: those of a `Promise.all` that fills a list one by one, else itself.
fn parts(module: &Module, member: &Member<'_>) -> Vec<(NodeId, NodeId)> {
    listed(module, member).unwrap_or_else(|| vec![(member.target, member.call)])
}

fn listed(module: &Module, member: &Member<'_>) -> Option<Vec<(NodeId, NodeId)>> {
    let Kind::ArrayPattern(targets) = module.kind(member.target) else { return None };
    let Kind::Call { callee, arguments } = module.kind(member.call) else { return None };
    let first = module.list(arguments).next().filter(|_| module.source(callee) == "Promise.all")?;
    let Kind::Array(values) = module.kind(first) else { return None };
    let pairs: Vec<(NodeId, NodeId)> = module.list(targets).zip(module.list(values)).collect();
    let is_plain = |(target, value): &(NodeId, NodeId)| {
        !matches!(module.kind(*target), Kind::Rest(_) | Kind::Hole)
            && !matches!(module.kind(*value), Kind::Spread(_) | Kind::Hole)
    };
    // Comments between them would be lost.
    let has_comments = module.source(first).lines().any(|line| line.trim_start().starts_with("//"));
    (targets.len() == values.len() && !has_comments && pairs.iter().all(is_plain)).then_some(pairs)
}

/// The reads of the first round that has several, which stand apart or are no plain declarations, and one `await` for them.
fn together(module: &Module, waterfall: &Waterfall) -> Option<(String, String)> {
    let of_round = |round: usize| waterfall.steps.iter().filter(move |step| step.round == round);
    let round = (1..=waterfall.steps.len()).find(|round| of_round(*round).count() > 1)?;
    let names: Vec<String> = of_round(round)
        .enumerate()
        .map(|(at, step)| match declared(module, step.statement) {
            Some(name) => name.to_owned(),
            None => assigned(module, step.statement).unwrap_or_else(|| format!("read{}", at + 1)),
        })
        .collect();
    let calls: Vec<String> = of_round(round)
        .map(|step| {
            let lines: Vec<&str> = module.source(step.call).lines().map(str::trim).collect();
            let caught =
                if step.is_caught { ".catch((error) => { /* … as in its catch clause */ })" } else { "" };
            format!("  {}{caught},", lines.join(" "))
        })
        .collect();
    let before: Vec<String> = of_round(round)
        .map(|step| module.source(step.statement).lines().take(4).collect::<Vec<&str>>().join("\n"))
        .collect();
    // Values of an object, or fields of one: they are put where they were once all are there.
    let filled = of_round(round).find_map(|step| match module.kind(step.statement) {
        Kind::Property { .. } => Some(format!("\n// then {{ {} }}", names.join(", "))),
        Kind::Expression(expression) => {
            let Kind::Assign { target, .. } = module.kind(expression) else { return None };
            let Kind::Member { object, .. } = module.kind(target) else { return None };
            Some(format!("\nObject.assign({}, {{ {} }});", module.source(object), names.join(", ")))
        }
        _ => None,
    });
    let after = format!(
        "const [{}] = await Promise.all([\n{}\n]);{}",
        names.join(", "),
        calls.join("\n"),
        filled.unwrap_or_default()
    );
    Some((before.join("\n// …\n"), after))
}

/// The name that a statement gives what it reads: `const rows: Row[] = await …`, `rows = await …`.
fn assigned(module: &Module, statement: NodeId) -> Option<String> {
    // `users: await users()` of an object literal, `stats.users = await users()`.
    match module.kind(statement) {
        Kind::Property { key, .. } => return Some(module.str(key).to_owned()),
        Kind::Expression(expression) => {
            if let Kind::Assign { target, .. } = module.kind(expression)
                && let Kind::Member { name, .. } = module.kind(target)
            {
                return Some(module.str(name).to_owned());
            }
        }
        _ => {}
    }
    let source = module.source(statement);
    let head = source.split('=').next()?.trim();
    let name = head.split(' ').next_back()?;
    let name = head
        .split([' ', ':'])
        .nth(1)
        .filter(|_| head.starts_with("const ") || head.starts_with("let "))
        .unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    is_name.then(|| name.to_owned())
}

/// The longest run of steps that stand side by side, need the same round, and are plain declarations.
fn adjacent<'w>(module: &Module, waterfall: &'w Waterfall) -> Option<&'w [AwaitedStep]> {
    let is_neighbour = |pair: &[AwaitedStep]| match pair {
        [a, b] => {
            let between =
                module.node(a.statement).span.end as usize..module.node(b.statement).span.start as usize;
            a.round == b.round
                && keyword(module, a.statement) == keyword(module, b.statement)
                && module.text().get(between).is_some_and(|gap| gap.trim().is_empty())
        }
        _ => false,
    };
    let mut best: &[AwaitedStep] = &[];
    let mut start = 0;
    for at in 0..waterfall.steps.len() {
        let is_plain = waterfall
            .steps
            .get(at)
            .is_some_and(|step| !step.is_caught && declared(module, step.statement).is_some());
        let joins = at > start && waterfall.steps.get(at - 1..=at).is_some_and(is_neighbour);
        if !is_plain {
            start = at + 1;
            continue;
        }
        if !joins {
            start = at;
        }
        let run = waterfall.steps.get(start..=at).unwrap_or_default();
        if run.len() > best.len() {
            best = run;
        }
    }
    (best.len() > 1).then_some(best)
}

pub(super) fn keyword(module: &Module, statement: NodeId) -> &str {
    module.source(statement).split_whitespace().next().unwrap_or_default()
}

/// The pattern of `const pattern = await call()`, without a type, as text.
fn declared(module: &Module, statement: NodeId) -> Option<&str> {
    filled(module, statement).map(|target| module.source(target))
}

/// The pattern of `const pattern = await call()`, without a type.
pub(super) fn filled(module: &Module, statement: NodeId) -> Option<NodeId> {
    let Kind::Variables(list) = module.kind(statement) else { return None };
    let Kind::Declarator { target, init } = module.kind(module.list(list).next()?) else { return None };
    let is_typed = matches!(module.kind(target), Kind::Binding(_)) && module.source(target).contains(':');
    (matches!(module.kind(init), Kind::Await(_)) && !is_typed).then_some(target)
}

/// The white space before the first character of a line.
fn indentation_of(text: &str, at: u32) -> &str {
    let before = text.get(..at as usize).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let end = line.len() - line.trim_start().len();
    line.get(..end).unwrap_or_default()
}
