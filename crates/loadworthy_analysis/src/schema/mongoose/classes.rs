//! Schemas as classes: `@Schema`/`@Prop` of Nest, `@prop`/`@index`/`@modelOptions` of Typegoose.

use loadworthy_schema::Table;
use loadworthy_syntax::{ClassMember, Kind, NodeId};

use super::{Holder, Models, Schema, Schemas, finish, index, start, table};
use crate::schema::packages::{NEST_MONGOOSE, TYPEGOOSE};
use crate::schema::reading::{ClassRef, Declared, Link, Reading};
use crate::values::Site;

fn packages() -> Vec<&'static str> {
    NEST_MONGOOSE.iter().chain(TYPEGOOSE).copied().collect()
}

/// Classes with at least one decorated path.
pub(super) fn find(reading: Reading<'_, '_>) -> Vec<ClassRef> {
    let packages = packages();
    let is_schema = |class: &ClassRef| {
        let Some((_, found)) = reading.class_at(*class) else { return false };
        found
            .members
            .iter()
            .any(|member| !reading.decorators(class.0, &member.decorators, &packages).is_empty())
    };
    reading.classes().filter(is_schema).collect()
}

/// A decorator by its name.
fn named<'l>(links: &'l [Link], names: &[&str]) -> Option<&'l Link> {
    links.iter().find(|link| names.contains(&link.name.as_str()))
}

impl Schemas<'_, '_> {
    pub(super) fn class_schema(&self, class: ClassRef) -> Schema {
        let reading = self.reading;
        let mut schema = Schema::default();
        let options = self.class_options(class);
        start(reading, options, &mut schema);
        self.add_class_paths(&mut schema.table, "", class, 0);
        if let Some((_, found)) = reading.class_at(class) {
            schema.table.place = reading.place((class.0, found.node));
            schema.table.last_line = reading.last_line((class.0, found.node));
        }
        for link in self.class_decorators(class).iter().filter(|link| link.name == "index") {
            if let Some(call) = link.call
                && let Some(fields) = reading.argument(call, 0)
            {
                schema.table.add_index(index(reading, fields, reading.argument(call, 1), call));
            }
        }
        finish(reading, options, &mut schema);
        schema
    }

    /// Decorators of the class and of those it extends.
    fn class_decorators(&self, class: ClassRef) -> Vec<Link> {
        let packages = packages();
        let of = |class: ClassRef| {
            let found = self.reading.class_at(class).map(|(_, found)| found.decorators.clone());
            self.reading.decorators(class.0, &found.unwrap_or_default(), &packages)
        };
        self.reading.lineage(class).into_iter().flat_map(of).collect()
    }

    /// `@Schema(options)`, `@modelOptions({ schemaOptions })`.
    fn class_options(&self, class: ClassRef) -> Option<Site> {
        let decorators = self.class_decorators(class);
        let argument =
            |name: &str| named(&decorators, &[name])?.call.and_then(|call| self.reading.argument(call, 0));
        let nested = || self.reading.get(argument("modelOptions")?, "schemaOptions");
        argument("Schema").or_else(nested)
    }

    pub(super) fn add_class_paths(&self, table: &mut Table, prefix: &str, class: ClassRef, depth: usize) {
        let packages = packages();
        for class in self.reading.lineage(class).into_iter().rev() {
            let Some((module, found)) = self.reading.class_at(class) else { continue };
            for member in &found.members {
                let links = self.reading.decorators(class.0, &member.decorators, &packages);
                if let Some(link) = named(&links, &["Prop", "prop", "arrayProp"]) {
                    let path = format!("{prefix}{}", module.str(member.name));
                    self.add_member(table, &path, (class, member), link, depth);
                }
            }
        }
    }

    fn add_member(
        &self,
        table: &mut Table,
        path: &str,
        (class, member): (ClassRef, &ClassMember),
        link: &Link,
        depth: usize,
    ) {
        let reading = self.reading;
        let options = link.call.and_then(|call| reading.argument(call, 0));
        let declared = reading.declared_type(class.0, member.type_id);
        let given = options.and_then(|options| reading.get(options, "type"));
        let given = given.map(|given| self.produced(given));
        // `@Prop([String])`: the argument is the type.
        let given =
            given.or_else(|| options.filter(|options| matches!(reading.kind(*options), Kind::Array(_))));
        let is_reference = options.is_some_and(|options| reading.get(options, "ref").is_some());
        let of_class = given.and_then(|given| reading.class(given)).or(declared.class);
        match (given, of_class.filter(|class| self.classes.contains(class))) {
            (_, Some(nested)) if depth < 4 && nested != class && !is_reference => {
                self.add_column(table, path, reading.class_name(nested), declared.is_list, options, None);
                self.add_class_paths(table, &format!("{path}."), nested, depth + 1);
            }
            (Some(given), _) => self.add_typed(table, path, given, options, depth),
            (None, _) => {
                let Declared { name, is_list, .. } = declared;
                self.add_column(table, path, &name, is_list, options, None);
            }
        }
    }

    /// `() => X` as `X`.
    fn produced(&self, site: Site) -> Site {
        match self.reading.kind(site) {
            Kind::Function(_) => self.reading.unwrapped(site),
            _ => site,
        }
    }

    /// Models of classes: by `getModelForClass`, and by `createForClass`, which Nest registers under the class's name.
    pub(super) fn add_class_models(&self, models: &mut Models) {
        for site in &self.sites {
            let Some(super::Source::Class(class)) = self.sources.get(site) else { continue };
            let Some(schema) = self.read.get(site) else { continue };
            let name = self.reading.class_name(*class).to_owned();
            // A schema within another has no collection of its own; it is harmless to have it listed.
            let known = models.tables.iter_mut().find(|(table, _)| table.model.as_ref() == Some(&name));
            let holder = Holder::Class(class.0, class.1);
            if let Some((_, holders)) = known {
                holders.push(holder);
            } else {
                let table = table(self.reading, schema, &name, None, *site);
                models.tables.push((table, vec![holder, Holder::Made(*site)]));
            }
        }
        for (file, module) in self.reading.modules() {
            for call in module.calls() {
                self.add_typegoose_model((file, *call), models);
            }
        }
    }

    fn add_typegoose_model(&self, site: (loadworthy_project::FileId, NodeId), models: &mut Models) {
        if self.reading.called_name(site) != "getModelForClass" {
            return;
        }
        let Some(class) = self.reading.argument(site, 0).and_then(|argument| self.reading.class(argument))
        else {
            return;
        };
        let schema = self.class_schema(class);
        let options =
            self.reading.argument(site, 1).and_then(|options| self.reading.get(options, "schemaOptions"));
        let given = options.and_then(|options| self.reading.get_text(options, "collection"));
        let mut table = table(self.reading, &schema, self.reading.class_name(class), given, site);
        table.aliases.extend(self.reading.holder_name(site).map(str::to_owned));
        models.tables.push((table, vec![Holder::Made(site), Holder::Class(class.0, class.1)]));
    }
}
