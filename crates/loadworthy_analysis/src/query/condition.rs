//! Conditions written as objects: `{ userId: 1, createdAt: { gte: x }, OR: […] }` in the dialects of the libraries.

use loadworthy_syntax::Kind;

use super::options::{Options, Property};
use super::reader::{Reader, condition};
use super::{Condition, Filter, Operator, OrderBy};
use crate::values::{Site, Value};

/// Deepest nesting of conditions.
const MAX_DEPTH: usize = 6;

impl Reader<'_, '_> {
    /// The conditions that an object stands for.
    pub(super) fn filter_of(&self, site: Site) -> Filter {
        let mut filter = Filter::default();
        // TypeORM: an array of objects is an `OR` of them.
        if let Some(items) = self.array(site) {
            let any = items.iter().flat_map(|item| self.flat(*item, 0)).collect();
            filter.any.push(any);
            return filter;
        }
        self.add_object(&self.read(site), false, 0, &mut filter);
        filter
    }

    fn add_object(&self, options: &Options, is_optional: bool, depth: usize, filter: &mut Filter) {
        filter.is_open |= options.is_open || depth > MAX_DEPTH;
        if depth > MAX_DEPTH {
            return;
        }
        for property in options.iter() {
            let is_optional = is_optional || property.is_optional;
            match &*property.name {
                "OR" | "$or" | "_or" | "or" => {
                    let mut any = self.items_flat(property.value, depth + 1);
                    for it in &mut any {
                        it.is_optional |= is_optional;
                    }
                    filter.any.push(any);
                }
                "AND" | "$and" | "_and" => {
                    for item in self.array(property.value).unwrap_or_else(|| vec![property.value]) {
                        self.add_object(&self.read(item), is_optional, depth + 1, filter);
                    }
                }
                "NOT" | "$not" | "$nor" => {
                    for mut inner in self.items_flat(property.value, depth + 1) {
                        inner.operator = Operator::Not;
                        inner.is_optional |= is_optional;
                        filter.all.push(inner);
                    }
                }
                "$text" | "$search" => {
                    filter.all.push(condition("$text", Operator::Search, Some(property.value)));
                }
                "$where" | "$expr" | "$literal" | "$sql" => filter.is_open = true,
                _ => {
                    let from = filter.all.len();
                    self.add_column(property, depth, filter);
                    for added in filter.all.iter_mut().skip(from) {
                        added.is_optional |= is_optional;
                    }
                }
            }
        }
    }

    fn items_flat(&self, site: Site, depth: usize) -> Vec<Condition> {
        match self.array(site) {
            Some(items) => items.iter().flat_map(|item| self.flat(*item, depth)).collect(),
            None => self.flat(site, depth),
        }
    }

    fn flat(&self, site: Site, depth: usize) -> Vec<Condition> {
        let mut inner = Filter::default();
        self.add_object(&self.read(site), false, depth, &mut inner);
        inner.all.into_iter().chain(inner.any.into_iter().flatten()).collect()
    }

    fn add_column(&self, property: &Property, depth: usize, filter: &mut Filter) {
        let column = &*property.name;
        let (file, node) = property.value;
        let Some(module) = self.module(file) else { return };
        match module.kind(node) {
            Kind::Null => filter.all.push(condition(column, Operator::Null, None)),
            Kind::Regex { pattern, flags } => {
                let operator = regex_operator(module.str(pattern), module.str(flags));
                filter.all.push(condition(column, operator, Some(property.value)));
            }
            Kind::Array(_) => filter.all.push(condition(column, Operator::In, Some(property.value))),
            Kind::Call { callee, arguments } | Kind::New { callee, arguments } => {
                let first = module.list(arguments).next().map(|argument| (file, argument));
                let made = self.by_function(module.source(callee), column, first);
                let list = || self.is_list(property.value).then_some(Operator::In);
                filter.all.push(made.unwrap_or_else(|| {
                    condition(column, list().unwrap_or(Operator::Equal), Some(property.value))
                }));
            }
            _ => self.add_object_condition(property, depth, filter),
        }
    }

