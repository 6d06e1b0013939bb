//! Migrations in code, one test a library.

use loadworthy_schema::{Extent, Tool};

use crate::asked::with;

fn package(dependencies: &str) -> String {
    format!(r#"{{"name":"shop","dependencies":{{{dependencies}}}}}"#)
}

#[test]
fn knex_builders_create_and_alter_tables() {
    let first = r#"
exports.up = async function (knex) {
  await knex.schema.createTable("users", (table) => {
    table.increments();
    table.string("email").notNullable().unique();
    table.integer("team_id").unsigned().references("id").inTable("teams").onDelete("CASCADE").index();
    table.enu("role", ["admin", "member", "guest"]);
    table.boolean("active").defaultTo(true);
    table.timestamps(true, true);
    table.index(["team_id", "email"], "by_team");
  }).createTable("teams", (t) => {
    t.uuid("id").primary();
    t.string("name");
    t.string("old").index();
    t.string("slug");
    t.unique(["name", "slug"], { indexName: "team_name" });
  });
  await knex.raw("CREATE INDEX lower_email ON users (lower(email))");
};
exports.down = async (knex) => {
  await knex.schema.dropTable("users");
};
"#;
    let second = r#"
import { Knex } from "knex";
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable("teams", addColumns);
  await knex.schema.table("users", (table) => {
    table.dropIndex(["team_id", "email"], "by_team");
    table.renameColumn("active", "is_active");
    table.dropForeign("team_id");
  });
  for (const name of ["logs", "events"]) {
    await knex.schema.createTable(name, (t) => { t.bigIncrements("id"); t.jsonb("data"); t.index([knex.raw("data DESC")], "d", "gin"); });
  }
  await knex.schema.dropTableIfExists("nothing");
}
function addColumns(table) {
  table.dropColumn("old");
  table.integer("owner_id").references("users.id");
  table.foreign(["name"]).references(["email"]).inTable("users");
}
export async function down(knex: Knex) { await knex.schema.dropTable("teams"); }
"#;
    let manifest = package(r#""knex":"3.0.0","pg":"8.0.0""#);
    with(
        &[
            ("package.json", &manifest),
            ("db/migrations/2_more.ts", second),
            (
                "db/migrations/10_last.js",
                "exports.up = (knex) => knex.schema.renameTable('events', 'facts');",
            ),
            ("db/migrations/1_users.js", first),
        ],
        |asked| {
            assert_eq!(asked.notes(), [""; 0]);
            assert_eq!(
                asked.lines(),
                [
                    "users(id, email, team_id?, role?#3, is_active?#2, created_at?, updated_at?) pk(id) \
                     unique(email) index(team_id) index(lower(email))",
                    "teams(id, name?, slug?, owner_id?) pk(id) unique(name, slug) fk(owner_id>users.id) \
                     fk(name>users.email)",
                    "logs(id, data?) pk(id) index(gin data DESC)",
                    "facts(id, data?) pk(id) index(gin data DESC)",
                ]
            );
            assert_eq!(asked.table("users").tools, [Tool::Knex]);
            assert_eq!(asked.table("users").extent, Extent::Created);
        },
    );
}

#[test]
fn kysely_chains_create_and_alter_tables() {
    let code = r#"
import { Kysely, sql } from "kysely";
export async function up(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable("person")
    .addColumn("id", "serial", (col) => col.primaryKey())
    .addColumn("email", "varchar(255)", (col) => col.notNull().unique())
    .addColumn("boss_id", "integer", (col) => col.references("person.id").onDelete("cascade"))
    .addColumn("is_new", "boolean")
    .addUniqueConstraint("both", ["email", "boss_id"])
    .execute();
  await db.schema.createIndex("person_boss").on("person").columns(["boss_id", "email desc"]).execute();
  await db.schema.createIndex("open").on("person").column("email").using("gin").where("is_new", "=", true).execute();
  await db.schema.alterTable("person").addColumn("team_id", "integer").dropColumn("is_new").execute();
  await sql`CREATE UNIQUE INDEX lower_email ON person (lower(email))`.execute(db);
}
export async function down(db: Kysely<any>) { await db.schema.dropTable("person").execute(); }
"#;
    let manifest = package(r#""kysely":"0.28.0","pg":"8.0.0""#);
    with(&[("package.json", &manifest), ("migrations/001.ts", code)], |asked| {
        assert_eq!(
            asked.lines(),
            ["person(id, email, boss_id?, team_id?) pk(id) unique(email) unique(email, boss_id) \
              index(boss_id, email-) index(gin email where \"is_new\", \"=\", true) unique(lower(email)) \
              fk(boss_id>person.id)"]
        );
    });
}

#[test]
fn sequelize_steps_create_tables_and_indexes() {
    let code = r#"
"use strict";
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable("Users", {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true, allowNull: false },
      email: { type: Sequelize.STRING(255), unique: true, allowNull: false },
      teamId: { type: Sequelize.INTEGER, references: { model: "Teams", key: "id" }, onDelete: "CASCADE" },
      state: { type: Sequelize.ENUM("a", "b", "c") },
      first: { type: Sequelize.STRING, unique: "name" },
      last: { type: Sequelize.STRING, unique: "name" },
      old: Sequelize.BOOLEAN,
    });
    await queryInterface.addIndex("Users", ["teamId", { name: "email", order: "DESC" }], { name: "by_team" });
    await queryInterface.addIndex("Users", { fields: ["state"], unique: false, where: { old: true } });
    await queryInterface.addIndex({ tableName: "Users", schema: "public" }, ["first"]);
    await queryInterface.addColumn("Users", "ownerId", { type: Sequelize.UUID, references: { model: { tableName: "Users" }, key: "id" } });
    await queryInterface.addConstraint("Users", { fields: ["email", "teamId"], type: "unique", name: "once" });
    await queryInterface.addConstraint("Users", { fields: ["last"], type: "foreign key", references: { table: "Names", field: "last" } });
    await queryInterface.removeColumn("Users", "old");
    await queryInterface.removeIndex("Users", ["first"]);
    await queryInterface.sequelize.query(`CREATE INDEX raw ON "Users" (email)`);
  },
  async down(queryInterface) {
    await queryInterface.dropTable("Users");
  },
};
"#;
    let manifest = package(r#""sequelize":"6.0.0","pg":"8.0.0""#);
    with(&[("package.json", &manifest), ("src/migrations/20240101-users.js", code)], |asked| {
        assert_eq!(
            asked.lines(),
            ["Users(id, email, teamId?, state?#3, first?, last?, ownerId?) pk(id) unique(email) \
              unique(first, last) index(teamId, email-) index(state where { old: true }) \
              unique(email, teamId) index(email) fk(teamId>Teams.id) fk(ownerId>Users.id) fk(last>Names.last)"]
        );
    });
}

