//! Catalogues from Prisma schemas and SQL migrations, and what they answer.

use loadworthy_schema::migrations::{Migration, apply};
use loadworthy_schema::names::{same_column, same_table};
use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{Catalogue, KeyPart, Origin, Relation, SortKey, prisma};
use proptest::prelude::*;

const SCHEMA: &str = r#"
// A shop
generator client {
  provider = "prisma-client-js"
  output   = "../src/generated"
}
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL") // "not // a comment"
}
enum Status {
  OPEN
  DONE @map("done")
  @@map("order_status")
}
model User {
  id     String  @id @default(uuid()) @db.Uuid
  email  String  @unique
  name   String?
  roleId Int     @map("role_id")
  role   Role    @relation(fields: [roleId], references: [id], onDelete: Cascade)
  orders Order[]

  @@map("users")
}
model Role { 
  id    Int    @id
  users User[]
}
model Order {
  id        Int      @id @default(autoincrement())
  userId    String   @map("user_id")
  status    Status   @default(OPEN)
  createdAt DateTime @default(now()) @map("created_at")
  user      User     @relation("UserOrders", fields: [userId], references: [id])
  data      Unsupported("circle")?

  @@unique([userId, createdAt])
  @@index([userId, status, createdAt(sort: Desc)],
    map: "orders_lookup")
  @@index([status], type: Hash)
  ??? broken
}
"#;

fn shop() -> Catalogue {
    Catalogue { tables: prisma::read(SCHEMA, "schema.prisma").0.tables }
}

#[test]
fn a_prisma_schema_is_read_whole() {
    let (schema, diagnostics) = prisma::read(SCHEMA, "schema.prisma");
    assert_eq!(schema.provider.as_deref(), Some("postgresql"));
    assert_eq!(schema.output.as_deref(), Some("../src/generated"));
    assert_eq!(schema.enums[0].values, ["OPEN", "DONE"]);
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    let many: Vec<_> = schema.relations.iter().map(|one| (one.field.as_str(), one.many)).collect();
    assert_eq!(many, [("role", false), ("orders", true), ("users", true), ("user", false)]);
    assert_eq!(schema.relations[3].name.as_deref(), Some("UserOrders"));
    let order = &schema.tables[2];
    assert_eq!(order.foreign_keys[0].table, "users");
    assert_eq!(order.foreign_keys[0].columns, ["user_id"]);
    let lookup = order.indexes.iter().find(|index| index.name.as_deref() == Some("orders_lookup"));
    assert_eq!(lookup.expect("read").columns(), ["user_id", "status", "created_at"]);
}

#[test]
fn keys_make_rows_unique_in_any_spelling() {
    let shop = shop();
    assert!(shop.is_unique("user", &["id"]));
    assert!(shop.is_unique("users", &["email", "name"]));
    assert!(shop.is_unique("Order", &["createdAt", "user_id"]));
    assert!(!shop.is_unique("Order", &["userId"]));
    assert!(!shop.is_unique("Unknown", &["id"]));
}

#[test]
fn indexes_serve_left_prefixes_and_their_order() {
    let shop = shop();
    let serves = |equality: &[&str], order: &[&str]| shop.index_serving("orders", equality, order).is_some();
    assert!(serves(&["userId"], &[]));
    assert!(serves(&["status", "user_id"], &["created_at"]));
    assert!(serves(&["status"], &[]), "hash index");
    assert!(!serves(&["status"], &["createdAt"]));
    assert!(!serves(&["createdAt"], &[]));
    assert!(serves(&["id", "status"], &["createdAt"]), "one row");
    assert!(serves(&[], &["id"]));
    assert!(!serves(&[], &[]));
    assert!(shop.index_narrowing("orders", &["userId", "total"]).is_some());
}

#[test]
fn lookup_tables_are_small_unless_owned() {
    let (catalogue, _) = apply(
        &[Migration {
            file: "1.sql",
            text: "CREATE TABLE roles (id int primary key, name text);
                   CREATE TABLE settings (id int primary key, user_id int references users(id));
                   CREATE TABLE order_statuses (id int primary key, label text);
                   CREATE TABLE user_roles (user_id int, role_id int);",
        }],
        Dialect::PostgreSql,
    );
    assert!(catalogue.is_small("Role").is_some());
    assert!(catalogue.is_small("order_statuses").is_some());
    assert!(catalogue.is_small("settings").is_none());
    assert!(catalogue.is_small("user_roles").is_none());
    assert!(catalogue.is_small("countries").is_some(), "by name alone");
    assert!(catalogue.is_small("orders").is_none());
}

