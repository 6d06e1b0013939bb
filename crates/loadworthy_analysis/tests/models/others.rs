//! Objection models and indexes by the MongoDB driver.

use loadworthy_schema::{Extent, Tool};

use crate::asked::with;

#[test]
fn objection_models_meet_their_knex_migrations() {
    let models = r#"
const { Model } = require("objection");
class Base extends Model { static get idColumn() { return "id"; } }
class Person extends Base {
  static get tableName() { return "persons"; }
  static get jsonSchema() { return { type: "object", properties: { name: { type: "string" }, ok: { type: "boolean" } } }; }
  static get relationMappings() {
    return {
      pets: { relation: Model.HasManyRelation, modelClass: Pet, join: { from: "persons.id", to: "pets.ownerId" } },
      movies: { relation: Model.ManyToManyRelation, modelClass: "Movie", join: { from: "persons.id", through: { from: "persons_movies.personId", to: "persons_movies.movieId" }, to: "movies.id" } },
    };
  }
}
class Pet extends Base { static tableName = "pets"; static relationMappings = () => ({ owner: { relation: Model.BelongsToOneRelation, modelClass: () => Person, join: { from: "pets.ownerId", to: "persons.id" } } }); }
class NoTable extends Model {}
module.exports = { Person, Pet };
"#;
    let migration = r#"
exports.up = (knex) => knex.schema.createTable("pets", (t) => { t.increments(); t.integer("owner_id").references("persons.id").index(); });
"#;
    with(
        &[
            (
                "package.json",
                r#"{"name":"x","dependencies":{"objection":"3.0.0","knex":"3.0.0","pg":"8.0.0"}}"#,
            ),
            ("models/index.js", models),
            ("migrations/1.js", migration),
        ],
        |asked| {
            assert_eq!(
                asked.lines(),
                [
                    "persons(name?, ok?#2) pk(id) pets>pets*(id=owner_id) movies>movies*(id=)",
                    "pets(id, owner_id?) pk(id) index(owner_id) fk(owner_id>persons.id) owner>persons(owner_id=id)",
                ]
            );
            assert_eq!(
                (asked.table("Person").extent, asked.table("Pet").extent),
                (Extent::Named, Extent::Created)
            );
            assert_eq!(asked.table("Pet").tools, [Tool::Objection, Tool::Knex]);
            assert_eq!(asked.notes(), [""; 0]);
        },
    );
}

#[test]
fn the_mongodb_driver_creates_indexes() {
    let code = r#"
import { MongoClient } from "mongodb";
const client = new MongoClient(url);
const db = client.db("shop");
const users = db.collection("users");
export async function init(database) {
  await users.createIndex({ email: 1 }, { unique: true });
  await db.collection("orders").createIndexes([{ key: { userId: 1, createdAt: -1 } }, { key: { at: 1 }, expireAfterSeconds: 3600 }]);
  await database.collection("logs").createIndex("level");
  const found = database.collection("found");
  await found.createIndex({ place: "2dsphere" });
  await database.createIndex("old", { a: 1 }, { sparse: true });
  await something.createIndex({ not: 1 });
}
class Store {
  constructor(db) { this.items = db.collection("items"); }
  async init() { await this.items.createIndex({ name: "text" }); }
}
"#;
    with(
        &[("package.json", r#"{"name":"x","dependencies":{"mongodb":"6.0.0"}}"#), ("src/db.ts", code)],
        |asked| {
            assert_eq!(
                asked.lines(),
                [
                    "found() pk(_id) index(2dsphere place)",
                    "items() pk(_id) index(text name)",
                    "logs() pk(_id) index(level)",
                    "old() pk(_id) index(a sparse)",
                    "orders() pk(_id) index(userId, createdAt-) index(at Seconds(3600))",
                    "users() pk(_id) unique(email)",
                ]
            );
        },
    );
}

#[test]
fn an_index_of_the_driver_belongs_to_the_mongoose_model() {
    let code = r#"
import mongoose from "mongoose";
const User = mongoose.model("User", new mongoose.Schema({ email: String }));
User.collection.createIndex({ email: 1 });
mongoose.connection.collection("users").createIndex({ age: 1 });
"#;
    with(
        &[("package.json", r#"{"name":"x","dependencies":{"mongoose":"8.0.0"}}"#), ("src/db.ts", code)],
        |asked| {
            assert_eq!(asked.lines(), ["users(_id, email?) pk(_id) index(email) index(age)"]);
            assert_eq!(asked.table("User").tools, [Tool::Mongoose, Tool::MongoDriver]);
        },
    );
}

#[test]
fn indexes_of_other_databases_are_not_taken_for_collections() {
    let code = r#"
store.createIndex("by_name", "name", { unique: true });
client.createIndex({ index: "posts" });
pgm.createIndex("users", "email");
"#;
    with(
        &[
            ("package.json", r#"{"name":"x","dependencies":{"@elastic/elasticsearch":"8.0.0"}}"#),
            ("src/db.ts", code),
        ],
        |asked| assert!(asked.models.is_empty(), "{:?}", asked.lines()),
    );
}
