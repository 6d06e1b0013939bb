//! Reads without a limit of other stores: the whole key space of a cache, whole lists, folders of uploads.

use loadworthy_analysis::{Call, LibraryCall, Site};
use loadworthy_capacity::{ExternalWait, Severity};
use loadworthy_knowledge::{Effect, Rows};

use super::{META, is_on_server};
use crate::audit::Audit;
use crate::finding::{Confidence, Finding, Fix, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let is_read =
        |effect| matches!(effect, Effect::CacheScan | Effect::CacheGet | Effect::AsyncFs | Effect::SyncFs);
    for (call, library) in audit.analysis.effects(is_read) {
        if !is_on_server(audit, call.site) {
            continue;
        }
        let found = match library.effect() {
            Some(Effect::CacheScan) => keys(audit, call, library),
            Some(Effect::CacheGet) => whole_list(audit, call, library),
            _ => folder(audit, call, library),
        };
        let Some(found) = found else { continue };
        if audit.is_unreached(call.site) {
            let function = audit.function_name(audit.analysis.owner(call.site));
            findings.push(found.unless(format!(
                "no route or job that reaches `{function}` was found; verify where it is called"
            )));
            continue;
        }
        findings.push(found);
    }
}

/// `KEYS pattern` walks the whole key space in one command.
fn keys(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> Option<Finding> {
    if library.member?.rows != Some(Rows::ManyUnbounded) {
        return None;
    }
    let reached = audit.reached_by(call.site);
    let text = audit.excerpt(call.site, 60);
    let words = Words {
        title: format!("KEYS walks the whole cache in {reached}"),
        problem: format!(
            "`{text}` makes Redis look at every key it holds in one step, and Redis does nothing else meanwhile: at a million keys \
             about half a second in which every other command of every instance waits."
        ),
        verify: format!(
            "Call {reached} with a full cache and read `SLOWLOG GET`: the KEYS command is in it; after the change it is not."
        ),
        tradeoff: String::from(
            "SCAN takes more round trips; keeping the keys in a set costs one command more per write.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Keep the keys of the group in a set when they are written and read that set, or walk with SCAN (`MATCH`, `COUNT 100`) \
             outside of requests. To drop a group of keys, put a version number into them and raise it.",
        ),
        before: Some(text.clone()),
        ..Fix::default()
    };
    let cost = audit.cost_at(call.site).external(ExternalWait::Expected(50.0));
    let evidence = audit.chain_to(call.site, text);
    let found = Finding::new(&META, call.site, evidence, cost, words, fix);
    Some(
        found
            .at_least(Severity::Medium)
            .at_most(Severity::High)
            .assuming("100,000 keys: 50 ms of the Redis server"),
    )
}

/// `LRANGE key 0 -1`
fn whole_list(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> Option<Finding> {
    if !library.name.eq_ignore_ascii_case("lrange") && !library.name.eq_ignore_ascii_case("zrange") {
        return None;
    }
    let numbers: Vec<Option<f64>> =
        [1, 2].iter().map(|at| audit.resolver.number_of(audit.resolver.argument(call.site, *at)?)).collect();
    if numbers != [Some(0.0), Some(-1.0)] {
        return None;
    }
    let reached = audit.reached_by(call.site);
    let text = audit.excerpt(call.site, 60);
    let words = Words {
        title: format!("a whole Redis list is read in {reached}"),
        problem: format!(
            "`{text}` reads the list from its first to its last element. As long as nothing trims it, each request moves more than \
             the one before, and Redis serves nobody else while it writes it out."
        ),
        verify: String::from(
            "Read the length of the list in production (`LLEN`), and measure the response with as many elements.",
        ),
        tradeoff: String::from("Callers that need older elements ask for them by position."),
    };
    let fix = Fix {
        description: String::from(
            "Read the part that is shown (`0, 49`), and trim the list where it is written (`LTRIM key 0 999` after the push).",
        ),
        before: Some(text.clone()),
        after: Some(replaced(audit, call.site)?),
        ..Fix::default()
    };
    let evidence = audit.chain_to(call.site, text);
    let found =
        Finding::new(&META, call.site, evidence, audit.cost_at(call.site).bytes(200_000.0), words, fix);
    Some(
        found
            .at_most(Severity::Medium)
            .confidence(Confidence::Medium)
            .assuming("1,000 elements of 200 bytes"),
    )
}

fn replaced(audit: &Audit<'_, '_>, call: Site) -> Option<String> {
    let last = audit.resolver.argument(call, 2)?;
    let module = audit.module(call)?;
    let (whole, last) = (module.node(call.1).span, module.node(last.1).span);
    let head = module.text().get(whole.start as usize..last.start as usize)?;
    let tail = module.text().get(last.end as usize..whole.end as usize)?;
    Some(format!("{head}49{tail}"))
}

/// `readdir` of a folder that clients fill.
fn folder(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> Option<Finding> {
    if !library.name.starts_with("readdir") || !audit.is_per_request(call.site) {
        return None;
    }
    let path = audit.source(audit.resolver.argument(call.site, 0)?).to_lowercase();
    let is_filled =
        ["upload", "media", "attachment", "avatar", "photo", "image"].iter().any(|word| path.contains(word));
    if !is_filled {
        return None;
    }
    let reached = audit.reached_by(call.site);
    let text = audit.excerpt(call.site, 60);
    let words = Words {
        title: format!("a folder of uploads is listed in {reached}"),
        problem: format!(
            "`{text}` reads the names of all files that were ever uploaded, on each call of {reached}; the number grows with use, and \
             every name becomes a string in memory."
        ),
        verify: format!(
            "Put 100,000 files into the folder and measure {reached}: it takes a multiple of the time."
        ),
        tradeoff: String::from("The table has to be kept in step with the folder."),
    };
    let fix = Fix {
        description: String::from(
            "Keep a row for each upload in the database (name, owner, time) and read a page of them; or read the folder step by step \
             with `fs.promises.opendir`.",
        ),
        before: Some(text.clone()),
        ..Fix::default()
    };
    let evidence = audit.chain_to(call.site, text);
    let cost = audit.cost_at(call.site).loop_block(2.0).bytes(500_000.0);
    let found = Finding::new(&META, call.site, evidence, cost, words, fix);
    Some(found.at_most(Severity::Medium).confidence(Confidence::Medium).assuming("5,000 files"))
}
