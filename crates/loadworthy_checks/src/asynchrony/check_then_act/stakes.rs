//! What is at stake: the column that is written, and how bad a wrong value of it is.

use loadworthy_analysis::{derived, results};
use loadworthy_capacity::Severity;
use loadworthy_syntax::{Binary, Kind, Module};

use super::computed::{changed_in_place, computed};
use super::fields::tested;
use super::rows::{Race, Shape};
use crate::audit::Audit;

/// Columns that hold money or things that run out.
const SCARCE: [&str; 14] = [
    "balance",
    "stock",
    "inventory",
    "quantity",
    "seats",
    "seat",
    "credits",
    "credit",
    "wallet",
    "available",
    "remaining",
    "funds",
    "tickets",
    "uses",
];

/// Columns that hold money: a lost update is wrong in both directions.
const MONEY: [&str; 5] = ["balance", "credits", "credit", "wallet", "funds"];

/// `takes`: the value is made smaller. What is only added to can't run out.
pub(super) fn severity(
    race: &Race<'_>,
    is_unique: bool,
    column: Option<&str>,
    takes: bool,
) -> (Severity, Severity) {
    let is_among = |words: &[&str]| {
        column.is_some_and(|column| {
            let name = column.to_lowercase();
            words.iter().any(|word| name == *word || name.ends_with(word) || name.starts_with(word))
        })
    };
    let is_scarce = takes && is_among(&SCARCE) || is_among(&MONEY);
    match race.shape {
        Shape::WithinLimit if is_among(&SCARCE) || is_among(&MONEY) => {
            (Severity::Critical, Severity::Critical)
        }
        Shape::ReadModifyWrite if is_scarce => (Severity::Critical, Severity::Critical),
        Shape::FindThenInsert if is_unique => (Severity::Medium, Severity::Medium),
        Shape::WrittenWhole => (Severity::Monitor, Severity::Medium),
        Shape::FindThenInsert
        | Shape::UsedOnce
        | Shape::CountThenInsert
        | Shape::LastOne
        | Shape::NextNumber
        | Shape::ReadModifyWrite
        | Shape::Claimed
        | Shape::WithinLimit => (Severity::Medium, Severity::High),
    }
}

/// Whether the written value is smaller than what was read: `stock - 1`, `stock -= 1`.
pub(super) fn takes(module: &Module, race: &Race<'_>) -> bool {
    let names = results(module, race.read.at.1);
    let operand = computed(module, race, &names).or_else(|| changed_in_place(module, race, &names));
    operand.is_some_and(|operand| match module.kind(module.parent(operand)) {
        Kind::Binary { operator, .. } | Kind::Assign { operator: Some(operator), .. } => {
            operator == Binary::Subtract
        }
        Kind::Assign { value, .. } => module.source(value).contains('-'),
        Kind::Update(_) => module.source(module.parent(operand)).contains("--"),
        _ => false,
    })
}

/// The column of `{ stock: product.stock - 1 }`, or the one that is tested.
pub(super) fn written_column(audit: &Audit<'_, '_>, module: &Module, race: &Race<'_>) -> Option<String> {
    if matches!(race.shape, Shape::Claimed | Shape::WithinLimit) {
        let names = results(module, race.read.at.1);
        let all =
            derived(audit.analysis, (race.read.at.0, module), &names, (race.read.at.1, race.write.at.1));
        return tested(audit, module, race, &all).map(|it| it.field);
    }
    if race.shape != Shape::ReadModifyWrite {
        return None;
    }
    let names = results(module, race.read.at.1);
    let operand = computed(module, race, &names).or_else(|| changed_in_place(module, race, &names))?;
    let source = module.source(operand);
    let name = source.trim_end_matches(')').rsplit(['.', '(']).next()?;
    Some(name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?.to_owned())
}
