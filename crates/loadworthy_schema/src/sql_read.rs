//! Reads a parsed statement into its shape.

use sqlparser::ast::{
    AssignmentTarget, BinaryOperator, Distinct, Expr, FromTable, FunctionArg, FunctionArgExpr,
    FunctionArguments, GroupByExpr, Ident, InTarget, Insert, JoinConstraint, JoinOperator, LimitClause,
    ObjectName, OrderBy, OrderByExpr, OrderByKind, OrderBySort, Query, Select, SelectItem, SetExpr,
    Statement, TableFactor, TableObject, TableWithJoins, UnaryOperator, UpdateTableFromKind, Value,
};

use crate::sql::{
    ColumnRef, Dialect, FunctionOn, Join, Like, Limit, OrderKey, SqlShape, StatementKind, TableRef, is_marker,
};
use crate::sql_parse::parse;
use crate::sql_tokens;

pub(crate) fn shapes(text: &str, dialect: Dialect) -> Option<SqlShape> {
    let mut shapes = parse(text, dialect)?.into_iter().map(|statement| statement_shape(&statement));
    let mut first = shapes.next()?;
    first.further = shapes.collect();
    Some(first)
}

fn statement_shape(statement: &Statement) -> SqlShape {
    let mut shape = SqlShape { parsed: true, ..SqlShape::default() };
    match statement {
        Statement::Query(query) => read_query(&mut shape, query),
        Statement::Insert(insert) => read_insert(&mut shape, insert),
        Statement::Update(update) => {
            shape.kind = StatementKind::Update;
            let from = match &update.from {
                Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => {
                    from.as_slice()
                }
                None => &[],
            };
            read_tables(&mut shape, std::slice::from_ref(&update.table));
            read_tables(&mut shape, from);
            for assignment in &update.assignments {
                if let AssignmentTarget::ColumnName(name) = &assignment.target {
                    shape.columns.push(ColumnRef { table: None, column: last(name) });
                }
            }
            read_where(&mut shape, update.selection.as_ref());
            read_order(&mut shape, &update.order_by);
            shape.limit = update.limit.as_ref().map(limit).unwrap_or_default();
        }
        Statement::Delete(delete) => {
            shape.kind = StatementKind::Delete;
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            read_tables(&mut shape, from);
            read_tables(&mut shape, delete.using.as_deref().unwrap_or_default());
            read_where(&mut shape, delete.selection.as_ref());
            read_order(&mut shape, &delete.order_by);
            shape.limit = delete.limit.as_ref().map(limit).unwrap_or_default();
        }
        Statement::Explain { statement, .. } => return statement_shape(statement),
        other => {
            let words = sql_tokens::words(&other.to_string());
            let upper: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
            shape.kind = sql_tokens::kind(&upper);
        }
    }
    shape.resolve();
    shape
}

fn query_shape(query: &Query) -> SqlShape {
    let mut shape = SqlShape { parsed: true, ..SqlShape::default() };
    read_query(&mut shape, query);
    shape.resolve();
    shape
}

fn read_query(shape: &mut SqlShape, query: &Query) {
    shape.kind = StatementKind::Select;
    let mut named: Vec<String> = Vec::new();
    for part in query.with.iter().flat_map(|with| &with.cte_tables) {
        named.push(part.alias.name.value.to_lowercase());
        shape.subqueries.push(query_shape(&part.query));
    }
    read_set(shape, &query.body);
    shape.tables.retain(|table| !named.contains(&table.name.to_lowercase()));
    if let Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) = &query.order_by {
        read_order(shape, keys);
    }
    match &query.limit_clause {
        Some(LimitClause::LimitOffset { limit: most, offset, .. }) => {
            shape.limit = most.as_ref().map(limit).unwrap_or_default();
            shape.offset = offset.as_ref().map(|offset| limit(&offset.value)).unwrap_or_default();
        }
        Some(LimitClause::OffsetCommaLimit { offset, limit: most }) => {
            (shape.limit, shape.offset) = (limit(most), limit(offset));
        }
        None => {}
    }
    if let Some(fetch) = &query.fetch {
        shape.limit = fetch.quantity.as_ref().map_or(Limit::Literal(1), limit);
    }
    shape.for_update |= !query.locks.is_empty();
    shape.skips_locked |= query.locks.iter().any(|lock| lock.nonblock.is_some());
}

