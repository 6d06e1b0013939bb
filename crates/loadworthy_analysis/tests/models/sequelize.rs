//! Sequelize models.

use loadworthy_schema::Origin;

use crate::asked::with;

fn package(driver: &str) -> String {
    format!(
        r#"{{"name":"shop","dependencies":{{"sequelize":"6.0.0","{driver}":"1.0.0","express":"5.0.0"}}}}"#
    )
}

const USER: &str = r#"
"use strict";
const { Model } = require("sequelize");
module.exports = (sequelize, DataTypes) => {
  class User extends Model {
    static associate(models) {
      this.belongsTo(models.Team, { foreignKey: "teamId", as: "team" });
      User.hasMany(models.Post, { as: "posts" });
      User.belongsToMany(models.Role, { through: "UserRoles", foreignKey: "userId", otherKey: "roleId" });
    }
  }
  User.init(
    {
      email: { type: DataTypes.STRING, allowNull: false, unique: true },
      state: DataTypes.ENUM("a", "b"),
      teamId: { type: DataTypes.INTEGER, field: "team_id" },
      first: { type: DataTypes.STRING, unique: "full" },
      last: { type: DataTypes.STRING, unique: "full" },
    },
    {
      sequelize,
      modelName: "User",
      paranoid: true,
      indexes: [{ fields: ["teamId", { name: "createdAt", order: "DESC" }] }, { unique: true, fields: ["state"], where: { state: "a" } }],
    }
  );
  return User;
};
"#;

const OTHERS: &str = r#"
const { Sequelize, DataTypes } = require("sequelize");
const sequelize = new Sequelize(process.env.URL);
const Team = sequelize.define("Team", { key: { type: DataTypes.UUID, primaryKey: true }, open: DataTypes.BOOLEAN }, { tableName: "team", timestamps: false });
const Post = sequelize.define("Post", { title: DataTypes.STRING }, { underscored: true });
const Role = sequelize.define("Role", { name: { type: DataTypes.STRING, unique: true } }, Object.assign({}, { freezeTableName: true }, { createdAt: false, updatedAt: "changed" }));
Role.belongsToMany(sequelize.models.User, { through: "UserRoles", foreignKey: "roleId", otherKey: "userId" });
Post.belongsTo(Team);
module.exports = { Team, Post, Role };
"#;

#[test]
fn models_have_attributes_indexes_and_associations() {
    with(
        &[("package.json", &package("pg")), ("models/user.js", USER), ("models/others.js", OTHERS)],
        |asked| {
            assert_eq!(
                asked.lines(),
                [
                    "team(key, open?#2) pk(key)",
                    "posts(id, title?, created_at=createdAt, updated_at=updatedAt, team_id=teamId?, user_id=userId?) \
                     pk(id) fk(team_id>team.key) fk(user_id>Users.id) Team>team(team_id=key)",
                    "Role(id, name?, changed) pk(id) unique(name) Users>Users*(id=)",
                    "Users(id, email, state?#2, team_id=teamId?, first?, last?, createdAt, updatedAt, deletedAt) \
                     pk(id) unique(email) unique(first, last) index(team_id, createdAt-) \
                     unique(state where { state: \"a\" }) fk(team_id>team.key) team>team(team_id=key) \
                     posts>posts*(id=user_id) Roles>Role*(id=)",
                    "UserRoles(roleId?, userId?) pk(roleId, userId) fk(roleId>Role.id) fk(userId>Users.id)",
                ]
            );
        },
    );
}

#[test]
fn mysql_indexes_the_keys_of_associations() {
    let files = |driver| {
        [("package.json".to_owned(), package(driver)), ("models/others.js".to_owned(), OTHERS.to_owned())]
    };
    for (driver, indexed) in [("mysql2", true), ("pg", false)] {
        let files = files(driver);
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        with(&files, |asked| {
            let found = asked.table("posts").index_serving(&["teamId"], &[]).map(|index| index.origin);
            assert_eq!(found, indexed.then_some(Origin::ForeignKey), "{driver}");
        });
    }
}

