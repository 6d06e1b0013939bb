//! Reports to render.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use loadworthy_report::{
    Applicability, Audited, Category, Confidence, ConfigChange, Context, Diagnostic, DiagnosticKind, Edit,
    Evidence, Fact, Figure, Finding, FingerprintOf, Fix, Impact, Location, NeedsConfirmation, Report, Route,
    SCHEMA_VERSION, Severity, Suspicion, Target, Tool, fingerprint, load_test, plan, score,
};

pub(crate) const ORDERS: &str = "import { prisma } from \"../db\";\n\napp.get(\"/orders\", async (_req, res) => {\n  const orders = await prisma.order.findMany({ take: 50 });\n  for (const o of orders) {\n\to.user = await prisma.user.findUnique({ where: { id: o.userId } }); // \u{1b}[31mred\u{202e}\n  }\n  res.json(orders);\n});\n";

pub(crate) fn target() -> Target {
    Target {
        users: 1000,
        requests_per_second: 100.0,
        duration_seconds: 300.0,
        p95_millis: 500.0,
        error_rate: 0.01,
    }
}

pub(crate) fn finding(check: &str, severity: Severity) -> Finding {
    let location = Location {
        file: "src/orders.ts".into(),
        start_line: 6,
        end_line: 6,
        start_column: 11,
        end_column: 69,
    };
    let of = FingerprintOf { check, file: &location.file, symbol: "GET /orders", source: "x", ordinal: 0 };
    Finding {
        id: fingerprint(&of),
        check: check.into(),
        slug: "n-plus-one".into(),
        severity,
        confidence: Confidence::High,
        category: Category::Database,
        title: "a query runs once for each order".into(),
        evidence: vec![
            Evidence { file: "src/app.ts".into(), start_line: 12, end_line: 12, note: "GET /orders".into() },
            Evidence {
                file: location.file.clone(),
                start_line: 6,
                end_line: 6,
                note: "`prisma.user.findUnique` for each of `orders`".into(),
            },
        ],
        location,
        contexts: vec![Context::PerRequest],
        routes: vec!["GET /orders".into()],
        problem: "`prisma.user.findUnique` runs once for each of up to 50 orders, one after the other. \
                  At 100 req/s the pool runs out of connections and requests queue."
            .into(),
        impact: Impact {
            text: "100 req/s per instance × 102 ms of connection time = 10.2 of 10 connections busy.".into(),
            figures: BTreeMap::from([
                ("queries_per_request".to_owned(), Figure::new(51.0, "queries")),
                ("wait_mean".to_owned(), Figure::new(f64::INFINITY, "ms")),
            ]),
            assumptions: vec!["2 ms per query".into()],
        },
        verify: "Count the `SELECT … FROM \"User\"` statements of one GET /orders: 50 now, 1 after.".into(),
        fix: Fix {
            description: "Load the users of all orders in one query.".into(),
            edits: vec![Edit {
                file: "src/orders.ts".into(),
                start_offset: 75,
                end_offset: 132,
                replacement: "prisma.order.findMany({ take: 50, include: { user: true } })".into(),
            }],
            files: Vec::new(),
            packages: Vec::new(),
            config: None,
            before: Some("const orders = await prisma.order.findMany({ take: 50 });".into()),
            after: Some(
                "const orders = await prisma.order.findMany({ take: 50, include: { user: true } });".into(),
            ),
            applicability: Applicability::Review,
        },
        tradeoff: "One larger query; keep it under 1,000 keys.".into(),
    }
}

/// One finding whose text tries to be markup and terminal control.
fn hostile() -> Finding {
    let mut finding = finding("2B", Severity::Monitor);
    finding.slug = "unbounded-cache".into();
    finding.category = Category::Memory;
    finding.title = "cache <img src=x onerror=alert(1)> \u{1b}]0;owned\u{7} grows | [link](http://x)".into();
    finding.location = Location {
        file: "src/ca_che_.ts".into(),
        start_line: 1,
        end_line: 9,
        start_column: 1,
        end_column: 4,
    };
    finding.fix = Fix {
        description: "Give it a bound.\n\n# Not a heading".into(),
        edits: Vec::new(),
        files: Vec::new(),
        packages: Vec::new(),
        config: Some(ConfigChange { file: ".env".into(), setting: "CACHE_MAX".into(), value: "500".into() }),
        before: Some("const s = `a`;\n```\n</details>".into()),
        after: None,
        applicability: Applicability::Manual,
    };
    finding
}

fn suspicion() -> Suspicion {
    let mut finding = finding("1C", Severity::High);
    finding.slug = "missing-index".into();
    finding.confidence = Confidence::Medium;
    finding.title = "no index known for Order.userId".into();
    finding.verify = "Run `\\d \"Order\"` in psql: an index must begin with \"userId\".".into();
    Suspicion { finding, missing_fact: "The migrations of table Order are not in the repository.".into() }
}

pub(crate) fn report_of(findings: Vec<Finding>, suspicious: Vec<Suspicion>) -> Report {
    let target = target();
    let score = score(&Audited { findings: &findings, suspicious: &suspicious, route_count: 4 });
    let plan = plan(&findings, &[], 4, &target);
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "loadworthy".into(), version: "0.1.0".into() },
        target,
        environment: Vec::new(),
        score,
        packages: Vec::new(),
        findings,
        suspicious,
        plan,
        routes: Vec::new(),
        diagnostics: Vec::new(),
    }
}

pub(crate) fn empty() -> Report {
    report_of(Vec::new(), Vec::new())
}

/// Findings, none of which lowers the score.
pub(crate) fn only_monitor() -> Report {
    report_of(vec![finding("1B", Severity::Monitor)], Vec::new())
}

pub(crate) fn sample() -> Report {
    let mut high = finding("3A", Severity::High);
    high.slug = "missing-timeout".into();
    high.category = Category::Async;
    high.title = "fetch to the payment service has no deadline".into();
    high.location.file = "src/missing.ts".into();
    let mut report = report_of(vec![finding("1A", Severity::Critical), high, hostile()], vec![suspicion()]);
    report.environment = vec![
        Fact {
            fact: "Node version".into(),
            value: "22".into(),
            confidence: Confidence::High,
            evidence: vec![Evidence {
                file: ".nvmrc".into(),
                start_line: 1,
                end_line: 1,
                note: "v22".into(),
            }],
            needs_confirmation: None,
        },
        Fact {
            fact: "pool size".into(),
            value: "10".into(),
            confidence: Confidence::Low,
            evidence: Vec::new(),
            needs_confirmation: Some(NeedsConfirmation {
                look_at: "`connection_limit` in DATABASE_URL".into(),
                matters_because: "it decides 1A and 1D".into(),
            }),
        },
    ];
    report.routes = vec![Route {
        method: "GET".into(),
        path: "/orders/:id*".into(),
        location: Location {
            file: "src/app.ts".into(),
            start_line: 12,
            end_line: 12,
            start_column: 1,
            end_column: 9,
        },
        middleware: vec!["requireUser".into()],
        queries_per_request: Some(51.0),
        p95_millis: None,
        traffic_share: 0.8,
        left_out: None,
    }];
    report.plan.load_test = load_test(&report.routes, &report.findings, &report.target);
    report.diagnostics = vec![Diagnostic {
        kind: DiagnosticKind::NotParsed,
        file: Some("src/broken.ts".into()),
        line: Some(3),
        message: "unexpected `}`".into(),
    }];
    report
}
