//! Files and exports that are built or read as a whole for a request.

use loadworthy_analysis::{Bound, Site};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Effect;
use loadworthy_project::{FileClass, PackageId};
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{MEGABYTE, META};
use crate::audit::Audit;
use crate::database::rows::{Growth, estimate, plain, table_name};
use crate::finding::{Evidence, Finding, Fix, Place, Words};

/// Bytes of a file that a request reads, where nothing tells.
const FILE_BYTES: f64 = 5.0 * MEGABYTE;
/// Bytes of a row in a text, three times in memory (row, text, bytes that are sent).
const ROW_BYTES: f64 = 600.0;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    exports(audit, findings);
    files(audit, findings);
    remote(audit, findings);
    collected(audit, findings);
    statics(audit, findings);
}

/// The function's text, where the code at a place runs for requests on a server.
fn handler_text<'a>(audit: &'a Audit<'_, '_>, site: Site) -> Option<&'a str> {
    let class = audit.program().class(site.0);
    if class == Some(FileClass::Client) || !audit.is_per_request(site) {
        return None;
    }
    audit.function_text(site)
}

/// A text of all rows of a table: CSV, a spreadsheet, one JSON document to download.
fn exports(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<Site> = Vec::new();
    for query in audit.analysis.queries().iter() {
        if !matches!(query.bound, Bound::Unlimited | Bound::Off { .. } | Bound::ClientChosen { .. }) {
            continue;
        }
        let estimated = estimate(audit, query);
        if estimated.growth == Growth::Lookup || estimated.is_exact || estimated.rows.likely < 500.0 {
            continue;
        }
        let Some((at, how)) = built(audit, query.site) else { continue };
        if seen.contains(&at) {
            continue;
        }
        seen.push(at);
        findings.push(export(
            audit,
            query.site,
            at,
            how,
            table_name(query),
            estimated.rows.likely,
            estimated.rows.high,
        ));
    }
}

/// Calls between a query and the text of its rows.
const HOPS: usize = 3;

/// Where the rows of a query, in its own function or in one that calls it, become one text.
fn built(audit: &Audit<'_, '_>, query: Site) -> Option<(Site, &'static str)> {
    if !audit.is_per_request(query) {
        return None;
    }
    let own = audit.analysis.owner(query);
    let mut functions = vec![own];
    // A repository, the service that calls it, the handler that calls that.
    let mut level = vec![own];
    for _ in 0..HOPS {
        let callers = level.iter().flat_map(|function| audit.analysis.graph().callers(*function));
        let mut next: Vec<_> = callers.map(|edge| edge.caller).filter(|it| !functions.contains(it)).collect();
        next.sort_unstable();
        next.dedup();
        functions.extend(next.iter().copied());
        level = next;
    }
    for (file, function) in functions {
        let Some(module) = audit.program().module(file) else { continue };
        let Some(lowered) = module.function(function) else { continue };
        let text = module.source(lowered.node);
        let how = if EXPORT_WORDS.iter().any(|word| text.contains(word)) {
            "a text of all rows"
        } else if SHEET_WORDS.iter().any(|word| text.contains(word)) {
            "a document of all rows"
        } else {
            continue;
        };
        if file == query.0 && function == own.1 {
            return Some((query, how));
        }
        return Some(((file, lowered.node), how));
    }
    None
}

/// Words of code that joins rows to a text that is downloaded.
const EXPORT_WORDS: [&str; 7] = [
    "text/csv",
    "json2csv",
    "Papa.unparse",
    "stringify(rows, { header",
    "application/csv",
    ".csv\"",
    ".csv'",
];
/// Words of code that builds a document.
const SHEET_WORDS: [&str; 6] =
    ["XLSX.write", "json_to_sheet", "writeBuffer(", "new ExcelJS", "spreadsheetml", "new PDFDocument"];

fn export(
    audit: &Audit<'_, '_>,
    query: Site,
    at: Site,
    how: &str,
    table: &str,
    rows: f64,
    most: f64,
) -> Finding {
    let mut evidence = audit.chain_to(query, format!("reads all rows: {}", audit.excerpt(query, 80)));
    if at != query {
        evidence.push(Evidence { place: Place::Code(at), note: format!("makes {how}") });
    }
    let reached = audit.reached_by(query);
    let words = Words {
        title: format!("{reached} builds an export of `{table}` in memory"),
        problem: format!(
            "All rows of `{table}` are read, turned into {how} and sent in one piece: at {} rows about {} MB each time (up to {} MB), three times over, while the event loop builds strings. A few exports at once take the memory and the turn of every other request.",
            plain(rows),
            plain(rows * ROW_BYTES / MEGABYTE + 1.0),
            plain(most * ROW_BYTES / MEGABYTE),
        ),
        verify: format!(
            "Call {reached} five times at once with 100,000 rows of `{table}` and watch RSS and event-loop delay: both stay flat when the rows are streamed."
        ),
        tradeoff: String::from(
            "A failure in the middle of a stream can't change the status any more: end the connection, or make exports a job that writes to the object store and mails a link.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Read the rows in pages or with a cursor and write each to the response as it comes (`pipeline(Readable.from(rows()), res)`), or move the export to a job.",
        ),
        after: Some(String::from(
            "import { pipeline } from \"node:stream/promises\";\nimport { Readable } from \"node:stream\";\n\nasync function* lines() {\n  let after = 0;\n  for (;;) {\n    const page = await nextPage(after, 500); // WHERE id > after ORDER BY id LIMIT 500\n    if (page.length === 0) return;\n    for (const row of page) yield toCsv(row);\n    after = page[page.length - 1].id;\n  }\n}\nawait pipeline(Readable.from(lines()), res);",
        )),
        ..Fix::default()
    };
    let cost = audit.cost_at(query).bytes(rows * ROW_BYTES);
    Finding::new(&META, query, evidence, cost, words, fix).at_least(Severity::Medium).at_most(Severity::High)
}

