//! What a call of a route costs that nobody wants repeated without end.

use loadworthy_analysis::{EntryKind, Guard, Guarded, Route};
use loadworthy_knowledge::Effect;

use crate::audit::Audit;

/// Why a route needs a limit, the gravest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Exposure {
    /// Takes or sends secrets.
    Credentials,
    /// Costs money, or reaches other people.
    Paid,
    /// Takes much of the server.
    Heavy,
}

impl Exposure {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Credentials => "takes credentials",
            Self::Paid => "pays, mails or asks a paid service",
            Self::Heavy => "takes a file, hashes or exports",
        }
    }
}

/// What a route exposes; `None` for what is cheap, internal or signed.
pub(super) fn exposure(audit: &Audit<'_, '_>, route: &Route, guards: &[Guarded]) -> Option<Exposure> {
    if !route.is_mounted && route.kind == EntryKind::Http || is_aside(route) {
        return None;
    }
    if !matches!(
        route.kind,
        EntryKind::Http
            | EntryKind::ServerAction
            | EntryKind::Rpc
            | EntryKind::GraphqlResolver
            | EntryKind::Serverless
    ) {
        return None;
    }
    let is_write = !matches!(route.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "QUERY" | "FIELD");
    if is_write && (has_word(route, &CREDENTIALS) || is_named_so(audit, route)) && !is_leaving(route) {
        return Some(Exposure::Credentials);
    }
    let effects = effects(audit, route);
    let has = |wanted: &[Effect]| effects.iter().any(|effect| wanted.contains(effect));
    if is_write && has(&[Effect::LlmCall, Effect::MailSend, Effect::PaymentCall]) {
        return Some(Exposure::Paid);
    }
    let is_upload = guards.iter().any(|it| it.guard == Guard::Upload);
    if is_upload || (is_write && hashes(audit, route)) || has_word(route, &EXPORTS) && has(&[Effect::DbQuery])
    {
        return Some(Exposure::Heavy);
    }
    None
}

/// Whether its handler hashes a password.
pub(super) fn hashes(audit: &Audit<'_, '_>, route: &Route) -> bool {
    effects(audit, route).iter().any(|effect| matches!(effect, Effect::AsyncCpu)) || calls_hash(audit, route)
}

fn calls_hash(audit: &Audit<'_, '_>, route: &Route) -> bool {
    let effects = effects(audit, route);
    effects.contains(&Effect::SyncCpu) && has_word(route, &CREDENTIALS)
}

fn effects(audit: &Audit<'_, '_>, route: &Route) -> Vec<Effect> {
    let works = audit.analysis.works();
    let functions = route.handler.iter().flat_map(|handler| &handler.functions);
    functions.flat_map(|function| works.of(*function).effects().collect::<Vec<_>>()).collect()
}

fn has_word(route: &Route, known: &[&str]) -> bool {
    let path = route.path.to_lowercase().replace(['-', '_'], "");
    let mut words = path.split(['/', '.', ':', ' ']).filter(|word| !word.is_empty());
    words.any(|word| known.contains(&word))
}

/// Whether its handler is named `loginUser`, `register` and the like, or its path ends in `auth`.
fn is_named_so(audit: &Audit<'_, '_>, route: &Route) -> bool {
    let last = route.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if last.eq_ignore_ascii_case("auth") {
        return true;
    }
    let Some(function) = route.handler.as_ref().and_then(|it| it.functions.first()) else { return false };
    let name = audit.function_name(*function).to_lowercase().replace('_', "");
    NAMES.iter().any(|known| name.starts_with(known))
}

/// Beginnings of the names of handlers that take or send secrets.
const NAMES: [&str; 12] = [
    "forgetpassword",
    "login",
    "signin",
    "signup",
    "register",
    "authuser",
    "authenticate",
    "forgotpassword",
    "resetpassword",
    "sendotp",
    "verifyotp",
    "createuser",
];

/// Signing out takes no secret.
fn is_leaving(route: &Route) -> bool {
    has_word(route, &["logout", "signout"])
}

fn is_aside(route: &Route) -> bool {
    has_word(
        route,
        &[
            "health", "healthz", "ready", "readyz", "livez", "metrics", "webhook", "webhooks", "test",
            "tests", "seed", "cron",
        ],
    )
}

/// Words of paths that take or send secrets, without dashes.
const CREDENTIALS: [&str; 36] = [
    "forgetpassword",
    "lostpassword",
    "recoverpassword",
    "updatepassword",
    "resendotp",
    "login",
    "signin",
    "register",
    "signup",
    "forgotpassword",
    "resetpassword",
    "passwordreset",
    "forgot",
    "otp",
    "sendotp",
    "verifyotp",
    "verify",
    "verifyemail",
    "resendverification",
    "token",
    "refreshtoken",
    "refresh",
    "2fa",
    "mfa",
    "magiclink",
    "authenticate",
    "guest",
    "changepassword",
    "recover",
    "requestreset",
    "resetpin",
    "createaccount",
    "registeruser",
    "loginuser",
    "userlogin",
    "registration",
];

/// Words of paths that give out much at once.
const EXPORTS: [&str; 8] = ["export", "exports", "download", "csv", "pdf", "report", "backup", "exportcsv"];
