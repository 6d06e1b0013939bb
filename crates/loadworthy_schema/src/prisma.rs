//! Reads a Prisma schema, of one file or several. Lines that cannot be read become diagnostics; the rest is kept.

use crate::prisma_link;
use crate::table::{Column, Diagnostic, Extent, ForeignKey, Index, Key, Origin, Place, Table, Tool};

/// What a Prisma schema declares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// The models, as tables.
    pub tables: Vec<Table>,
    /// Relation fields, in order of declaration.
    pub relations: Vec<Relation>,
    /// The enums.
    pub enums: Vec<Enum>,
    /// `provider` of the datasource: `postgresql`, `mysql`, `sqlite`, `mongodb` …
    pub provider: Option<String>,
    /// `relationMode = "prisma"`: the database has no foreign keys (and MySQL no indexes for them).
    pub emulates_relations: bool,
    /// `output` of the client generator.
    pub output: Option<String>,
}

/// A relation field of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The model it is in.
    pub model: String,
    /// The field.
    pub field: String,
    /// The model it leads to.
    pub target: String,
    /// `Target[]`: to many rows.
    pub many: bool,
    /// The name in `@relation("…")`.
    pub name: Option<String>,
    /// The fields of this model that hold the key; empty on the other side.
    pub fields: Vec<String>,
    /// The fields of the target they refer to.
    pub references: Vec<String>,
    /// Where it is declared.
    pub place: Place,
}

/// An enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// Reads `text`; `file` is named in places.
#[must_use]
pub fn read(text: &str, file: &str) -> (Schema, Vec<Diagnostic>) {
    read_all(&[(file, text)])
}

/// Reads a schema that is spread over several files, given as name and text.
#[must_use]
pub fn read_all(files: &[(&str, &str)]) -> (Schema, Vec<Diagnostic>) {
    let mut schema = Schema::default();
    let mut diagnostics = Vec::new();
    let blocks: Vec<Block<'_>> =
        files.iter().flat_map(|(file, text)| blocks(text, file, &mut diagnostics)).collect();
    let is_model = |block: &&Block<'_>| ["model", "view", "type"].contains(&block.keyword);
    let models: Vec<&str> = blocks.iter().filter(is_model).map(|block| block.name).collect();
    for block in &blocks {
        read_block(block, &models, &mut schema, &mut diagnostics);
    }
    prisma_link::link(&mut schema);
    (schema, diagnostics)
}

fn read_block(block: &Block<'_>, models: &[&str], schema: &mut Schema, diagnostics: &mut Vec<Diagnostic>) {
    match block.keyword {
        "model" | "view" => read_model(block, models, schema, diagnostics),
        "enum" => schema.enums.push(Enum {
            name: block.name.to_owned(),
            values: block
                .lines
                .iter()
                .filter_map(|line| first_word(&line.text))
                .filter(|word| !word.starts_with('@'))
                .map(str::to_owned)
                .collect(),
        }),
        "datasource" => {
            schema.provider = setting(block, "provider").or(schema.provider.take());
            schema.emulates_relations = setting(block, "relationMode").as_deref() == Some("prisma");
        }
        "generator" => {
            let client = setting(block, "provider").is_some_and(|name| name.starts_with("prisma-client"));
            schema.output = setting(block, "output").filter(|_| client).or(schema.output.take());
        }
        _ => {}
    }
}

struct Block<'a> {
    keyword: &'a str,
    name: &'a str,
    place: Place,
    lines: Vec<Line>,
}

struct Line {
    text: String,
    number: u32,
}

/// Top-level blocks, comments off; a line with an open bracket goes on with the next.
fn blocks<'a>(text: &'a str, file: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut open = false;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let bare = without_comment(line).trim();
        let place = Place { file: file.to_owned(), line: number };
        match blocks.last_mut().filter(|_| open) {
            _ if bare.is_empty() => {}
            Some(_) if bare == "}" => open = false,
            Some(block) => match block.lines.last_mut().filter(|last| depth(&last.text) > 0) {
                Some(last) => last.text = format!("{} {bare}", last.text),
                None => block.lines.push(Line { text: bare.to_owned(), number }),
            },
            None => match header(bare) {
                Some((keyword, name, body)) => {
                    let inline = body.strip_suffix('}').map(str::trim);
                    open = inline.is_none();
                    let rest = inline.unwrap_or(body);
                    let lines = if rest.is_empty() {
                        Vec::new()
                    } else {
                        vec![Line { text: rest.to_owned(), number }]
                    };
                    blocks.push(Block { keyword, name, place, lines });
                }
                None => diagnostics.push(Diagnostic { place, message: format!("not a block: `{bare}`") }),
            },
        }
    }
    if let Some(block) = blocks.last().filter(|_| open) {
        let message = format!("`{} {}` is not closed", block.keyword, block.name);
        diagnostics.push(Diagnostic { place: block.place.clone(), message });
    }
    blocks
}

