//! What the server answers to a request of a page: a list without a limit, and of which rows.

use std::collections::{BTreeMap, BTreeSet};

use loadworthy_analysis::{ClientRequest, EntryKind, Operation, Query, Site, Yields};

use crate::audit::Audit;
use crate::database::rows::Estimate;
use crate::database::unbounded_fetch::shapes::{Shape, cases};

/// An answer that has as many rows as there are.
#[derive(Clone)]
pub(crate) struct Unlimited<'q> {
    /// The route, by its place in the route table.
    pub(crate) route: usize,
    /// The query that reads them.
    pub(crate) query: &'q Query,
    /// How many.
    pub(crate) estimate: Estimate,
}

/// The longest list without a limit of each route that has one.
pub(crate) struct Answers<'q> {
    by_route: BTreeMap<usize, Unlimited<'q>>,
    /// The lists without a limit by their queries: a component of the server hands rows to the page without a request.
    by_query: BTreeMap<Site, Unlimited<'q>>,
    /// The tables whose rows a route reads as lists, limited or not.
    tables: BTreeMap<usize, BTreeSet<&'q str>>,
}

impl<'q> Answers<'q> {
    /// Of all routes; of none where no page asks anything.
    pub(crate) fn new(audit: &'q Audit<'_, '_>) -> Self {
        let mut by_route: BTreeMap<usize, Unlimited<'q>> = BTreeMap::new();
        let mut tables: BTreeMap<usize, BTreeSet<&'q str>> = BTreeMap::new();
        let mut by_query: BTreeMap<Site, Unlimited<'q>> = BTreeMap::new();
        let is_asked = !audit.analysis.clients().all().is_empty()
            || audit.analysis.routes().iter().any(|route| route.kind == EntryKind::Page);
        for query in audit.analysis.queries().iter().filter(|_| is_asked) {
            let routes = audit.analysis.reach().routes(audit.analysis.owner(query.site));
            if routes.is_empty() {
                continue;
            }
            if query.operation == Operation::Read && query.yields == Yields::Many {
                for route in routes {
                    tables.entry(*route).or_default().extend(query.table.as_deref());
                }
            }
            for case in cases(audit, query).into_iter().filter(|case| is_list(query, &case.shape)) {
                for route in routes {
                    let found = Unlimited { route: *route, query, estimate: case.estimate.clone() };
                    by_query.entry(query.site).or_insert_with(|| found.clone());
                    let best = by_route.entry(*route).or_insert_with(|| found.clone());
                    if best.rows() < found.rows() {
                        *best = found;
                    }
                }
            }
        }
        Self { by_route, by_query, tables }
    }

    /// The rows of a query that a component of the server hands to the page; none where they are limited.
    pub(crate) fn of_query(&self, query: Site) -> Option<&Unlimited<'q>> {
        self.by_query.get(&query)
    }

    /// Whether a list that a page calls `shown` may be those rows: an answer that is made of several tables holds other lists
    /// as well, so the names have to agree.
    pub(crate) fn is_shown(&self, unlimited: &Unlimited<'_>, shown: &str) -> bool {
        let tables = self.tables.get(&unlimited.route).map_or(0, BTreeSet::len);
        let letters = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
        let table = letters(unlimited.query.table.as_deref().unwrap_or_default());
        let stem = table.trim_end_matches('s').trim_end_matches("ie");
        tables < 2 || stem.len() > 2 && letters(shown).contains(stem)
    }

    /// The longest that the routes of a request give; none where all are limited, or not known.
    pub(crate) fn of(&self, request: &ClientRequest) -> Option<&Unlimited<'q>> {
        // A page of the client's own choice is a page.
        let pages = ["limit", "page", "take", "pagesize", "perpage", "offset", "cursor"];
        let query = request.address.query().to_lowercase();
        if pages.iter().any(|word| query.contains(word)) {
            return None;
        }
        let found = request.routes.iter().filter_map(|route| self.by_route.get(route));
        found.reduce(|best, next| if best.rows() < next.rows() { next } else { best })
    }
}

impl Unlimited<'_> {
    fn rows(&self) -> f64 {
        self.estimate.rows.likely
    }
}

/// Whether the rows are what a page lists: of a relation only where it is one row's, as those of many are not one list.
fn is_list(query: &Query, shape: &Shape) -> bool {
    match shape {
        Shape::NoLimit { .. } | Shape::ClientLimit { .. } | Shape::Off { .. } => true,
        Shape::Include { .. } => query.yields != Yields::Many,
        _ => false,
    }
}

/// "GET /api/orders" of a route.
pub(crate) fn route_of(audit: &Audit<'_, '_>, route: usize) -> String {
    audit.analysis.routes().get(route).map_or_else(String::new, crate::audit::route_name)
}
