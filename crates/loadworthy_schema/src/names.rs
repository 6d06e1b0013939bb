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
