//! # Lists without an end
//! All rows of an endpoint that has no limit, each with elements of its own.
//!
//! ## Why it fails under load
//! Rows × elements per row. Each element costs about 2 µs to create and as much to lay out, so 5,000 rows of ten elements
//! block the page for a second, at every change of the list again, and take tens of megabytes. The test with fifty rows
//! shows nothing of it. The server's side of the same list is 1B.
//!
//! ## Bad
//! ```ts title="server/app.ts"
//! import express from "express";
//! import pg from "pg";
//! const app = express();
//! const pool = new pg.Pool({ max: 20 });
//! app.get("/api/orders", async (_req, res) => {
//!   const { rows } = await pool.query("SELECT * FROM orders");
//!   res.json(rows);
//! });
//! app.listen(3000);
//! ```
//! ```tsx title="client/src/Orders.tsx"
//! import { useQuery } from "@tanstack/react-query";
//! export function Orders() {
//!   const { data: orders = [] } = useQuery<any[]>({ queryKey: ["/api/orders"] });
//!   return (
//!     <ul>
//!       {orders.map((order) => ( // finding: 5B
//!         <li key={order.id}>{order.total}</li>
//!       ))}
//!     </ul>
//!   );
//! }
//! ```
//!
//! ## Good
//! ```ts title="server/app.ts"
//! import express from "express";
//! import pg from "pg";
//! const app = express();
//! const pool = new pg.Pool({ max: 20 });
//! app.get("/api/orders", async (_req, res) => {
//!   const { rows } = await pool.query("SELECT * FROM orders ORDER BY id DESC LIMIT 50");
//!   res.json(rows);
//! });
//! app.listen(3000);
//! ```
//! ```tsx title="client/src/Orders.tsx"
//! import { useQuery } from "@tanstack/react-query";
//! export function Orders() {
//!   const { data: orders = [] } = useQuery<any[]>({ queryKey: ["/api/orders"] });
//!   return (
//!     <ul>
//!       {orders.map((order) => (
//!         <li key={order.id}>{order.total}</li>
//!       ))}
//!     </ul>
//!   );
//! }
//! ```
//!
//! ## Leaves alone
//! Lists whose endpoint has a limit; pages, slices and infinite scrolling; lists behind a virtualising component; constants; lists
//! of which nothing tells how long they are.

use std::path::Path;

use loadworthy_analysis::{Site, elements_made, filled_by};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_project::{FileClass, FileId};
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::answers::{Answers, Unlimited, route_of};
use crate::audit::Audit;
use crate::database::rows::{Growth, plain, table_name};
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct UnvirtualizedList;

static META: Meta = Meta {
    code: "5B",
    slug: "unvirtualized-list",
    category: Category::Frontend,
    summary: "a page shows all rows of an endpoint without a limit",
    page: include_str!("unvirtualized_list.rs"),
};

/// Milliseconds to create, commit and lay out one element (React 18, a laptop of today).
const ELEMENT_MILLIS: f64 = 0.004;
/// Rows that a page shows without anybody noticing.
const FEW_ROWS: f64 = 200.0;

impl Check for UnvirtualizedList {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let answers = Answers::new(audit);
        let mut lists: Vec<List<'_>> = Vec::new();
        for (file, module) in audit.program().modules() {
            if !audit.program().class(file).is_some_and(FileClass::may_be_client) || is_virtual(module) {
                continue;
            }
            for call in module.calls() {
                lists.extend(list(audit, &answers, module, (file, *call)));
            }
        }
        // One endpoint without a limit is one defect, wherever its rows are shown.
        let mut routes: Vec<usize> = lists.iter().map(|list| list.answer.route).collect();
        routes.sort_unstable();
        routes.dedup();
        for route in routes {
            let own: Vec<&List<'_>> = lists.iter().filter(|list| list.answer.route == route).collect();
            findings.extend(finding(audit, &own));
        }
    }
}

/// Whether the file shows its lists through a component that renders what is in view.
fn is_virtual(module: &Module) -> bool {
    VIRTUAL.iter().any(|word| module.text().contains(word))
}

