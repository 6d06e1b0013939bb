//! TypeORM and MikroORM entities.

use loadworthy_schema::{Agreement, Origin};

use crate::asked::with;

fn package(library: &str, driver: &str) -> String {
    format!(
        r#"{{"name":"shop","dependencies":{{"{library}":"1.0.0","{driver}":"1.0.0","express":"5.0.0"}}}}"#
    )
}

const TYPEORM: &str = r#"
import { Entity, PrimaryGeneratedColumn, PrimaryColumn, Column, CreateDateColumn, DeleteDateColumn, Index, Unique, ManyToOne, OneToMany, OneToOne, ManyToMany, JoinColumn, JoinTable, BaseEntity, Relation } from "typeorm";
enum State { Open = "open", Done = "done" }
abstract class Stamped extends BaseEntity {
  @PrimaryGeneratedColumn("uuid") id: string;
  @CreateDateColumn() createdAt: Date;
}
class Name { @Column() first: string; @Column({ nullable: true }) last: string; }

@Entity("teams")
export class Team extends Stamped {
  @Column({ unique: true }) slug: string;
  @OneToMany(() => Player, (player) => player.team) players: Player[];
}

@Entity()
@Index(["team", "createdAt"])
@Index("by_state", ["state"], { where: "state = 'open'" })
@Unique("pair", ["email", "team"])
export class Player extends Stamped {
  @Column("varchar", { length: 99 }) @Index({ unique: true }) email: string;
  @Column({ type: "enum", enum: State }) state: State;
  @Column({ name: "is_admin" }) isAdmin: boolean;
  @Column("text", { nullable: true }) note: string | null;
  @Column(() => Name) name: Name;
  @DeleteDateColumn() deletedAt?: Date;
  @ManyToOne(() => Team, (team) => team.players, { nullable: false, onDelete: "CASCADE" }) team: Relation<Team>;
  @Index() @ManyToOne(() => Player) @JoinColumn({ name: "boss_id" }) boss: Player;
  @OneToOne(() => Profile, (profile) => profile.player) @JoinColumn() profile: Profile;
  @ManyToMany(() => Tag) @JoinTable() tags: Tag[];
}

@Entity()
export class Profile {
  @PrimaryColumn() key: number;
  @OneToOne("Player", "profile") player: Player;
}

@Entity({ name: "tag" })
export class Tag { @PrimaryGeneratedColumn() id: number; plain: string; }
"#;

#[test]
fn typeorm_entities_have_columns_indexes_and_relations() {
    with(&[("package.json", &package("typeorm", "pg")), ("src/entities.ts", TYPEORM)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "teams(id, createdAt, slug) pk(id) unique(slug) players>player*(id=teamId)",
                "player(id, createdAt, email, state#2, is_admin=isAdmin#2, note?, nameFirst=first, nameLast=last?, \
                 deletedAt?, teamId, boss_id?, profileKey?) pk(id) unique(profileKey) index(teamId, createdAt) \
                 index(state where state = 'open') unique(email, teamId) unique(email) index(boss_id) \
                 fk(teamId>teams.id) fk(boss_id>player.id) fk(profileKey>profile.key) team>teams(teamId=id) \
                 boss>player(boss_id=id) profile>profile(profileKey=key) tags>tag*(id=)",
                "profile(key) pk(key) player>player(key=profileKey)",
                "tag(id) pk(id)",
                "player_tags_tag(playerId, tagId) pk(playerId, tagId) index(playerId) index(tagId) \
                 fk(playerId>player.id) fk(tagId>tag.id)",
            ]
        );
    });
}

