//! Uploads and bodies without a limit, or with one that is none.

use loadworthy_analysis::{Call, Options, Site, Switch, switches};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::{Effect, HandleId, OptionTrait};
use loadworthy_project::FileClass;
use loadworthy_syntax::Kind;

use super::{MEGABYTE, META, UPLOAD_BYTES};
use crate::audit::{Audit, route_name, routes_in_words};
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Bytes of a body from which one request is a danger to the others.
const LARGE_BODY: f64 = 10.0 * MEGABYTE;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for does in [OptionTrait::UnlimitedUpload, OptionTrait::UploadInMemory] {
        let found = switches(audit.analysis, audit.resolver, does);
        let own = found.iter().filter(|it| is_server(audit, it.call) && !is_limited_elsewhere(audit, it));
        findings.extend(own.map(|it| upload(audit, it)));
    }
    findings.extend(in_memory(audit));
    let parsers = audit.analysis.effects(|effect| effect == Effect::RequestParse);
    let mut bodies: Vec<Finding> = Vec::new();
    for (call, _) in parsers.filter(|(call, _)| is_server(audit, call.site)) {
        let Some(found) = body(audit, call.site) else { continue };
        // One application sets the same limit for several kinds of bodies.
        let same = bodies.iter_mut().find(|it| file_of(it) == Some(call.site.0));
        match same {
            Some(first) => first.evidence.extend(found.evidence),
            None => bodies.push(found),
        }
    }
    findings.extend(bodies);
}

/// Bytes of a limit up to which files in memory are harmless.
const SMALL_FILE: f64 = MEGABYTE;
/// Uploads at the same time.
const AT_ONCE: f64 = 20.0;

/// Files that are kept in memory though their size has a limit: the limit, times the files, times the uploads at once.
fn in_memory(audit: &Audit<'_, '_>) -> Vec<Finding> {
    // The libraries whose limit is an option of the call that makes the middleware.
    let rows: Vec<_> = audit
        .knowledge()
        .options(OptionTrait::UnlimitedUpload)
        .filter(|row| row.argument == 0 && row.option == "limits.fileSize")
        .collect();
    let makes = |call: &&Call<'_>| {
        let library = call.library.as_ref().filter(|it| it.on == HandleId::MODULE);
        is_server(audit, call.site)
            && library.is_some_and(|it| {
                let id = &audit.knowledge().library(it.lib).id;
                rows.iter().any(|row| row.lib == *id && row.names.iter().any(|name| **name == *it.name))
            })
    };
    let calls = audit.analysis.calls().iter().filter(makes);
    calls.filter_map(|call| kept_in_memory(audit, call.site)).collect()
}

fn kept_in_memory(audit: &Audit<'_, '_>, made: Site) -> Option<Finding> {
    let options = Options::of(audit.resolver, audit.resolver.argument(made, 0)?);
    let is_memory = match options.get("storage") {
        Some(storage) => is_in_memory(audit, storage),
        None => options.get("dest").is_none() && !options.is_open,
    };
    let limits = Options::of(audit.resolver, options.get("limits")?);
    let bytes = audit.origins().number(limits.get("fileSize")?)?;
    let files = limits.get("files").and_then(|site| audit.origins().number(site)).unwrap_or(1.0).max(1.0);
    if !is_memory || bytes <= SMALL_FILE {
        return None;
    }
    let code = audit.excerpt(made, 80);
    let mut evidence = vec![Evidence {
        place: Place::Code(made),
        note: format!("keeps files of up to {} MB in memory", (bytes / MEGABYTE).round()),
    }];
    let routes = users(audit, made, &mut evidence);
    let reached = routes_in_words(&routes).unwrap_or_else(|| String::from("the routes that use it"));
    let each = bytes * files;
    let megabytes = |bytes: f64| (bytes / MEGABYTE).round();
    let words = Words {
        title: format!("uploads of up to {} MB are kept in memory in {reached}", megabytes(each)),
        problem: format!(
            "Each upload stands in memory as a whole until its handler is done, and copies (base64, a resized image) stand beside it: {} \
             uploads at once are {} MB outside the heap.",
            AT_ONCE,
            megabytes(each * AT_ONCE)
        ),
        verify: format!(
            "Send {AT_ONCE} uploads of {} MB at once to {reached} and watch the resident memory (RSS): it stays flat after the change.",
            megabytes(bytes)
        ),
        tradeoff: String::from(
            "Files on disk have to be removed again; a stream to the object store can't be read twice.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Write uploads to disk, stream them to the object store, or let the client upload there with a signed address.",
        ),
        before: Some(code),
        after: Some(format!(
            "multer({{ dest: \"/tmp/uploads\", limits: {} }})",
            options.get("limits").map(|site| audit.source(site)).unwrap_or_default()
        )),
        ..Fix::default()
    };
    let cost = crate::runs::cost_of(audit, &[made]).bytes(each);
    let most = if each * AT_ONCE >= LARGE_SUM { Severity::Medium } else { Severity::Monitor };
    let mut found = Finding::new(&META, made, evidence, cost, words, fix)
        .confidence(Confidence::Medium)
        .assuming(format!("{AT_ONCE} uploads at once"))
        .at_least(most)
        .at_most(most);
    found.routes = Some(routes);
    Some(found)
}