/// `readFile` of a file that the request chooses, sent or encoded.
fn files(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (call, library) in audit.analysis.effects(|effect| matches!(effect, Effect::AsyncFs | Effect::SyncFs))
    {
        if !matches!(&*library.name, "readFile" | "readFileSync") {
            continue;
        }
        let Some(text) = handler_text(audit, call.site) else { continue };
        let Some(path) = audit.resolver.argument(call.site, 0) else { continue };
        let is_fixed = audit.resolver.text_of(path).is_some()
            || !audit.source(path).contains("req") && !depends_on_request(audit, path);
        let is_sent = [".send(", ".end(", "base64", "new Response("].iter().any(|word| text.contains(word));
        if is_fixed || !is_sent {
            continue;
        }
        findings.push(file(audit, call.site));
    }
}

/// Whether a path is built from what is not constant: a parameter, a row, the upload.
fn depends_on_request(audit: &Audit<'_, '_>, path: Site) -> bool {
    let Some(module) = audit.module(path) else { return false };
    let text = module.source(path.1);
    ["file", "path", "id", "name"].iter().any(|word| text.to_lowercase().contains(word))
        && !text.contains("__dirname")
        && !text.contains("process.cwd")
        && !text.contains("import.meta")
}

fn file(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let evidence = audit.chain_to(site, format!("reads the whole file: {}", audit.excerpt(site, 80)));
    let reached = audit.reached_by(site);
    let code = audit.excerpt(site, 80);
    let words = Words {
        title: format!("{reached} reads a whole file into memory to send it"),
        problem: format!(
            "`{code}` holds the file as a buffer until the last byte is sent; a slow client keeps it there for minutes. At {} MB and 100 clients that is half a gigabyte outside the heap.",
            plain(FILE_BYTES / MEGABYTE)
        ),
        verify: format!(
            "Request a file of 50 MB from {reached} with 20 slow clients (`curl --limit-rate 100k`) and watch RSS: flat after the change."
        ),
        tradeoff: String::from(
            "A stream that fails after the first byte can't change the status any more: `pipeline` ends the connection.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Stream the file: `res.sendFile(path)`, or `pipeline(createReadStream(path), res)`; better, let the object store or CDN serve it by a signed URL.",
        ),
        before: Some(audit.lines_around(audit.statement(site), 0)),
        after: Some(String::from("await pipeline(createReadStream(path), res);")),
        ..Fix::default()
    };
    let cost = audit.cost_at(site).bytes(FILE_BYTES);
    Finding::new(&META, site, evidence, cost, words, fix).at_least(Severity::Monitor).at_most(Severity::High)
}

/// Answers of other servers held as buffers: images, documents.
fn remote(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let wholes = audit.analysis.effects(|effect| effect == Effect::BufferWhole);
    for (call, library) in wholes {
        if !matches!(&*library.name, "arrayBuffer" | "buffer" | "blob" | "transformToByteArray") {
            continue;
        }
        let Some(text) = handler_text(audit, call.site) else { continue };
        // `request.arrayBuffer()` of a handler is its own body, which has a limit of the platform.
        let receiver = audit.source(call.site);
        let is_own =
            ["req.", "request.", "file.", "formFile", "image."].iter().any(|word| receiver.starts_with(word));
        let is_checked = text.contains("content-length")
            || text.contains("Content-Length")
            || text.contains("byteLength >")
            || text.contains(".size >");
        if is_own || is_checked {
            continue;
        }
        findings.push(answer(audit, call.site));
    }
}

fn answer(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let evidence = audit.chain_to(site, format!("holds the whole answer: {}", audit.excerpt(site, 80)));
    let reached = audit.reached_by(site);
    let words = Words {
        title: format!("{reached} holds a remote file of any size in memory"),
        problem: String::from(
            "The answer of another server is read to its end into one buffer, and nothing limits how long it is: whoever controls the address decides how much memory a request takes. Under load the buffers of all requests in flight add up outside the heap.",
        ),
        verify: format!(
            "Let the address answer with 200 MB and call {reached} ten times at once: RSS grows by 2 GB now, and stays flat after the change."
        ),
        tradeoff: String::from(
            "Without the whole file at hand, its type must be known from the header or the first bytes.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Refuse answers whose `content-length` is above a limit and count the bytes while reading, or pipe the body on (`pipeline(Readable.fromWeb(response.body), destination)`).",
        ),
        before: Some(audit.lines_around(audit.statement(site), 0)),
        ..Fix::default()
    };
    let cost = audit.cost_at(site).bytes(FILE_BYTES);
    Finding::new(&META, site, evidence, cost, words, fix)
        .at_least(Severity::Monitor)
        .at_most(Severity::Medium)
}

