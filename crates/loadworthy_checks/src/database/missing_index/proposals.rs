//! One index for all the queries that it serves.

use loadworthy_schema::Table;

use super::demands::{Demand, Need, Wanted, demands};
use crate::audit::Audit;

/// An index, or another measure, with the queries that want it.
#[derive(Debug)]
pub(super) struct Proposal<'q> {
    pub(super) table: Option<&'q Table>,
    pub(super) name: String,
    /// The most pressing need of its queries.
    pub(super) need: Need,
    /// Columns in the order of the index.
    pub(super) equal: Vec<String>,
    pub(super) then: Vec<Wanted>,
    pub(super) demands: Vec<Demand<'q>>,
}

impl Proposal<'_> {
    /// All columns, in the order of the index.
    pub(super) fn keys(&self) -> Vec<Wanted> {
        let equal = self.equal.iter().map(|column| Wanted { column: column.clone(), is_descending: false });
        equal.chain(self.then.iter().cloned()).collect()
    }

    /// "`userId`, `createdAt`".
    pub(super) fn columns_in_words(&self) -> String {
        let names: Vec<String> = self.keys().iter().map(|key| format!("`{}`", key.column)).collect();
        names.join(", ")
    }

    /// An index that begins the same way and ends before: it is made longer instead of a second one beside it.
    pub(super) fn extended(&self) -> Option<&loadworthy_schema::Index> {
        let keys = self.keys();
        self.table?.indexes.iter().find(|index| {
            let columns = index.columns();
            !index.unique
                && index.predicate.is_none()
                && !columns.is_empty()
                && columns.len() < keys.len()
                && columns.iter().zip(&keys).all(|(column, key)| *column == key.column)
        })
    }

    /// Takes a demand that the same index serves, as it is or with its columns in another order.
    fn takes(&mut self, demand: &Demand<'_>) -> bool {
        if !is_same_table(self.table, &self.name, demand) {
            return false;
        }
        if self.table.is_none() {
            self.add_columns(demand);
            return true;
        }
        if !is_tree(self.need) || !is_tree(demand.need) {
            return self.need == demand.need && self.equal == demand.equal;
        }
        if demand.equal.is_empty() || self.equal.is_empty() {
            return demand.equal == self.equal && begins_alike(&self.then, &demand.then);
        }
        let leading = self.equal.get(..demand.equal.len());
        if leading.is_some_and(|leading| is_same_set(leading, &demand.equal)) {
            if self.equal.len() == demand.equal.len() && self.then.is_empty() {
                self.then.clone_from(&demand.then);
            }
            return demand.need != Need::Sort
                || self.equal.len() == demand.equal.len() && begins_alike(&self.then, &demand.then);
        }
        // A longer one, of which the first columns are served too.
        let is_narrowed = self.equal.first().is_some_and(|first| demand.equal.contains(first));
        is_narrowed && demand.need != Need::Sort
    }

    fn add_columns(&mut self, demand: &Demand<'_>) {
        for column in &demand.equal {
            if !self.equal.contains(column) {
                self.equal.push(column.clone());
            }
        }
        let equal = &self.equal;
        self.then.retain(|key| !equal.contains(&key.column));
    }
}

fn is_tree(need: Need) -> bool {
    matches!(need, Need::Find | Need::Sort | Need::Join | Need::Cascade)
}

fn is_same_table(table: Option<&Table>, name: &str, demand: &Demand<'_>) -> bool {
    match (table, demand.table) {
        (Some(left), Some(right)) => std::ptr::eq(left, right),
        (None, None) => name.eq_ignore_ascii_case(&demand.name),
        _ => false,
    }
}

fn is_same_set(left: &[String], right: &[String]) -> bool {
    left.len() == right.len() && left.iter().all(|column| right.contains(column))
}

fn begins_alike(longer: &[Wanted], shorter: &[Wanted]) -> bool {
    shorter.iter().zip(longer).all(|(left, right)| left.column == right.column)
}

/// What the program needs, in the order of the first query of each.
pub(super) fn proposals<'q>(audit: &'q Audit<'_, '_>) -> Vec<Proposal<'q>> {
    let demands = demands(audit);
    let mut order: Vec<usize> = (0..demands.len()).collect();
    // Few equal columns first: they decide what an index leads with.
    order.sort_by_key(|at| demands.get(*at).map(|it| (it.need == Need::Cascade, it.equal.len(), *at)));
    let mut all: Vec<(usize, Proposal<'q>)> = Vec::new();
    for at in order {
        let Some(demand) = demands.get(at) else { continue };
        let taken = all.iter_mut().position(|(_, proposal)| proposal.takes(demand));
        if let Some((first, proposal)) = taken.and_then(|taken| all.get_mut(taken)) {
            *first = (*first).min(at);
            proposal.need = proposal.need.min(demand.need);
            proposal.demands.push(demand.clone());
            continue;
        }
        let proposal = Proposal {
            table: demand.table,
            name: demand.name.clone(),
            need: demand.need,
            equal: demand.equal.clone(),
            then: demand.then.clone(),
            demands: vec![demand.clone()],
        };
        all.push((at, proposal));
    }
    all.sort_by_key(|(first, _)| *first);
    let mut all: Vec<Proposal<'q>> = all.into_iter().map(|(_, proposal)| proposal).collect();
    for proposal in &mut all {
        proposal.demands.sort_by_key(|demand| {
            // What requests run is shown first.
            (!audit.is_per_request(demand.query.site), demand.query.site)
        });
        proposal.demands.dedup_by_key(|demand| demand.query.site);
    }
    all
}
