//! The limit in the application's own words.

use loadworthy_analysis::{Family, Query, Site};
use loadworthy_syntax::{Kind, Module, NodeId};

use super::page::page;
use super::shapes::{Case, Shape};
use crate::audit::Audit;
use crate::database::rows::table_name;
use crate::edit::replace;
use crate::finding::{Applicability, Fix};

/// Rows of a page, and the most that a client may ask for.
pub(super) const PAGE: u32 = 50;
pub(super) const MOST: u32 = 100;

pub(super) fn fix(audit: &Audit<'_, '_>, query: &Query, case: &Case) -> Fix {
    match &case.shape {
        Shape::ClientLimit { input } => clamp(audit, query, *input),
        Shape::Inverted { at } => turned(audit, *at),
        Shape::Summed { summary, .. } => summed(audit, query, summary),
        Shape::Searched { relation, purpose, .. } => searched(audit, query, case, (relation, purpose)),
        Shape::Include { relation } => include(audit, query, case, relation),
        Shape::NoLimit { afterwards } if afterwards.is_empty() => {
            page(audit, query, no_limit(audit, query, false))
        }
        Shape::NoLimit { .. } => no_limit(audit, query, true),
        Shape::Off { .. } => no_limit(audit, query, false),
    }
}

/// `Math.min(limit, 100)` where the limit is given.
fn clamp(audit: &Audit<'_, '_>, query: &Query, input: Site) -> Fix {
    let option = limit_option(audit, query);
    let description = format!(
        "Take the smaller of the client's number and a maximum: `Math.min(…, {MOST})`, or a maximum in the schema that validates \
         the request (`.max({MOST})`)."
    );
    let Some(site) = option.filter(|site| audit.module(*site).is_some()) else {
        return Fix { description, before: Some(audit.excerpt(input, 120)), ..Fix::default() };
    };
    let text = audit.source(site);
    let replacement = format!("Math.min({text}, {MOST})");
    Fix {
        description,
        before: Some(text.to_owned()),
        after: Some(replacement.clone()),
        edits: vec![replace(audit, site, replacement)],
        applicability: Applicability::Review,
        ..Fix::default()
    }
}

/// The other way around.
fn turned(audit: &Audit<'_, '_>, at: Site) -> Fix {
    let description = String::from("Take the smaller of the two numbers.");
    let before = audit.source(at).to_owned();
    let replacement = smaller(audit, at);
    Fix {
        description,
        before: Some(before),
        after: replacement.clone(),
        edits: replacement.map(|text| replace(audit, at, text)).into_iter().collect(),
        applicability: Applicability::Review,
        ..Fix::default()
    }
}

fn smaller(audit: &Audit<'_, '_>, at: Site) -> Option<String> {
    let module = audit.module(at)?;
    let Kind::Conditional { then, otherwise, .. } = module.kind(at.1) else { return None };
    Some(format!("Math.min({}, {})", module.source(then), module.source(otherwise)))
}

/// The value of the option, or the argument of the member, that sets the limit.
fn limit_option(audit: &Audit<'_, '_>, query: &Query) -> Option<Site> {
    let module = audit.module(query.whole)?;
    let words = ["take", "limit"];
    let inside = module.node_ids().filter(|node| module.contains(query.whole.1, *node));
    let found = inside.into_iter().find_map(|node| match module.kind(node) {
        Kind::Property { key, value } if words.contains(&module.str(key)) && value.is_some() => {
            // `{ take }`: the name is key and value in one, so that the edit would lose the key.
            let is_short = module.node(node).span.start == module.node(value).span.start;
            (!is_short).then_some(value)
        }
        Kind::Call { callee, arguments } => match module.kind(callee) {
            Kind::Member { name, .. } if words.contains(&module.str(name)) => module.list(arguments).next(),
            _ => None,
        },
        _ => None,
    });
    found.map(|node| (query.whole.0, node))
}

