//! Shell commands that start the application: process manager, heap flag, variables.

use crate::lines;
use crate::number::megabytes;
use crate::signs::{Count, Hidden, Scope, Signs, Variable};

/// Tools for development that restart on every change or compile at start.
const DEVELOPMENT_RUNNERS: [&str; 4] = ["nodemon", "ts-node-dev", "vite-node", "tsnd"];

/// Reads one command line. Words of it are never shown, except the settings named here.
pub(crate) fn read(command: &str, scope: &Scope<'_>, line: u32, signs: &mut Signs) {
    let words = lines::words(command);
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map(String::as_str);
        if let Some((key, value)) = lines::assignment(word) {
            variable(key, &value, scope, line, signs);
        }
        if let Some(megabytes) = heap_flag(word, next) {
            let note = format!("--max-old-space-size={megabytes}");
            signs.heap_mb.push(scope.sign(megabytes, line, note));
        }
        let program = word.rsplit('/').next().unwrap_or(word);
        if is_pm2(program)
            && words.iter().skip(at + 1).any(|later| {
                matches!(later.as_str(), "start" | "startOrReload" | "startOrRestart" | "reload")
            })
            || program == "pm2-runtime"
        {
            let own: Vec<&str> =
                words.iter().skip(at + 1).map(String::as_str).take_while(|word| !is_operator(word)).collect();
            pm2(&own, scope, line, signs);
        }
        if DEVELOPMENT_RUNNERS.contains(&program) {
            signs.development_starts.push(scope.sign(
                program.to_owned(),
                line,
                format!("started by {program}"),
            ));
        }
    }
}

/// An environment variable that a command, image or service sets.
pub(crate) fn variable(key: &str, value: &str, scope: &Scope<'_>, line: u32, signs: &mut Signs) {
    if key == "NODE_OPTIONS" {
        let options = lines::words(value);
        for (at, word) in options.iter().enumerate() {
            if let Some(megabytes) = heap_flag(word, options.get(at + 1).map(String::as_str)) {
                let note = format!("NODE_OPTIONS --max-old-space-size={megabytes}");
                signs.heap_mb.push(scope.sign(megabytes, line, note));
            }
        }
    }
    if key == "WEB_CONCURRENCY"
        && let Ok(count) = value.parse()
    {
        signs.workers.push(scope.sign(Count::Fixed(count), line, format!("WEB_CONCURRENCY={count}")));
    }
    let variable = Variable { key: key.to_owned(), value: Hidden::new(value) };
    signs.variables.push(scope.sign(variable, line, format!("{key} set")));
}

fn is_operator(word: &str) -> bool {
    matches!(word, "&&" | "||" | ";" | "|" | "&")
}

fn is_pm2(program: &str) -> bool {
    matches!(program, "pm2" | "pm2-docker")
}

/// `--max-old-space-size=512`, `--max_old_space_size 512`.
pub(crate) fn heap_flag(word: &str, next: Option<&str>) -> Option<f64> {
    let flag = word.trim_start_matches('-').replace('_', "-");
    if !word.starts_with("--") {
        return None;
    }
    let value = match flag.split_once('=') {
        Some(("max-old-space-size", value)) => value.to_owned(),
        None if flag == "max-old-space-size" => next?.to_owned(),
        _ => return None,
    };
    value.parse().ok().filter(|megabytes: &f64| megabytes.is_finite() && *megabytes > 0.0)
}

fn pm2(arguments: &[&str], scope: &Scope<'_>, line: u32, signs: &mut Signs) {
    let option = |names: &[&str]| -> Option<&str> {
        arguments.iter().enumerate().find_map(|(at, word)| {
            let attached = names.iter().find_map(|name| word.strip_prefix(name)?.strip_prefix('='));
            attached.or_else(|| names.contains(word).then(|| arguments.get(at + 1).copied()).flatten())
        })
    };
    let count = option(&["-i", "--instances"]).and_then(instances);
    let how = if count.is_some() { "pm2 cluster" } else { "pm2" };
    signs.managers.push(scope.sign("pm2".to_owned(), line, how));
    if let Some(count) = count {
        signs.workers.push(scope.sign(count, line, format!("pm2 -i: {count}")));
    }
    if let Some(limit) = option(&["--max-memory-restart"]).and_then(|text| megabytes(text, 1.0)) {
        signs.restart_memory_mb.push(scope.sign(limit, line, "pm2 --max-memory-restart"));
    }
}

/// `4`, `max`, `0` (all cores), `-1` (all but one).
pub(crate) fn instances(text: &str) -> Option<Count> {
    match text.parse::<i64>() {
        Ok(count) if count > 0 => u32::try_from(count).ok().map(Count::Fixed),
        Ok(_) => Some(Count::PerCore),
        Err(_) => (text == "max").then_some(Count::PerCore),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signs::{Tier, Unit};

    fn signs(command: &str) -> Signs {
        let mut signs = Signs::default();
        let scope = Scope { file: "package.json", tier: Tier::Production, unit: Unit::default() };
        read(command, &scope, 7, &mut signs);
        signs
    }

    #[test]
    fn pm2_tells_its_processes() {
        let cluster =
            signs("NODE_ENV=production pm2 start dist/index.js --name api -i max --max-memory-restart 300M");
        assert_eq!(cluster.workers.first().unwrap().value, Count::PerCore);
        assert_eq!(cluster.restart_memory_mb.first().unwrap().value, 300.0);
        assert_eq!(cluster.managers.first().unwrap().place.note, "pm2 cluster");
        let fork = signs("pm2 start --name 'jira_api' node -- -r ./register build/index.js");
        assert!(fork.workers.is_empty());
        assert_eq!(fork.managers.first().unwrap().place.note, "pm2");
        assert_eq!(signs("pm2-runtime start app.js -i 4").workers.first().unwrap().value, Count::Fixed(4));
        assert!(signs("pm2 logs && npm install pm2").managers.is_empty());
    }

    #[test]
    fn the_heap_flag_is_read_in_all_its_spellings() {
        for command in [
            "node --max-old-space-size=512 index.js",
            "node --max_old_space_size 512 index.js",
            "cross-env NODE_OPTIONS='--max-old-space-size=512' node index.js",
            "NODE_OPTIONS=--max-old-space-size=512 next start",
        ] {
            assert_eq!(signs(command).heap_mb.first().unwrap().value, 512.0, "{command}");
        }
        assert!(signs("node --max-old-space-size index.js").heap_mb.is_empty());
        assert!(signs("echo max-old-space-size=512").heap_mb.is_empty());
    }

    #[test]
    fn variables_are_kept_hidden() {
        let read = signs("DATABASE_URL=postgres://u:hunter2@db/x node index.js");
        assert_eq!(read.variables.first().unwrap().value.key, "DATABASE_URL");
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
