//! Any mix of pieces of declarations is read: no panic, an end, and the same answer each time.

use crate::asked::with;

const PIECES: [&str; 44] = [
    "import { pgTable, integer, index } from 'drizzle-orm/pg-core';\n",
    "import { Schema, model } from 'mongoose';\n",
    "import { Entity, Column, ManyToOne, Index, JoinTable, ManyToMany } from 'typeorm';\n",
    "import { Table, Model, ForeignKey, BelongsTo } from 'sequelize-typescript';\n",
    "const { Sequelize, DataTypes } = require('sequelize'); const s = new Sequelize();\n",
    "export const a = pgTable('a', { id: integer('id').references(() => b.id) }, (t) => [index().on(t.id, t.none)]);\n",
    "export const b = pgTable(\"b\", a);\n",
    "const c = { ...c, ...a, x: c };\n",
    "export const u = new Schema({ a: [u], b: { type: u, index: { unique: true } }, ...c }, c);\n",
    "u.index({ a: 1, [k]: -1, ...c }); u.add(u); u.virtual('v', c);\n",
    "export const U = model('U', u); U.discriminator('V', u);\n",
    "@Entity() @Index(['a', 'b']) class E extends E { @ManyToOne(() => E) e: E; @Column(() => E) f: E; }\n",
    "@Entity('x') class F { @ManyToMany(() => F) @JoinTable() fs: F[]; @Index() @Column() }\n",
    "@Table class T extends Model<T> { @ForeignKey(() => T) t; @BelongsTo(() => T) u; }\n",
    "const D = s.define('d', { d: { type: DataTypes.ENUM(...D), references: D } }); D.belongsToMany(D, { through: D });\n",
    "class G extends Model {} G.init(c, { sequelize: s, indexes: [c, ...c] });\n",
    "exports.up = (knex) => knex.schema.createTable('t', (t) => { t.increments().references(t).index(); t.index([t]); });\n",
    "exports.down = exports.up;\n",
    "export async function up(q) { await q.createTable('t', { a: q, b: { type: q } }); await q.addIndex('t', q); }\n",
    "q.query(`CREATE TABLE ${x} (id int); ALTER TABLE t ADD ${y}; DROP TABLE`);\n",
    "q.query('CREATE INDEX i ON t (' + x + ')');\n",
    "db.schema.createTable('k').addColumn('a', 'int', (c) => c.primaryKey()).addColumn(x, y).execute();\n",
    "db.schema.createIndex('i').on(x).columns(y).execute();\n",
    "db.collection('c').createIndex({ a: 1, ...c }, c); this.c.createIndexes([c, {}]);\n",
    "pgm.createTable('p', 'x'); pgm.createIndex('p'); pgm.addConstraint('p', 'n', 'CHECK (');\n",
    "queryRunner.createTable(new Table({ columns: [{}, 5], indices: 5 })); queryRunner.createIndex('t', new TableIndex(5));\n",
    "class O extends Model { static tableName = O; static get relationMappings() { return { o: { join: O } }; } }\n",
    "export default { up: 5, down: [] };\n",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "`",
    "'",
    ",",
    ";",
    "=>",
    "...",
    "@",
    "${",
    "é",
    "\n",
];

/// A number of the next step of a fixed sequence.
fn next(state: &mut u32) -> usize {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as usize
}

#[test]
fn any_mix_of_declarations_is_read() {
    let mut state = 7;
    let mix = |state: &mut u32, whole: usize| -> String {
        let count = 1 + next(state) % 12;
        (0..count).filter_map(|_| PIECES.get(next(state) % whole)).copied().collect()
    };
    let mut files = vec![(
        "package.json".to_owned(),
        r#"{"dependencies":{"drizzle-orm":"1","mongoose":"1","typeorm":"1","sequelize":"1","node-pg-migrate":"1","knex":"1","pg":"1"}}"#.to_owned(),
    )];
    for at in 0..120 {
        // Half of them whole statements, so that they parse and meet each other.
        let whole = if at % 2 == 0 { 28 } else { PIECES.len() };
        let folder = if at % 3 == 0 { "migrations" } else { "src" };
        files.push((format!("{folder}/f{at}.ts"), mix(&mut state, whole)));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut answers = Vec::new();
    for _ in 0..2 {
        with(&files, |asked| answers.push((asked.lines(), asked.notes().join("\n"))));
    }
    assert!(!answers[0].0.is_empty());
    assert_eq!(answers[0], answers[1]);
}