/// Bytes of uploads at once from which the process feels them.
const LARGE_SUM: f64 = 100.0 * MEGABYTE;

fn file_of(finding: &Finding) -> Option<loadworthy_project::FileId> {
    match &finding.place {
        Place::Code(site) => Some(site.0),
        Place::Line { .. } => None,
    }
}

fn is_server(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.program().class(site.0).is_some_and(FileClass::may_be_server)
}

/// `MulterModule.register({ limits })`: the options of all interceptors of the application.
fn is_limited_elsewhere(audit: &Audit<'_, '_>, switch: &Switch<'_>) -> bool {
    switch.row.argument < 0
        && audit.program().modules().any(|(_, module)| {
            module.text().contains("Module.register") && module.text().contains("fileSize")
        })
}

fn upload(audit: &Audit<'_, '_>, switch: &Switch<'_>) -> Finding {
    let at = usize::try_from(switch.row.argument).unwrap_or(1);
    let options = audit.resolver.argument(switch.call, at).map(|site| Options::of(audit.resolver, site));
    let has = |name: &str| options.as_ref().is_some_and(|options| options.get(name).is_some());
    let storage = options.as_ref().and_then(|options| options.get("storage"));
    let is_memory = switch.row.does == OptionTrait::UploadInMemory
        || match storage {
            Some(storage) => is_in_memory(audit, storage),
            None => !has("dest") && !has("uploadDir") && switch.row.lib != "formidable",
        };
    let code = audit.excerpt(switch.call, 80);
    let mut evidence =
        vec![Evidence { place: Place::Code(switch.call), note: format!("`{code}` {}", switch.row.says) }];
    let routes: Vec<String> = users(audit, switch.call, &mut evidence);
    let reached = routes_in_words(&routes).unwrap_or_else(|| String::from("the routes that use it"));
    let (kept, danger) = if is_memory {
        (
            "in memory",
            "20 clients that upload 50 MB at once take 1 GB outside the heap, and the process is killed with every request it holds",
        )
    } else {
        ("on disk", "a handful of clients fill the disk, and then every write of the instance fails")
    };
    let words = Words {
        title: format!("uploads of any size are kept {kept} in {reached}"),
        problem: format!(
            "`{code}` {} and keeps them {kept}: {danger}. Nothing refuses a file before it has been read to its end.",
            switch.row.says
        ),
        verify: format!(
            "Send 20 uploads of 50 MB at once to {reached} (`head -c 50M /dev/zero`) and watch the resident memory (RSS) and the disk: both stay flat after the change, and the answer is 413."
        ),
        tradeoff: String::from(
            "Larger files need another way: a presigned upload to the object store, or a stream that is piped on.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Limit size and number of files, and write them to disk or stream them to the object store instead of holding them.",
        ),
        before: Some(code),
        after: limited(audit, switch),
        ..Fix::default()
    };
    let cost = crate::runs::cost_of(audit, &[switch.call]).bytes(UPLOAD_BYTES);
    let mut found = Finding::new(&META, switch.call, evidence, cost, words, fix)
        .assuming("an upload has 50 MB where nothing limits it");
    found.routes = Some(routes);
    if is_memory {
        found.at_least(Severity::High).at_most(Severity::High)
    } else {
        found.at_least(Severity::Medium).at_most(Severity::Medium)
    }
}

/// The same call with a limit; none for libraries whose options are called otherwise.
fn limited(audit: &Audit<'_, '_>, switch: &Switch<'_>) -> Option<String> {
    let limits = "limits: { fileSize: 5 * 1024 * 1024, files: 1 }";
    if switch.row.option != "limits.fileSize" {
        return None;
    }
    if switch.row.argument >= 0 {
        return Some(format!("multer({{ dest: \"/tmp/uploads\", {limits} }})"));
    }
    let (Some(field), None) =
        (audit.resolver.argument(switch.call, 0), audit.resolver.argument(switch.call, 1))
    else {
        return None;
    };
    let name = audit.source(switch.call).split('(').next().unwrap_or_default().to_owned();
    Some(format!("{name}({}, {{ dest: \"/tmp/uploads\", {limits} }})", audit.source(field)))
}

