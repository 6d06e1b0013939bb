//! Shapes of SQL texts as code contains them.

use loadworthy_schema::sql::{ColumnRef, Dialect, Limit, OrderKey, SqlShape, StatementKind, shape};
use proptest::prelude::*;

fn of(text: &str) -> SqlShape {
    let found = shape(text, Dialect::Unknown);
    assert!(found.parsed, "does not parse: {text}");
    found
}

fn names(columns: &[ColumnRef]) -> Vec<&str> {
    columns.iter().map(|column| column.column.as_str()).collect()
}

#[test]
fn equality_order_and_limit_are_read() {
    let found = of(
        "SELECT id, total FROM public.orders o WHERE o.user_id = $1 AND status = 'open' ORDER BY created_at DESC LIMIT 20 OFFSET $2",
    );
    assert_eq!(found.kind, StatementKind::Select);
    assert_eq!(found.tables[0].name, "orders");
    assert_eq!(names(&found.columns), ["id", "total"]);
    assert_eq!(names(&found.equality), ["user_id", "status"]);
    assert!(found.equality.iter().all(|column| column.table.as_deref() == Some("orders")));
    assert!(
        matches!(&found.order_by[0], OrderKey::Column { column, descending: true } if column.column == "created_at")
    );
    assert_eq!((found.limit, found.offset), (Limit::Literal(20), Limit::Parameter));
}

#[test]
fn every_kind_of_placeholder_parses() {
    for value in ["$1", "?", ":id", "@p1", "__lw_0__", "%s", "$id"] {
        let found = of(&format!("SELECT * FROM users WHERE id = {value} LIMIT {value}"));
        assert_eq!(names(&found.equality), ["id"], "{value}");
        assert_eq!(found.limit, Limit::Parameter, "{value}");
        assert!(found.star && !found.dynamic, "{value}");
    }
}

#[test]
fn membership_ranges_and_nulls_are_told_apart() {
    let found = of(
        "SELECT a FROM t WHERE b IN ($1, $2) AND c = ANY($3) AND d >= ? AND e BETWEEN 1 AND 2 AND f IS NULL",
    );
    assert_eq!(names(&found.membership), ["b", "c"]);
    assert_eq!(names(&found.ranges), ["d", "e"]);
    assert_eq!(names(&found.null_checks), ["f"]);
    assert!(found.equality.is_empty());
}

#[test]
fn alternatives_are_not_equality() {
    let found = of("SELECT id FROM t WHERE a = 1 AND (b = 2 OR c = 3)");
    assert_eq!(names(&found.equality), ["a"]);
    assert_eq!(names(&found.alternatives), ["b", "c"]);
}

#[test]
fn leading_wildcards_and_functions_are_found() {
    let found = of(
        "SELECT id FROM t WHERE LOWER(email) = ? AND name ILIKE '%x%' AND code LIKE 'x%' AND note LIKE '%' || $2 AND title LIKE ?",
    );
    assert_eq!(
        (found.functions[0].function.as_str(), found.functions[0].column.column.as_str()),
        ("lower", "email")
    );
    assert!(found.equality.is_empty());
    let wild: Vec<_> = found.likes.iter().map(|like| like.leading_wildcard).collect();
    assert_eq!(wild, [Some(true), Some(false), Some(true), None]);
    assert!(found.likes[0].ignores_case);
}

#[test]
fn joins_name_their_columns_by_table() {
    let found = of(
        "SELECT u.name FROM users u JOIN orders AS o ON o.user_id = u.id LEFT JOIN items i USING (order_id) WHERE u.id = $1",
    );
    let (left, right) = &found.joins[0].on[0];
    assert_eq!((left.table.as_deref(), right.table.as_deref()), (Some("orders"), Some("users")));
    assert_eq!(found.joins[1].table, "items");
    assert_eq!(names(&found.equality), ["id"]);
}

