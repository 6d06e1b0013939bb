//! Drizzle.

use loadworthy_schema::{Origin, Tool};

use crate::asked::with;

const PACKAGE: (&str, &str) = (
    "package.json",
    r#"{"name":"shop","dependencies":{"drizzle-orm":"0.45.0","pg":"8.0.0","express":"5.0.0"}}"#,
);

const SCHEMA: &str = r#"
import { pgTable, serial, integer, text, varchar, boolean, timestamp, pgEnum, index, uniqueIndex, unique, primaryKey, foreignKey } from "drizzle-orm/pg-core";
import { relations, sql, desc } from "drizzle-orm";
import { timestamps } from "./columns";

export const state = pgEnum("state", ["open", "paid", "sent"]);

export const users = pgTable("app_users", {
  id: serial("id").primaryKey(),
  email: varchar("email", { length: 255 }).notNull().unique(),
  teamId: integer("team_id").references(() => teams.id, { onDelete: "cascade" }),
  isAdmin: boolean("is_admin").default(false).notNull(),
  ...timestamps,
}, (table) => ({
  byTeam: index("users_team").on(table.teamId, table.createdAt.desc()),
  lower: uniqueIndex().on(sql`lower(${table.email})`),
}));

export const teams = pgTable("teams", { id: serial().primaryKey(), name: text().default("x").notNull() });

export const orders = pgTable("orders", {
  id: integer("id").notNull(),
  userId: integer("user_id").notNull(),
  state: state("state").notNull(),
  note: text("note", { enum: ["a", "b"] }),
  total: integer("total").notNull(),
}, (t) => [
  primaryKey({ columns: [t.id, t.userId] }),
  foreignKey({ columns: [t.userId], foreignColumns: [users.id] }),
  index("open_orders").on(t.state).where(sql`${t.total} > 0`),
  index("search").using("gin", t.note),
  index("trigrams").using("gin", sql`note gin_trgm_ops`),
  unique("once").on(t.userId, t.total),
  index("latest").on(desc(t.id), sql`${t.total} DESC`),
]);

export const usersRelations = relations(users, ({ one, many }) => ({
  team: one(teams, { fields: [users.teamId], references: [teams.id] }),
  orders: many(orders),
}));
export const ordersRelations = relations(orders, ({ one }) => ({
  user: one(users, { fields: [orders.userId], references: [users.id] }),
}));
"#;

const COLUMNS: &str = r#"
import { timestamp } from "drizzle-orm/pg-core";
export const timestamps = {
  createdAt: timestamp("created_at").defaultNow().notNull(),
};
"#;

fn files() -> [(&'static str, &'static str); 3] {
    [PACKAGE, ("src/db/schema.ts", SCHEMA), ("src/db/columns.ts", COLUMNS)]
}

#[test]
fn tables_have_their_columns_keys_and_relations() {
    with(&files(), |asked| {
        assert_eq!(
            asked.lines(),
            [
                "app_users(id, email, team_id=teamId?, is_admin=isAdmin#2, created_at=createdAt) pk(id) unique(email) \
                 index(team_id, created_at-) unique(lower(email)) fk(team_id>teams.id) \
                 team>teams(team_id=id) orders>orders*(id=user_id)",
                "teams(id, name) pk(id)",
                "orders(id, user_id=userId, state#3, note?#2, total) pk(id, user_id) \
                 index(state where total > 0) index(gin note) index(gin note) unique(user_id, total) index(id-, total-) \
                 fk(user_id>app_users.id) user>app_users(user_id=id)",
            ]
        );
        assert_eq!(asked.table("users").tools, [Tool::Drizzle]);
        assert_eq!(asked.table("users").place.line, 8);
    });
}

#[test]
fn a_table_constant_leads_to_its_table_across_files() {
    let query = r#"
import * as schema from "./db/schema";
import { users } from "./db/schema";
f(users); f(schema.orders); f(notATable);
"#;
    let mut files = files().to_vec();
    files.push(("src/query.ts", query));
    with(&files, |asked| {
        let file = asked.file("src/query.ts");
        let calls = asked.resolver.program().module(file).unwrap().calls();
        let tables: Vec<Option<&str>> = calls
            .iter()
            .map(|call| {
                let argument = asked.resolver.argument((file, *call), 0).unwrap();
                let values = asked.resolver.value_of(argument);
                values.iter().find_map(|value| asked.models.table_of(value)).map(|table| table.name.as_str())
            })
            .collect();
        assert_eq!(tables, [Some("app_users"), Some("orders"), None]);
        assert_eq!(asked.models.table_named(file, "users").unwrap().name, "app_users");
    });
}