    /// `{ in: ids }`, `{ $gte: x }`, `{ some: {…} }`, or a plain value.
    fn add_object_condition(&self, property: &Property, depth: usize, filter: &mut Filter) {
        let column = &*property.name;
        let is_object =
            self.resolver.value_of(property.value).iter().any(|value| matches!(value, Value::Object(..)));
        if !is_object {
            let operator = if self.is_list(property.value) { Operator::In } else { Operator::Equal };
            filter.all.push(condition(column, operator, Some(property.value)));
            return;
        }
        let inner = self.read(property.value);
        let mut any = false;
        for part in inner.iter() {
            let Some(operator) = operator_of(&part.name) else { continue };
            any = true;
            let operator = self.sharpened(operator, &part.name, part.value);
            if operator != Operator::Other {
                let mut added = condition(column, operator, Some(part.value));
                added.is_optional = part.is_optional;
                filter.all.push(added);
            }
        }
        if any {
            return;
        }
        // A compound unique key of Prisma, or a condition on a relation: its columns by their path.
        let mut nested = Filter::default();
        self.add_object(&inner, false, depth + 1, &mut nested);
        let is_compound = nested.all.len() > 1
            && nested.all.iter().all(|it| column.split('_').any(|part| part == &*it.column));
        for mut added in nested.all {
            if !is_compound {
                added.column = format!("{column}.{}", added.column).into();
            }
            filter.all.push(added);
        }
        filter.is_open |= nested.is_open;
    }

    /// `{ $regex: "^x" }` starts with a text; `{ like: "%x" }` contains one.
    fn sharpened(&self, operator: Operator, word: &str, value: Site) -> Operator {
        match operator {
            Operator::Pattern => self.pattern_operator(word, value),
            Operator::Null | Operator::Equal => {
                let is_null =
                    self.module(value.0).is_some_and(|module| matches!(module.kind(value.1), Kind::Null));
                if is_null { Operator::Null } else { operator }
            }
            _ => operator,
        }
    }

    /// By how the pattern begins.
    pub(super) fn pattern_operator(&self, word: &str, value: Site) -> Operator {
        let word = word.trim_start_matches('$').to_lowercase();
        let Some(start) = self.first_text(value) else {
            return if word.contains("regex") { Operator::Contains } else { Operator::Pattern };
        };
        if word.contains("reg") {
            return if start.starts_with('^') { Operator::Prefix } else { Operator::Contains };
        }
        if start.starts_with('%') || word.starts_with("ilike") {
            Operator::Contains
        } else {
            Operator::Prefix
        }
    }

    /// The text that an expression begins with, where it is constant.
    fn first_text(&self, (file, node): Site) -> Option<String> {
        let module = self.module(file)?;
        match module.kind(node) {
            Kind::Template { strings, .. } => module.atoms(strings).next().map(str::to_owned),
            Kind::Regex { pattern, .. } => Some(module.str(pattern).to_owned()),
            Kind::New { arguments, .. } => {
                module.list(arguments).next().and_then(|first| self.first_text((file, first)))
            }
            Kind::Binary { left, .. } => self.first_text((file, left)),
            _ => self.text((file, node)),
        }
    }

    /// `In(ids)`, `Like("%x%")`, `MoreThan(x)`, `new RegExp(x)`.
    fn by_function(&self, callee: &str, column: &str, first: Option<Site>) -> Option<Condition> {
        let name = callee.rsplit('.').next().unwrap_or(callee);
        let operator = match name {
            "In" | "Any" | "ArrayContains" | "inArray" => Operator::In,
            "LessThan" | "LessThanOrEqual" | "MoreThan" | "MoreThanOrEqual" | "Between" => Operator::Range,
            "Like" | "ILike" | "RegExp" => {
                let value = first?;
                let word = if name == "RegExp" { "regex" } else { name };
                self.pattern_operator(word, value)
            }
            "IsNull" => Operator::Null,
            "Not" => Operator::Not,
            "Equal" => Operator::Equal,
            "Raw" | "literal" | "fn" => Operator::Other,
            _ => return None,
        };
        Some(condition(column, operator, first))
    }

    /// Whether the expression is a list: a literal, or what an array method gives.
    pub(super) fn is_list(&self, (file, node): Site) -> bool {
        let Some(module) = self.module(file) else { return false };
        match module.kind(node) {
            Kind::Array(_) => true,
            Kind::Call { callee, .. } => match module.kind(callee) {
                Kind::Member { name, .. } => LISTS.contains(&module.str(name)),
                _ => false,
            },
            Kind::Name { binding, .. } => {
                let Some(binding) = module.binding(binding) else { return false };
                match module.kind(module.parent(binding.node)) {
                    Kind::Declarator { init, target } if target == binding.node && init.is_some() => {
                        self.is_list((file, init))
                    }
                    _ => false,
                }
            }
            _ => self.resolver.value_of((file, node)).iter().any(|value| matches!(value, Value::Array(..))),
        }
    }

    /// `{ createdAt: "desc" }`, `[["createdAt", "DESC"]]`, `[{ a: "asc" }]`, `{ createdAt: -1 }`.
    pub(super) fn order_of(&self, site: Site) -> Vec<OrderBy> {
        if let Some(items) = self.array(site) {
            return items.into_iter().flat_map(|item| self.order_item(item)).collect();
        }
        self.order_item(site)
    }