#[test]
fn aggregates_give_one_row_only_without_groups() {
    assert!(of("SELECT COUNT(*) FROM t WHERE a = 1").aggregate_only);
    assert!(of("SELECT COALESCE(SUM(x), 0) AS s, MAX(y) FROM t").aggregate_only);
    assert!(!of("SELECT a, COUNT(*) FROM t GROUP BY a").aggregate_only);
    assert!(!of("SELECT COUNT(*) OVER () FROM t").aggregate_only);
}

#[test]
fn random_order_locks_and_conflicts_are_found() {
    assert_eq!(of("SELECT * FROM t ORDER BY RANDOM() LIMIT 1").order_by, [OrderKey::Random]);
    assert_eq!(of("SELECT * FROM t ORDER BY RAND() LIMIT 5, 10").limit, Limit::Literal(10));
    let locked = of("SELECT id FROM jobs WHERE state = 'q' LIMIT 1 FOR UPDATE SKIP LOCKED");
    assert!(locked.for_update && locked.skips_locked);
    assert!(of("INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT (a) DO NOTHING").on_conflict);
    assert!(of("INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = 1").on_conflict);
}

#[test]
fn writes_and_transactions_have_their_kind() {
    let update = of("UPDATE accounts SET balance = balance - $1 WHERE id = $2");
    assert_eq!((update.kind, names(&update.equality)), (StatementKind::Update, vec!["id"]));
    assert_eq!(of("DELETE FROM sessions WHERE expires_at < NOW()").kind, StatementKind::Delete);
    assert_eq!(of("BEGIN").kind, StatementKind::Transaction);
    assert_eq!(of("CREATE INDEX i ON t (a)").kind, StatementKind::Ddl);
    assert_eq!(of("INSERT INTO a (x) VALUES (1); SELECT 1").further.len(), 1);
}

#[test]
fn subqueries_and_common_tables_have_their_own_shape() {
    let found = of(
        "WITH recent AS (SELECT * FROM orders WHERE created_at > $1) SELECT * FROM recent r WHERE EXISTS (SELECT 1 FROM users WHERE id = r.user_id)",
    );
    assert!(found.tables.is_empty());
    assert_eq!(found.subqueries.len(), 2);
    assert_eq!(found.subqueries[0].tables[0].name, "orders");
}

#[test]
fn interpolated_clauses_are_dynamic() {
    assert!(of("SELECT * FROM __lw_0__ WHERE id = 1").dynamic);
    assert!(of("SELECT * FROM t WHERE __lw_0__ AND a = 1").dynamic);
    assert!(of("SELECT * FROM t ORDER BY __lw_0__").dynamic);
    assert_eq!(names(&of("SELECT * FROM t WHERE id IN (__lw_0__)").membership), ["id"]);
}

#[test]
fn words_tell_what_does_not_parse() {
    let found = shape("SELECT * FROM orders o WHERE (a = __lw_0__ __lw_1__ ORDER LIMIT 10", Dialect::Unknown);
    assert!(!found.parsed && found.has_where && found.star);
    assert_eq!((found.kind, found.limit), (StatementKind::Select, Limit::Literal(10)));
    assert_eq!(found.tables[0].name, "orders");
}

#[test]
fn long_chains_do_not_overflow_the_stack() {
    for text in [
        format!("SELECT 1{}", "+1".repeat(2_400)),
        format!("SELECT * FROM t WHERE a=1{}", " OR a=1".repeat(1_200)),
        format!("SELECT {}1{}", "(".repeat(9_000), ")".repeat(9_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(2_000)),
        format!("SELECT * FROM t WHERE {} a", "NOT ".repeat(2_400)),
    ] {
        let _ = shape(&text, Dialect::Unknown);
    }
}

proptest! {
    #[test]
    fn any_text_has_a_shape(text in "\\PC{0,80}") {
        let _ = shape(&text, Dialect::Unknown);
    }

    #[test]
    fn any_sql_like_text_has_a_shape(
        words in proptest::collection::vec("SELECT|FROM|WHERE|a|t\\.b|=|\\(|\\)|\\$1|'x|'|LIMIT|ORDER BY|,|\\*|JOIN|ON|IN|AND|OR|é|__lw_0__|;", 0..24)
    ) {
        let _ = shape(&words.join(" "), Dialect::Unknown);
    }
}