fn read_set(shape: &mut SqlShape, body: &SetExpr) {
    match body {
        SetExpr::Select(select) => read_select(shape, select),
        SetExpr::Query(query) => read_query(shape, query),
        SetExpr::SetOperation { left, right, .. } => {
            for side in [left, right] {
                let mut part = SqlShape { parsed: true, kind: StatementKind::Select, ..SqlShape::default() };
                read_set(&mut part, side);
                part.resolve();
                shape.tables.extend(part.tables.iter().cloned());
                shape.subqueries.push(part);
            }
        }
        SetExpr::Values(values) => shape.inserted_rows = values.rows.len(),
        SetExpr::Insert(inner) | SetExpr::Update(inner) | SetExpr::Delete(inner) | SetExpr::Merge(inner) => {
            let (subqueries, inner) = (std::mem::take(&mut shape.subqueries), statement_shape(inner));
            *shape = inner;
            shape.subqueries.extend(subqueries);
        }
        SetExpr::Table(_) => shape.star = true,
    }
}

fn read_select(shape: &mut SqlShape, select: &Select) {
    read_tables(shape, &select.from);
    shape.distinct = matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_)));
    if let GroupByExpr::Expressions(keys, _) = &select.group_by {
        shape.has_group_by = !keys.is_empty();
        shape.group_by = keys.iter().filter_map(column).collect();
    }
    let mut aggregates = 0;
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                aggregates += usize::from(is_aggregate(expr));
                shape.columns.extend(column(expr));
                nested_queries(shape, expr);
            }
            SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => shape.star = true,
            SelectItem::ExprWithAliases { .. } => {}
        }
    }
    shape.aggregate_only = aggregates > 0 && !shape.has_group_by && aggregates == select.projection.len();
    if let Some(top) = &select.top {
        shape.limit = match &top.quantity {
            Some(sqlparser::ast::TopQuantity::Constant(rows)) => Limit::Literal(*rows),
            _ => Limit::Parameter,
        };
    }
    read_where(shape, select.selection.as_ref());
}

fn read_insert(shape: &mut SqlShape, insert: &Insert) {
    shape.kind = StatementKind::Insert;
    if let Some(source) = &insert.source {
        if let SetExpr::Values(values) = source.body.as_ref() {
            shape.inserted_rows = values.rows.len();
        } else {
            shape.subqueries.push(query_shape(source));
        }
    }
    if let TableObject::TableName(name) = &insert.table {
        add_table(shape, name, None);
    }
    shape.columns = insert.columns.iter().map(|name| ColumnRef { table: None, column: last(name) }).collect();
    shape.on_conflict = insert.on.is_some() || insert.or.is_some() || insert.ignore || insert.replace_into;
}

fn read_tables(shape: &mut SqlShape, from: &[TableWithJoins]) {
    for table in from {
        read_factor(shape, &table.relation);
        for join in &table.joins {
            let name = read_factor(shape, &join.relation);
            let mut on = Vec::new();
            match constraint(&join.join_operator) {
                Some(JoinConstraint::On(condition)) => read_conditions(shape, condition, Some(&mut on)),
                Some(JoinConstraint::Using(names)) => on.extend(names.iter().map(|shared| {
                    let column = last(shared);
                    (
                        ColumnRef { table: None, column: column.clone() },
                        ColumnRef { table: Some(name.clone()), column },
                    )
                })),
                _ => {}
            }
            shape.joins.push(Join { table: name, on });
        }
    }
}

fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(found)
        | JoinOperator::Inner(found)
        | JoinOperator::Left(found)
        | JoinOperator::LeftOuter(found)
        | JoinOperator::Right(found)
        | JoinOperator::RightOuter(found)
        | JoinOperator::FullOuter(found)
        | JoinOperator::StraightJoin(found) => Some(found),
        _ => None,
    }
}

fn read_factor(shape: &mut SqlShape, factor: &TableFactor) -> String {
    match factor {
        TableFactor::Table { name, alias, args: None, .. } => {
            let alias = alias.as_ref().map(|alias| alias.name.value.clone());
            add_table(shape, name, alias)
        }
        TableFactor::Derived { subquery, .. } => {
            shape.subqueries.push(query_shape(subquery));
            String::new()
        }
        TableFactor::NestedJoin { table_with_joins, .. } => {
            read_tables(shape, std::slice::from_ref(table_with_joins));
            String::new()
        }
        _ => String::new(),
    }
}