/// Names of components and hooks that render what is in view.
const VIRTUAL: [&str; 9] = [
    "FixedSizeList",
    "VariableSizeList",
    "Virtuoso",
    "useVirtualizer",
    "useVirtual(",
    "AutoSizer",
    "DataGrid",
    "AgGrid",
    "VirtualList",
];

/// Words of code that shows a page of a list.
const PAGED: [&str; 9] = [
    "currentPage",
    "pageSize",
    "itemsPerPage",
    "rowsPerPage",
    "useInfiniteQuery",
    "fetchNextPage",
    "getPaginationRowModel",
    "InfiniteScroll",
    "<Pagination",
];

/// A list that is shown as a whole.
struct List<'q> {
    site: Site,
    request: Site,
    answer: &'q Unlimited<'q>,
    elements: usize,
    source: String,
}

fn list<'q>(
    audit: &Audit<'_, '_>,
    answers: &'q Answers<'q>,
    module: &Module,
    site: Site,
) -> Option<List<'q>> {
    let (source, callback) = mapped(module, site.1)?;
    let elements = elements_in(audit, (site.0, module), callback);
    if elements == 0 {
        return None;
    }
    let filled = filled_by(audit.analysis, (site.0, source));
    if filled.is_cut || is_paged(module, site.1) {
        return None;
    }
    if filled.requests.is_empty() {
        // A component of the server that reads the rows itself is rendered once, and sent as it is.
        let query = *filled.queries.first().filter(|_| is_interactive(audit, module, site))?;
        let answer = answers.of_query(query)?;
        let source = module.source(source).to_owned();
        return is_long(answer).then_some(List { site, request: query, answer, elements, source });
    }
    let all = audit.analysis.clients().all();
    let asked = filled.requests.iter().filter_map(|at| all.get(*at));
    let mut best: Option<(Site, &Unlimited<'_>)> = None;
    for request in asked {
        // One of several sources with a limit may be the one: all must be without.
        let found = answers.of(request).filter(|found| answers.is_shown(found, module.source(source)))?;
        if best.as_ref().is_none_or(|(_, best)| best.estimate.rows.likely < found.estimate.rows.likely) {
            best = Some((request.site, found));
        }
    }
    let (request, answer) = best?;
    let source = module.source(source).to_owned();
    is_long(answer).then_some(List { site, request, answer, elements, source })
}

/// Whether the rows of an answer grow to more than a page shows at once.
fn is_long(answer: &Unlimited<'_>) -> bool {
    answer.estimate.rows.likely >= FEW_ROWS && answer.estimate.growth != Growth::Lookup
}

/// Whether the component keeps state: it renders its rows again in the browser.
fn is_interactive(audit: &Audit<'_, '_>, module: &Module, site: Site) -> bool {
    let owner = module.outermost_function(site.1);
    let mut components = audit.analysis.components(site.0).iter();
    components.any(|it| it.function == (site.0, owner) && !it.states.is_empty())
}

/// The list and the callback of `list.map((item) => <Row />)`.
fn mapped(module: &Module, call: NodeId) -> Option<(NodeId, FunctionId)> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    if module.str(name) != "map" {
        return None;
    }
    function_of(module, module.list(arguments).next()?).map(|function| (object, function))
}

