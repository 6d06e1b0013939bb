//! Configuration of the machine and its servers: systemd units, Procfiles, PostgreSQL and MySQL settings.

use crate::command;
use crate::number::megabytes;
use crate::signs::{Scope, Signs, Target};

/// A `Procfile`: `web: node server.js`.
pub(crate) fn procfile(text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    for (line, row) in (1u32..).zip(text.lines()) {
        let Some((process, start)) = row.split_once(':') else { continue };
        if process.trim() == "web" {
            signs.targets.push(scope.sign(
                Target::hosted("Heroku (or another Procfile platform)"),
                line,
                "web process",
            ));
            command::read(start, scope, line, signs);
        }
    }
}

/// A systemd unit.
pub(crate) fn systemd(text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    for (line, row) in (1u32..).zip(text.lines()) {
        let Some((key, value)) = row.trim().split_once('=') else { continue };
        match key.trim() {
            "ExecStart" => {
                signs.targets.push(scope.sign(Target::plain("systemd"), line, "ExecStart"));
                command::read(value, scope, line, signs);
            }
            "Environment" => command::read(value.trim_matches('"'), scope, line, signs),
            "MemoryMax" | "MemoryLimit" => {
                if let Some(limit) = megabytes(value, 1.0) {
                    signs.memory_mb.push(scope.sign(limit, line, key.trim()));
                }
            }
            "CPUQuota" => {
                if let Some(percent) =
                    value.trim().strip_suffix('%').and_then(|text| text.parse::<f64>().ok())
                {
                    signs.cores.push(scope.sign(percent / 100.0, line, "CPUQuota"));
                }
            }
            _ => {}
        }
    }
}

/// `postgresql.conf`, `my.cnf`: `max_connections = 200`.
pub(crate) fn database(text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    for (line, row) in (1u32..).zip(text.lines()) {
        let row = row.split('#').next().unwrap_or_default().trim();
        let Some(rest) = row.strip_prefix("max_connections") else { continue };
        if let Ok(limit) = rest.trim_start_matches([' ', '=', '\t']).trim().parse() {
            signs.max_connections.push(scope.sign(limit, line, format!("max_connections = {limit}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signs::{Tier, Unit};

    fn signs(read: impl Fn(&Scope<'_>, &mut Signs)) -> Signs {
        let mut signs = Signs::default();
        read(&Scope { file: "x", tier: Tier::Production, unit: Unit::default() }, &mut signs);
        signs
    }

    #[test]
    fn the_web_process_counts_and_workers_do_not() {
        let read = signs(|scope, signs| {
            procfile(
                "worker: node --max-old-space-size=100 w.js\nweb: node --max-old-space-size=460 index.js\n",
                scope,
                signs,
            );
        });
        assert_eq!(read.heap_mb.iter().map(|sign| sign.value).collect::<Vec<_>>(), [460.0]);
    }

    #[test]
    fn units_tell_limits_and_settings_of_databases_connections() {
        let read = signs(|scope, signs| {
            systemd(
                "[Service]\nEnvironment=NODE_ENV=production\nExecStart=/usr/bin/node index.js\nMemoryMax=512M\nCPUQuota=50%\n",
                scope,
                signs,
            );
            database("#max_connections = 50\nmax_connections = 300  # note\n", scope, signs);
        });
        assert_eq!((read.memory_mb.first().unwrap().value, read.cores.first().unwrap().value), (512.0, 0.5));
        assert_eq!(read.max_connections.first().unwrap().value, 300);
        assert_eq!(read.variables.first().unwrap().value.key, "NODE_ENV");
    }
}