#[test]
fn typeorm_migrations_by_sql_and_by_objects() {
    let code = r#"
import { MigrationInterface, QueryRunner, Table, TableIndex, TableColumn, TableForeignKey } from "typeorm";
export class Init1700000000000 implements MigrationInterface {
  name = "Init1700000000000";
  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE "post" ("id" SERIAL NOT NULL, "title" character varying NOT NULL, "authorId" integer, CONSTRAINT "PK_1" PRIMARY KEY ("id"))`);
    await queryRunner.query(`CREATE INDEX "IDX_1" ON "post" ("authorId") `);
    const table = new Table({
      name: "user",
      columns: [
        { name: "id", type: "int", isPrimary: true },
        { name: "email", type: "varchar", isUnique: true },
        { name: "kind", type: "enum", enum: ["a", "b"], isNullable: true },
      ],
      indices: [{ columnNames: ["kind", "email"], name: "k" }],
    });
    await queryRunner.createTable(table, true);
    await queryRunner.createIndex("user", new TableIndex({ name: "e", columnNames: ["kind"], isUnique: false, where: "kind = 'a'" }));
    await queryRunner.addColumn("user", new TableColumn({ name: "bossId", type: "int", isNullable: true }));
    await queryRunner.createForeignKey("user", new TableForeignKey({ columnNames: ["bossId"], referencedColumnNames: ["id"], referencedTableName: "user" }));
    await queryRunner.query(`ALTER TABLE "post" ADD CONSTRAINT "FK_1" FOREIGN KEY ("authorId") REFERENCES "user"("id") ON DELETE CASCADE`);
  }
  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX "IDX_1"`);
    await queryRunner.query(`DROP TABLE "post"`);
    await queryRunner.dropTable("user");
  }
}
"#;
    let manifest = package(r#""typeorm":"0.3.0","pg":"8.0.0""#);
    with(&[("package.json", &manifest), ("src/migration/1700000000000-Init.ts", code)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "post(id, title, authorId?) pk(id) index(authorId) fk(authorId>user.id)",
                "user(id, email, kind?#2, bossId?) pk(id) unique(email) index(kind, email) \
                 index(kind where kind = 'a') fk(bossId>user.id)",
            ]
        );
        assert_eq!(asked.table("post").place.line, 6);
    });
}