fn summed(audit: &Audit<'_, '_>, query: &Query, summary: &str) -> Fix {
    let name = table_name(query);
    let how = match (summary, query.family) {
        ("test whether one exists", Family::Prisma) => {
            "`findFirst` with the test in `where` and `select: { id: true }`"
        }
        ("test whether one exists", Family::Mongoose) => "`exists` with the test in the filter",
        ("test whether one exists", _) => "a query with the test in its condition and a limit of 1",
        ("add them up", Family::Prisma) => "`aggregate({ _sum: { … }, where })`",
        ("add them up", Family::Sequelize) => "`Model.sum(column, { where })`",
        ("add them up", Family::Mongoose | Family::MongoDriver) => {
            "`aggregate([{ $match }, { $group: { _id: null, total: { $sum } } }])`"
        }
        ("add them up", _) => "`SELECT SUM(…)` with the same condition",
        (_, Family::Mongoose | Family::MongoDriver) => "`countDocuments(filter)`",
        (_, Family::Drizzle) => "`db.$count(table, condition)`",
        (_, Family::Supabase) => "`select(\"*\", { count: \"exact\", head: true })`",
        (_, Family::Sql) => {
            "`SELECT COUNT(*)` with the same condition (one `COUNT(*) FILTER (WHERE …)` a kind)"
        }
        _ => "`count` with the same condition (grouped by the column, where several numbers are needed)",
    };
    Fix {
        description: format!("Let the database {summary}: on `{name}`, {how}."),
        before: Some(audit.source(query.whole).to_owned()),
        after: counted(audit, query).filter(|_| summary == "count them" && query.via.is_none()),
        ..Fix::default()
    }
}

/// The query as a count, where the conditions can stay as they are.
fn counted(audit: &Audit<'_, '_>, query: &Query) -> Option<String> {
    let module = audit.module(query.site)?;
    let Kind::Call { callee, arguments } = module.kind(query.site.1) else { return None };
    let Kind::Member { object, .. } = module.kind(callee) else { return None };
    let receiver = module.source(object);
    let first = module.list(arguments).next();
    match query.family {
        Family::Prisma | Family::Sequelize | Family::TypeOrm => {
            let conditions = first.and_then(|options| property(module, options, "where"));
            let inner = conditions.map(|text| format!("{{ {text} }}")).unwrap_or_default();
            first
                .is_none_or(|options| matches!(module.kind(options), Kind::Object(_)))
                .then(|| format!("{receiver}.count({inner})"))
        }
        Family::Mongoose | Family::MongoDriver => {
            Some(format!("{receiver}.countDocuments({})", first.map_or("", |first| module.source(first))))
        }
        _ => None,
    }
}

/// `where: { … }` as written.
fn property<'m>(module: &'m Module, object: NodeId, name: &str) -> Option<&'m str> {
    let Kind::Object(parts) = module.kind(object) else { return None };
    module.list(parts).find_map(|part| match module.kind(part) {
        Kind::Property { key, .. } if module.str(key) == name => Some(module.source(part)),
        _ => None,
    })
}

/// The relation's own table answers with a row or a number.
fn searched(audit: &Audit<'_, '_>, query: &Query, case: &Case, (relation, purpose): (&str, &str)) -> Fix {
    let is_count = purpose == "count them";
    let how = match (query.family, is_count) {
        (Family::Prisma, true) => {
            format!("`_count: {{ select: {{ {relation}: true }} }}` instead of the rows")
        }
        (Family::Prisma, false) => format!(
            "`{relation}: {{ where: {{ … }}, take: 1 }}` with the test of the callback, or `findFirst` on the related model"
        ),
        (_, true) => String::from("a count on the related table with the key of this row"),
        (_, false) => String::from(
            "a query on the related table with the key of this row, the test of the callback and a limit of 1",
        ),
    };
    Fix {
        description: format!("Let the database {purpose}: {how}."),
        before: Some(format!("{relation}: {}", audit.source(case.place))),
        ..Fix::default()
    }
}