#[test]
fn migrations_apply_in_order() {
    let first = "-- CreateTable\nCREATE TABLE \"User\" (\n  \"id\" SERIAL NOT NULL,\n  \"email\" TEXT NOT NULL,\n  \"teamId\" INTEGER,\n  CONSTRAINT \"User_pkey\" PRIMARY KEY (\"id\")\n);\n\nCREATE UNIQUE INDEX \"User_email_key\" ON \"User\"(\"email\");\nCREATE INDEX old ON \"User\"(\"teamId\");";
    let second = "THIS IS; not 'sql;';\nCREATE TABLE broken (a int,, b);\nDROP INDEX old;\nALTER TABLE \"User\" ADD COLUMN name TEXT, ADD CONSTRAINT fk FOREIGN KEY (\"teamId\") REFERENCES \"Team\"(\"id\") ON DELETE SET NULL;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS u_low ON \"User\" USING gin (lower(email)) WHERE name IS NOT NULL;\nALTER TABLE \"User\" RENAME COLUMN name TO full_name;\nCREATE FUNCTION f() RETURNS trigger AS $$ BEGIN; DROP TABLE \"User\"; END $$ LANGUAGE plpgsql;";
    let files = [Migration { file: "1.sql", text: first }, Migration { file: "2.sql", text: second }];
    let (catalogue, diagnostics) = apply(&files, Dialect::PostgreSql);
    let user = catalogue.table("users").expect("exists");
    assert_eq!((user.place.file.as_str(), user.place.line), ("1.sql", 2));
    assert_eq!(user.primary_key(), ["id"]);
    assert!(catalogue.is_unique("User", &["email"]));
    assert!(catalogue.index_serving("User", &["teamId"], &[]).is_none());
    assert!(user.column("fullName").is_some() && user.column("name").is_none());
    assert_eq!(user.foreign_keys[0].table, "Team");
    let low = user.indexes.iter().find(|index| index.name.as_deref() == Some("u_low")).expect("read");
    assert!(matches!(low.keys[0].part, KeyPart::Expression(_)));
    assert_eq!((low.method.as_deref(), low.predicate.is_some(), low.place.line), (Some("gin"), true, 5));
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert_eq!(diagnostics[0].place.line, 2);
}

#[test]
fn mysql_indexes_foreign_keys_and_inline_keys() {
    let text = "CREATE TABLE `posts` (`id` int NOT NULL AUTO_INCREMENT, `author_id` int NOT NULL, `slug` varchar(99), PRIMARY KEY (`id`), UNIQUE KEY `slug_key` (`slug`), KEY `by_author` (`author_id`, `id`), FULLTEXT KEY ft (`slug`), CONSTRAINT `c` FOREIGN KEY (`author_id`) REFERENCES `users` (`id`)) ENGINE=InnoDB;
      CREATE TABLE comments (id int primary key, post_id int, FOREIGN KEY (post_id) REFERENCES posts(id));
      ALTER TABLE posts DROP INDEX slug_key;";
    let (catalogue, diagnostics) = apply(&[Migration { file: "a.sql", text }], Dialect::MySql);
    assert_eq!(diagnostics, []);
    assert!(!catalogue.is_unique("posts", &["slug"]));
    let found = catalogue.index_serving("comments", &["post_id"], &[]).expect("implicit");
    assert_eq!(found.origin, Origin::ForeignKey);
    assert_eq!(
        catalogue.index_serving("posts", &["author_id"], &["id"]).and_then(|index| index.name.as_deref()),
        Some("by_author")
    );
}

#[test]
fn dropped_and_renamed_tables_follow() {
    let text = "CREATE TABLE a (id integer primary key autoincrement, b_id int unique); ALTER TABLE a RENAME TO aa; CREATE TABLE z (id int); DROP TABLE z; ALTER TABLE aa DROP COLUMN b_id;";
    let (catalogue, _) = apply(&[Migration { file: "a.sql", text }], Dialect::Sqlite);
    let names: Vec<_> = catalogue.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["aa"]);
    assert!(!catalogue.is_unique("aa", &["b_id"]));
}

