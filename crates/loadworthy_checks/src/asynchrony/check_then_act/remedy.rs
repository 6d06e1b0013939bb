//! The decision in the database, in the language of the code that takes it too early.

use loadworthy_analysis::{Family, Operation, Operator, Query, results};
use loadworthy_syntax::{Binary, Kind, Module, NodeId};

use super::computed::{changed_in_place, computed};
use super::rows::{Race, Shape};
use crate::audit::{Audit, dedent};
use crate::edit::semicolon;

/// Most lines of the code from the read to the write that are shown.
const SHOWN_LINES: usize = 26;

/// The code before and after.
pub(super) struct Shown {
    pub(super) before: String,
    pub(super) after: String,
}

/// What a race looks like, and how one statement takes its place.
pub(super) fn shown(
    audit: &Audit<'_, '_>,
    module: &Module,
    race: &Race<'_>,
    columns: &[&str],
    (column, is_unique): (Option<&str>, bool),
) -> Option<Shown> {
    let way = Way { audit, module, race, columns, column, is_unique };
    let after = match race.shape {
        Shape::ReadModifyWrite => way.computed_there()?,
        Shape::FindThenInsert => way.inserted_at_once(),
        Shape::CountThenInsert | Shape::LastOne => way.serialised(),
        Shape::NextNumber => way.numbered(),
        Shape::UsedOnce => way.used_up(),
        Shape::Claimed | Shape::WithinLimit => way.tested_there()?,
        Shape::WrittenWhole => way.only_changed(),
    };
    Some(Shown { before: way.before(), after })
}

struct Way<'w, 'a, 'p> {
    audit: &'w Audit<'a, 'p>,
    module: &'w Module,
    race: &'w Race<'w>,
    columns: &'w [&'w str],
    column: Option<&'w str>,
    is_unique: bool,
}

/// By how much a value changes.
struct Delta {
    amount: String,
    takes: bool,
}

