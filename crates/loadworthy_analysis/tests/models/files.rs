//! Prisma schemas, SQL files, and SQL in strings.

use loadworthy_schema::{Agreement, Extent, Tool};

use crate::asked::with;

const PACKAGE: (&str, &str) =
    ("package.json", r#"{"name":"app","dependencies":{"pg":"8.0.0","express":"5.0.0"}}"#);

#[test]
fn a_prisma_schema_meets_its_migrations() {
    let schema = "datasource db {\n provider = \"postgresql\"\n}\nmodel User {\n id Int @id\n email String @unique\n teamId Int @map(\"team_id\")\n\n @@index([teamId])\n @@map(\"users\")\n}\n";
    let first = "CREATE TABLE \"users\" (\"id\" SERIAL NOT NULL, \"email\" TEXT NOT NULL, \"team_id\" INTEGER NOT NULL, CONSTRAINT \"users_pkey\" PRIMARY KEY (\"id\"));\nCREATE UNIQUE INDEX \"users_email_key\" ON \"users\"(\"email\");";
    let second = "CREATE INDEX \"users_email_trgm\" ON \"users\" USING gin (\"email\");";
    with(
        &[
            PACKAGE,
            ("prisma/schema.prisma", schema),
            ("prisma/migrations/20240101000000_init/migration.sql", first),
            ("prisma/migrations/20240102000000_search/migration.sql", second),
        ],
        |asked| {
            assert_eq!(
                asked.lines(),
                ["users(id, email, team_id=teamId) pk(id) unique(email) index(team_id) index(gin email)"]
            );
            let table = asked.table("User");
            let agreements: Vec<_> = table.indexes.iter().map(|index| index.agreement).collect();
            assert_eq!(
                agreements,
                [Agreement::Both, Agreement::Both, Agreement::OnlyDeclared, Agreement::OnlyCreated]
            );
            assert_eq!(table.tools, [Tool::Prisma, Tool::Sql]);
            assert_eq!(
                asked.notes(),
                ["the index of `users` over (team_id) is in the model, but no migration creates it"]
            );
        },
    );
}

#[test]
fn a_schema_may_be_a_folder_and_variants_of_it_do_not_count() {
    let head = "datasource db {\n provider = \"postgresql\"\n}\n";
    let main = format!("{head}model A {{\n id Int @id\n bs B[]\n}}\n");
    let part = "model B {\n id Int @id\n aId Int\n a A @relation(fields: [aId], references: [id])\n}\n";
    let variant = "datasource db {\n provider = \"mysql\"\n}\nmodel A {\n id Int @id\n x Int @unique\n}\n";
    with(
        &[
            PACKAGE,
            ("prisma/schema.prisma", &main),
            ("prisma/models/b.prisma", part),
            ("prisma/schema.mysql.prisma", variant),
        ],
        |asked| {
            assert_eq!(
                asked.lines(),
                ["A(id) pk(id) bs>B*(id=aId)", "B(id, aId) pk(id) fk(aId>A.id) a>A(aId=id)"]
            );
        },
    );
}

#[test]
fn sql_in_strings_creates_tables_but_drops_none() {
    let code = r#"
import { Pool } from "pg";
const pool = new Pool();
const PREFIX = "app";
export async function init() {
  await pool.query(`
    CREATE TABLE IF NOT EXISTS users (
      id SERIAL PRIMARY KEY,
      email TEXT UNIQUE NOT NULL
    );
    CREATE INDEX IF NOT EXISTS idx_users_email ON users (lower(email));
  `);
  await pool.query("CREATE TABLE IF NOT EXISTS logs (" + "id int, " + "at timestamptz)");
  await pool.query(`CREATE TABLE ${PREFIX}_jobs (id int)`);
  await pool.query(`CREATE TABLE ${unknown} (id int)`);
  await pool.query("DROP TABLE users");
  await pool.query("ALTER TABLE logs DROP COLUMN at");
}
const text = "Create table for two, create index cards (blue) and alter table manners";
"#;
    with(&[PACKAGE, ("src/db.ts", code), ("src/more.js", "q('CREATE INDEX more ON logs (at)')")], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "users(id, email) pk(id) unique(email) index(lower(email))",
                "logs(id?, at?) index(at)",
                "app_jobs(id?)",
            ]
        );
        assert_eq!((asked.table("users").place.line, asked.table("users").extent), (7, Extent::Created));
    });
}

