//! Handlers that on some way neither answer nor hand the request on, and handlers that answer twice.

use std::collections::{BTreeMap, BTreeSet};

use loadworthy_analysis::{Call, Exit, ExitKind, FunctionRef, Handed, Positions, Site, Wrapping};
use loadworthy_capacity::{Failure, Severity};
use loadworthy_knowledge::Runs;
use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId, Unary};

use super::META;
use super::process::is_server_code;
use crate::audit::{Audit, route_name};
use crate::edit::{indentation, insert, styled, unit};
use crate::finding::{Applicability, Edit, Evidence, Finding, Fix, Place, Words};
use crate::runs::cost_of;

/// What handlers by convention call the function that hands the request on.
const NEXT: &str = "next";

pub(super) fn report(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: BTreeSet<FunctionRef> = BTreeSet::new();
    let mut silent: BTreeMap<FileId, Vec<Silent<'_, '_>>> = BTreeMap::new();
    for call in audit.analysis.calls().iter() {
        if !is_server_code(audit, call.site) {
            continue;
        }
        for handed in &call.handed {
            if takes_response(audit, call, handed) && seen.insert(handed.function) {
                judge(audit, call.site, handed.function, &mut silent, findings);
            }
        }
    }
    findings.extend(silent.values().filter_map(|all| silenced(all)));
}

/// A handler whose `catch` clauses, and nothing else, leave the request without an answer.
struct Silent<'h, 'p> {
    handler: Handler<'h, 'p>,
    ways: Vec<(NodeId, String)>,
}

/// The silent handlers of a file: one habit, one finding.
fn silenced(all: &[Silent<'_, '_>]) -> Option<Finding> {
    let (Silent { handler, ways }, others) = all.split_first()?;
    let mut finding = handler.unanswered(ways)?;
    if others.is_empty() {
        return Some(finding);
    }
    let sites: Vec<Site> = all
        .iter()
        .flat_map(|silent| silent.ways.iter().map(|(node, _)| silent.handler.site(*node)))
        .collect();
    finding.cost = cost_of(handler.audit, &sites).failing(Failure::HangsRequest);
    finding.words.title = format!(
        "{} handlers of {} do not answer when their `try` fails",
        all.len(),
        handler.audit.program().path(handler.function.0)
    );
    for Silent { handler, ways } in others {
        finding.evidence.extend(handler.told(ways));
        if let Some((first, _)) = ways.first() {
            finding.fix.edits.extend(handler.answer_fix(*first).edits);
        }
    }
    Some(finding)
}

/// Whether the library passes a response to the function, which has to answer with it.
fn takes_response(audit: &Audit<'_, '_>, call: &Call<'_>, handed: &Handed) -> bool {
    let Some(library) = &call.library else { return false };
    let is_value = matches!(audit.analysis.wrapping(call, handed), Wrapping::Using(_));
    if handed.runs != Some(Runs::PerRequest) || is_value {
        return false;
    }
    let knowledge = audit.knowledge();
    let argument = handed.argument;
    let second =
        knowledge.callback_param(library.lib, library.on, &library.name, argument, argument + 1, 1, None);
    second.is_some_and(|(_, handle)| knowledge.handle_name(handle) == RESPONSE)
}

/// Handle name of the knowledge for the response of a Node.js server.
const RESPONSE: &str = "res";

fn judge<'h, 'p>(
    audit: &'h Audit<'h, 'p>,
    registered: Site,
    function: FunctionRef,
    silent: &mut BTreeMap<FileId, Vec<Silent<'h, 'p>>>,
    findings: &mut Vec<Finding>,
) {
    let Some(module) = audit.program().module(function.0) else { return };
    let Some(lowered) = module.function(function.1) else { return };
    let positions = Positions::of(lowered.parameters.len());
    let answers = audit.analysis.answers(function, positions);
    let handler = Handler { audit, module, function, registered, positions };
    findings.extend(answers.doubled.iter().map(|(second, first)| handler.doubled(*second, first)));
    let ways: Vec<(NodeId, String)> =
        answers.missing.iter().flat_map(|(function, exit)| handler.ways(*function, exit)).collect();
    if !ways.is_empty() && ways.iter().all(|(node, _)| matches!(module.kind(*node), Kind::Catch { .. })) {
        silent.entry(function.0).or_default().push(Silent { handler, ways });
    } else {
        findings.extend(handler.unanswered(&ways));
    }
}

struct Handler<'h, 'p> {
    audit: &'h Audit<'h, 'p>,
    module: &'p Module,
    function: FunctionRef,
    registered: Site,
    positions: Positions,
}