fn header(line: &str) -> Option<(&str, &str, &str)> {
    let (head, body) = line.split_once('{')?;
    let mut words = head.split_whitespace();
    let found = (words.next()?, words.next()?, body.trim());
    words.next().is_none().then_some(found)
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match letter {
            '"' if before != '\\' => quoted = !quoted,
            '/' if before == '/' && !quoted => return line.get(..at - 1).unwrap_or(line),
            _ => {}
        }
        before = letter;
    }
    line
}

fn depth(text: &str) -> usize {
    let opened = text.matches(['(', '[']).count();
    opened.saturating_sub(text.matches([')', ']']).count())
}

fn first_word(text: &str) -> Option<&str> {
    text.split_whitespace().next()
}

fn setting(block: &Block<'_>, key: &str) -> Option<String> {
    let line = block.lines.iter().find(|line| first_word(&line.text) == Some(key))?;
    let (_, value) = line.text.split_once('=')?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn read_model(block: &Block<'_>, models: &[&str], schema: &mut Schema, diagnostics: &mut Vec<Diagnostic>) {
    let mut table = Table {
        name: block.name.to_owned(),
        model: Some(block.name.to_owned()),
        extent: Extent::Declared,
        place: block.place.clone(),
        last_line: block.lines.last().map_or(0, |line| line.number + 1),
        tools: vec![Tool::Prisma],
        ..Table::default()
    };
    for line in &block.lines {
        let place = Place { file: block.place.file.clone(), line: line.number };
        if let Some(attribute) = line.text.strip_prefix("@@") {
            read_block_attribute(&mut table, attribute, place);
        } else if let Some(field) = Field::of(&line.text) {
            read_field(&mut table, &field, models, schema, place);
        } else {
            diagnostics.push(Diagnostic { place, message: format!("not a field: `{}`", line.text) });
        }
    }
    schema.tables.push(table);
}

struct Field<'a> {
    name: &'a str,
    base: &'a str,
    many: bool,
    optional: bool,
    attributes: Vec<Attribute<'a>>,
}

struct Attribute<'a> {
    name: &'a str,
    arguments: &'a str,
}

impl<'a> Field<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (name, rest) = text.split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let end = rest.find(|c: char| c.is_whitespace() || c == '@').unwrap_or(rest.len());
        let (type_text, rest) = rest.split_at_checked(end)?;
        let unsupported = type_text.starts_with("Unsupported");
        let base = type_text.trim_end_matches(['?', '[', ']']);
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
        (word(name) && (unsupported || word(base))).then(|| Self {
            name,
            base,
            many: type_text.ends_with("[]"),
            optional: type_text.ends_with('?'),
            attributes: attributes(rest),
        })
    }

    fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// `@id @map("x") @db.Uuid` by name and what is in the brackets.
fn attributes(text: &str) -> Vec<Attribute<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let after = rest.get(at + 1..).unwrap_or_default();
        let end =
            after.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_'))).unwrap_or(after.len());
        let (name, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        let arguments = bracketed(tail).unwrap_or_default();
        found.push(Attribute { name, arguments });
        let taken = if arguments.is_empty() { 0 } else { arguments.len() + 2 };
        rest = tail.get(taken..).unwrap_or_default();
    }
    found
}

/// What is between the bracket that starts `text` and the one that closes it.
fn bracketed(text: &str) -> Option<&str> {
    let mut open = 0_usize;
    let mut quoted = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => open += 1,
            ')' | ']' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 {
            return (at > 0).then(|| text.get(1..at)).flatten();
        }
    }
    None
}

/// The arguments of an attribute: `(name, value)`, the name empty if there is none.
fn arguments(text: &str) -> Vec<(&str, &str)> {
    pieces(text)
        .into_iter()
        .map(|piece| match piece.split_once(':') {
            Some((name, value)) if name.trim().chars().all(char::is_alphanumeric) => {
                (name.trim(), value.trim())
            }
            _ => ("", piece),
        })
        .collect()
}

