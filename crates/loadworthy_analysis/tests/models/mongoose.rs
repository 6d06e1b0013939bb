//! Mongoose, plain and by decorators.

use loadworthy_schema::{Store, Tool};

use crate::asked::with;

const PACKAGE: (&str, &str) =
    ("package.json", r#"{"name":"shop","dependencies":{"mongoose":"8.0.0","express":"5.0.0"}}"#);

const USER: &str = r#"
const mongoose = require("mongoose");
const { Schema } = mongoose;
const addressSchema = new Schema({ city: { type: String, index: true }, zip: String }, { _id: false });
const ROLES = ["user", "admin"];
const userSchema = new mongoose.Schema(
  {
    email: { type: String, required: [true, "needed"], unique: true, lowercase: true },
    phone: { type: String, unique: true, sparse: true },
    role: { type: String, enum: ROLES, default: "user" },
    active: Boolean,
    team: { type: mongoose.Schema.Types.ObjectId, ref: "Team", index: true },
    friends: [{ type: Schema.Types.ObjectId, ref: "User" }],
    tags: [String],
    address: addressSchema,
    items: [{ product: { type: Schema.Types.ObjectId, ref: "Product" }, count: Number }],
    profile: { bio: String, kind: { type: String, text: true } },
    meta: {},
    expiresAt: { type: Date, expires: "7d" },
    place: { type: { type: String }, coordinates: { type: [Number], index: "2dsphere" } },
  },
  { timestamps: true }
);
userSchema.index({ team: 1, createdAt: -1 });
userSchema.index({ name: "text", "profile.bio": "text" }, { name: "search" });
userSchema.index({ a: 1 }, { unique: true, partialFilterExpression: { b: { $exists: true } } });
userSchema.index({ code: 1 }, { unique: true, partialFilterExpression: { code: { $exists: true } } });
userSchema.index({ lastSeen: 1 }, { expireAfterSeconds: 60 * 60 });
userSchema.virtual("posts", { ref: "Post", localField: "_id", foreignField: "author" });
userSchema.pre("save", function () {});
const User = mongoose.model("User", userSchema);
module.exports = User;
"#;

const OTHERS: &str = r#"
import mongoose, { Schema, model } from "mongoose";
const post = new Schema({ author: { type: Schema.ObjectId, ref: "User", required: true }, title: String });
export const Post = mongoose.models.Post || mongoose.model("Post", post);
export const Category = model("Category", new Schema({ name: String }, { collection: "cats" }));
const event = new Schema({ at: Date }, { discriminatorKey: "kind" });
export const Event = model("Event", event, "log_events");
export const Click = Event.discriminator("Click", new Schema({ url: { type: String, index: true } }));
export const AgainUser = mongoose.model("User");
"#;

#[test]
fn schemas_have_their_paths_indexes_and_references() {
    with(&[PACKAGE, ("models/user.js", USER), ("models/others.ts", OTHERS)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "posts(_id, author, title?) pk(_id) author>users(author=_id)",
                "cats(_id, name?) pk(_id)",
                "log_events(_id, at?, url?) pk(_id) index(url)",
                "users(_id, email, phone?, role?#2, active?#2, team?, friends?, tags?, address?, address.city?, \
                 address.zip?, items?, items.product?, items.count?, profile.bio?, profile.kind?, meta?, \
                 expiresAt?, place.type?, place.coordinates?, createdAt, updatedAt) pk(_id) unique(email) \
                 unique(phone sparse) index(team) index(address.city) index(text profile.kind) \
                 index(expiresAt Seconds(604800)) index(2dsphere place.coordinates) index(team, createdAt-) \
                 index(text name, profile.bio) unique(a where { b: { $exists: true } }) unique(code sparse) \
                 index(lastSeen Seconds(3600)) team>Team(team=_id) friends>users*(friends=_id) \
                 items.product>Product(items.product=_id) posts>posts*(_id=author)",
            ]
        );
        let user = asked.table("User");
        assert_eq!((user.store, user.tools.as_slice()), (Store::Document, &[Tool::Mongoose][..]));
        assert!(user.is_unique(&["phone"]) && !user.is_unique(&["a"]));
        assert!(user.index_serving(&["team"], &["createdAt"]).is_some());
        assert!(user.index_serving(&["city"], &[]).is_none(), "only `address.city` is indexed");
        assert!(user.index_serving(&["address.city"], &[]).is_some());
    });
}

#[test]
fn models_lead_to_their_collection_across_files() {
    let code = r#"
const User = require("./models/user");
const { AgainUser, Click, Post } = require("./models/others");
f(User); f(AgainUser); f(Click); f(Post);
"#;
    with(&[PACKAGE, ("models/user.js", USER), ("models/others.ts", OTHERS), ("a.js", code)], |asked| {
        let file = asked.file("a.js");
        let calls = asked.resolver.program().module(file).unwrap().calls();
        let tables: Vec<&str> = calls
            .iter()
            .filter_map(|call| {
                let values = asked.resolver.value_of(asked.resolver.argument((file, *call), 0)?);
                values.iter().find_map(|value| asked.models.table_of(value)).map(|table| table.name.as_str())
            })
            .collect();
        assert_eq!(tables, ["users", "users", "log_events", "posts"]);
    });
}