#[test]
fn partial_indexes_are_neither_unique_nor_first() {
    let text = "CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX p ON t (a) WHERE b IS NULL; CREATE INDEX w ON t (a);";
    let (catalogue, _) = apply(&[Migration { file: "a.sql", text }], Dialect::PostgreSql);
    assert!(!catalogue.is_unique("t", &["a"]));
    assert_eq!(catalogue.index_serving("t", &["a"], &[]).and_then(|index| index.name.as_deref()), Some("w"));
}

#[test]
fn both_sides_of_a_relation_name_the_joined_columns() {
    let (schema, _) = prisma::read(SCHEMA, "schema.prisma");
    let user = &schema.tables[0];
    let orders = user.relation("orders").expect("to many");
    let expected = Relation {
        field: "orders".into(),
        target: "Order".into(),
        many: true,
        local: vec!["id".into()],
        foreign: vec!["user_id".into()],
        ..Relation::default()
    };
    assert_eq!(&Relation { place: expected.place.clone(), ..orders.clone() }, &expected);
    let role = user.relation("role").expect("to one");
    assert_eq!((role.many, role.local[0].as_str(), role.foreign[0].as_str()), (false, "role_id", "id"));
}

#[test]
fn a_schema_in_several_files_is_one() {
    let files = [
        (
            "a.prisma",
            "datasource db {\n provider = \"mysql\"\n}\nmodel A {\n id Int @id\n bs B[]\n kind Kind\n}",
        ),
        (
            "b.prisma",
            "enum Kind {\n X\n Y\n}\nmodel B {\n id Int @id\n aId Int\n a A @relation(fields: [aId], references: [id])\n}",
        ),
    ];
    let (schema, diagnostics) = prisma::read_all(&files);
    assert_eq!(diagnostics, []);
    assert_eq!(schema.tables[0].column("kind").expect("read").distinct, Some(2));
    assert_eq!(schema.tables[1].place.file, "b.prisma");
    assert_eq!(schema.tables[1].index_serving(&["aId"], &[]).expect("implicit").origin, Origin::ForeignKey);
}

#[test]
fn types_and_checks_tell_how_many_values_a_column_has() {
    let text = "CREATE TYPE state AS ENUM ('a', 'b', 'c');
        DO $$ BEGIN CREATE TYPE \"kind\" AS ENUM('x', 'y'); EXCEPTION WHEN duplicate_object THEN null; END $$;
        CREATE TABLE t (id int, s state, k kind, b boolean, c text CHECK (c IN ('u', 'v')), d text, CHECK (d IN ('p')));
        ALTER TABLE t ADD COLUMN e \"kind\";";
    let (catalogue, diagnostics) = apply(&[Migration { file: "a.sql", text }], Dialect::PostgreSql);
    assert_eq!(diagnostics, []);
    let table = catalogue.table("t").expect("read");
    let of = |name: &str| table.column(name).expect("a column").distinct;
    assert_eq!(
        ["id", "s", "k", "b", "c", "d", "e"].map(of),
        [None, Some(3), Some(2), Some(2), Some(2), Some(1), Some(2)]
    );
}