/// A function as it stands, or the one that a name of the file is declared with: `list.map(renderItem)`.
fn function_of(module: &Module, node: NodeId) -> Option<FunctionId> {
    match module.kind(node) {
        Kind::Function(function) => Some(function),
        Kind::Name { binding, .. } => {
            let declared = module.binding(binding)?.node;
            match (module.kind(declared), module.kind(module.parent(declared))) {
                (Kind::Function(function), _) => Some(function),
                (_, Kind::Declarator { init, .. }) => match module.kind(init) {
                    Kind::Function(function) => Some(function),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// Elements that one run of a callback makes, with those of the components that it renders.
fn elements_in(audit: &Audit<'_, '_>, (file, module): (FileId, &Module), callback: FunctionId) -> usize {
    let Some(function) = module.function(callback) else { return 0 };
    if !module.source(function.body).contains("/>") && !module.source(function.body).contains("</") {
        return 0;
    }
    elements_made(audit.analysis, audit.resolver, (file, function.body))
}

/// Whether the component shows pages.
fn is_paged(module: &Module, node: NodeId) -> bool {
    let Some(component) = module.function(module.outermost_function(node)) else { return false };
    let text = module.source(component.node);
    PAGED.iter().any(|word| text.contains(word))
}

fn finding(audit: &Audit<'_, '_>, lists: &[&List<'_>]) -> Option<Finding> {
    let first = lists.iter().max_by(|a, b| a.elements.cmp(&b.elements).then_with(|| b.site.cmp(&a.site)))?;
    let List { site, request, answer, elements, source } = first;
    let (site, request, elements, list) = (*site, *request, *elements, source.as_str());
    let rows = answer.estimate.rows;
    let route = route_of(audit, answer.route);
    let table = table_name(answer.query);
    #[expect(clippy::cast_precision_loss, reason = "a callback holds few elements")]
    let per_row = elements as f64;
    let millis = rows.likely * per_row * ELEMENT_MILLIS;
    let component = audit.function_name((site.0, audit.module(site)?.outermost_function(site.1)));
    let list = if list.len() > 40 { "the list" } else { list };
    let mut evidence = vec![
        Evidence {
            place: Place::Code(site),
            note: format!("renders {elements} elements for each of `{list}`"),
        },
        Evidence { place: Place::Code(request), note: format!("filled by {route}") },
        Evidence {
            place: Place::Code(answer.query.site),
            note: format!("which reads {}, without a limit", answer.estimate.words),
        },
    ];
    for other in lists.iter().filter(|other| other.site != site) {
        let note = format!("shows them too, {} elements each", other.elements);
        evidence.push(Evidence { place: Place::Code(other.site), note });
    }
    let words = Words {
        title: format!("{component} shows all rows of {route}"),
        problem: format!(
            "`{list}` holds whatever {route} answers, and that endpoint has no limit: {}. Each row makes {elements} elements, so the page creates about {} of them at once and again at each change of the list; typing and scrolling stand still meanwhile.",
            answer.estimate.words,
            plain(rows.likely * per_row),
        ),
        verify: format!(
            "Fill `{table}` with {} rows, open the page and record a performance profile: one task of about {} ms and {} DOM nodes now, a few hundred nodes after the change.",
            plain(rows.likely),
            plain(millis),
            plain(rows.likely * per_row)
        ),
        tradeoff: String::from(
            "Virtual rows need a known or measured height, and the browser's search finds only what is shown; with pages the server has to sort and filter.",
        ),
    };
    let is_typed = Path::new(audit.program().path(site.0)).extension().is_some_and(|it| it == "tsx");
    let typed = if is_typed { "<HTMLDivElement>" } else { "" };
    let fix = Fix {
        description: format!(
            "Give {route} a limit and show pages (or load more while scrolling); where all rows must be at hand, render only those in view with `@tanstack/react-virtual`."
        ),
        before: Some(audit.excerpt(site, 120)),
        after: Some(format!(
            "const parent = useRef{typed}(null);\nconst rows = useVirtualizer({{ count: {list}.length, getScrollElement: () => parent.current, estimateSize: () => 48 }});\n// …\n{{rows.getVirtualItems().map((row) => renderRow({list}[row.index]))}}"
        )),
        ..Fix::default()
    };
    let most = match answer.estimate.growth {
        Growth::Endless => Severity::High,
        _ => Severity::Medium,
    };
    let least = if millis >= 500.0 {
        Severity::High
    } else if millis >= 50.0 {
        Severity::Medium
    } else {
        Severity::Monitor
    };
    let mut found =
        Finding::new(&META, site, evidence, audit.cost_at(site).reached(Reach::PerRender), words, fix)
            .confidence(Confidence::Medium)
            .at_least(least.min(most))
            .at_most(most)
            .assuming(format!("the page shows {}", answer.estimate.words));
    found.routes = Some(vec![route]);
    Some(found)
}