impl Handler<'_, '_> {
    fn site(&self, node: NodeId) -> Site {
        (self.function.0, node)
    }

    fn name(&self) -> String {
        let serves = |route: &&loadworthy_analysis::Route| {
            route.handler.iter().chain(&route.middleware).any(|it| it.functions.contains(&self.function))
        };
        let mut names = self.audit.analysis.routes().iter().filter(serves).map(route_name);
        match (names.next(), names.count()) {
            (None, _) => self.audit.function_name(self.function),
            (Some(only), 0) => only,
            (Some(first), more) => format!("{first} and {more} more"),
        }
    }

    fn parameter(&self, at: usize) -> Option<&str> {
        let lowered = self.module.function(self.function.1)?;
        self.module
            .list(lowered.parameters)
            .nth(at)
            .map(|node| self.module.source(node).split([':', '=']).next().unwrap_or_default().trim())
    }

    /// Where it is registered, and the ways without an answer.
    fn told(&self, ways: &[(NodeId, String)]) -> Vec<Evidence> {
        let registered = Evidence {
            place: Place::Code(self.registered),
            note: format!("{} is registered here", self.name()),
        };
        let ways = ways.iter().map(|(node, how)| Evidence {
            place: Place::Code(self.site(*node)),
            note: format!("no answer {how}"),
        });
        std::iter::once(registered).chain(ways).collect()
    }

    fn unanswered(&self, ways: &[(NodeId, String)]) -> Option<Finding> {
        let (first, how) = ways.first()?;
        let cost = self.audit.cost_at(self.site(*first)).failing(Failure::HangsRequest);
        let name = self.name();
        let count = ways.len();
        let more = if count == 1 { String::new() } else { format!(" ({count} ways)") };
        let words = Words {
            title: format!("{name} does not answer {how}{more}"),
            problem: String::from(
                "On this way through the handler neither the response nor `next` is used, so the request hangs until the client or a proxy gives up. \
                 Under load each such request keeps its socket, its memory and a place in the client's connection pool; a dependency that fails turns all its requests into hanging ones.",
            ),
            verify: format!(
                "Bring the handler on this way ({how}) and send `curl -i -m 5` to it: it must answer within a second instead of timing out."
            ),
            tradeoff: String::from(
                "An early error answer can be retried by clients: answer 4xx where a retry is useless.",
            ),
        };
        Some(
            Finding::new(&META, self.site(*first), self.told(ways), cost, words, self.fix_of_all(ways))
                .at_most(Severity::High),
        )
    }

    /// The places that show a way without an answer, and the way in words.
    fn ways(&self, function: FunctionId, exit: &Exit) -> Vec<(NodeId, String)> {
        let body = self.module.function(function).map(|it| it.body);
        let via = exit.via.iter().copied().filter(|node| !self.is_without_error(*node));
        via.map(|node| {
            let at = if exit.kind == ExitKind::Return && Some(node) == body { exit.node } else { node };
            (at, self.way(node, exit, body))
        })
        .collect()
    }

    /// The way past `if (err)`, or into `if (!err)`, in an error middleware, which is only called with an error.
    fn is_without_error(&self, via: NodeId) -> bool {
        let is_error_middleware = self.positions.response > 1;
        let Some(error) = self.parameter(0).filter(|_| is_error_middleware) else { return false };
        if let Kind::If { test, .. } = self.module.kind(via) {
            return self.module.source(test).trim() == error;
        }
        let Kind::If { test, then, .. } = self.module.kind(self.module.parent(via)) else { return false };
        let Kind::Unary { operator: Unary::Not, value } = self.module.kind(test) else { return false };
        then == via && self.module.source(value).trim() == error
    }

    fn way(&self, via: NodeId, exit: &Exit, body: Option<NodeId>) -> String {
        let line = self.audit.line(self.site(exit.node));
        let parent = self.module.parent(via);
        match (self.module.kind(via), self.module.kind(parent)) {
            (Kind::Catch { .. }, _) => {
                format!("when the `try` at line {} fails", self.audit.line(self.site(parent)))
            }
            (Kind::If { test, .. }, _) => {
                format!("unless `{}`", self.audit.excerpt(self.site(test), 60))
            }
            (_, Kind::If { test, then, .. }) => {
                let word = if then == via { "if" } else { "unless" };
                format!("{word} `{}`", self.audit.excerpt(self.site(test), 60))
            }
            (Kind::Case { test, .. }, _) if test.is_some() => {
                format!("in `case {}`", self.audit.excerpt(self.site(test), 40))
            }
            (Kind::Switch { subject, .. }, _) => {
                format!("for other values of `{}`", self.audit.excerpt(self.site(subject), 40))
            }
            (Kind::For(_) | Kind::ForOf { .. } | Kind::ForIn { .. } | Kind::While { .. }, _) => {
                format!("if the loop at line {} has nothing to do", self.audit.line(self.site(via)))
            }
            _ if Some(via) == body && self.is_callback(via) => {
                format!("from the callback at line {}", self.audit.line(self.site(via)))
            }
            _ if exit.kind == ExitKind::Return => format!("where it returns at line {line}"),
            _ => String::from("at its end"),
        }
    }