#[test]
fn decorated_classes_are_models() {
    let code = r#"
import { Table, Column, Model, DataType, PrimaryKey, AutoIncrement, Unique, Index, ForeignKey, BelongsTo, HasMany, AllowNull, CreatedAt } from "sequelize-typescript";
@Table({ tableName: "teams", timestamps: false })
export class Team extends Model {
  @Column name: string;
  @HasMany(() => Player) players: Player[];
}
@Table({ underscored: true })
export class Player extends Model<Player> {
  @PrimaryKey @AutoIncrement @Column(DataType.INTEGER) id: number;
  @Unique @AllowNull(false) @Column({ type: DataType.STRING(99) }) email: string;
  @Index("by_team") @ForeignKey(() => Team) @Column teamId: number;
  @Index("by_team") @Column score: number;
  @Index @Column active: boolean;
  @BelongsTo(() => Team) team: Team;
  other: string;
}
"#;
    with(&[("package.json", &package("pg")), ("src/models.ts", code)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "teams(id, name?) pk(id) players>players*(id=team_id)",
                "players(id, email, team_id=teamId?, score?, active?#2, created_at=createdAt, updated_at=updatedAt) \
                 pk(id) unique(email) index(team_id, score) index(active) fk(team_id>teams.id) \
                 team>teams(team_id=id)",
            ]
        );
    });
}

#[test]
fn a_model_leads_to_its_table_and_meets_its_migration() {
    let migration = r#"
module.exports = {
  up: (q, S) => q.createTable("posts", { id: { type: S.INTEGER, primaryKey: true }, title: S.STRING, team_id: S.UUID })
    .then(() => q.addIndex("posts", ["team_id"])),
};
"#;
    let code = "const { Post, Team } = require('./models/others'); f(Post); f(Team);";
    with(
        &[
            ("package.json", &package("pg")),
            ("models/others.js", OTHERS),
            ("migrations/1-posts.js", migration),
            ("a.js", code),
        ],
        |asked| {
            let file = asked.file("a.js");
            let calls = asked.resolver.program().module(file).unwrap().calls();
            let table = |at: usize| {
                let argument = asked.resolver.argument((file, calls[at]), 0).unwrap();
                let values = asked.resolver.value_of(argument);
                values.iter().find_map(|value| asked.models.table_of(value)).map(|table| table.name.clone())
            };
            let all: Vec<_> = (0..calls.len()).filter_map(table).collect();
            assert_eq!(all, ["posts", "team"]);
            assert!(asked.table("posts").index_serving(&["teamId"], &[]).is_some());
        },
    );
}

#[test]
fn what_sequelize_would_add_counts_only_without_migrations() {
    let code = r#"
const { Sequelize, DataTypes } = require("sequelize");
const db = new Sequelize(url);
const A = db.define("a", {});
const B = db.define("b", {});
const Keyed = db.define("keyed", { id: { type: DataTypes.INTEGER, primaryKey: true }, aId: DataTypes.INTEGER, bId: DataTypes.INTEGER }, { timestamps: false });
const Plain = db.define("plain", { note: DataTypes.STRING }, { timestamps: false });
A.belongsToMany(B, { through: Keyed });
A.belongsToMany(B, { through: Plain, as: "others" });
"#;
    let migration = "exports.up = (q, S) => q.createTable('keyeds', { id: { type: S.INTEGER, primaryKey: true }, aId: S.INTEGER, bId: S.INTEGER });";
    let manifest = package("pg");
    let files = [("package.json", manifest.as_str()), ("src/a.js", code), ("migrations/1.js", migration)];
    for (count, unique) in [(2, true), (3, false)] {
        with(&files[..count], |asked| {
            assert_eq!(asked.table("keyed").is_unique(&["aId", "bId"]), unique);
            assert_eq!(asked.table("plain").primary_key(), ["aId", "bId"]);
            assert!(asked.table("plain").column("id").is_none());
            assert_eq!(asked.notes(), [""; 0]);
        });
    }
}

#[test]
fn the_connection_decides_names_by_default() {
    let code = r#"
import { Sequelize, DataTypes } from "sequelize";
const db = new Sequelize("a", "b", "c", { dialect: "postgres", define: { underscored: true, timestamps: false } });
export const OrderItem = db.define("OrderItem", { orderId: DataTypes.INTEGER });
"#;
    with(&[("package.json", &package("pg")), ("src/a.ts", code)], |asked| {
        assert_eq!(asked.lines(), ["order_items(id, order_id=orderId?) pk(id)"]);
    });
}

#[test]
fn calls_that_look_alike_declare_no_model() {
    let code = r#"
import { Model } from "./own";
class Widget extends Model {}
Widget.init({ a: 1 }, { modelName: "Widget" });
requirejs.define("name", { deps: [] });
customElements.define("my-element", { extends: "p" });
swiper.init({ slides: 3 });
user.hasMany(posts);
"#;
    with(
        &[("package.json", &package("pg")), ("src/a.ts", code), ("src/own.ts", "export class Model {}")],
        |asked| assert!(asked.models.is_empty(), "{:?}", asked.lines()),
    );
}