fn include(audit: &Audit<'_, '_>, query: &Query, case: &Case, relation: &str) -> Fix {
    let how = match query.family {
        Family::Prisma => "give it a `take` and an `orderBy`",
        Family::Sequelize => "give it `separate: true` with a `limit` and an `order`",
        Family::Drizzle => "give it a `limit` and an `orderBy`",
        Family::Mongoose => "give it `perDocumentLimit` and a `sort`",
        _ => "read it with a query of its own that has a limit",
    };
    let before = audit.source(case.place);
    let after = match (query.family, before) {
        (Family::Prisma, "true") => Some(format!("{{ take: {PAGE} }}")),
        (Family::Drizzle, "true") => Some(format!("{{ limit: {PAGE} }}")),
        (Family::Prisma, text) if text.starts_with('{') => {
            Some(format!("{{ take: {PAGE}, {}", text.trim_start_matches('{').trim_start()))
        }
        (Family::Drizzle, text) if text.starts_with('{') => {
            Some(format!("{{ limit: {PAGE}, {}", text.trim_start_matches('{').trim_start()))
        }
        (Family::Mongoose, text) if text.starts_with(['\'', '"']) => {
            Some(format!("{{ path: {text}, perDocumentLimit: {PAGE}, options: {{ sort: {{ _id: -1 }} }} }}"))
        }
        (Family::Mongoose, text) if text.starts_with('{') => {
            Some(format!("{{ perDocumentLimit: {PAGE}, {}", text.trim_start_matches('{').trim_start()))
        }
        (Family::Mongoose, _) => Some(format!(
            "{{ path: '{relation}', perDocumentLimit: {PAGE}, options: {{ sort: {{ _id: -1 }} }} }}"
        )),
        (Family::Sequelize, text) if text.starts_with('{') => {
            Some(format!("{{ separate: true, limit: {PAGE}, {}", text.trim_start_matches('{').trim_start()))
        }
        _ => None,
    };
    let key = |text: &str| format!("{relation}: {text}");
    let is_value = after.is_some() && matches!(query.family, Family::Prisma | Family::Drizzle);
    Fix {
        description: format!(
            "Limit `{relation}`: {how}; where only the newest or their number is shown, read that alone."
        ),
        before: Some(if is_value { key(before) } else { before.to_owned() }),
        after: after.map(|text| if is_value { key(&text) } else { text }),
        ..Fix::default()
    }
}

fn no_limit(audit: &Audit<'_, '_>, query: &Query, is_worked_on: bool) -> Fix {
    let name = table_name(query);
    let push = if is_worked_on {
        " Put what JavaScript does with the rows (filter, sort, slice, find) into the query first: otherwise it sees one page only."
    } else {
        ""
    };
    // Where a helper sends the query, it and its other callers have a say.
    let (before, after) = match limited(audit, query).filter(|_| query.via.is_none()) {
        Some(after) => (audit.source(query.whole).to_owned(), Some(after)),
        None if query.via.is_none() => apart(audit, query),
        None => (audit.source(query.whole).to_owned(), None),
    };
    Fix {
        description: format!(
            "Read a page of `{name}` in a fixed order, {PAGE} rows unless the client asks for up to {MOST}, and go on from the last \
             key of the page (`WHERE id > last`).{push}"
        ),
        before: Some(before),
        after,
        ..Fix::default()
    }
}

/// A statement whose text stands in a variable, or what is to be added where none of it is seen.
fn apart(audit: &Audit<'_, '_>, query: &Query) -> (String, Option<String>) {
    let text = audit.source(query.whole);
    let declared = audit.resolver.argument(query.site, 0).and_then(|(file, node)| {
        let module = audit.module((file, node))?;
        let Kind::Name { binding, .. } = module.kind(node) else { return None };
        let declarator = module.parent(module.binding(binding)?.node);
        let Kind::Declarator { .. } = module.kind(declarator) else { return None };
        Some(module.source(declarator))
    });
    match declared.and_then(|source| Some((source, in_sql(source)?))) {
        Some((source, after)) => (source.to_owned(), Some(after)),
        None if query.sql.is_some() => {
            (text.to_owned(), Some(format!("// at the end of the statement: LIMIT {PAGE}\n{text}")))
        }
        None => (text.to_owned(), None),
    }
}