impl Way<'_, '_, '_> {
    fn family(&self) -> Family {
        self.race.write.query.family
    }

    fn write(&self) -> &Query {
        self.race.write.query
    }

    /// The lines from the read to the write.
    fn before(&self) -> String {
        let text = self.module.text();
        let (read, write) =
            (self.audit.statement(self.race.read.at).1, self.audit.statement(self.race.write.at).1);
        let (first, last) = (self.module.node(read).span, self.module.node(write).span);
        let start = text.get(..first.start as usize).and_then(|it| it.rfind('\n')).map_or(0, |at| at + 1);
        let end = last.end.max(first.end) as usize;
        let lines: Vec<&str> = text.get(start..end).unwrap_or_default().lines().collect();
        if lines.len() <= SHOWN_LINES {
            return dedent(&lines);
        }
        let half = SHOWN_LINES / 2;
        let tail = lines.len() - half;
        let gap = "    // …";
        let kept: Vec<&str> =
            lines.iter().take(half).copied().chain([gap]).chain(lines.iter().skip(tail).copied()).collect();
        dedent(&kept)
    }

    /// `prisma.product`, `Product`, `this.products`: what the write is called on; its name where the code does not show it.
    fn owner(&self) -> String {
        let query = self.write();
        let table = query.table.as_deref().unwrap_or("rows");
        // A helper that is told its table stands between: its name is no model's.
        let module = self.audit.module(query.site).filter(|_| query.via.is_none());
        let Some(module) = module else { return table.to_owned() };
        let Kind::Call { callee, .. } = module.kind(query.site.1) else { return table.to_owned() };
        match module.kind(callee) {
            // `document.save()`: the model is what its table is called by.
            Kind::Member { object, name } if module.str(name) != "save" => {
                let text = module.source(object);
                if text.contains('\n') { table.to_owned() } else { text.to_owned() }
            }
            _ => table.to_owned(),
        }
    }

    /// The condition of the write as it stands: the `where` of an object, a first argument, what `.where(…)` is given.
    fn condition(&self) -> String {
        let query = self.write();
        let module = self.audit.module(query.site);
        let found = module.and_then(|module| {
            let keys = query.filter.all.iter().filter(|it| it.operator == Operator::Equal);
            let pairs: Vec<String> = keys
                .filter_map(|it| {
                    let value = it.value.filter(|value| value.0 == query.site.0)?;
                    let name = it.column.rsplit('.').next().unwrap_or(&it.column);
                    Some(format!("{name}: {}", one_line(module.source(value.1), 60)))
                })
                .collect();
            (!pairs.is_empty()).then(|| pairs.join(", "))
        });
        // The row that was read is not read any more: what it was found by stands for it.
        found.or_else(|| self.read_key()).unwrap_or_else(|| match self.family() {
            Family::Mongoose | Family::MongoDriver => format!("_id: {}._id", self.row()),
            _ => format!("id: {}.id", self.row()),
        })
    }

    /// `_id: req.params.id` of the read.
    fn read_key(&self) -> Option<String> {
        let query = self.race.read.query;
        let mut keys = query.filter.all.iter().filter(|it| it.operator == Operator::Equal);
        let key = keys.find(|it| matches!(&*it.column, "id" | "_id"))?;
        let value = key.value.filter(|value| value.0 == self.race.read.at.0)?;
        Some(format!("{}: {}", key.column, one_line(self.module.source(value.1), 60)))
    }

    /// What the code calls the row that it read.
    fn row(&self) -> String {
        let names = results(self.module, self.race.read.at.1);
        let name =
            names.first().and_then(|name| self.module.binding(*name)).map(|it| self.module.str(it.name));
        name.unwrap_or("row").to_owned()
    }

    fn delta(&self) -> Option<Delta> {
        let names = results(self.module, self.race.read.at.1);
        let operand = computed(self.module, self.race, &names)
            .or_else(|| changed_in_place(self.module, self.race, &names))?;
        let parent = self.module.parent(operand);
        let of = |amount: NodeId, takes: bool| {
            Some(Delta { amount: one_line(self.module.source(amount), 60), takes })
        };
        match self.module.kind(parent) {
            Kind::Binary { operator: Binary::Add, left, right } => {
                of(if left == operand { right } else { left }, false)
            }
            Kind::Binary { operator: Binary::Subtract, left, right } if left == operand => of(right, true),
            Kind::Assign { operator: Some(Binary::Add), value, .. } => of(value, false),
            Kind::Assign { operator: Some(Binary::Subtract), value, .. } => of(value, true),
            Kind::Update(_) => {
                Some(Delta { amount: String::from("1"), takes: self.module.source(parent).contains("--") })
            }
            Kind::Assign { operator: None, value, .. } => match self.module.kind(value) {
                Kind::Binary { operator: Binary::Add, right, .. } => of(right, false),
                Kind::Binary { operator: Binary::Subtract, right, .. } => of(right, true),
                _ => None,
            },
            _ => None,
        }
    }

    /// The arithmetic in the statement that writes, with the floor in its condition.
    fn computed_there(&self) -> Option<String> {
        let column = self.column?;
        let (owner, condition) = (self.owner(), self.condition());
        let Some(Delta { amount, takes }) = self.delta() else { return Some(self.versioned(column)) };
        let is_simple = amount.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '_'));
        let amount = if is_simple { amount } else { format!("({amount})") };
        let end = semicolon(self.module);
        let sign = if takes { '-' } else { '+' };
        let verb = if takes { "decrement" } else { "increment" };
        let failed = "  // not enough is left, or the row is gone: answer 409";
        Some(match self.family() {
            Family::Prisma if takes => format!(
                "const {{ count }} = await {owner}.updateMany({{\n  where: {{ {condition}, {column}: {{ gte: {amount} }} }},\n  data: {{ {column}: {{ decrement: {amount} }} }},\n}}){end}\nif (count === 0) {{\n{failed}\n}}"
            ),
            Family::Prisma => format!(
                "await {owner}.update({{\n  where: {{ {condition} }},\n  data: {{ {column}: {{ increment: {amount} }} }},\n}}){end}"
            ),
            Family::Mongoose | Family::MongoDriver if takes => format!(
                "const changed = await {owner}.findOneAndUpdate(\n  {{ {condition}, {column}: {{ $gte: {amount} }} }},\n  {{ $inc: {{ {column}: -{amount} }} }},\n  {{ new: true }},\n){end}\nif (!changed) {{\n{failed}\n}}"
            ),
            Family::Mongoose | Family::MongoDriver => format!(
                "await {owner}.updateOne({{ {condition} }}, {{ $inc: {{ {column}: {amount} }} }}){end}"
            ),
            Family::Sequelize => {
                let floor =
                    if takes { format!(", {column}: {{ [Op.gte]: {amount} }}") } else { String::new() };
                format!(
                    "await {owner}.{verb}({{ {column}: {amount} }}, {{ where: {{ {condition}{floor} }} }}){end}"
                )
            }
            Family::TypeOrm => {
                let floor =
                    if takes { format!(", {column}: MoreThanOrEqual({amount})") } else { String::new() };
                format!(
                    "const result = await {owner}.{verb}({{ {condition}{floor} }}, '{column}', {amount}){end}\nif (result.affected === 0) {{\n{failed}\n}}"
                )
            }
            Family::Knex | Family::Objection => {
                let floor = if takes { format!(".where('{column}', '>=', {amount})") } else { String::new() };
                format!(
                    "const changed = await {owner}.where({{ {condition} }}){floor}.{verb}('{column}', {amount}){end}\nif (changed === 0) {{\n{failed}\n}}"
                )
            }
            Family::Drizzle => {
                let table = self.write().table.as_deref().unwrap_or("table");
                let key = self.drizzle_condition(table);
                let floor = if takes { format!("and({key}, gte({table}.{column}, {amount}))") } else { key };
                format!(
                    "const [changed] = await db\n  .update({table})\n  .set({{ {column}: sql`${{{table}.{column}}} {sign} ${{{amount}}}` }})\n  .where({floor})\n  .returning(){end}\nif (!changed) {{\n{failed}\n}}"
                )
            }
            _ => {
                let table = self.write().table.as_deref().unwrap_or("table");
                let floor = if takes { format!(" AND {column} >= {amount}") } else { String::new() };
                format!(
                    "// one statement, its parameters as before\nUPDATE {table} SET {column} = {column} {sign} {amount} WHERE {condition}{floor} RETURNING {column}"
                )
                .replace(": ", " = ")
            }
        })
    }

    /// The condition as `eq(table.id, id)`.
    fn drizzle_condition(&self, table: &str) -> String {
        let condition = self.condition();
        let first = condition.split(", ").next().unwrap_or_default();
        let (name, value) = first.split_once(": ").unwrap_or(("id", first));
        format!("eq({table}.{name}, {value})")
    }

    /// The write only where the value is still the one that was read.
    fn versioned(&self, column: &str) -> String {
        let (owner, condition, row) = (self.owner(), self.condition(), self.row());
        match self.family() {
            Family::Prisma => format!(
                "const {{ count }} = await {owner}.updateMany({{\n  where: {{ {condition}, {column}: {row}.{column} }}, // as it was read\n  data: {{ {column}: next }},\n}});\nif (count === 0) {{\n  // somebody was faster: read again and try once more\n}}"
            ),
            Family::Mongoose | Family::MongoDriver => format!(
                "const changed = await {owner}.findOneAndUpdate(\n  {{ {condition}, {column}: {row}.{column} }}, // as it was read\n  {{ $set: {{ {column}: next }} }},\n);\nif (!changed) {{\n  // somebody was faster: read again and try once more\n}}"
            ),
            _ => format!(
                "// UPDATE … SET {column} = next WHERE {condition} AND {column} = {row}.{column} (as it was read);\n// no row changed: somebody was faster, read again and try once more"
            ),
        }
    }

    /// The write only where the tested field is still as it was read; by a language of its own where the builder has none.
    fn tested_there(&self) -> Option<String> {
        let column = self.column?;
        let (owner, condition, row) = (self.owner(), self.condition(), self.row());
        let end = semicolon(self.module);
        let failed = "  // somebody was faster: answer 409, or read again";
        Some(match self.family() {
            Family::Prisma => format!(
                "const {{ count }} = await {owner}.updateMany({{\n  where: {{ {condition}, {column}: {row}.{column} }}, // as it was read\n  data: {{ /* … as before */ }},\n}}){end}\nif (count === 0) {{\n{failed}\n}}"
            ),
            Family::Mongoose | Family::MongoDriver => format!(
                "const changed = await {owner}.findOneAndUpdate(\n  {{ {condition}, {column}: {row}.{column} }}, // as it was read\n  {{ /* … as before */ }},\n  {{ new: true }},\n){end}\nif (!changed) {{\n{failed}\n}}"
            ),
            Family::TypeOrm => format!(
                "const {{ affected }} = await {owner}.update({{ {condition}, {column}: {row}.{column} }}, {{ /* … as before */ }}){end}\nif (!affected) {{\n{failed}\n}}"
            ),
            Family::Sequelize => format!(
                "const [affected] = await {owner}.update({{ /* … as before */ }}, {{ where: {{ {condition}, {column}: {row}.{column} }} }}){end}\nif (!affected) {{\n{failed}\n}}"
            ),
            Family::Knex | Family::Objection => format!(
                "const changed = await {owner}.where({{ {condition}, {column}: {row}.{column} }}).update({{ /* … as before */ }}){end}\nif (changed === 0) {{\n{failed}\n}}"
            ),
            Family::Drizzle => {
                let table = self.write().table.as_deref().unwrap_or("table");
                let key = self.drizzle_condition(table);
                format!(
                    "const [changed] = await db\n  .update({table})\n  .set({{ /* … as before */ }})\n  .where(and({key}, eq({table}.{column}, {row}.{column})))\n  .returning(){end}\nif (!changed) {{\n{failed}\n}}"
                )
            }
            _ => {
                let table = self.write().table.as_deref().unwrap_or("table");
                format!(
                    "// UPDATE {table} SET … WHERE {} AND {column} = {row}.{column} (as it was read) RETURNING *;\n// go on only if a row came back",
                    condition.replace(": ", " = ")
                )
            }
        })
    }

    /// The update of the fields that changed.
    fn only_changed(&self) -> String {
        let (owner, condition) = (self.owner(), self.condition());
        match self.family() {
            Family::Prisma => {
                format!(
                    "await {owner}.update({{ where: {{ {condition} }}, data: changes }}); // only the fields that were sent"
                )
            }
            Family::TypeOrm => format!(
                "const {{ affected }} = await {owner}.update({{ {condition} }}, changes); // only the fields that were sent\nif (!affected) {{\n  // it is gone: answer 404\n}}"
            ),
            Family::Mongoose | Family::MongoDriver => {
                format!(
                    "await {owner}.updateOne({{ {condition} }}, {{ $set: changes }}); // only the fields that were sent"
                )
            }
            Family::Sequelize => {
                format!(
                    "await {owner}.update(changes, {{ where: {{ {condition} }} }}); // only the fields that were sent"
                )
            }
            Family::Knex | Family::Objection => {
                format!(
                    "await {owner}.where({{ {condition} }}).update(changes); // only the fields that were sent"
                )
            }
            Family::Drizzle => {
                let table = self.write().table.as_deref().unwrap_or("table");
                let key = self.drizzle_condition(table);
                format!(
                    "await db.update({table}).set(changes).where({key}); // only the fields that were sent"
                )
            }
            _ => String::from(
                "// UPDATE … SET only the columns that were sent, or COALESCE($1, column) for each",
            ),
        }
    }

    /// The insert without looking first, and what its conflict means.
    fn inserted_at_once(&self) -> String {
        let statement = tidy(self.audit.source(self.audit.statement(self.race.write.at)));
        // What the read gave is gone: of `if (found) update(…) else create(…)` the insert alone stays.
        let row = self.row();
        let names_row =
            statement.split(|it: char| !it.is_alphanumeric() && it != '_').any(|word| word == row);
        let statement = if names_row {
            let insert = tidy(self.audit.source(self.race.write.expression()));
            format!("await {insert}{}", semicolon(self.module))
        } else {
            statement
        };
        let key = self.unique_key();
        if self.family() == Family::Drizzle && self.race.write.hops == 0 {
            let bare = statement.trim_end_matches(';');
            let bare = bare.split_once(".returning(").map_or(bare, |(head, _)| head);
            let bare = bare.split_once("await ").map_or(bare, |(_, rest)| rest);
            return format!(
                "{key}const [created] = await {bare}.onConflictDoNothing().returning();\nif (!created) {{\n  // it exists already: answer 409, or read it\n}}"
            );
        }
        let test = match self.family() {
            Family::Prisma => "error.code === 'P2002'",
            Family::Mongoose | Family::MongoDriver => "error.code === 11000",
            Family::Sequelize => "error.name === 'SequelizeUniqueConstraintError'",
            Family::Supabase => "error.code === '23505'",
            _ => "['23505', 'ER_DUP_ENTRY', 'SQLITE_CONSTRAINT_UNIQUE'].includes(error.code)",
        };
        format!(
            "{key}try {{\n  {}\n}} catch (error) {{\n  if ({test}) {{\n    // it exists already: answer 409, or read it\n  }} else {{\n    throw error;\n  }}\n}}",
            statement.replace('\n', "\n  ")
        )
    }

    /// The unique key that the insert needs, where the schema has none.
    fn unique_key(&self) -> String {
        if self.is_unique || self.columns.is_empty() {
            return String::new();
        }
        let table = self.write().table.as_deref().unwrap_or("table");
        let names = self.columns.join(", ");
        match self.family() {
            Family::Prisma => format!("// in the model: @@unique([{names}])\n"),
            Family::Mongoose => {
                let keys: Vec<String> = self.columns.iter().map(|it| format!("{it}: 1")).collect();
                format!("// beside the schema: schema.index({{ {} }}, {{ unique: true }})\n", keys.join(", "))
            }
            Family::Drizzle => {
                let keys: Vec<String> = self.columns.iter().map(|it| format!("table.{it}")).collect();
                format!("// in the table: uniqueIndex().on({})\n", keys.join(", "))
            }
            Family::TypeOrm => format!("// on the entity: @Unique([{}])\n", quoted(self.columns)),
            Family::Sequelize => format!(
                "// in the model: indexes: [{{ unique: true, fields: [{}] }}]\n",
                quoted(self.columns)
            ),
            _ => format!("// CREATE UNIQUE INDEX CONCURRENTLY ON {table} ({names})\n"),
        }
    }

    /// Read and write in one transaction that behaves as if it were alone.
    fn serialised(&self) -> String {
        let read = tidy(self.audit.source(self.audit.statement(self.race.read.at)));
        let write = tidy(self.audit.source(self.audit.statement(self.race.write.at)));
        let inside = |from: &str, to: &str| {
            let body = format!("{}\n// … the test\n{}", read.replace(from, to), write.replace(from, to));
            body.replace('\n', "\n  ")
        };
        match self.family() {
            Family::Prisma => {
                let client = self.owner().split('.').next().unwrap_or("prisma").to_owned();
                let client = if client == "this" {
                    self.owner().split('.').take(2).collect::<Vec<_>>().join(".")
                } else {
                    client
                };
                let body = inside(&format!("{client}."), "tx.");
                format!(
                    "await {client}.$transaction(async (tx) => {{\n  {body}\n}}, {{ isolationLevel: 'Serializable' }}); // try again on P2034"
                )
            }
            Family::Drizzle => {
                let body = inside("db.", "tx.");
                format!(
                    "await db.transaction(async (tx) => {{\n  {body}\n}}, {{ isolationLevel: 'serializable' }}); // try again on 40001"
                )
            }
            Family::TypeOrm => {
                let body = inside("", "");
                format!(
                    "await dataSource.transaction('SERIALIZABLE', async (manager) => {{\n  // with the repositories of `manager`\n  {body}\n}}); // try again on 40001"
                )
            }
            Family::Sequelize => {
                let body = inside("", "");
                format!(
                    "await sequelize.transaction({{ isolationLevel: 'SERIALIZABLE' }}, async (transaction) => {{\n  // with {{ transaction }} in each call\n  {body}\n}}); // try again on 40001"
                )
            }
            Family::Mongoose | Family::MongoDriver => format!(
                "// a counter beside the owner, raised only below the limit\nconst owner = await Owner.findOneAndUpdate(\n  {{ _id: ownerId, count: {{ $lt: LIMIT }} }},\n  {{ $inc: {{ count: 1 }} }},\n);\nif (owner) {{\n  {}\n}}",
                write.replace('\n', "\n  ")
            ),
            _ => {
                let body = inside("", "");
                format!(
                    "await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE');\n{}\nawait client.query('COMMIT'); // try again on 40001",
                    body.replace("\n  ", "\n")
                )
            }
        }
    }

    /// A number that the database gives.
    fn numbered(&self) -> String {
        let table = self.write().table.as_deref().unwrap_or("rows");
        match self.family() {
            Family::Prisma => {
                let client = self.owner().split('.').next().unwrap_or("prisma").to_owned();
                format!(
                    "// model Counter {{ id String @id  value Int }}\nconst {{ value }} = await {client}.counter.upsert({{\n  where: {{ id: '{table}' }},\n  create: {{ id: '{table}', value: 1 }},\n  update: {{ value: {{ increment: 1 }} }},\n}});"
                )
            }
            Family::Mongoose | Family::MongoDriver => format!(
                "const {{ value }} = await Counter.findOneAndUpdate(\n  {{ _id: '{table}' }},\n  {{ $inc: {{ value: 1 }} }},\n  {{ upsert: true, new: true }},\n);"
            ),
            _ => format!(
                "// CREATE SEQUENCE {table}_number_seq; the column: DEFAULT nextval('{table}_number_seq')\n// insert without the number, and read what the database gave: … RETURNING number"
            ),
        }
    }

    /// The value is used up by the statement that finds it unused.
    fn used_up(&self) -> String {
        let (owner, condition) = (self.owner(), self.condition());
        let mark = self.race.read.query.filter.all.iter().find(|it| {
            let name = it.column.to_lowercase();
            ["used", "redeem", "consum", "claim"].iter().any(|word| name.contains(word))
        });
        let unused = mark.map_or_else(
            || String::from("usedAt: null"),
            |it| match it.operator {
                Operator::Null => format!("{}: null", it.column),
                _ => format!("{}: false", it.column),
            },
        );
        let failed = "  // it was used already: answer 409";
        let is_delete = self.write().operation == Operation::Delete;
        match (self.family(), is_delete) {
            (Family::Prisma, true) => format!(
                "const {{ count }} = await {owner}.deleteMany({{ where: {{ {condition} }} }});\nif (count === 0) {{\n{failed}\n}}"
            ),
            (Family::Prisma, false) => format!(
                "const {{ count }} = await {owner}.updateMany({{\n  where: {{ {condition}, {unused} }},\n  data: {{ /* … as before */ }},\n}});\nif (count === 0) {{\n{failed}\n}}"
            ),
            (Family::Mongoose | Family::MongoDriver, true) => format!(
                "const used = await {owner}.findOneAndDelete({{ {condition} }});\nif (!used) {{\n{failed}\n}}"
            ),
            (Family::Mongoose | Family::MongoDriver, false) => format!(
                "const used = await {owner}.findOneAndUpdate(\n  {{ {condition}, {unused} }},\n  {{ $set: {{ /* … as before */ }} }},\n);\nif (!used) {{\n{failed}\n}}"
            ),
            (Family::Drizzle, is_delete) => {
                let table = self.write().table.as_deref().unwrap_or("table");
                let key = self.drizzle_condition(table);
                let (name, _) = unused.split_once(": ").unwrap_or(("usedAt", ""));
                let statement = if is_delete {
                    format!("db.delete({table}).where({key}).returning()")
                } else {
                    format!(
                        "db.update({table}).set({{ /* … as before */ }}).where(and({key}, isNull({table}.{name}))).returning()"
                    )
                };
                format!("const [used] = await {statement};\nif (!used) {{\n{failed}\n}}")
            }
            (_, true) => format!(
                "// DELETE FROM {} WHERE … RETURNING *; go on only if a row came back",
                self.write().table.as_deref().unwrap_or("table")
            ),
            (_, false) => format!(
                "// UPDATE {} SET … WHERE … AND used_at IS NULL RETURNING *; go on only if a row came back",
                self.write().table.as_deref().unwrap_or("table")
            ),
        }
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// A statement without the indentation of its place.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.first().copied().unwrap_or_default().to_owned();
    let rest = dedent_last(lines.get(1..).unwrap_or_default());
    if rest.is_empty() { first } else { format!("{first}\n{rest}") }
}

/// Lines without the indentation of the last one, which closes the statement.
fn dedent_last(lines: &[&str]) -> String {
    let shared = lines.last().map_or(0, |line| line.len() - line.trim_start().len());
    let cut = lines.iter().map(|line| {
        let own = line.len() - line.trim_start().len();
        line.get(shared.min(own)..).unwrap_or_default()
    });
    cut.collect::<Vec<&str>>().join("\n")
}

fn one_line(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    if line.chars().count() <= longest { line } else { String::from("amount") }
}