#[test]
fn a_class_leads_to_its_table_and_meets_its_migrations() {
    let migration = r#"
import { MigrationInterface, QueryRunner } from "typeorm";
export class Init1 implements MigrationInterface {
  async up(q: QueryRunner) {
    await q.query(`CREATE TABLE "profile" ("key" int NOT NULL, CONSTRAINT "P" PRIMARY KEY ("key"))`);
    await q.query(`CREATE INDEX "I" ON "profile" ("key")`);
  }
  async down(q: QueryRunner) { await q.query(`DROP TABLE "profile"`); }
}
"#;
    let code = "import { Profile } from './entities'; f(Profile); f(new Profile());";
    with(
        &[
            ("package.json", &package("typeorm", "pg")),
            ("src/entities.ts", TYPEORM),
            ("src/migrations/1-init.ts", migration),
            ("src/a.ts", code),
        ],
        |asked| {
            let file = asked.file("src/a.ts");
            let calls = asked.resolver.program().module(file).unwrap().calls();
            let tables: Vec<_> = calls
                .iter()
                .filter_map(|call| asked.resolver.argument((file, *call), 0))
                .filter_map(|argument| {
                    let values = asked.resolver.value_of(argument);
                    values
                        .iter()
                        .find_map(|value| asked.models.table_of(value))
                        .map(|table| table.name.clone())
                })
                .collect();
            assert_eq!(tables, ["profile", "profile"]);
            let agreements: Vec<_> =
                asked.table("profile").indexes.iter().map(|index| index.agreement).collect();
            assert_eq!(agreements, [Agreement::Both, Agreement::OnlyCreated]);
        },
    );
}

#[test]
fn mysql_indexes_the_keys_of_relations() {
    for (driver, indexed) in [("mysql2", true), ("pg", false)] {
        with(&[("package.json", &package("typeorm", driver)), ("src/entities.ts", TYPEORM)], |asked| {
            let found = asked.table("profile").index_serving(&["key"], &[]).map(|index| index.origin);
            assert_eq!(found, Some(Origin::Primary));
            let team = asked
                .table("player")
                .indexes
                .iter()
                .any(|index| index.origin == Origin::ForeignKey && index.columns() == ["boss_id"]);
            assert!(!team, "it has an index of its own");
            let code = "import { Entity, PrimaryGeneratedColumn, ManyToOne } from 'typeorm';
                @Entity() export class A { @PrimaryGeneratedColumn() id: number; @ManyToOne(() => A) a: A; }";
            with(&[("package.json", &package("typeorm", driver)), ("src/a.ts", code)], |asked| {
                assert_eq!(asked.table("a").index_serving(&["aId"], &[]).is_some(), indexed, "{driver}");
            });
        });
    }
}

#[test]
fn child_entities_share_their_parents_table_and_names_may_be_snake_case() {
    let code = r#"
import { Entity, ChildEntity, TableInheritance, PrimaryGeneratedColumn, Column, Index, ManyToOne } from "typeorm";
import { SnakeNamingStrategy } from "typeorm-naming-strategies";
@Entity() @TableInheritance({ column: "type" })
export class Content { @PrimaryGeneratedColumn() id: number; @Column() longTitle: string; @ManyToOne(() => Content) parentNode: Content; }
@ChildEntity() export class Photo extends Content { @Index() @Column() fileSize: number; }
"#;
    with(&[("package.json", &package("typeorm", "pg")), ("src/a.ts", code)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "content(id, long_title=longTitle, parent_node_id?, file_size=fileSize) pk(id) index(file_size) \
              fk(parent_node_id>content.id) parentNode>content(parent_node_id=id)"
            ]
        );
        assert!(asked.table("photo").name == "content");
    });
}

#[test]
fn entity_schemas_are_entities() {
    let code = r#"
const { EntitySchema } = require("typeorm");
const Post = new EntitySchema({
  name: "Post",
  tableName: "posts",
  columns: {
    id: { primary: true, type: "int", generated: true },
    title: { type: String, unique: true },
    kind: { type: "enum", enum: ["a", "b"], nullable: true },
  },
  relations: { author: { type: "many-to-one", target: "User", joinColumn: true, inverseSide: "posts" } },
  indices: [{ columns: ["author", "kind"], name: "i" }],
  uniques: [{ columns: ["title", "kind"] }],
});
const User = new EntitySchema({ name: "User", columns: { id: { primary: true, type: "int" } }, relations: { posts: { type: "one-to-many", target: "Post", inverseSide: "author" } } });
module.exports = { Post, User };
"#;
    with(&[("package.json", &package("typeorm", "pg")), ("a.js", code)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "posts(id, title, kind?#2, authorId?) pk(id) unique(title) index(authorId, kind) \
                 unique(title, kind) fk(authorId>user.id) author>user(authorId=id)",
                "user(id) pk(id) posts>posts*(id=authorId)",
            ]
        );
    });
}