#[test]
fn foreign_keys_are_indexed_on_mysql_only() {
    let schema = |core: &str, maker: &str| {
        format!(
            "import {{ {maker}, int }} from 'drizzle-orm/{core}';
             export const a = {maker}('a', {{ id: int('id').primaryKey() }});
             export const b = {maker}('b', {{ id: int('id').primaryKey(), aId: int('a_id').references(() => a.id) }});"
        )
    };
    for (core, maker, indexed) in [
        ("mysql-core", "mysqlTable", true),
        ("pg-core", "pgTable", false),
        ("sqlite-core", "sqliteTable", false),
    ] {
        with(&[PACKAGE, ("src/schema.ts", &schema(core, maker))], |asked| {
            let found = asked.table("b").index_serving(&["aId"], &[]);
            assert_eq!(found.map(|index| index.origin), indexed.then_some(Origin::ForeignKey), "{core}");
        });
    }
}

#[test]
fn creators_schemas_and_casing_name_tables_and_columns() {
    let schema = r#"
import { pgTableCreator, pgSchema } from "drizzle-orm/pg-core";
export const createTable = pgTableCreator((name) => `app_${name}`);
export const posts = createTable("post", (d) => ({
  id: d.integer().primaryKey().generatedByDefaultAsIdentity(),
  authorId: d.varchar({ length: 255 }).notNull().references(() => people.personId),
}), (t) => [index().on(t.authorId)]);
const auth = pgSchema("auth");
export const people = auth.table("people", { personId: integer().primaryKey() });
import { index, integer } from "drizzle-orm/pg-core";
"#;
    let client = "import { drizzle } from 'drizzle-orm/node-postgres'; export const db = drizzle(url, { casing: 'snake_case' });";
    with(&[PACKAGE, ("src/schema.ts", schema), ("src/db.ts", client)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "app_post(id, author_id=authorId) pk(id) index(author_id) fk(author_id>people.person_id)",
                "people(person_id=personId) pk(person_id)",
            ]
        );
    });
}

#[test]
fn columns_of_helper_functions_keep_what_was_done_to_them() {
    let schema = r#"
import { sqliteTable, text, integer } from "drizzle-orm/sqlite-core";
const id = () => text("id").primaryKey();
const stamps = () => ({ createdAt: integer("created_at", { mode: "timestamp" }), on: integer("on", { mode: "boolean" }) });
export const logs = sqliteTable("logs", { id: id(), ...stamps() });
"#;
    with(&[PACKAGE, ("src/schema.ts", schema)], |asked| {
        assert_eq!(asked.lines(), ["logs(id, created_at=createdAt?, on?#2) pk(id)"]);
    });
}

#[test]
fn calls_that_look_alike_declare_nothing() {
    let code = r#"
import { pgTable as table } from "./own";
export const users = table("users", { id: serial("id") });
export const other = pgTable("others", { id: 1 });
pgTable(name, {});
"#;
    let own = "export function pgTable(name, columns) { return { name, columns }; }";
    with(&[PACKAGE, ("src/a.ts", code), ("src/own.ts", own)], |asked| {
        assert!(asked.models.is_empty(), "{:?}", asked.lines());
    });
}

#[test]
fn circular_references_and_odd_tables_do_no_harm() {
    let code = r#"
import { pgTable, integer, index } from "drizzle-orm/pg-core";
const spread = { ...other, id: integer("id") };
const other = { ...spread };
export const a = pgTable("a", { id: integer("id").primaryKey(), b: integer("b").references(() => b.id), ...spread });
export const b = pgTable("b", { id: integer("id").references(() => a.id), self: integer("self").references(() => b.id) });
export const c = pgTable("c", {}, () => null);
export const d = pgTable("d", { x: 5, y: integer, z: integer() }, (t) => [index().on(), index("i").on(t.nothing), t, 5, index]);
export const e = pgTable(...args);
"#;
    with(&[PACKAGE, ("src/schema.ts", code)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "a(id?, b?) fk(b>b.id)",
                "b(id?, self?) fk(id>a.id) fk(self>b.id)",
                "c()",
                "d(z?) index(nothing)",
            ]
        );
    });
}