fn is_in_memory(audit: &Audit<'_, '_>, storage: Site) -> bool {
    let text = audit.source(storage);
    if text.contains("memoryStorage") {
        return true;
    }
    audit.resolver.value_of(storage).iter().any(|value| {
        let loadworthy_analysis::Value::External(external) = value else { return false };
        external
            .steps
            .iter()
            .filter_map(loadworthy_analysis::Step::site)
            .any(|site| audit.source(site).contains("memoryStorage"))
    })
}

/// The routes whose middleware this upload is.
fn users(audit: &Audit<'_, '_>, made: Site, evidence: &mut Vec<Evidence>) -> Vec<String> {
    let mut names = Vec::new();
    for route in audit.analysis.routes() {
        let uses = route.middleware.iter().any(|handler| {
            audit.resolver.value_of(handler.site).iter().any(|value| match value {
                loadworthy_analysis::Value::External(external) => {
                    external.steps.iter().filter_map(loadworthy_analysis::Step::site).any(|site| site == made)
                }
                _ => false,
            })
        });
        if uses {
            let name = route_name(route);
            evidence.push(Evidence { place: Place::Code(route.site), note: format!("used by {name}") });
            names.push(name);
        }
    }
    names
}

/// A body parser with a limit that is none.
fn body(audit: &Audit<'_, '_>, site: Site) -> Option<Finding> {
    let options = Options::of(audit.resolver, audit.resolver.argument(site, 0)?);
    let limit = options.get("limit").or_else(|| options.get("bodyLimit"))?;
    let bytes = bytes_of(audit, limit)?;
    if bytes < LARGE_BODY {
        return None;
    }
    let code = audit.excerpt(site, 80);
    let written = audit.excerpt(limit, 30);
    let evidence =
        vec![Evidence { place: Place::Code(site), note: format!("takes bodies of up to {written}") }];
    let most = crate::database::rows::plain((bytes / MEGABYTE).min(1_000.0));
    let words = Words {
        title: format!("request bodies of up to {most} MB are parsed in memory"),
        problem: format!(
            "`{code}` reads each body to its end and parses it in one go, before any handler decides whether it wants it. A body of {most} MB blocks the event loop for about {} ms and takes several times its size in memory; ten at once stop the instance for everybody.",
            crate::database::rows::plain((bytes / MEGABYTE).min(1_000.0) * PARSE_MILLIS_PER_MB)
        ),
        verify: format!(
            "Send a JSON body of {most} MB ten times at once and watch event-loop delay and RSS; after the change the answer is 413."
        ),
        tradeoff: String::from(
            "The few routes that need more get a limit of their own (`app.post(path, express.json({ limit }), …)`), and files go through a streaming upload.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Keep the default of 100 kB for all routes and raise it for the routes that need it; send files as multipart streams or presigned uploads, not as base64 in JSON.",
        ),
        before: Some(code),
        after: Some(audit.source(site).replace(audit.source(limit), "\"1mb\"")),
        ..Fix::default()
    };
    let cost = loadworthy_capacity::Cost::at_share(1.0).bytes(bytes.min(100.0 * MEGABYTE));
    let mut found = Finding::new(&META, site, evidence, cost, words, fix)
        .assuming(format!("bodies as large as the limit of {written}"));
    found.routes = Some(Vec::new());
    Some(found.at_least(Severity::Medium).at_most(Severity::Medium))
}

/// Milliseconds of the event loop to parse a megabyte of JSON (measured: the knowledge's `json.parse`).
const PARSE_MILLIS_PER_MB: f64 = 10.0;

/// `"50mb"`, `50 * 1024 * 1024`, `Infinity`.
fn bytes_of(audit: &Audit<'_, '_>, site: Site) -> Option<f64> {
    if let Some(text) = audit.resolver.text_of(site) {
        let text = text.trim().to_lowercase();
        let digits: String =
            text.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
        let number: f64 = digits.parse().ok()?;
        let unit = match text.get(digits.len()..)?.trim() {
            "gb" | "g" => 1_024.0 * MEGABYTE,
            "mb" | "m" => MEGABYTE,
            "kb" | "k" => 1_024.0,
            "" | "b" => 1.0,
            _ => return None,
        };
        return Some(number * unit);
    }
    let module = audit.module(site)?;
    if module.source(site.1).trim() == "Infinity" {
        return Some(f64::MAX);
    }
    match module.kind(site.1) {
        Kind::Number(_) | Kind::Binary { .. } => {
            let text = module.source(site.1).replace('_', "");
            let mut product = 1.0;
            for factor in text.split('*') {
                product *= factor.trim().parse::<f64>().ok()?;
            }
            Some(product)
        }
        _ => None,
    }
}