const MIKRO: &str = r#"
import { Entity, PrimaryKey, Property, Enum, ManyToOne, OneToMany, ManyToMany, OneToOne, Index, Unique, Collection } from "@mikro-orm/core";
enum Role { A = "a", B = "b" }
abstract class Base { @PrimaryKey() id!: number; @Property() createdAt = new Date(); }
@Entity({ tableName: "authors" })
@Index({ properties: ["lastName", "createdAt"], name: "n" })
@Unique({ properties: ["email", "team"] })
export class Author extends Base {
  @Property({ unique: true }) email!: string;
  @Property({ fieldName: "surname", nullable: true }) lastName?: string;
  @Enum(() => Role) role!: Role;
  @Property({ persist: false }) temporary?: string;
  @Index() @Property() active!: boolean;
  @ManyToOne(() => Team, { nullable: true }) team?: Team;
  @OneToMany(() => Book, (book) => book.author) books = new Collection<Book>(this);
}
@Entity()
export class Book extends Base {
  @ManyToOne() author!: Author;
  @ManyToMany(() => Tag) tags = new Collection<Tag>(this);
}
@Entity() export class Tag extends Base { @ManyToMany(() => Book, (book) => book.tags) books = new Collection<Book>(this); }
@Entity() export class Team extends Base { @OneToOne({ entity: () => Author, fieldName: "lead" }) leader!: Author; }
"#;

#[test]
fn mikro_orm_entities_have_columns_indexes_and_relations() {
    with(&[("package.json", &package("@mikro-orm/core", "pg")), ("src/entities.ts", MIKRO)], |asked| {
        assert_eq!(
            asked.lines(),
            [
                "authors(id, created_at=createdAt, email, surname=lastName?, role#2, active#2, team_id?) pk(id) \
                 unique(email) index(active) index(surname, created_at) unique(email, team_id) \
                 fk(team_id>team.id) team>team(team_id=id) books>book*(id=author_id)",
                "book(id, created_at=createdAt, author_id) pk(id) fk(author_id>authors.id) \
                 author>authors(author_id=id) tags>tag*(id=)",
                "tag(id, created_at=createdAt) pk(id) books>book*(=)",
                "team(id, created_at=createdAt, lead) pk(id) unique(lead) fk(lead>authors.id) \
                 leader>authors(lead=id)",
                "book_tags(book_id, tag_id) pk(book_id, tag_id) fk(book_id>book.id) fk(tag_id>tag.id)",
            ]
        );
    });
}

#[test]
fn mikro_orm_indexes_foreign_keys_except_on_postgresql() {
    for (driver, indexed) in [("better-sqlite3", true), ("mysql2", true), ("pg", false)] {
        with(&[("package.json", &package("@mikro-orm/core", driver)), ("src/entities.ts", MIKRO)], |asked| {
            let found = asked.table("book").index_serving(&["author_id"], &[]);
            assert_eq!(found.is_some(), indexed, "{driver}");
        });
    }
}

#[test]
fn classes_with_decorators_of_others_are_no_entities() {
    let code = r#"
import { Entity, Column } from "./own";
import { Entity as Thing } from "@backstage/catalog-model";
@Entity() export class A { @Column() id: number; }
@Thing() export class B {}
@ObjectType() export class C { @Field() id: number; }
"#;
    with(
        &[
            ("package.json", &package("typeorm", "pg")),
            ("src/a.ts", code),
            ("src/own.ts", "export const Entity = () => () => {}; export const Column = Entity;"),
        ],
        |asked| assert!(asked.models.is_empty(), "{:?}", asked.lines()),
    );
}

#[test]
fn entities_that_need_each_other_have_an_end() {
    let code = r#"
import { Entity, ManyToOne, OneToOne, JoinColumn, Index, Column, ManyToMany, JoinTable } from "typeorm";
@Entity() export class A extends B { @ManyToOne(() => B) b: B; @OneToOne(() => A) @JoinColumn() a: A; @Index() gone: string; }
@Entity() export class B extends A { @ManyToOne(() => Missing) m: any; @Column(() => B) own: B; @ManyToMany(() => B) @JoinTable() bs: B[]; }
@Entity(5) @Index() @Index([]) export class D { @Column(...x) y: string; }
"#;
    with(&[("package.json", &package("typeorm", "pg")), ("src/a.ts", code)], |asked| {
        assert!(asked.models.catalogue().table("d").is_some());
    });
}
