//! What a test says about the thing that was read.

use loadworthy_analysis::Decision;
use loadworthy_syntax::{Binary, Kind, Module, NodeId, Unary};

/// What a test says about the thing that was read, where the write runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Polarity {
    WhereAbsent,
    WherePresent,
    BelowLimit,
    Unknown,
}

/// What holds where the write runs.
pub(super) fn polarity(module: &Module, decision: Decision) -> Polarity {
    let (test, holds) = match decision {
        Decision::Inside { test, where_true } => (test, where_true),
        Decision::Guarded { test } => (test, false),
    };
    of_test(module, test, holds)
}

fn of_test(module: &Module, test: NodeId, holds: bool) -> Polarity {
    let present = |is_present: bool| if is_present { Polarity::WherePresent } else { Polarity::WhereAbsent };
    match module.kind(test) {
        Kind::Unary { operator: Unary::Not, value } => of_test(module, value, !holds),
        Kind::Name { .. } | Kind::Member { .. } | Kind::Index { .. } | Kind::Await(_) => present(holds),
        Kind::Binary { operator: Binary::And | Binary::Or, left, right } => {
            match (of_test(module, left, holds), of_test(module, right, holds)) {
                (Polarity::Unknown, other) | (other, _) => other,
            }
        }
        Kind::Binary { operator, left, right } => compared(module, operator, (left, right), holds),
        _ => Polarity::Unknown,
    }
}

fn compared(module: &Module, operator: Binary, (left, right): (NodeId, NodeId), holds: bool) -> Polarity {
    let is_nothing = |node: NodeId| {
        matches!(module.kind(node), Kind::Null)
            || matches!(module.source(node), "undefined" | "0" | "'0'" | "\"0\"")
    };
    let present = |is_present: bool| if is_present { Polarity::WherePresent } else { Polarity::WhereAbsent };
    match operator {
        Binary::Equal if is_nothing(right) || is_nothing(left) => present(!holds),
        Binary::NotEqual | Binary::Greater if is_nothing(right) => present(holds),
        Binary::GreaterEqual | Binary::Greater if module.source(right) == "1" => present(holds),
        Binary::GreaterEqual | Binary::Greater | Binary::Less | Binary::LessEqual => Polarity::BelowLimit,
        _ => Polarity::Unknown,
    }
}