/// Chunks of a stream that are pushed to a list, or added to a text, until its end.
fn collected(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        for call in module.calls() {
            let Some(request) = listens_to_data(module, *call) else { continue };
            let site = (file, *call);
            let Some(text) = handler_text(audit, site) else { continue };
            let is_request = matches!(request, "req" | "request" | "ctx.req");
            let is_limited = [".length >", "413", "destroy(", "byteLength >", "MAX", "max", ".pause("]
                .iter()
                .any(|word| text.contains(word));
            let is_kept =
                text.contains("Buffer.concat") || text.contains("+= chunk") || text.contains("+= data");
            if is_request && is_kept && !is_limited {
                findings.push(body(audit, site));
            }
        }
    }
}

/// `req` of `req.on("data", …)`.
fn listens_to_data(module: &Module, call: NodeId) -> Option<&str> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Member { object, name, .. } = module.kind(callee) else { return None };
    let first = module.list(arguments).next()?;
    let Kind::String(event) = module.kind(first) else { return None };
    (module.str(name) == "on" && module.str(event) == "data").then(|| module.source(object))
}

fn body(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let evidence = audit.chain_to(site, String::from("collects the body without a limit"));
    let reached = audit.reached_by(site);
    let words = Words {
        title: format!("{reached} collects a request body of any size"),
        problem: String::from(
            "The chunks of the body are kept until its end and nothing counts them: one client that sends without end takes all memory of the process, and with it every request in flight.",
        ),
        verify: format!(
            "`head -c 2G /dev/zero | curl -T - …` to {reached}: the connection is refused with 413 after the change."
        ),
        tradeoff: String::from("None: choose the limit by what the route needs."),
    };
    let fix = Fix {
        description: String::from(
            "Use the framework's body parser, which has a limit, or count the bytes and destroy the request above it.",
        ),
        before: Some(audit.lines_around(audit.statement(site), 0)).filter(|text| text.lines().count() <= 8),
        after: Some(String::from(
            "req.on(\"data\", (chunk) => {\n  size += chunk.length;\n  if (size > MAX_BYTES) {\n    res.statusCode = 413;\n    res.end();\n    req.destroy();\n    return;\n  }\n  chunks.push(chunk);\n});",
        )),
        ..Fix::default()
    };
    let cost = audit.cost_at(site).bytes(FILE_BYTES);
    Finding::new(&META, site, evidence, cost, words, fix).at_least(Severity::Medium).at_most(Severity::High)
}

/// Files that the process serves by itself, without a cache in front.
fn statics(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    if audit.facts.cdn.value.is_some() || audit.facts.proxies.iter().any(|proxy| !proxy.is_development) {
        return;
    }
    let mut seen: Vec<PackageId> = Vec::new();
    for (call, _) in audit.analysis.effects(|effect| effect == Effect::ResponseStatic) {
        let Some(file) = audit.program().project().file(call.site.0) else { continue };
        let text = audit.source(call.site);
        if seen.contains(&file.package)
            || text.contains("maxAge")
            || text.contains("immutable")
            || !text.contains("static")
        {
            continue;
        }
        seen.push(file.package);
        findings.push(served(audit, call.site));
    }
}

fn served(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let code = audit.excerpt(site, 80);
    let words = Words {
        title: String::from("Node serves the client's files, and browsers ask for each again"),
        problem: format!(
            "`{code}` sends `Cache-Control: max-age=0`, and no CDN or proxy was found in front: every page view asks the process for each file again. It answers most of them with 304, but each takes a turn of the event loop that API requests wait for."
        ),
        verify: String::from(
            "Count the requests for scripts and images in the access log during the load test; after the change a returning browser sends one for the page only.",
        ),
        tradeoff: String::from(
            "Files with a hash in their name may be kept for a year, `index.html` must not. Watch requests for files above 20 % of the traffic: then put a CDN in front.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Let browsers keep hashed files for a year, and put a CDN or a proxy in front.",
        ),
        before: Some(code.clone()),
        after: code
            .strip_suffix(')')
            .map(|open| format!("{open}, {{ maxAge: \"1y\", immutable: true, index: false }})")),
        ..Fix::default()
    };
    let evidence =
        vec![Evidence { place: Place::Code(site), note: String::from("serves files without a lifetime") }];
    let mut found = Finding::new(&META, site, evidence, loadworthy_capacity::Cost::at_share(1.0), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Monitor).at_most(Severity::Monitor)
}
