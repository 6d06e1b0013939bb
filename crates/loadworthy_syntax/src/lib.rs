//! Parse and lower: source text to an owned tree with resolved names.
//!
//! This crate knows one file at a time and does no I/O. Errors are data: whatever part of a broken file parsed is lowered.

mod children;
mod ids;
mod lines;
mod lower;
mod module;
mod parse;
mod tree;

pub use ids::{Atom, BindingId, ClassId, FunctionId, List, NodeId, TypeId};
pub use lines::LineIndex;
pub use lower::WHOLE_MODULE;
pub use module::{Module, SUPPRESSION_WORD, Suppression};
pub use parse::{Parsed, STACK_BYTES, SyntaxError, parse};
pub use tree::{
    Binary, Binding, BindingKind, Class, ClassMember, Export, ExportTarget, Function, Import, ImportId,
    ImportName, Kind, MemberKind, Node, ParameterDecorators, Span, TypeForm, TypeRef, Unary,
};
