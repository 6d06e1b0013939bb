//! Names of tables and columns as code and database spell them: `OrderItem` and `order_items`, `userId` and `user_id`.

/// The name in `snake_case`, without quotes or a schema in front.
#[must_use]
pub fn snake(name: &str) -> String {
    let bare = name.rsplit('.').next().unwrap_or(name);
    let bare = bare.trim_matches(|c: char| matches!(c, '"' | '`' | '[' | ']' | '\'') || c.is_whitespace());
    let mut out = String::with_capacity(bare.len() + 4);
    let mut before: Option<char> = None;
    let mut rest = bare.chars().peekable();
    while let Some(letter) = rest.next() {
        let after_lower = before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit());
        let ends_acronym =
            before.is_some_and(char::is_uppercase) && rest.peek().is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_lower || ends_acronym) {
            out.push('_');
        }
        match letter {
            '-' | ' ' => out.push('_'),
            _ => out.extend(letter.to_lowercase()),
        }
        before = Some(letter);
    }
    out
}

/// The singular of the last word of a `snake_case` name.
#[must_use]
pub fn singular(snake: &str) -> String {
    let (head, last) = snake.rsplit_once('_').map_or(("", snake), |(head, last)| (head, last));
    let last = singular_word(last);
    if head.is_empty() { last } else { format!("{head}_{last}") }
}

fn singular_word(word: &str) -> String {
    let irregular = match word {
        "people" => "person",
        "children" => "child",
        "men" => "man",
        "women" => "woman",
        "indices" | "indexes" => "index",
        "movies" => "movie",
        "news" | "series" | "data" | "media" => word,
        _ => "",
    };
    if !irregular.is_empty() {
        return irregular.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    let double = ["sses", "tuses", "buses", "ruses", "nuses", "xes", "ches", "shes", "zzes"];
    if double.iter().any(|end| word.ends_with(end)) {
        return word.strip_suffix("es").unwrap_or(word).to_owned();
    }
    if ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        return word.to_owned();
    }
    word.strip_suffix('s').filter(|stem| stem.len() > 1).unwrap_or(word).to_owned()
}

/// The plural as object mappers make it for the name of a table; case is kept.
#[must_use]
pub fn plural(name: &str) -> String {
    let lower = name.to_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
    let stem = |cut: usize, end: &str| {
        let kept = name.char_indices().rev().nth(cut - 1).map_or(0, |(at, _)| at);
        format!("{}{end}", name.get(..kept).unwrap_or(name))
    };
    let irregular = [("person", "eople", 5), ("child", "hildren", 4), ("man", "en", 2)];
    if let Some((_, end, cut)) = irregular.iter().find(|(one, ..)| lower.ends_with(one)) {
        return stem(*cut, end);
    }
    if ends(&["people", "children", "men", "news", "series", "species", "information", "equipment", "money"])
    {
        return name.to_owned();
    }
    if ends(&["data", "media", "fish", "sheep", "deer"]) {
        return name.to_owned();
    }
    if ends(&["matrix", "vertex", "index"]) {
        return stem(2, "ices");
    }
    if ends(&["ay", "ey", "iy", "oy", "uy"]) {
        return format!("{name}s");
    }
    if ends(&["y"]) {
        return stem(1, "ies");
    }
    if ends(&["lf", "rf", "eaf"]) {
        return stem(1, "ves");
    }
    if ends(&["ife"]) {
        return stem(2, "ves");
    }
    if ends(&["ss", "x", "ch", "sh", "alias", "status", "bus", "virus", "tomato", "hero", "potato"]) {
        return format!("{name}es");
    }
    if ends(&["sis"]) {
        return stem(2, "es");
    }
    if ends(&["s"]) { name.to_owned() } else { format!("{name}s") }
}

/// The name in `camelCase`.
#[must_use]
pub fn camel(name: &str) -> String {
    let mut parts = name.split(['_', '-', ' ']).filter(|part| !part.is_empty());
    let first = parts.next().map(lower_first).unwrap_or_default();
    parts.fold(first, |all, part| {
        let mut letters = part.chars();
        let head: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
        all + &head + letters.as_str()
    })
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let head: String = letters.next().map(|c| c.to_lowercase().collect()).unwrap_or_default();
    head + letters.as_str()
}

/// Whether two names mean one table: `User`, `users`, `public."Users"`.
#[must_use]
pub fn same_table(left: &str, right: &str) -> bool {
    let (left, right) = (snake(left), snake(right));
    left == right || singular(&left) == singular(&right) || squeezed(&left) == squeezed(&right)
}

/// Whether two names mean one column: `userId`, `user_id`, `"userId"`.
#[must_use]
pub fn same_column(left: &str, right: &str) -> bool {
    let (left, right) = (snake(left), snake(right));
    left == right || squeezed(&left) == squeezed(&right)
}

fn squeezed(snake: &str) -> String {
    snake.replace('_', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_are_those_of_object_mappers() {
        for (one, many) in [
            ("User", "Users"),
            ("Category", "Categories"),
            ("Person", "People"),
            ("OrderItem", "OrderItems"),
            ("Day", "Days"),
            ("status", "statuses"),
            ("users", "users"),
            ("Address", "Addresses"),
            ("box", "boxes"),
            ("child", "children"),
            ("Analysis", "Analyses"),
            ("shelf", "shelves"),
            ("y", "ies"),
            ("", "s"),
        ] {
            assert_eq!(plural(one), many, "{one}");
        }
    }

    #[test]
    fn camel_case_keeps_the_case_inside_a_word() {
        assert_eq!(camel("User_id"), "userId");
        assert_eq!(camel("orderItem_uuid"), "orderItemUuid");
    }
}