fn add_table(shape: &mut SqlShape, name: &ObjectName, alias: Option<String>) -> String {
    let name = last(name);
    let alias = alias.filter(|alias| {
        shape.dynamic |= is_marker(alias);
        !is_marker(alias)
    });
    if is_marker(&name) {
        shape.dynamic = true;
        return String::new();
    }
    shape.tables.push(TableRef { name: name.clone(), alias });
    name
}

fn read_where(shape: &mut SqlShape, condition: Option<&Expr>) {
    let Some(condition) = condition else { return };
    shape.has_where = true;
    let mut on = Vec::new();
    read_conditions(shape, condition, Some(&mut on));
    shape.joins.extend(on.into_iter().map(|pair| Join { table: String::new(), on: vec![pair] }));
}

/// Reads the conditions joined by `AND`; equal pairs of columns go to `pairs`.
fn read_conditions(
    shape: &mut SqlShape,
    condition: &Expr,
    mut pairs: Option<&mut Vec<(ColumnRef, ColumnRef)>>,
) {
    let mut open = vec![condition];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Nested(inner) => open.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([right.as_ref(), left]),
            Expr::BinaryOp { op: BinaryOperator::Or, .. } => read_alternatives(shape, expr),
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                match (column(left), column(right), pairs.as_deref_mut()) {
                    (Some(left), Some(to), Some(pairs)) if !is_text(shape, right) => pairs.push((left, to)),
                    _ => read_condition(shape, expr),
                }
            }
            other => read_condition(shape, other),
        }
    }
}

/// `state = "open"` over one table: MySQL and SQLite read the double quotes as a text.
fn is_text(shape: &SqlShape, side: &Expr) -> bool {
    shape.tables.len() < 2 && matches!(side, Expr::Identifier(name) if name.quote_style == Some('"'))
}

/// The columns below an `OR`: each needs an index of its own.
fn read_alternatives(shape: &mut SqlShape, condition: &Expr) {
    let mut below = SqlShape::default();
    let mut open = vec![condition];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Nested(inner) => open.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                open.extend([right.as_ref(), left]);
            }
            other => read_condition(&mut below, other),
        }
    }
    let SqlShape { equality, membership, ranges, null_checks, likes, functions, subqueries, dynamic, .. } =
        below;
    for found in [equality, membership, ranges, null_checks].into_iter().flatten() {
        if !shape.alternatives.contains(&found) {
            shape.alternatives.push(found);
        }
    }
    shape.likes.extend(likes);
    shape.functions.extend(functions);
    shape.subqueries.extend(subqueries);
    shape.dynamic |= dynamic;
}

fn read_condition(shape: &mut SqlShape, expr: &Expr) {
    nested_queries(shape, expr);
    match expr {
        Expr::BinaryOp { left, op, right } => read_comparison(shape, left, op, right),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, .. } => shape.membership.extend(column(left)),
        Expr::In { expr, negated: false, .. } => match expr.as_ref() {
            Expr::Tuple(parts) => shape.membership.extend(parts.iter().filter_map(column)),
            single => {
                shape.functions.extend(function_on(single));
                shape.membership.extend(column(single));
            }
        },
        Expr::Between { expr, negated: false, .. } => {
            shape.functions.extend(function_on(expr));
            shape.ranges.extend(column(expr));
        }
        Expr::Like { expr, pattern, negated: false, .. } => read_like(shape, expr, pattern, false),
        Expr::ILike { expr, pattern, negated: false, .. } => read_like(shape, expr, pattern, true),
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => shape.null_checks.extend(column(inner)),
        Expr::IsTrue(inner) | Expr::IsFalse(inner) => shape.equality.extend(column(inner)),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => shape.equality.extend(column(expr)),
        Expr::Identifier(name) if is_marker(&name.value) => shape.dynamic = true,
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => shape.equality.extend(column(expr)),
        _ => {}
    }
}

