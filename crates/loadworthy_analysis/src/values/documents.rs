//! What `this` is in the functions that a schema gives to its model: `schema.statics.name = function () {…}` runs on the
//! model, `schema.methods.name` on a document.

use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{External, Resolver, Step, Value, Values, join, none, one};

/// What a function of a schema runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Model,
    Document,
}

impl Resolver<'_> {
    /// The model, or a document of it, where `node` stands in a function of a schema.
    pub(super) fn this_of_schema(&self, file: FileId, module: &Module, node: NodeId) -> Values {
        let Some(function) = module.ancestors(node).find(|outer| match module.kind(*outer) {
            Kind::Function(function) => module.function(function).is_some_and(|lowered| !lowered.is_arrow),
            _ => false,
        }) else {
            return none();
        };
        let Some((schema, of)) = given_to(module, function) else { return none() };
        let Kind::Name { binding, .. } = module.kind(schema) else { return none() };
        join(module.references(binding).iter().map(|name| {
            let Some(made) = model_of(module, *name) else { return none() };
            let models = self.value_of((file, made));
            join(models.iter().map(|model| match (model, of) {
                (Value::External(model), Of::Model) => one(Value::External(model.clone())),
                (Value::External(model), Of::Document) => {
                    one(Value::External(document(model, (file, function))))
                }
                _ => none(),
            }))
        }))
    }
}

/// A document stands for one that was made where the function is written.
fn document(model: &External, at: super::Site) -> External {
    model.then(Step::New(at))
}

/// The schema that a function is given to, and as what.
fn given_to(module: &Module, function: NodeId) -> Option<(NodeId, Of)> {
    let parent = module.parent(function);
    match module.kind(parent) {
        // schema.statics.byEmail = function () {…}
        Kind::Assign { target, value, .. } if value == function => {
            let Kind::Member { object, .. } = module.kind(target) else { return None };
            let Kind::Member { object, name } = module.kind(object) else { return None };
            match module.str(name) {
                "statics" => Some((object, Of::Model)),
                "methods" => Some((object, Of::Document)),
                _ => None,
            }
        }
        // schema.static("byEmail", function () {…})
        Kind::Call { callee, .. } => {
            let Kind::Member { object, name } = module.kind(callee) else { return None };
            match module.str(name) {
                "static" => Some((object, Of::Model)),
                "method" => Some((object, Of::Document)),
                _ => None,
            }
        }
        // schema.methods = { compare() {…} }
        Kind::Property { .. } => {
            let object = module.parent(parent);
            let Kind::Assign { target, value, .. } = module.kind(module.parent(object)) else { return None };
            let Kind::Member { object: schema, name } = module.kind(target) else { return None };
            match module.str(name) {
                "statics" if value == object => Some((schema, Of::Model)),
                "methods" if value == object => Some((schema, Of::Document)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `mongoose.model("User", schema)` of its schema.
fn model_of(module: &Module, schema: NodeId) -> Option<NodeId> {
    let call = module.parent(schema);
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let is_second = module.list(arguments).nth(1) == Some(schema);
    let named = match module.kind(callee) {
        Kind::Member { name, .. } | Kind::Name { name, .. } => module.str(name),
        _ => return None,
    };
    (is_second && named == "model").then_some(call)
}
