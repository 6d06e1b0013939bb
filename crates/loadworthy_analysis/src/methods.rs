//! Methods whose name only one class or object of the program has: what a call of that name on an object of unknown
//! origin runs (`this.services.backup.uploadBackup()`, `WIKI.models.assets.getAsset()`).
//!
//! Only names of several words count, and none that a known library has: `x.save()` may be anything.

use loadworthy_knowledge::Knowledge;
use loadworthy_project::{FileClass, FileId};
use loadworthy_syntax::{Kind, MemberKind, Module, NodeId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::links::FunctionRef;
use crate::program::Program;

/// Shortest name that is taken for one of several words.
const LEAST_LETTERS: usize = 7;

/// Methods by their names; absent where several have the name.
#[derive(Debug, Default)]
pub(crate) struct Methods {
    by_name: FxHashMap<Box<str>, Option<FunctionRef>>,
}

impl Methods {
    pub(crate) fn find(program: &Program<'_>) -> Self {
        let known = library_names(program.knowledge());
        let mut methods = Self::default();
        for (file, module) in program.modules() {
            for class in module.classes() {
                for member in &class.members {
                    if matches!(member.kind, MemberKind::Method | MemberKind::Field) {
                        methods.add(&known, file, module, module.str(member.name), member.value);
                    }
                }
            }
            for node in module.node_ids() {
                if let Kind::Property { key, value } = module.kind(node) {
                    methods.add(&known, file, module, module.str(key), value);
                }
            }
        }
        methods
    }

    fn add(&mut self, known: &FxHashSet<&str>, file: FileId, module: &Module, name: &str, value: NodeId) {
        let Kind::Function(function) = module.kind(value) else { return };
        if !is_of_several_words(name) || known.contains(name) {
            return;
        }
        let own = Some((file, function));
        self.by_name.entry(name.into()).and_modify(|all| *all = None).or_insert(own);
    }

    /// The only method of that name, unless it runs on the other side of the network.
    pub(crate) fn only(&self, program: &Program<'_>, caller: FileId, name: &str) -> Option<FunctionRef> {
        let found = (*self.by_name.get(name)?)?;
        let is_client = |file| program.project().file(file).is_some_and(|it| it.class == FileClass::Client);
        (is_client(caller) == is_client(found.0)).then_some(found)
    }
}

fn is_of_several_words(name: &str) -> bool {
    name.len() >= LEAST_LETTERS && name.chars().skip(1).any(char::is_uppercase)
}

fn library_names(knowledge: &Knowledge) -> FxHashSet<&str> {
    knowledge.members().iter().flat_map(|row| &row.names).map(String::as_str).collect()
}