    fn is_callback(&self, body: NodeId) -> bool {
        let own = self.module.function(self.function.1).map(|it| it.body);
        own != Some(body)
    }

    /// The fix of the first way, with the edits of all of them; with none, where one has none: the handler would still hang.
    fn fix_of_all(&self, ways: &[(NodeId, String)]) -> Fix {
        let mut all = ways.iter().map(|(node, _)| self.answer_fix(*node));
        let Some(mut fix) = all.next() else { return Fix::default() };
        for other in all {
            if fix.edits.is_empty() || other.edits.is_empty() {
                fix.edits.clear();
                fix.applicability = Applicability::Manual;
                break;
            }
            let new: Vec<Edit> = other.edits.into_iter().filter(|edit| !fix.edits.contains(edit)).collect();
            fix.edits.extend(new);
        }
        fix
    }

    fn answer_fix(&self, way: NodeId) -> Fix {
        let response = self.parameter(self.positions.response).unwrap_or("res");
        let next = self.parameter(self.positions.next);
        if let Kind::Catch { parameter, body } = self.module.kind(way) {
            let error = if parameter.is_some() { self.module.source(parameter) } else { "" };
            let error = error.split(':').next().unwrap_or_default().trim();
            if let Some(fix) = self.handed_in(way, body) {
                return fix;
            }
            let line = match next {
                Some(next) if !error.is_empty() => format!("{next}({error});"),
                _ => format!("{response}.status(500).json({{ error: \"Internal Server Error\" }});"),
            };
            return self.catch_fix(way, body, &line);
        }
        let before = self.audit.lines_around(self.site(way), 0);
        let otherwise = self.otherwise(way, response);
        let after = match (&otherwise, self.module.kind(way)) {
            (Some(edit), _) => format!("{before}{}", edit.replacement),
            (None, Kind::If { .. }) => {
                format!(
                    "// where nothing has answered before\n{response}.status(404).json({{ error: 'Not found' }});"
                )
            }
            _ => format!("// at the end of this way\n{response}.status(500).json({{ error: 'Not done' }});"),
        };
        Fix {
            description: format!(
                "Answer on this way too: `{response}.status(…).json(…)`, or hand the request on with `next()`."
            ),
            before: Some(before),
            after: Some(after),
            applicability: if otherwise.is_some() { Applicability::Review } else { Applicability::Manual },
            edits: otherwise.into_iter().collect(),
            ..Fix::default()
        }
    }

    /// `next(error)` in a handler that takes no `next`: the call fails until the parameter is there.
    fn handed_in(&self, way: NodeId, body: NodeId) -> Option<Fix> {
        let lowered = self.module.function(self.function.1)?;
        let parameters: Vec<NodeId> = self.module.list(lowered.parameters).collect();
        let is_undeclared = self.module.all_nodes(body).into_iter().any(|node| {
            let Kind::Call { callee, .. } = self.module.kind(node) else { return false };
            matches!(self.module.kind(callee), Kind::Name { name, binding }
                if self.module.str(name) == NEXT && !binding.is_some())
        });
        let last = *parameters.last().filter(|_| parameters.len() == self.positions.next && is_undeclared)?;
        let at = self.module.node(last).span.end as usize;
        let (row, column) = self.module.position(self.module.node(last).span.end);
        let line = self.module.text().lines().nth(row as usize - 1)?;
        let (head, tail) = line.split_at_checked(column as usize - 1)?;
        let after = format!("{}, {NEXT}{tail}", head.trim_start());
        Some(Fix {
            description: format!(
                "Take `{NEXT}` as parameter: the `catch` clause at line {} calls it, and without it the call is an error of its own.",
                self.audit.line(self.site(way))
            ),
            before: Some(line.trim_start().to_owned()),
            after: Some(after),
            edits: insert(self.audit, self.function.0, at, format!(", {NEXT}")).into_iter().collect(),
            applicability: Applicability::Review,
            ..Fix::default()
        })
    }

