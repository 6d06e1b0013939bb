#!/usr/bin/env node
// node run.mjs LOADWORTHY [SCENARIO…]
// Each scenario is a small server as it often is (`before`) and mended (`after`). LOADWORTHY audits both: the finding must be
// there and gone. Then both are started on Node.js and PostgreSQL and driven, and what the finding says stands beside what
// is measured.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { postgresOrExit, run, startPostgres } from '../postgres.mjs';
import { scenarios } from './scenarios.mjs';

/** Measurements that may miss before the scenario has failed. */
const ATTEMPTS = 3;

const here = path.dirname(fileURLToPath(import.meta.url));
const [tool, ...wanted] = process.argv.slice(2);
if (!tool) {
  console.error('usage: node run.mjs LOADWORTHY [SCENARIO…]');
  process.exit(2);
}
const bin = postgresOrExit();
const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'loadworthy-evidence-'));
fs.chmodSync(tmp, 0o755);

/** Every package that a scenario declares, and what drives them. */
function install() {
  const dependencies = { autocannon: '^8.0.0' };
  for (const { name } of scenarios) {
    for (const side of ['before', 'after']) {
      const manifest = fs.readFileSync(path.join(here, name, side, 'package.json'), 'utf8');
      Object.assign(dependencies, JSON.parse(manifest).dependencies);
    }
  }
  fs.writeFileSync(path.join(tmp, 'package.json'), JSON.stringify({ private: true, dependencies }));
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: tmp, timeout: 300_000 });
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

/** Another service, which counts what it is asked and answers as it is told; never, without `reply`. */
async function service(reply) {
  const own = { asked: 0 };
  const server = http.createServer((req, res) => {
    own.asked++;
    req.resume();
    reply?.(res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  own.url = `http://127.0.0.1:${server.address().port}`;
  own.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return own;
}

/** A running server of a scenario. */
async function start(app, env) {
  const port = await freePort();
  const child = spawn(process.execPath, ['--expose-gc', '--import', pathToFileURL(path.join(here, 'probe.mjs')).href, 'server.js'], {
    cwd: app,
    env: { ...process.env, NODE_ENV: 'production', ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)));
  const exited = once(child, 'exit');
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null || tries > 150) throw new Error(`${app} does not start: ${errors}`);
    const isUp = await fetch(`${base}/no-such-page`, { signal: AbortSignal.timeout(2_000) }).then(() => true, () => false);
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    base,
    port,
    exited,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async ask(question = 'state') {
      child.send(question);
      const [state] = await once(child, 'message');
      return state;
    },
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The finding that a scenario is about, in one of its sides. */
function audit({ name, check, says }, side) {
  const text = run(tool, ['audit', path.join(here, name, side), '--quiet', '--format', 'json'], { cwd: tmp });
  const found = JSON.parse(text).findings.filter((it) => it.check === check && says.test(it.title));
  return found[0];
}

async function measure(scenario, side, postgres) {
  const app = path.join(tmp, scenario.name, side);
  fs.cpSync(path.join(here, scenario.name, side), app, { recursive: true });
  const env = {};
  const schema = path.join(app, 'schema.sql');
  const database = `${scenario.name}_${side}`.replaceAll('-', '_');
  if (fs.existsSync(schema)) {
    postgres.psql(['-c', `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`, '-c', `CREATE DATABASE ${database}`], 'postgres');
    postgres.psql(['-f', schema], database);
    env.DATABASE_URL = postgres.url(database);
  }
  const context = {
    tmp: app,
    statements: postgres.statements,
    rows: (sql) => postgres.psql(['-c', sql], database).trim(),
    autocannon: (await import(pathToFileURL(path.join(tmp, 'node_modules/autocannon/autocannon.js')).href)).default,
  };
  const upstream = scenario.upstream && (await service(scenario.upstream.reply));
  if (upstream) env[scenario.upstream.env] = upstream.url;
  Object.assign(env, scenario.prepare?.(context));
  const server = await start(app, env);
  try {
    return await scenario.measure({ ...context, ...server, upstream });
  } finally {
    await server.stop();
    upstream?.stop();
  }
}

async function evaluate(scenario, postgres) {
  const finding = audit(scenario, 'before');
  if (!finding) throw new Error(`the audit reports no ${scenario.check} in ${scenario.name}/before`);
  const left = audit(scenario, 'after');
  if (left) throw new Error(`the audit still reports in ${scenario.name}/after: ${left.title}`);
  const said = scenario.predict(finding);
  for (let attempt = 1; ; attempt++) {
    const before = await measure(scenario, 'before', postgres);
    const after = await measure(scenario, 'after', postgres);
    try {
      scenario.holds({ said, before, after }, (condition, message) => {
        if (!condition) throw new Error(`${message}; said ${said}, before ${before}, after ${after}`);
      });
      const cells = [scenario.check, scenario.name, scenario.unit, said, before, after];
      return cells.map((cell) => (typeof cell === 'number' ? String(Math.round(cell * 10) / 10) : cell));
    } catch (error) {
      // Times on a machine that does something else as well.
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

let failed = 0;
let postgres;
try {
  install();
  postgres = startPostgres(bin, path.join(tmp, 'pg'), await freePort(), 'shop');
  console.log('| check | server | measured | said | before | after |\n|---|---|---|---|---|---|');
  for (const scenario of scenarios.filter((it) => wanted.length === 0 || wanted.includes(it.name))) {
    try {
      console.log(`| ${(await evaluate(scenario, postgres)).join(' | ')} |`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${scenario.name}: ${error.message}`);
    }
  }
} catch (error) {
  failed++;
  console.error(`FAIL ${error.stack}`);
} finally {
  try {
    postgres?.stop();
  } catch (error) {
    console.error(`could not stop PostgreSQL: ${error.message}`);
  }
  fs.rmSync(tmp, { recursive: true, force: true });
}
const count = scenarios.filter((it) => wanted.length === 0 || wanted.includes(it.name)).length;
console.log(`${count - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