/// Split at commas outside brackets and quotes.
fn pieces(text: &str) -> Vec<&str> {
    let (mut open, mut quoted, mut start) = (0_usize, false, 0);
    let mut found = Vec::new();
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => open += 1,
            ')' | ']' | '}' if !quoted => open = open.saturating_sub(1),
            ',' if !quoted && open == 0 => {
                found.push(text.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(text.get(start..).unwrap_or_default().trim());
    found.retain(|piece| !piece.is_empty());
    found
}

fn argument<'a>(all: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn string(text: &str) -> String {
    text.trim_matches('"').to_owned()
}

/// `[a, b(sort: Desc)]` as column names.
fn list(text: &str) -> Vec<String> {
    let inside = text.trim().trim_start_matches('[').trim_end_matches(']');
    let name = |piece: &str| piece.split('(').next().unwrap_or_default().trim().to_owned();
    pieces(inside).into_iter().map(name).filter(|name| !name.is_empty()).collect()
}

/// `[a, b(sort: Desc)]` as the keys of an index.
fn keys(text: &str) -> Vec<Key> {
    let inside = text.trim().trim_start_matches('[').trim_end_matches(']');
    let key = |piece: &str| {
        let (name, options) = piece.split_once('(').unwrap_or((piece, ""));
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut words = options.split(|c| !is_word(c)).map(str::to_lowercase);
        let operators = words.find(|word| word.ends_with("_ops") || word.ends_with("ops") && word.len() > 3);
        Key { descending: options.contains("Desc"), operators, ..Key::column(name.trim()) }
    };
    pieces(inside).into_iter().map(key).filter(|key| !key.text().is_empty()).collect()
}

fn read_field(table: &mut Table, field: &Field<'_>, models: &[&str], schema: &mut Schema, place: Place) {
    if models.contains(&field.base) {
        read_relation(table, field, schema, place);
        return;
    }
    let mapped = field.attribute("map").map(|map| string(map.arguments.trim_start_matches("name:").trim()));
    let native = field.attributes.iter().find(|attribute| attribute.name.starts_with("db."));
    table.columns.push(Column {
        name: mapped.clone().unwrap_or_else(|| field.name.to_owned()),
        field: mapped.map(|_| field.name.to_owned()),
        type_text: native
            .map_or_else(|| field.base.to_owned(), |native| format!("{} @{}", field.base, native.name)),
        nullable: field.optional,
        distinct: (field.base == "Boolean" && !field.many).then_some(2),
    });
    for (name, origin) in [("id", Origin::Primary), ("unique", Origin::Unique)] {
        if let Some(attribute) = field.attribute(name) {
            let given = arguments(attribute.arguments);
            table.indexes.push(Index {
                name: argument(&given, "map").map(string),
                keys: vec![Key::column(field.name)],
                unique: true,
                origin,
                place: place.clone(),
                tool: Tool::Prisma,
                ..Index::default()
            });
        }
    }
}

fn read_relation(table: &mut Table, field: &Field<'_>, schema: &mut Schema, place: Place) {
    let given = field.attribute("relation").map(|found| arguments(found.arguments)).unwrap_or_default();
    let listed = |name: &str| argument(&given, name).map(list).unwrap_or_default();
    let unnamed = argument(&given, "").filter(|text| text.starts_with('"'));
    let (fields, references) = (listed("fields"), listed("references"));
    if !fields.is_empty() {
        table.foreign_keys.push(ForeignKey {
            name: argument(&given, "map").map(string),
            columns: fields.clone(),
            table: field.base.to_owned(),
            referenced: references.clone(),
            place: place.clone(),
        });
    }
    schema.relations.push(Relation {
        model: table.model.clone().unwrap_or_default(),
        field: field.name.to_owned(),
        target: field.base.to_owned(),
        many: field.many,
        name: argument(&given, "name").or(unnamed).map(string),
        fields,
        references,
        place,
    });
}

fn read_block_attribute(table: &mut Table, text: &str, place: Place) {
    let end = text.find('(').unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let given = arguments(bracketed(rest).unwrap_or_default());
    if name.trim() == "map" {
        if let Some(mapped) = argument(&given, "name").or_else(|| argument(&given, "")) {
            table.name = string(mapped);
        }
        return;
    }
    let (origin, unique, method) = match name.trim() {
        "id" => (Origin::Primary, true, None),
        "unique" => (Origin::Unique, true, None),
        "index" => (Origin::Declared, false, None),
        "fulltext" => (Origin::Declared, false, Some("fulltext".to_owned())),
        _ => return,
    };
    let Some(fields) = argument(&given, "fields").or_else(|| argument(&given, "")) else { return };
    let method = argument(&given, "type").map(str::to_lowercase).or(method);
    table.indexes.push(Index {
        name: argument(&given, "map").or_else(|| argument(&given, "name")).map(string),
        keys: keys(fields),
        unique,
        predicate: argument(&given, "where").map(str::to_owned),
        method: method.filter(|method| method != "btree"),
        origin,
        place,
        tool: Tool::Prisma,
        ..Index::default()
    });
}
