//! Which of the assumed times the forecast hangs on most.

use loadworthy_capacity::{Application, Utilisation, plain};
use loadworthy_checks::Times;

/// "If the query takes 5 ms instead of 2, …" of the time whose change moves the rate of saturation most.
///
/// Each time is taken two and a half times as long: what a busy database or another zone makes of 2 ms.
pub(super) fn line(times: &Times, now: &Application, at: &dyn Fn(&Times) -> Application) -> String {
    const LONGER: f64 = 2.5;
    let Some(now) = now.bottleneck() else {
        return String::from("nothing that the model knows is used");
    };
    let query = Times { query_millis: times.query_millis * LONGER, ..*times };
    let call = Times { call_millis: times.call_millis * LONGER, ..*times };
    let request = Times { request_millis: times.request_millis * LONGER, ..*times };
    let cases = [
        ("a query takes", query, [query.query_millis, times.query_millis]),
        ("another service takes", call, [call.call_millis, times.call_millis]),
        ("a request takes, of the event loop,", request, [request.request_millis, times.request_millis]),
    ];
    let moved = cases
        .into_iter()
        .filter_map(|(what, times, values)| at(&times).bottleneck().map(|it| (what, it, values)));
    let rate = |it: &Utilisation| it.saturates_at.unwrap_or(f64::INFINITY);
    // The first of equals: the query is what is known least.
    let Some((what, then, [longer, assumed])) =
        moved.reduce(|a, b| if rate(&b.1) < rate(&a.1) { b } else { a })
    else {
        return String::new();
    };
    format!(
        "if {what} {} ms instead of {}, the {} is used up at {} req/s instead of the {} at {}",
        plain(longer),
        plain(assumed),
        then.resource,
        plain(rate(&then)),
        now.resource,
        plain(rate(&now)),
    )
}