    fn order_item(&self, site: Site) -> Vec<OrderBy> {
        if let Some(pair) = self.array(site) {
            let column =
                pair.iter().rev().skip(usize::from(pair.len() > 1)).find_map(|part| self.text(*part));
            let direction = pair.last().filter(|_| pair.len() > 1).and_then(|last| self.direction(*last));
            let is_descending = if pair.len() > 1 { direction } else { Some(false) };
            return column
                .map(|column| OrderBy { column: column.into(), is_descending })
                .into_iter()
                .collect();
        }
        if let Some(text) = self.text(site) {
            return sort_text(&text);
        }
        let options = self.read(site);
        options
            .iter()
            .map(|property| OrderBy {
                column: property.name.clone(),
                is_descending: self.direction(property.value),
            })
            .collect()
    }

    /// Whether `"desc"`, `-1`, `{ sort: "desc" }` mean the largest first.
    fn direction(&self, site: Site) -> Option<bool> {
        if let Some(number) = self.resolver.number_of(site) {
            return Some(number < 0.0);
        }
        if let Some(text) = self.text(site) {
            return Some(text.to_lowercase().starts_with("desc"));
        }
        let inner = self.read(site).get("sort")?;
        self.text(inner).map(|text| text.to_lowercase().starts_with("desc"))
    }

    /// The columns of `{ id: true, name: 1 }`, `["id", "name"]` or `"id name"`.
    pub(super) fn columns_of(&self, site: Site) -> super::Selected {
        if let Some(items) = self.array(site) {
            let columns: Vec<Box<str>> = items.iter().filter_map(|item| self.name_of(*item)).collect();
            return super::Selected::Columns(columns);
        }
        if let Some(text) = self.text(site) {
            let names: Vec<Box<str>> =
                text.split([' ', ',']).map(str::trim).filter(|it| !it.is_empty()).map(Into::into).collect();
            let is_exclusion =
                names.iter().all(|name| name.starts_with('-')) || names.iter().any(|it| &**it == "*");
            return if is_exclusion { super::Selected::All } else { super::Selected::Columns(names) };
        }
        let options = self.read(site);
        if options.is_open {
            return super::Selected::Unknown;
        }
        let is_left_out = |property: &Property| {
            self.resolver.number_of(property.value) == Some(0.0)
                || matches!(&*self.resolver.value_of(property.value), [Value::Bool(false)])
        };
        let columns: Vec<Box<str>> =
            options.iter().filter(|it| !is_left_out(it)).map(|it| it.name.clone()).collect();
        if columns.is_empty() { super::Selected::All } else { super::Selected::Columns(columns) }
    }
}

/// `"-createdAt name"`.
pub(super) fn sort_text(text: &str) -> Vec<OrderBy> {
    text.split([' ', ','])
        .filter(|part| !part.is_empty())
        .map(|part| OrderBy {
            column: part.trim_start_matches(['-', '+']).into(),
            is_descending: Some(part.starts_with('-')),
        })
        .collect()
}

/// Array methods that give a list.
const LISTS: [&str; 12] = [
    "map", "filter", "flatMap", "flat", "concat", "slice", "from", "keys", "values", "sort", "toArray",
    "split",
];

/// The comparison of an operator word, `$` and `Op.` left out.
fn operator_of(word: &str) -> Option<Operator> {
    Some(match word.trim_start_matches('$') {
        "eq" | "equals" | "is" | "equalTo" => Operator::Equal,
        "in" | "hasSome" | "any" => Operator::In,
        "gt" | "gte" | "lt" | "lte" | "between" => Operator::Range,
        "startsWith" => Operator::Prefix,
        "contains" | "endsWith" | "substring" | "has" | "hasEvery" | "string_contains" => Operator::Contains,
        "like" | "iLike" | "ilike" | "regex" | "regexp" | "iRegexp" | "re" => Operator::Pattern,
        "exists" => Operator::Null,
        "ne" | "not" | "notIn" | "nin" | "notLike" | "isNot" | "notBetween" => Operator::Not,
        "search" | "text" | "match" | "near" | "geoWithin" | "nearSphere" | "fulltext" => Operator::Search,
        "some" | "every" | "none" | "elemMatch" => Operator::Related,
        "mode" | "options" | "maxDistance" => Operator::Other,
        _ => return None,
    })
}

fn regex_operator(pattern: &str, flags: &str) -> Operator {
    if pattern.starts_with('^') && !flags.contains('i') { Operator::Prefix } else { Operator::Contains }
}