fn read_comparison(shape: &mut SqlShape, left: &Expr, op: &BinaryOperator, right: &Expr) {
    let side = if column(left).is_some() || function_on(left).is_some() { left } else { right };
    let found = column(side);
    match op {
        BinaryOperator::Eq | BinaryOperator::Spaceship => {
            shape.functions.extend(function_on(side));
            shape.equality.extend(found);
        }
        BinaryOperator::Gt | BinaryOperator::GtEq | BinaryOperator::Lt | BinaryOperator::LtEq => {
            shape.functions.extend(function_on(side));
            match side {
                // Keyset paging: (a, b) < ($1, $2)
                Expr::Tuple(parts) => shape.ranges.extend(parts.iter().filter_map(column)),
                _ => shape.ranges.extend(found),
            }
        }
        BinaryOperator::PGRegexMatch => read_like(shape, left, right, false),
        BinaryOperator::PGRegexIMatch => read_like(shape, left, right, true),
        _ => {}
    }
}

fn read_like(shape: &mut SqlShape, expr: &Expr, pattern: &Expr, ignores_case: bool) {
    shape.functions.extend(function_on(expr));
    let found = column(expr).or_else(|| function_on(expr).map(|inside| inside.column));
    let Some(column) = found else { return };
    let leading_wildcard = leading_text(pattern).map(|text| text.starts_with(['%', '_', '.']));
    shape.likes.push(Like { column, leading_wildcard, ignores_case });
}

/// The first literal text of a pattern such as `'%' || $1 || '%'` or `CONCAT('%', ?)`.
fn leading_text(pattern: &Expr) -> Option<&str> {
    let mut expr = pattern;
    loop {
        expr = match expr {
            Expr::BinaryOp { left, .. } => left,
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => inner,
            Expr::Function(function) => first_argument(&function.args)?,
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text)
                | Value::DoubleQuotedString(text)
                | Value::EscapedStringLiteral(text) => return Some(text),
                _ => return None,
            },
            _ => return None,
        };
    }
}

fn first_argument(arguments: &FunctionArguments) -> Option<&Expr> {
    expressions(arguments).into_iter().next()
}

fn expressions(arguments: &FunctionArguments) -> Vec<&Expr> {
    let FunctionArguments::List(list) = arguments else { return Vec::new() };
    let expression =
        |argument: &'_ FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(_)));
    let unnamed = list.args.iter().filter(|argument| expression(argument));
    unnamed
        .filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

/// A column, not an interpolation.
fn column(expr: &Expr) -> Option<ColumnRef> {
    let of = |table: Option<&Ident>, name: &Ident| {
        (!is_marker(&name.value))
            .then(|| ColumnRef { table: table.map(|table| table.value.clone()), column: name.value.clone() })
    };
    match expr {
        Expr::Identifier(name) => of(None, name),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [.., table, name] => of(Some(table), name),
            _ => None,
        },
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}

/// A function, cast or JSON operator around a column.
fn function_on(expr: &Expr) -> Option<FunctionOn> {
    let on = |function: &str, inner: &Expr| {
        let function = function.to_lowercase();
        let found = column(inner).or_else(|| function_on(inner).map(|inside| inside.column));
        found.map(|column| FunctionOn { function, column })
    };
    match expr {
        Expr::Function(function) => {
            expressions(&function.args).into_iter().find_map(|inner| on(&last(&function.name), inner))
        }
        Expr::Cast { expr, .. } => on("cast", expr),
        Expr::Convert { expr, .. } => on("convert", expr),
        Expr::Extract { expr, .. } => on("extract", expr),
        Expr::Trim { expr, .. } => on("trim", expr),
        Expr::Substring { expr, .. } => on("substring", expr),
        Expr::Collate { expr, .. } => on("collate", expr),
        Expr::AtTimeZone { timestamp, .. } => on("at time zone", timestamp),
        Expr::Nested(inner) => function_on(inner),
        Expr::BinaryOp {
            left,
            op:
                op @ (BinaryOperator::Arrow
                | BinaryOperator::LongArrow
                | BinaryOperator::HashArrow
                | BinaryOperator::HashLongArrow
                | BinaryOperator::Plus
                | BinaryOperator::Minus
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Modulo),
            ..
        } => column(left).map(|column| FunctionOn { function: op.to_string(), column }),
        _ => None,
    }
}

fn is_aggregate(expr: &Expr) -> bool {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if let Expr::Function(function) = expr {
            let name = last(&function.name).to_lowercase();
            if AGGREGATES.contains(&name.as_str()) && function.over.is_none() {
                return true;
            }
        }
        open.extend(parts(expr));
    }
    false
}

