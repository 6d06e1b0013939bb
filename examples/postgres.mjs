// A private PostgreSQL in a folder of its own, for a test.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = process.getuid?.() === 0;

function findPostgres() {
  const base = '/usr/lib/postgresql';
  const versions = fs.existsSync(base) ? fs.readdirSync(base) : [];
  const dirs = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((v) => path.join(base, v, 'bin'));
  return dirs.find((d) => fs.existsSync(path.join(d, 'initdb')) && fs.existsSync(path.join(d, 'pg_ctl')));
}

/** The folder of its programs; ends the process with what to install where there is none. */
export function postgresOrExit() {
  const bin = findPostgres();
  if (!bin) {
    console.error('install PostgreSQL 15 (apt-get install postgresql)');
    process.exit(2);
  }
  return bin;
}

/** Runs a program to its end; its last lines are in the error where it fails. */
export function run(cmd, args, { cwd, env = {}, timeout = 60_000, asPostgres = false } = {}) {
  if (asPostgres && root) {
    args = ['-u', 'postgres', '--', cmd, ...args];
    cmd = 'runuser';
  }
  const result = spawnSync(cmd, args, {
    cwd, timeout, killSignal: 'SIGKILL', encoding: 'utf8', maxBuffer: 64 << 20,
    stdio: asPostgres ? ['ignore', 'ignore', 'ignore'] : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  if (result.error || result.status !== 0) {
    const why = result.error ? result.error.message : `exit ${result.status}`;
    const tail = `${result.stdout ?? ''}\n${result.stderr ?? ''}`.trim().split('\n').slice(-25).join('\n');
    throw new Error(`${[cmd, ...args].join(' ')}: ${why}\n${tail}`);
  }
  return result.stdout ?? '';
}

/** Starts a server below `home`, which it makes; every statement goes to its log. */
export function startPostgres(bin, home, port, user) {
  const data = path.join(home, 'data');
  fs.mkdirSync(home);
  if (root) run('chown', ['postgres', home], { cwd: home });
  run(path.join(bin, 'initdb'), ['-D', data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--no-sync'], { cwd: home, asPostgres: true });
  const settings = `-p ${port} -k ${home} -c listen_addresses=127.0.0.1 -c fsync=off -c log_statement=all -c log_line_prefix=`;
  const log = path.join(home, 'log');
  run(path.join(bin, 'pg_ctl'), ['-D', data, '-w', '-t', '30', '-l', log, '-o', settings, 'start'], { cwd: home, asPostgres: true, timeout: 45_000 });
  return {
    url: (database) => `postgresql://${user}@127.0.0.1:${port}/${database}`,
    /** Runs psql; gives what it prints, rows without headers. */
    psql: (args, database) => run(path.join(bin, 'psql'), ['-h', '127.0.0.1', '-p', String(port), '-U', user, '-d', database, '-v', 'ON_ERROR_STOP=1', '-qtA', ...args], { cwd: home, timeout: 30_000 }),
    /**
     * Statements that were logged so far, over several lines where they are; not those that open and close transactions
     * and connections.
     */
    statements: () => {
      const entries = fs.readFileSync(log, 'utf8').split(/^(?=[A-Z]+:  )/m).map((entry) => entry.match(/^LOG:  (?:statement|execute [^:]*):\s*([^]*)/)?.[1]);
      return entries.filter((sql) => sql && !/^(?:BEGIN|COMMIT|ROLLBACK|DEALLOCATE|SET|SHOW)\b/i.test(sql));
    },
    stop: () => run(path.join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', '-t', '20', 'stop'], { cwd: home, asPostgres: true, timeout: 30_000 }),
  };
}
