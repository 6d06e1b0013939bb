//! Calls that happen twice when they are repeated: a charge, a mail, a POST; without a key that the other side compares.

use loadworthy_analysis::{Call, Options, Site, calls_below};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::FunctionId;

use crate::audit::Audit;

/// Names of members that only look.
const LOOKS: [&str; 8] = ["retrieve", "list", "search", "fetch", "get", "all", "find", "auto"];
/// Words of addresses where a POST only asks.
const ASKS: [&str; 9] =
    ["search", "query", "graphql", "token", "completion", "embedding", "verify", "validate", "auth"];

/// The first call below any of these that happens twice.
pub(super) fn of_any(audit: &Audit<'_, '_>, sites: &[Site]) -> Option<Site> {
    let below = sites.iter().flat_map(|site| calls_below(audit.analysis, *site));
    below.into_iter().find(|site| audit.analysis.calls().at(*site).is_some_and(|call| is_of(audit, call)))
}

/// Whether a call happens twice.
pub(super) fn is_of(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let Some(library) = &call.library else { return false };
    let looks = || {
        let name = library.name.to_lowercase();
        LOOKS.iter().any(|word| name.starts_with(word))
    };
    let changes = match library.effect() {
        Some(Effect::PaymentCall) => !looks(),
        Some(Effect::MailSend) => true,
        Some(Effect::HttpRequest) => is_post(audit, call) && !asks(audit, call.site),
        _ => false,
    };
    changes && !has_key(audit, call)
}

/// Whether a request is one that the protocol does not allow to repeat.
pub(super) fn is_post(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let name = call.library.as_ref().map_or("", |library| &*library.name).to_lowercase();
    if name.starts_with("post") || name.starts_with("patch") {
        return true;
    }
    (0..2).filter_map(|at| audit.resolver.argument(call.site, at)).any(|argument| {
        let method = Options::of(audit.resolver, argument).get("method");
        let method = method.and_then(|at| audit.resolver.text_of(at)).unwrap_or_default().to_lowercase();
        method == "post" || method == "patch"
    })
}

fn asks(audit: &Audit<'_, '_>, call: Site) -> bool {
    let Some(address) = audit.resolver.argument(call, 0) else { return false };
    let text = audit.resolver.text_of(address).unwrap_or_else(|| audit.excerpt(address, 200)).to_lowercase();
    ASKS.iter().any(|word| text.contains(word))
}

/// Whether the code around, or what made the client, speaks of a key.
fn has_key(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let speaks = |text: &str| text.to_lowercase().contains("idempoten");
    let client = call.library.as_ref().and_then(|library| library.made_at);
    let around = if call.function == FunctionId::NONE { None } else { audit.function_text(call.site) };
    speaks(audit.source(call.site))
        || around.is_some_and(speaks)
        || client.is_some_and(|made| audit.module(made).is_some_and(|module| speaks(module.text())))
}