const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "array_agg",
    "json_agg",
    "jsonb_agg",
    "string_agg",
    "group_concat",
    "json_arrayagg",
    "json_group_array",
    "bool_and",
    "bool_or",
    "every",
    "total",
    "stddev",
    "variance",
    "percentile_cont",
];

/// The direct parts of an expression that may hold a query or an aggregate.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::BinaryOp { left, right, .. }
        | Expr::AnyOp { left, right, .. }
        | Expr::AllOp { left, right, .. } => {
            vec![left, right]
        }
        Expr::Nested(inner)
        | Expr::Cast { expr: inner, .. }
        | Expr::UnaryOp { expr: inner, .. }
        | Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::In { expr: inner, .. } => vec![inner],
        Expr::Function(function) => expressions(&function.args),
        Expr::Tuple(inner) => inner.iter().collect(),
        Expr::Case { conditions, else_result, .. } => {
            let results = conditions.iter().flat_map(|when| [&when.condition, &when.result]);
            results.chain(else_result.as_deref()).collect()
        }
        _ => Vec::new(),
    }
}

fn nested_queries(shape: &mut SqlShape, expr: &Expr) {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Exists { subquery, .. }
            | Expr::Subquery(subquery)
            | Expr::In { target: InTarget::Subquery(subquery), .. } => {
                shape.subqueries.push(query_shape(subquery));
            }
            Expr::Function(function) => {
                if let FunctionArguments::Subquery(subquery) = &function.args {
                    shape.subqueries.push(query_shape(subquery));
                }
            }
            _ => {}
        }
        open.extend(parts(expr));
    }
}

fn read_order(shape: &mut SqlShape, keys: &[OrderByExpr]) {
    for key in keys {
        let descending = matches!(key.options.sort, Some(OrderBySort::Desc));
        let text = key.expr.to_string();
        let upper = text.to_ascii_uppercase();
        if matches!(upper.as_str(), "RANDOM()" | "RAND()" | "NEWID()") {
            shape.order_by.push(OrderKey::Random);
        } else if let Some(column) = column(&key.expr) {
            shape.order_by.push(OrderKey::Column { column, descending });
        } else {
            shape.dynamic |= matches!(&key.expr, Expr::Identifier(name) if is_marker(&name.value));
            shape.functions.extend(function_on(&key.expr));
            shape.order_by.push(OrderKey::Expression(text));
        }
    }
}

fn limit(expr: &Expr) -> Limit {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().map_or(Limit::Parameter, Limit::Literal),
            Value::Null => Limit::None,
            _ => Limit::Parameter,
        },
        _ => Limit::Parameter,
    }
}

fn last(name: &ObjectName) -> String {
    let part = name.0.last().and_then(|part| part.as_ident());
    part.map(|name| name.value.clone()).unwrap_or_default()
}

impl SqlShape {
    /// Puts the table's name in place of its alias, and the only table where none is named.
    fn resolve(&mut self) {
        let tables = self.tables.clone();
        let resolve = |found: &mut ColumnRef| match &found.table {
            Some(name) => {
                let aliased = tables.iter().find(|table| table.alias.as_ref() == Some(name));
                if let Some(table) = aliased {
                    found.table = Some(table.name.clone());
                }
            }
            None => {
                if let [only] = tables.as_slice() {
                    found.table = Some(only.name.clone());
                }
            }
        };
        let lists = [
            &mut self.columns,
            &mut self.equality,
            &mut self.membership,
            &mut self.ranges,
            &mut self.null_checks,
            &mut self.alternatives,
            &mut self.group_by,
        ];
        lists.into_iter().flatten().for_each(resolve);
        self.likes.iter_mut().for_each(|like| resolve(&mut like.column));
        self.functions.iter_mut().for_each(|function| resolve(&mut function.column));
        for key in &mut self.order_by {
            if let OrderKey::Column { column, .. } = key {
                resolve(column);
            }
        }
        for (left, right) in self.joins.iter_mut().flat_map(|join| &mut join.on) {
            resolve(left);
            resolve(right);
        }
    }
}