#[test]
fn a_condition_that_only_asks_for_a_value_is_none() {
    let text = "CREATE TABLE t (a int, b int, c int);
        CREATE UNIQUE INDEX i ON t (a, b) WHERE a IS NOT NULL AND (\"b\" IS NOT NULL);
        CREATE INDEX j ON t (c) WHERE c IS NOT NULL;
        CREATE INDEX k ON t (b) WHERE c IS NOT NULL;";
    let (catalogue, _) = apply(&[Migration { file: "a.sql", text }], Dialect::PostgreSql);
    let table = catalogue.table("t").expect("read");
    assert!(table.is_unique(&["a", "b"]));
    assert!(table.index_serving(&["c"], &[]).expect("serves values").predicate.is_none());
    assert!(table.index_serving(&[], &["c"]).is_none(), "rows without a value are not in it");
    assert!(table.index_serving(&["b"], &[]).expect("partial").predicate.is_some());
}

#[test]
fn indexes_are_dropped_concurrently_too() {
    let text = "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a); CREATE INDEX j ON t (b);
        DROP INDEX CONCURRENTLY IF EXISTS \"i\"; DROP INDEX CONCURRENTLY public.j;";
    let (catalogue, diagnostics) = apply(&[Migration { file: "a.sql", text }], Dialect::PostgreSql);
    assert_eq!(diagnostics, []);
    assert_eq!(catalogue.table("t").expect("read").indexes, []);
}

#[test]
fn trigrams_are_told_by_their_operators() {
    let text = "CREATE TABLE t (a text, b text); CREATE INDEX i ON t USING gin (a gin_trgm_ops); CREATE INDEX j ON t USING gin (b);";
    let (catalogue, _) = apply(&[Migration { file: "a.sql", text }], Dialect::PostgreSql);
    let table = catalogue.table("t").expect("read");
    assert!(table.index_of_trigrams("a").is_some() && table.index_of_trigrams("b").is_none());
    let text = "model T {\n a String\n b String\n @@index([a(ops: raw(\"gin_trgm_ops\"))], type: Gin)\n @@index([b(ops: JsonbPathOps)], type: Gin)\n}";
    let (schema, _) = prisma::read(text, "a");
    assert!(schema.tables[0].index_of_trigrams("a").is_some());
    assert!(schema.tables[0].index_of_trigrams("b").is_none());
}

#[test]
fn an_index_serves_its_own_directions_and_the_opposite_ones() {
    let text = "CREATE TABLE t (a int, b int, c int); CREATE INDEX i ON t (a, b DESC, c);";
    let (catalogue, _) = apply(&[Migration { file: "a.sql", text }], Dialect::PostgreSql);
    let table = catalogue.table("t").expect("read");
    let serves = |b: bool, c: bool| {
        let order = [SortKey { column: "b", descending: b }, SortKey { column: "c", descending: c }];
        table.index_sorting(&["a"], &order).is_some()
    };
    assert!(serves(true, false) && serves(false, true));
    assert!(!serves(false, false) && !serves(true, true));
}

#[test]
fn foreign_keys_in_anonymous_blocks_are_read() {
    let text = "CREATE TABLE a (id int primary key); CREATE TABLE b (a_id int);
DO $$ BEGIN
 ALTER TABLE \"b\" ADD CONSTRAINT \"fk\" FOREIGN KEY (\"a_id\") REFERENCES \"public\".\"a\"(\"id\");
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;";
    let (catalogue, _) = apply(&[Migration { file: "a.sql", text }], Dialect::PostgreSql);
    let foreign = &catalogue.table("b").expect("read").foreign_keys[0];
    assert_eq!((foreign.table.as_str(), foreign.place.line), ("a", 3));
}

#[test]
fn names_compare_across_spellings() {
    for (left, right) in [
        ("User", "users"),
        ("OrderItem", "order_items"),
        ("Category", "categories"),
        ("Status", "statuses"),
        ("Address", "public.\"Addresses\""),
        ("Person", "people"),
        ("APIKey", "api_keys"),
    ] {
        assert!(same_table(left, right), "{left} {right}");
    }
    assert!(!same_table("User", "UserRole"));
    assert!(same_column("userId", "user_id") && !same_column("user", "users"));
}

proptest! {
    #[test]
    fn any_schema_is_read(text in "\\PC{0,80}", lines in proptest::collection::vec("model A \\{|\\}|id Int @id|@@index\\(\\[a,|b\\]\\)|x A\\[\\] @relation\\(\"é|@@map\\(|enum E \\{|\\)|é", 0..12)) {
        let _ = prisma::read(&text, "a");
        let _ = prisma::read(&lines.join("\n"), "a");
    }

    #[test]
    fn any_migration_is_applied(text in "\\PC{0,80}", words in proptest::collection::vec("CREATE|TABLE|INDEX|ON|a|\\(|\\)|;|'|\\$\\$|--|/\\*|é|,|int|PRIMARY KEY|ALTER|DROP|ADD|\n", 0..20)) {
        let _ = apply(&[Migration { file: "a", text: &text }, Migration { file: "b", text: &words.join(" ") }], Dialect::Unknown);
    }
}
