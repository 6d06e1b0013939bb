//! The modules that come with the runtime.

/// Modules importable without `node:` (Node 24, deprecated ones included).
const NAMES: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

const SUBPATHS: &[&str] = &[
    "assert/strict",
    "dns/promises",
    "fs/promises",
    "inspector/promises",
    "path/posix",
    "path/win32",
    "readline/promises",
    "stream/consumers",
    "stream/promises",
    "stream/web",
    "timers/promises",
    "util/types",
];

/// Builtins nobody imports on purpose any more: a project file of that name is meant.
pub(crate) const DEPRECATED: &[&str] =
    &["console", "constants", "domain", "module", "process", "punycode", "sys"];

/// The builtin a specifier names, without `node:`; modules of other runtimes keep their scheme.
pub(crate) fn of_specifier(specifier: &str) -> Option<&str> {
    if let Some(name) = specifier.strip_prefix("node:") {
        return Some(name);
    }
    if ["bun:", "cloudflare:", "deno:"].iter().any(|scheme| specifier.starts_with(scheme))
        || specifier == "bun"
    {
        return Some(specifier);
    }
    (NAMES.binary_search(&specifier).is_ok() || SUBPATHS.contains(&specifier)).then_some(specifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_for_the_binary_search() {
        assert!(NAMES.is_sorted());
    }

    #[test]
    fn builtins_are_known_with_and_without_scheme() {
        assert_eq!(of_specifier("node:fs/promises"), Some("fs/promises"));
        assert_eq!(of_specifier("fs/promises"), Some("fs/promises"));
        assert_eq!(of_specifier("punycode/"), None);
        assert_eq!(of_specifier("fs-extra"), None);
        assert_eq!(of_specifier("constants/actions"), None);
        assert_eq!(of_specifier("bun:sqlite"), Some("bun:sqlite"));
    }
}
