//! What the server answers to a request of a page: a list without a limit, and of which rows.

use loadworthy_analysis::{ClientRequest, ClientRequests, Query};

use crate::audit::Audit;
use crate::database::rows::Estimate;
use crate::database::unbounded_fetch::shapes::{Shape, cases};

/// An answer that has as many rows as there are.
pub(crate) struct Unlimited<'q> {
    /// The route, by its place in the route table.
    pub(crate) route: usize,
    /// The query that reads them.
    pub(crate) query: &'q Query,
    /// How many.
    pub(crate) estimate: Estimate,
}

/// The longest list without a limit that the routes of a request give; none where all are limited, or not known.
pub(crate) fn unlimited<'q>(audit: &'q Audit<'_, '_>, request: &ClientRequest) -> Option<Unlimited<'q>> {
    let mut best: Option<Unlimited<'q>> = None;
    for route in &request.routes {
        for query in audit.analysis.queries().iter() {
            if !audit.analysis.reach().routes(audit.analysis.owner(query.site)).contains(route) {
                continue;
            }
            for case in cases(audit, query) {
                let is_list = matches!(
                    case.shape,
                    Shape::NoLimit { .. }
                        | Shape::ClientLimit { .. }
                        | Shape::Off { .. }
                        | Shape::Include { .. }
                );
                let rows = case.estimate.rows.likely;
                if is_list && best.as_ref().is_none_or(|best| best.estimate.rows.likely < rows) {
                    best = Some(Unlimited { route: *route, query, estimate: case.estimate });
                }
            }
        }
    }
    // A page of the client's own choice is a page.
    let pages = ["limit", "page", "take", "pagesize", "perpage", "offset", "cursor"];
    let query = request.address.query().to_lowercase();
    best.filter(|_| !pages.iter().any(|word| query.contains(word)))
}

/// "GET /api/orders" of a route.
pub(crate) fn route_of(audit: &Audit<'_, '_>, route: usize) -> String {
    audit.analysis.routes().get(route).map_or_else(String::new, crate::audit::route_name)
}

/// The requests of the pages.
pub(crate) fn requests(audit: &Audit<'_, '_>) -> ClientRequests {
    ClientRequests::new(audit.analysis, audit.resolver)
}