/// The query with a limit.
fn limited(audit: &Audit<'_, '_>, query: &Query) -> Option<String> {
    let text = audit.source(query.whole);
    let module = audit.module(query.whole)?;
    let is_chosen = matches!(module.kind(query.whole.1), Kind::Conditional { .. });
    if is_chosen {
        // Each of its ways wants a limit of its own.
        return None;
    }
    if query.sql.is_some() {
        return in_sql(text);
    }
    match query.family {
        Family::TypeOrm if text.contains("createQueryBuilder") => before_end(text, "take"),
        Family::Prisma | Family::TypeOrm => with_option(audit, query, 0, "take"),
        Family::Sequelize => with_option(audit, query, 0, "limit"),
        Family::Drizzle if text.contains(".findMany") => with_option(audit, query, 0, "limit"),
        Family::Drizzle | Family::Knex | Family::Objection | Family::Kysely | Family::Supabase => {
            before_end(text, "limit")
        }
        Family::Mongoose | Family::MongoDriver | Family::Firestore => before_end(text, "limit"),
        _ => None,
    }
}

/// `LIMIT 50` at the end of the only text of a statement.
fn in_sql(text: &str) -> Option<String> {
    let open = text.find(['`', '"', '\''])?;
    let quote = text.get(open..=open)?;
    let close = open + 1 + text.get(open + 1..)?.find(quote)?;
    let statement = text.get(open + 1..close)?;
    let is_read = statement.trim_start().to_ascii_lowercase().starts_with("select");
    let is_whole = !text.get(close + 1..)?.trim_start().starts_with('+');
    let kept = statement.trim_end().trim_end_matches(';');
    let break_ = if statement.contains('\n') { "\n" } else { " " };
    (is_read && is_whole).then(|| {
        let (head, tail) = (text.get(..=open).unwrap_or_default(), text.get(close..).unwrap_or_default());
        format!("{head}{kept}{break_}LIMIT {PAGE}{tail}")
    })
}

/// An option more in the object literal that is argument `at`.
fn with_option(audit: &Audit<'_, '_>, query: &Query, at: usize, option: &str) -> Option<String> {
    let module = audit.module(query.site)?;
    let Kind::Call { arguments, .. } = module.kind(query.site.1) else { return None };
    let whole = module.node(query.whole.1).span;
    let text = module.source(query.whole.1);
    let cut = |byte: u32| (byte - whole.start) as usize;
    match module.list(arguments).nth(at) {
        None if arguments.is_empty() => {
            let close = cut(module.node(query.site.1).span.end) - 1;
            Some(format!("{}{{ {option}: {PAGE} }}{}", text.get(..close)?, text.get(close..)?))
        }
        Some(object) if matches!(module.kind(object), Kind::Object(_)) => {
            let open = cut(module.node(object).span.start) + 1;
            Some(format!("{} {option}: {PAGE},{}", text.get(..open)?, text.get(open..)?))
        }
        _ => None,
    }
}

/// `.limit(50)` before the call that runs the query.
fn before_end(text: &str, member: &str) -> Option<String> {
    const ENDS: [&str; 10] = [
        ".exec()",
        ".toArray()",
        ".getMany()",
        ".getRawMany()",
        ".execute()",
        ".get()",
        ".lean()",
        ".all()",
        ".getManyAndCount()",
        ".returning()",
    ];
    let end = ENDS.iter().find_map(|end| text.trim_end().strip_suffix(end).map(|head| (head, *end)));
    let (head, end) = end.unwrap_or((text, ""));
    (head.ends_with(')')).then(|| format!("{}.{member}({PAGE}){end}", head.trim_end()))
}
