//! What a test says about the thing that was read.

use loadworthy_analysis::{Decision, uses};
use loadworthy_syntax::{Binary, BindingId, Kind, Module, NodeId, Unary};

/// What a test says about the thing that was read, where the write runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Polarity {
    WhereAbsent,
    WherePresent,
    BelowLimit,
    Unknown,
}

/// What holds where the write runs.
pub(super) fn polarity(module: &Module, decision: Decision, names: &[BindingId]) -> Polarity {
    let (test, holds) = match decision {
        Decision::Inside { test, where_true } => (test, where_true),
        Decision::Guarded { test } => (test, false),
    };
    of_test(module, test, holds, names)
}

fn of_test(module: &Module, test: NodeId, holds: bool, names: &[BindingId]) -> Polarity {
    let present = |is_present: bool| if is_present { Polarity::WherePresent } else { Polarity::WhereAbsent };
    match module.kind(test) {
        Kind::Unary { operator: Unary::Not, value } => of_test(module, value, !holds, names),
        // `if (link.deletedAt) return …;` says nothing of whether the row is there.
        Kind::Member { name, .. } if !tells_existence(module.str(name)) => Polarity::Unknown,
        Kind::Name { .. } | Kind::Member { .. } | Kind::Index { .. } | Kind::Await(_) => present(holds),
        Kind::Binary { operator: Binary::And | Binary::Or, left, right } => {
            // Of `limits && count >= limits.rooms` what is asked of the thing that was read.
            let of = |side| {
                let asks =
                    || module.all_nodes(side).into_iter().any(|it| matches!(module.kind(it), Kind::Await(_)));
                let is_about = uses(module, side, names) || asks();
                if is_about { of_test(module, side, holds, names) } else { Polarity::Unknown }
            };
            match (of(left), of(right)) {
                (Polarity::Unknown, other) | (other, _) => other,
            }
        }
        Kind::Binary { operator, left, right } => compared(module, operator, (left, right), holds),
        _ => Polarity::Unknown,
    }
}

/// Members that are there where the row is, or that count rows.
fn tells_existence(member: &str) -> bool {
    matches!(
        member,
        "length"
            | "size"
            | "rows"
            | "rowCount"
            | "count"
            | "total"
            | "data"
            | "docs"
            | "id"
            | "_id"
            | "value"
            | "0"
    )
}

fn compared(module: &Module, operator: Binary, (left, right): (NodeId, NodeId), holds: bool) -> Polarity {
    let is_nothing = |node: NodeId| {
        matches!(module.kind(node), Kind::Null)
            || matches!(module.source(node), "undefined" | "0" | "'0'" | "\"0\"")
    };
    let is_of_row = |node: NodeId| matches!(module.kind(node), Kind::Member { name, .. } if !tells_existence(module.str(name)));
    let present = |is_present: bool| match is_present {
        _ if is_of_row(left) || is_of_row(right) => Polarity::Unknown,
        true => Polarity::WherePresent,
        false => Polarity::WhereAbsent,
    };
    match operator {
        Binary::Equal if is_nothing(right) || is_nothing(left) => present(!holds),
        Binary::NotEqual | Binary::Greater if is_nothing(right) => present(holds),
        Binary::GreaterEqual | Binary::Greater if module.source(right) == "1" => present(holds),
        Binary::GreaterEqual | Binary::Greater | Binary::Less | Binary::LessEqual => {
            // `link.expiresAt < now` counts nothing; `team._count.links >= limit` does.
            let counts = |node: NodeId| module.source(node).to_lowercase().contains("count");
            let is_field = (is_of_row(left) || is_of_row(right)) && !counts(left) && !counts(right);
            if is_field { Polarity::Unknown } else { Polarity::BelowLimit }
        }
        _ => Polarity::Unknown,
    }
}
