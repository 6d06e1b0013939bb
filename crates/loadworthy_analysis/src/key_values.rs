//! What functions do with the keys of a cache server: reads, writes, removals, counts and expiries, in source order, their
//! own and those of small helpers that they call.

use loadworthy_knowledge::{Effect, Kind as LibraryKind};

use crate::analysis::Analysis;
use crate::calls::Call;
use crate::links::FunctionRef;
use crate::values::Site;

/// What is done with a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyOperation {
    /// `GET`, `HGET`, `EXISTS`
    Read,
    /// `SET`, `HSET`
    Write,
    /// `SET … NX`, `SETNX`: fails where the key is there.
    Claim,
    /// `GETDEL`, a script: read and removed in one step.
    Take,
    /// `DEL`
    Remove,
    /// `INCR`
    Count,
    /// `EXPIRE`
    Expire,
}

/// One use of a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyAccess {
    /// What is done.
    pub operation: KeyOperation,
    /// Where the function has it: the command itself, or the call of the helper.
    pub at: Site,
    /// The command.
    pub command: Site,
    /// The key.
    pub key: Option<Site>,
}

/// Commands by the names of the client's methods, in lower case. Clients of Redis name them as the protocol does.
const COMMANDS: [(&str, KeyOperation); 22] = [
    ("get", KeyOperation::Read),
    ("hget", KeyOperation::Read),
    ("hgetall", KeyOperation::Read),
    ("exists", KeyOperation::Read),
    ("sismember", KeyOperation::Read),
    ("set", KeyOperation::Write),
    ("setex", KeyOperation::Write),
    ("psetex", KeyOperation::Write),
    ("hset", KeyOperation::Write),
    ("setnx", KeyOperation::Claim),
    ("hsetnx", KeyOperation::Claim),
    ("getdel", KeyOperation::Take),
    ("eval", KeyOperation::Take),
    ("evalsha", KeyOperation::Take),
    ("del", KeyOperation::Remove),
    ("unlink", KeyOperation::Remove),
    ("incr", KeyOperation::Count),
    ("incrby", KeyOperation::Count),
    ("hincrby", KeyOperation::Count),
    ("expire", KeyOperation::Expire),
    ("pexpire", KeyOperation::Expire),
    ("expireat", KeyOperation::Expire),
];

/// The uses of keys in a function's own code, helpers with one command included.
#[must_use]
pub fn key_accesses(analysis: &Analysis<'_>, function: FunctionRef) -> Vec<KeyAccess> {
    let mut found: Vec<KeyAccess> = Vec::new();
    for call in analysis.calls().of_function(function) {
        if let Some((operation, key)) = command(analysis, call) {
            found.push(KeyAccess { operation, at: call.site, command: call.site, key });
            continue;
        }
        let [target] = call.targets.as_slice() else { continue };
        if *target == function {
            continue;
        }
        let inner: Vec<(Site, KeyOperation, Option<Site>)> = analysis
            .calls()
            .of_function(*target)
            .filter_map(|call| command(analysis, call).map(|(operation, key)| (call.site, operation, key)))
            .collect();
        if let [(command, operation, key)] = inner.as_slice() {
            found.push(KeyAccess { operation: *operation, at: call.site, command: *command, key: *key });
        }
    }
    found.sort_by_key(|access| access.at);
    found
}

fn command(analysis: &Analysis<'_>, call: &Call<'_>) -> Option<(KeyOperation, Option<Site>)> {
    let library = call.library.as_ref()?;
    // Some servers are spoken to by HTTP.
    let is_server = matches!(library.effect()?, Effect::CacheGet | Effect::CacheSet)
        || analysis.knowledge().library(library.lib).kind == LibraryKind::CacheRemote;
    // A map in the process has no round trip between two steps.
    if !is_server || !analysis.works().of_call(call).waits() {
        return None;
    }
    let name = library.name.to_lowercase();
    let (_, operation) = COMMANDS.iter().find(|(command, _)| *command == name)?;
    let module = analysis.program().module(call.site.0)?;
    let loadworthy_syntax::Kind::Call { arguments, .. } = module.kind(call.site.1) else { return None };
    let arguments: Vec<_> = module.list(arguments).collect();
    let key = arguments.first().map(|node| (call.site.0, *node));
    let claims = |text: &str| {
        text.split(|letter: char| !letter.is_alphanumeric()).any(|word| matches!(word, "NX" | "nx"))
    };
    let operation = match operation {
        KeyOperation::Write if arguments.iter().skip(1).any(|node| claims(module.source(*node))) => {
            KeyOperation::Claim
        }
        other => *other,
    };
    Some((operation, key))
}