#[test]
fn node_pg_migrate_creates_tables_and_constraints() {
    let code = r#"
exports.shorthands = undefined;
exports.up = (pgm) => {
  pgm.createTable("users", {
    id: "id",
    email: { type: "varchar(1000)", notNull: true, unique: true },
    team_id: { type: "integer", references: '"teams"', onDelete: "cascade" },
    boss_id: { type: "integer", references: "users(id)" },
    ok: "boolean",
  }, { constraints: { unique: [["email", "team_id"], ["ok", "team_id"]] } });
  pgm.createIndex("users", "team_id");
  pgm.createIndex("users", ["ok", { name: "email", sort: "DESC" }], { unique: true, name: "x", where: "ok", method: "btree" });
  pgm.createIndex("users", "lower(email)");
  pgm.addConstraint("users", "pair", { unique: ["boss_id", "email"] });
  pgm.addConstraint("users", "triple", "UNIQUE (boss_id, email, ok)");
  pgm.addColumns("users", { note: "text" });
  pgm.sql("CREATE INDEX raw ON users (note)");
};
exports.down = (pgm) => pgm.dropTable("users");
"#;
    let manifest = package(r#""node-pg-migrate":"7.0.0","pg":"8.0.0""#);
    with(&[("package.json", &manifest), ("migrations/1_init.js", code)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "users(id, email, team_id?, boss_id?, ok?#2, note?) pk(id) unique(email) unique(email, team_id) \
              unique(ok, team_id) index(team_id) unique(ok, email- where ok) index(lower(email)) \
              unique(boss_id, email) unique(boss_id, email, ok) index(note) fk(team_id>teams.) \
              fk(boss_id>users.id)"
            ]
        );
    });
}

#[test]
fn migrations_of_one_number_apply_by_name_and_are_noted() {
    let manifest = package(r#""knex":"3.0.0","pg":"8.0.0""#);
    with(
        &[
            ("package.json", &manifest),
            ("migrations/003_b.js", "exports.up = (k) => k.schema.alterTable('t', (t) => t.index('a'));"),
            ("migrations/003_a.sql", "CREATE TABLE t (a int);"),
        ],
        |asked| {
            assert_eq!(asked.lines(), ["t(a?) index(a)"]);
            assert_eq!(
                asked.notes(),
                ["`003_a.sql` and `003_b.js` have the same number 003: applied by name"]
            );
        },
    );
}

#[test]
fn migrations_give_no_modules_to_audit() {
    let manifest = package(r#""knex":"3.0.0""#);
    let code = "exports.up = (knex) => knex.schema.createTable('t', (t) => t.increments());";
    with(
        &[
            ("package.json", &manifest),
            ("migrations/1.js", code),
            ("scripts/setup.js", "db.exec('CREATE TABLE s (id int)')"),
            ("scripts/other.js", "console.log(1)"),
            ("app.js", "require('express')()"),
        ],
        |asked| {
            let program = asked.resolver.program();
            let names =
                |files: Vec<_>| -> Vec<_> { files.into_iter().map(|file| program.path(file)).collect() };
            assert_eq!(names(program.modules().map(|it| it.0).collect()), ["app.js"]);
            assert_eq!(
                names(program.migrations().map(|it| it.0).collect()),
                ["migrations/1.js", "scripts/setup.js"]
            );
            assert!(program.module(asked.file("migrations/1.js")).is_none());
            assert_eq!(asked.lines(), ["t(id) pk(id)", "s(id?)"]);
        },
    );
}