#[test]
fn nest_classes_are_schemas() {
    let code = r#"
import { Prop, Schema, SchemaFactory } from "@nestjs/mongoose";
import { HydratedDocument, Types } from "mongoose";
@Schema({ _id: false })
class Address { @Prop({ index: true }) city: string; @Prop() zip?: string; }
@Schema({ timestamps: true, collection: "people" })
export class User {
  @Prop({ required: true, unique: true }) email: string;
  @Prop({ type: Types.ObjectId, ref: "Team" }) team: Types.ObjectId;
  @Prop({ enum: ["a", "b"] }) kind: string;
  @Prop() active: boolean;
  @Prop([String]) tags: string[];
  @Prop({ type: [{ type: Types.ObjectId, ref: "User" }] }) friends: User[];
  @Prop() address: Address;
  plain: string;
}
export const UserSchema = SchemaFactory.createForClass(User);
UserSchema.index({ team: 1, kind: 1 });
"#;
    with(&[PACKAGE, ("src/user.schema.ts", code)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "people(_id, email, team?, kind?#2, active?#2, tags?, friends?, address?, address.city?, address.zip?, \
              createdAt, updatedAt) pk(_id) unique(email) index(address.city) index(team, kind) \
              team>Team(team=_id) friends>people*(friends=_id)"
            ]
        );
        assert_eq!(asked.table("User").model.as_deref(), Some("User"));
    });
}

#[test]
fn typegoose_classes_are_schemas() {
    let code = r#"
import { prop, index, modelOptions, getModelForClass, Ref } from "@typegoose/typegoose";
class Base { @prop({ required: true }) public created!: Date; }
class Team { @prop({ unique: true }) name: string; }
@index({ team: 1, score: -1 }, { unique: true })
@modelOptions({ schemaOptions: { timestamps: true, collection: "players" } })
export class Player extends Base {
  @prop({ ref: () => Team }) public team?: Ref<Team>;
  @prop({ index: true }) public score!: number;
  @prop({ type: () => [String] }) public tags?: string[];
}
export const TeamModel = getModelForClass(Team);
export const PlayerModel = getModelForClass(Player);
"#;
    with(&[PACKAGE, ("src/models.ts", code)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "teams(_id, name?) pk(_id) unique(name)",
                "players(_id, created, team?, score?, tags?, createdAt, updatedAt) pk(_id) index(score) \
                 unique(team, score-) team>teams(team=_id)",
            ]
        );
    });
}

#[test]
fn what_looks_like_a_schema_or_model_is_none() {
    let code = r#"
import { Schema as Own } from "./own";
import { Schema } from "prosemirror-model";
import { z } from "zod";
const a = new Own({ email: { type: String, index: true } });
const b = new Schema({ nodes: {} });
store.model("User", b);
engine.model("Thing", { name: String });
mongoose.model(name);
"#;
    with(&[PACKAGE, ("src/a.ts", code), ("src/own.ts", "export class Schema {}")], |asked| {
        assert!(asked.models.is_empty(), "{:?}", asked.lines());
    });
}

#[test]
fn schemas_within_themselves_have_an_end() {
    let code = r#"
import { Schema, model } from "mongoose";
const node = new Schema({ name: String });
node.add({ children: [node], parent: node });
const inner = { deep: { deep: { deep: { deep: { deep: { deep: { deep: { deep: String } } } } } } } };
inner.again = inner;
export const Node = model("Node", node);
export const Odd = model("Odd", new Schema({ ...inner, type: String, x: null, y: [], z: [[Number]], [k]: 1 }, 5));
export const None = model("None", new Schema());
"#;
    with(&[PACKAGE, ("src/a.ts", code)], |asked| {
        assert!(asked.table("nodes").column("children.name").is_some());
        assert_eq!(asked.table("odds").primary_key(), ["_id"]);
        assert_eq!(asked.table("nones").columns.len(), 1);
    });
}

#[test]
fn a_schema_that_holds_itself_many_times_stays_small() {
    let paths: Vec<String> = (0..20).map(|at| format!("p{at}: node")).collect();
    let code = format!(
        "import {{ Schema, model }} from 'mongoose';\nconst node = new Schema({{}});\nnode.add({{ {} }});\nexport const Node = model('Node', node);",
        paths.join(", ")
    );
    let definition = code.replace("new Schema({})", &format!("new Schema({{ {} }})", paths.join(", ")));
    for code in [code, definition] {
        with(&[PACKAGE, ("src/a.ts", &code)], |asked| {
            let columns = asked.table("nodes").columns.len();
            assert!((20..2_000).contains(&columns), "{columns}");
        });
    }
}