    /// `if (row) res.json(row)` as the last thing of the handler: without the row nothing was found.
    fn otherwise(&self, way: NodeId, response: &str) -> Option<Edit> {
        let Kind::If { test, otherwise, .. } = self.module.kind(way) else { return None };
        let is_row = matches!(self.module.kind(test), Kind::Name { .. } | Kind::Member { .. });
        let source = self.module.source(way);
        // An `else if` of another one is no statement of its own.
        let is_else = matches!(self.module.kind(self.module.parent(way)), Kind::If { .. });
        if otherwise.is_some() || !is_row || is_else || !source.ends_with('}') {
            return None;
        }
        let end = self.module.node(way).span.end as usize;
        let (indent, unit) = (indentation(self.module, way), unit(self.module));
        let line = styled(self.module, &format!("{response}.status(404).json({{ error: \"Not found\" }});"));
        insert(self.audit, self.function.0, end, format!(" else {{\n{indent}{unit}{line}\n{indent}}}"))
    }

    fn catch_fix(&self, way: NodeId, body: NodeId, line: &str) -> Fix {
        let before = self.audit.lines_around(self.site(way), 0);
        let end = self.module.node(body).span.end.saturating_sub(1) as usize;
        let head = self.module.text().get(..end).unwrap_or_default();
        let own = head.rsplit('\n').next().unwrap_or_default();
        let indent = own.get(..own.len() - own.trim_start().len()).unwrap_or_default();
        let unit = unit(self.module);
        let line = styled(self.module, line);
        let text = if own.trim().is_empty() {
            format!("{unit}{line}\n{indent}")
        } else {
            format!("\n{indent}{unit}{line}\n{indent}")
        };
        let start = before.rfind('}').unwrap_or(before.len());
        let mut after = before.clone();
        after.insert_str(start, &format!("{unit}{line}\n"));
        Fix {
            description: String::from("Answer in the `catch` clause, after logging."),
            before: Some(before),
            after: Some(after),
            edits: insert(self.audit, self.function.0, end, text).into_iter().collect(),
            applicability: Applicability::Review,
            ..Fix::default()
        }
    }

    fn doubled(&self, second: NodeId, first: &[NodeId]) -> Finding {
        let name = self.name();
        let mut evidence = vec![Evidence {
            place: Place::Code(self.registered),
            note: format!("{name} is registered here"),
        }];
        evidence.extend(first.iter().map(|node| Evidence {
            place: Place::Code(self.site(*node)),
            note: format!("`{}` has answered already", self.audit.excerpt(self.site(*node), 60)),
        }));
        evidence.push(Evidence {
            place: Place::Code(self.site(second)),
            note: String::from("and this answers again"),
        });
        let is_in_catch =
            self.module.ancestors(second).any(|it| matches!(self.module.kind(it), Kind::Catch { .. }));
        let cost = self.audit.cost_at(self.site(second)).failing(Failure::HangsRequest);
        let what = first.first().map(|node| self.audit.excerpt(self.site(*node), 50)).unwrap_or_default();
        let words = Words {
            title: format!("{name} answers twice"),
            problem: format!(
                "After `{what}` the handler goes on to `{}`. The second answer throws ERR_HTTP_HEADERS_SENT: in an async handler that is one more rejection, \
                 and the work between the two runs for a client that has its answer.",
                self.audit.excerpt(self.site(second), 50)
            ),
            verify: format!(
                "Send a request that takes the branch of `{what}` and look for ERR_HTTP_HEADERS_SENT in the log: it must be gone after the fix."
            ),
            tradeoff: String::from("None: the second answer never reaches a client."),
        };
        let finding = Finding::new(
            &META,
            self.site(second),
            evidence,
            cost,
            words,
            self.return_fix(first, is_in_catch),
        );
        finding.at_most(if is_in_catch { Severity::Monitor } else { Severity::Medium })
    }

    fn return_fix(&self, first: &[NodeId], is_in_catch: bool) -> Fix {
        let statement = first.first().map(|node| self.audit.statement(self.site(*node)));
        let Some(statement) = statement else { return Fix::default() };
        let before = self.audit.lines_around(statement, 0);
        if is_in_catch || !matches!(self.module.kind(statement.1), Kind::Expression(_)) {
            return Fix {
                description: String::from(
                    "Answer once: do the work that may fail before the response is sent, or check `res.headersSent` in the `catch` clause and call `next(error)`.",
                ),
                before: Some(before),
                ..Fix::default()
            };
        }
        let start = self.module.node(statement.1).span.start as usize;
        Fix {
            description: String::from("Leave the handler with the first answer."),
            after: Some(format!("return {before}")),
            before: Some(before),
            edits: insert(self.audit, self.function.0, start, String::from("return ")).into_iter().collect(),
            applicability: Applicability::Review,
            ..Fix::default()
        }
    }
}