#[test]
fn every_constant_that_a_statement_may_hold_counts() {
    let code = r#"
const ifNotExists = isMySql ? "" : "IF NOT EXISTS";
await q(`CREATE INDEX ${ifNotExists} a_x ON a (x)`);
await q(`CREATE INDEX ${ifNotExists} a_y ON a (y)`);
for (const table of ["b", "c"]) await q(`CREATE INDEX ${table}_x ON ${table} (x)`);
await q(`CREATE INDEX ${name()} ON d (x)`);
await q(`CREATE INDEX ${name()} ON d (y)`);
await q(`CREATE INDEX e ON d (${column})`);
"#;
    with(&[PACKAGE, ("src/db.ts", code)], |asked| {
        assert_eq!(
            asked.lines(),
            ["a() index(x) index(y)", "b() index(x)", "c() index(x)", "d() index(x) index(y)"]
        );
    });
}

#[test]
fn plain_sql_files_are_one_history_a_folder() {
    with(
        &[
            PACKAGE,
            ("db/10_index.sql", "CREATE INDEX a ON t (x);"),
            ("db/2_drop.sql", "DROP TABLE old;"),
            ("db/1_tables.sql", "CREATE TABLE t (x int); CREATE TABLE old (x int);"),
            ("db/1_tables.down.sql", "DROP TABLE t;"),
            ("test/fixtures/a.sql", "CREATE TABLE fixture (x int);"),
        ],
        |asked| assert_eq!(asked.lines(), ["t(x?) index(x)"]),
    );
}

#[test]
fn a_program_without_any_schema_says_so() {
    with(&[PACKAGE, ("src/a.ts", "export const a = 1;")], |asked| assert!(asked.models.is_empty()));
}

#[test]
fn packages_keep_their_own_tables_and_use_those_they_depend_on() {
    let schema = |column: &str| {
        format!(
            "datasource db {{\n provider = \"postgresql\"\n}}\nmodel User {{\n id Int @id\n {column} String @unique\n}}\n"
        )
    };
    with(
        &[
            ("package.json", r#"{"name":"root","workspaces":["packages/*","apps/*"]}"#),
            ("packages/db/package.json", r#"{"name":"@x/db"}"#),
            ("packages/db/schema.prisma", &schema("a")),
            ("packages/other/package.json", r#"{"name":"@x/other"}"#),
            ("packages/other/schema.prisma", &schema("b")),
            ("packages/other/index.ts", ""),
            ("apps/api/package.json", r#"{"name":"api","dependencies":{"@x/db":"workspace:*"}}"#),
            ("apps/api/index.ts", ""),
            ("apps/lone/package.json", r#"{"name":"lone"}"#),
            ("apps/lone/index.ts", ""),
        ],
        |asked| {
            let unique = |path: &str| {
                let table = asked.models.table_named(asked.file(path), "users")?;
                table.unique_keys().last().map(|key| key.join(","))
            };
            assert_eq!(unique("apps/api/index.ts").as_deref(), Some("a"));
            assert_eq!(unique("packages/other/index.ts").as_deref(), Some("b"));
            assert_eq!(unique("apps/lone/index.ts"), None, "two to choose from");
        },
    );
}

#[test]
fn unreadable_sql_loses_only_itself() {
    with(
        &[
            PACKAGE,
            ("db/1.sql", "CREATE TABLE a (x int,, y); CREATE TABLE b (x int);"),
            ("db/schema.prisma", "model {\n"),
        ],
        |asked| {
            assert_eq!(asked.table("b").columns.len(), 1);
            assert_eq!(asked.notes().len(), 2, "{:?}", asked.notes());
        },
    );
}

#[test]
fn two_thousand_tables_are_read() {
    let table =
        |at: usize| format!("CREATE TABLE t{at} (id int primary key, p int references t{}(id));", at / 2);
    let model = |at: usize| format!("model T{at} {{\n id Int @id\n p Int\n @@map(\"t{at}\")\n}}");
    let lines = |line: &dyn Fn(usize) -> String| (0..2_000).map(line).collect::<Vec<_>>().join("\n");
    let sql = lines(&table);
    let schema = format!("datasource db {{\n provider = \"postgresql\"\n}}\n{}", lines(&model));
    with(&[PACKAGE, ("db/1.sql", &sql), ("prisma/schema.prisma", &schema)], |asked| {
        assert_eq!(asked.models.catalogue().tables.len(), 2_000);
    });
}
