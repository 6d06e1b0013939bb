#!/usr/bin/env node
// node smoke.mjs <storefront|storefront-fixed> [ROUTES.json [LOADWORTHY]]
// LOADWORTHY is the binary: then the app is started as `loadworthy fix --review --write` leaves it, after its types were checked.
// ROUTES.json is what `loadworthy routes --format json` says of the app: then the statements that PostgreSQL logs for one
// request of each route are counted against its formula.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { postgresOrExit, run as runToEnd, startPostgres } from './postgres.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const name = process.argv[2];
let formulas = process.argv[3] && JSON.parse(fs.readFileSync(process.argv[3], 'utf8')).routes;
const tool = process.argv[4];
if (!['storefront', 'storefront-fixed'].includes(name)) {
  console.error('usage: node smoke.mjs <storefront|storefront-fixed> [ROUTES.json [LOADWORTHY]]');
  process.exit(2);
}
const source = path.join(here, name);
if (!fs.existsSync(path.join(source, 'package.json'))) {
  console.error(`no such app: ${source}`);
  process.exit(2);
}

const pgBin = postgresOrExit();
const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'storefront-smoke-'));
fs.chmodSync(tmp, 0o755);
const app = path.join(tmp, 'app');
const pgHome = path.join(tmp, 'pg');
let server;
let serverLog = '';
let postgres;
let passed = 0;
let failed = 0;
const fakes = [];
const seen = { charges: 0, mails: 0 };

const run = (cmd, args, options = {}) => runToEnd(cmd, args, { cwd: tmp, ...options });

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function fake(reply) {
  return new Promise((resolve, reject) => {
    const srv = http.createServer((req, res) => {
      let text = '';
      req.setEncoding('utf8');
      req.on('data', (chunk) => (text += chunk));
      req.once('end', () => {
        const [status, body] = reply(text ? JSON.parse(text) : undefined);
        res.writeHead(status, { 'content-type': 'application/json' });
        res.end(JSON.stringify(body));
      });
    });
    srv.once('error', reject);
    srv.listen(0, '127.0.0.1', () => {
      fakes.push(srv);
      resolve(`http://127.0.0.1:${srv.address().port}`);
    });
  });
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, check, timeout) {
  const deadline = Date.now() + timeout;
  while (Date.now() < deadline) {
    if (await check().catch(() => false)) return;
    await sleep(200);
  }
  throw new Error(`timed out waiting for ${what}`);
}

async function test(title, body) {
  try {
    await body();
    passed++;
    console.log(`ok   ${title}`);
  } catch (err) {
    failed++;
    console.log(`FAIL ${title}: ${err.message}`);
  }
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

function client(base) {
  let cookie = '';
  return async (method, url, body, headers = {}) => {
    const form = body instanceof FormData;
    const response = await fetch(base + url, {
      method,
      headers: {
        ...(cookie && { cookie }),
        ...(body !== undefined && !form && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : form ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
    const set = response.headers.getSetCookie?.()[0];
    if (set) cookie = set.split(';')[0];
    const text = await response.text();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, text, json, headers: response.headers };
  };
}

const listOf = (json) => (Array.isArray(json) ? json : json?.items);

/** Statements of requests so far: not what the mail worker asks each second, whatever is requested. */
const statements = () => postgres.statements().filter((sql) => !sql.startsWith('UPDATE "MailJob"'));

/** The number that the formula gives for these rounds of its loops, in the order of their first mention. */
function predicted(sends, rounds) {
  const loops = [];
  return sends.terms.reduce((sum, term) => {
    const times = term.loops.map((loop) => {
      const key = `${loop.file}:${loop.line}`;
      if (!loops.includes(key)) loops.push(key);
      return rounds[loops.indexOf(key)];
    });
    return sum + times.reduce((product, n) => product * n, term.count);
  }, 0);
}

/** One request of each route that can be repeated, its statements counted and compared with the formula. */
async function countStatements({ guest, shopper, admin, products, orderId }) {
  const [first, second] = products;
  await shopper('POST', `/api/wishlist/${second.id}`);
  await shopper('POST', '/api/cart/items', { productId: first.id, quantity: 1 });
  const prices = products.slice(0, 3).map((product) => ({ productId: product.id, priceCents: 1500 }));
  const requests = [
    [guest, 'GET', '/healthz'],
    [guest, 'POST', '/api/auth/login', '/api/auth/login', [], { email: 'ada@shop.test', password: 'correct horse' }],
    [shopper, 'GET', '/api/auth/me'],
    [guest, 'GET', '/api/products'],
    [guest, 'GET', '/api/products/search?q=garden&limit=5', '/api/products/search'],
    [guest, 'GET', '/api/products/newest'],
    [guest, 'GET', '/api/products/recommended'],
    [guest, 'GET', `/api/products/${first.id}/rating`, '/api/products/:id/rating'],
    [guest, 'GET', '/api/products/kitchen-item-1', '/api/products/:slug'],
    [shopper, 'POST', `/api/products/${second.id}/reviews`, '/api/products/:id/reviews', [], { rating: 4, body: 'Good' }],
    [shopper, 'GET', '/api/cart'],
    [shopper, 'POST', '/api/cart/items', '/api/cart/items', [], { productId: second.id, quantity: 1 }],
    [shopper, 'DELETE', `/api/cart/items/${second.id}`, '/api/cart/items/:productId'],
    [shopper, 'GET', '/api/wishlist', '/api/wishlist', [2]],
    // Not POST /api/wishlist/:productId: Prisma sends an upsert that has nothing to update as three statements.
    [shopper, 'GET', '/api/orders', '/api/orders', [1]],
    [shopper, 'GET', `/api/orders/${orderId}`, '/api/orders/:id'],
    [admin, 'GET', '/api/admin/dashboard'],
    [admin, 'GET', '/api/admin/best-sellers'],
    [admin, 'GET', '/api/admin/orders'],
    [admin, 'GET', '/api/admin/orders/export.csv', '/api/admin/orders/export.csv', [2]],
    [admin, 'GET', '/api/admin/customers'],
    [admin, 'PUT', '/api/admin/prices', '/api/admin/prices', [3], { changes: prices }],
  ];
  for (const [who, method, url, template = url, rounds = [], body] of requests) {
    const route = formulas.find((it) => it.method === method && it.path === template);
    if (!route) {
      await test(`${method} ${template} is in the route table`, async () => expect(false, 'not found'));
      continue;
    }
    const { queries } = route.sends;
    await test(`${method} ${template} sends ${queries.formula} statements`, async () => {
      const before = statements().length;
      const answer = await who(method, url, body);
      const expected = predicted(queries, rounds);
      // The log may lag behind the answer; what is sent beyond the expected number has time to get there, too.
      await until('the log', async () => statements().length >= before + expected, 2_000).catch(() => {});
      await sleep(60);
      const sent = statements().slice(before);
      expect(answer.status < 500, `status ${answer.status}`);
      expect(sent.length === expected, `${sent.length} instead of ${expected}:\n  ${sent.map((sql) => sql.replace(/\s+/g, ' ').slice(0, 160)).join('\n  ')}`);
    });
  }
}

/** Applies every fix that is an edit, and looks whether a second run finds nothing to do. */
function fixByTool() {
  const fix = () => JSON.parse(run(tool, ['fix', app, '--review', '--write', '--quiet', '--format', 'json']));
  const first = fix();
  console.log(`# ${first.fixes.length} fixes applied in ${first.changes.length} files, ${first.left_out.length} left out`);
  if (!first.written || first.fixes.length === 0) throw new Error('nothing was fixed');
  if (first.left_out.length > 0) throw new Error(`left out: ${JSON.stringify(first.left_out, null, 1)}`);
  const again = fix();
  if (again.fixes.length > 0) throw new Error(`a second run fixes again: ${JSON.stringify(again.fixes, null, 1)}`);
  formulas = JSON.parse(run(tool, ['routes', app, '--quiet', '--format', 'json'])).routes;
}

/** The compiler has nothing to say of the fixed app: neither had it of the app as it was. */
async function checkTypes() {
  for (const part of ['server', 'client']) {
    await test(`the types of the fixed ${part} hold`, async () => {
      run('npx', ['--no-install', 'tsc', '--noEmit', '-p', part], { cwd: app, timeout: 180_000 });
    });
  }
}

async function main() {
  console.log(`# ${name} in ${tmp}`);
  const skip = new Set(['node_modules', 'dist', '.git']);
  fs.cpSync(source, app, { recursive: true, filter: (src) => !skip.has(path.basename(src)) });
  fs.mkdirSync(path.join(app, 'server', 'uploads'), { recursive: true });

  if (tool) fixByTool();

  const locked = fs.existsSync(path.join(app, 'package-lock.json')) && !tool;
  run('npm', [locked ? 'ci' : 'install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: app, timeout: 300_000 });
  console.log('# npm packages installed');

  // The schema engine is not needed to generate an engine-less client; a stand-in keeps this offline.
  const stub = path.join(tmp, 'schema-engine');
  fs.writeFileSync(stub, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  run('npm', ['run', 'generate', '-w', 'server'], {
    cwd: app, timeout: 120_000,
    env: { PRISMA_SCHEMA_ENGINE_BINARY: stub, DATABASE_URL: 'postgresql://localhost/none', CHECKPOINT_DISABLE: '1' },
  });
  console.log('# prisma client generated');
  if (tool) await checkTypes();

  const pgPort = await freePort();
  postgres = startPostgres(pgBin, pgHome, pgPort, 'shop');
  const { psql } = postgres;
  psql(['-c', 'CREATE DATABASE shop'], 'postgres');
  const migrations = path.join(app, 'server', 'prisma', 'migrations');
  for (const entry of fs.readdirSync(migrations).sort()) {
    const file = path.join(migrations, entry, 'migration.sql');
    if (fs.existsSync(file)) psql(['-f', file], 'shop');
  }
  console.log('# PostgreSQL started, schema applied');

  const paymentUrl = await fake(() => [201, { id: `ch_${++seen.charges}`, status: 'succeeded' }]);
  const mailUrl = await fake((body) => [202, { accepted: (seen.mails += body?.messages?.length ?? 1) }]);
  const shippingUrl = await fake(() => [200, { cents: 490 }]);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    DATABASE_URL: postgres.url('shop'),
    PORT: String(port),
    SESSION_SECRET: 'smoke-session-secret',
    PAYMENT_URL: paymentUrl,
    PAYMENT_KEY: 'test',
    MAIL_URL: mailUrl,
    SHIPPING_URL: shippingUrl,
    LOG_LEVEL: 'info',
  };
  run('npm', ['run', 'seed', '-w', 'server'], { cwd: app, env, timeout: 60_000 });

  server = spawn(process.execPath, ['--import', 'tsx', 'src/index.ts'], {
    cwd: path.join(app, 'server'), env, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const keep = (chunk) => (serverLog = (serverLog + chunk).slice(-8000));
  server.stdout.on('data', keep);
  server.stderr.on('data', keep);
  await until('the server', async () => {
    if (server.exitCode !== null) throw new Error('server exited');
    return (await fetch(`${base}/healthz`, { signal: AbortSignal.timeout(2000) })).status === 200;
  }, 30_000);
  console.log('# server started');

  const guest = client(base);
  const shopper = client(base);
  const admin = client(base);
  let products = [];
  let orderId;

  await test('GET /healthz', async () => {
    expect((await guest('GET', '/healthz')).status === 200, 'not healthy');
  });
  await test('GET /api/products lists products', async () => {
    const r = await guest('GET', '/api/products');
    products = listOf(r.json) ?? [];
    expect(r.status === 200 && products.length >= 12, `status ${r.status}, ${products.length} products`);
  });
  await test('GET /api/products/:slug', async () => {
    const r = await guest('GET', '/api/products/kitchen-item-1');
    expect(r.status === 200 && r.json.slug === 'kitchen-item-1', `status ${r.status}`);
    expect(r.json.shippingCents === 490, `shipping ${r.json.shippingCents}`);
    const missing = await guest('GET', '/api/products/no-such-thing');
    expect(missing.status === 404, `missing: ${missing.status}`);
  });
  await test('GET /api/products/search', async () => {
    const r = await guest('GET', '/api/products/search?q=garden&limit=5');
    expect(r.status === 200 && listOf(r.json).length === 5, `status ${r.status} ${r.text.slice(0, 100)}`);
  });
  await test('GET /api/products/newest and /recommended', async () => {
    const a = await guest('GET', '/api/products/newest');
    const b = await guest('GET', '/api/products/recommended');
    expect(a.status === 200 && a.json.products.length === 8, `newest ${a.status}`);
    expect(b.status === 200, `recommended ${b.status}`);
  });
  await test('GET /api/orders without login is 401', async () => {
    expect((await guest('GET', '/api/orders')).status === 401, 'not refused');
  });
  await test('POST /api/auth/register', async () => {
    const body = { email: 'ada@shop.test', password: 'correct horse', name: 'Ada' };
    const r = await shopper('POST', '/api/auth/register', body);
    expect(r.status === 201 && r.json.email === body.email, `status ${r.status} ${r.text.slice(0, 200)}`);
    const again = await client(base)('POST', '/api/auth/register', body);
    expect(again.status === 409, `second time: ${again.status}`);
  });
  await test('POST /api/auth/login', async () => {
    const bad = await guest('POST', '/api/auth/login', { email: 'ada@shop.test', password: 'wrong-password' });
    expect(bad.status === 401, `wrong password: ${bad.status}`);
    const r = await shopper('POST', '/api/auth/login', { email: 'ada@shop.test', password: 'correct horse' });
    expect(r.status === 200, `status ${r.status}`);
    expect((await shopper('GET', '/api/auth/me')).json?.name === 'Ada', 'not logged in');
  });
  await test('POST /api/cart/items and GET /api/cart', async () => {
    for (const product of products.slice(0, 2)) {
      const r = await shopper('POST', '/api/cart/items', { productId: product.id, quantity: 2 });
      expect(r.status === 201, `status ${r.status}`);
    }
    const cart = await shopper('GET', '/api/cart');
    expect(cart.status === 200 && cart.json.items.length === 2, `cart ${cart.status}`);
  });
  await test('POST /api/orders charges the card', async () => {
    const r = await shopper('POST', '/api/orders', { address: '1 Main St', paymentToken: 'tok_card', couponCode: 'WELCOME10' }, { 'idempotency-key': 'smoke-order-0001' });
    expect(r.status === 201 && r.json.status === 'paid', `status ${r.status} ${r.text.slice(0, 300)}`);
    expect(seen.charges === 1, `${seen.charges} charges`);
    orderId = r.json.id;
  });
  await test('POST /api/orders with an empty cart is 409', async () => {
    const r = await shopper('POST', '/api/orders', { address: '1 Main St', paymentToken: 'tok_card' }, { 'idempotency-key': 'smoke-order-0002' });
    expect(r.status === 409, `status ${r.status}`);
  });
  await test('GET /api/orders and /api/orders/:id', async () => {
    const r = await shopper('GET', '/api/orders');
    expect(r.status === 200 && listOf(r.json).length === 1 && listOf(r.json)[0].items.length === 2, `status ${r.status} ${r.text.slice(0, 200)}`);
    expect((await shopper('GET', `/api/orders/${orderId}`)).status === 200, 'order not found');
  });
  await test('POST /api/products/:id/reviews', async () => {
    const id = products[0].id;
    const r = await shopper('POST', `/api/products/${id}/reviews`, { rating: 5, body: 'Great' });
    expect(r.status === 201, `status ${r.status}`);
    const twice = await shopper('POST', `/api/products/${id}/reviews`, { rating: 5, body: 'Great' });
    expect(twice.status === 409, `twice: ${twice.status}`);
  });
  await test('wishlist', async () => {
    expect((await shopper('POST', `/api/wishlist/${products[0].id}`)).status === 204, 'not added');
    const r = await shopper('GET', '/api/wishlist');
    expect(r.status === 200 && listOf(r.json).length === 1, `status ${r.status}`);
  });
  await test('mail was sent', async () => {
    await until('two mails', async () => seen.mails >= 2, 10_000);
  });
  await test('admin pages refuse a customer', async () => {
    expect((await shopper('GET', '/api/admin/orders')).status === 403, 'not refused');
  });
  await test('admin: orders, customers, dashboard, best sellers', async () => {
    const login = await admin('POST', '/api/auth/login', { email: 'admin@shop.test', password: 'admin-secret' });
    expect(login.status === 200, `login ${login.status}`);
    const orders = await admin('GET', '/api/admin/orders');
    expect(orders.status === 200 && listOf(orders.json).length === 1, `orders ${orders.status}`);
    const customers = await admin('GET', '/api/admin/customers');
    expect(customers.status === 200 && listOf(customers.json).length === 1, `customers ${customers.status}`);
    const board = await admin('GET', '/api/admin/dashboard');
    expect(board.status === 200 && board.json.paid === 1, `dashboard ${board.status} ${board.text}`);
    const best = await admin('GET', '/api/admin/best-sellers');
    expect(best.status === 200 && best.json.length === 2, `best sellers ${best.status}`);
  });
  await test('GET /api/admin/orders/export.csv', async () => {
    const r = await admin('GET', '/api/admin/orders/export.csv');
    expect(r.status === 200 && /text\/csv/.test(r.headers.get('content-type') ?? ''), `status ${r.status}`);
    expect(r.text.trim().split('\n').length === 2 && r.text.includes('ada@shop.test'), 'wrong rows');
  });
  await test('POST /api/admin/products/:id/image', async () => {
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    const form = new FormData();
    form.append('image', new Blob([png], { type: 'image/png' }), 'dot.png');
    const r = await admin('POST', `/api/admin/products/${products[0].id}/image`, form);
    expect(r.status === 201 && r.json.imageUrl, `status ${r.status} ${r.text.slice(0, 200)}`);
    expect((await guest('GET', r.json.imageUrl)).status === 200, 'image not served');
  });
  await test('PUT /api/admin/prices', async () => {
    const r = await admin('PUT', '/api/admin/prices', { changes: [{ productId: products[0].id, priceCents: 999 }] });
    expect(r.status === 200 && r.json.updated === 1, `status ${r.status} ${r.text.slice(0, 200)}`);
  });
  if (formulas) await countStatements({ guest, shopper, admin, products, orderId });
  if (name === 'storefront-fixed') {
    await test('GET /readyz and /metrics', async () => {
      expect((await guest('GET', '/readyz')).status === 200, 'not ready');
      const m = await guest('GET', '/metrics');
      expect(m.status === 200 && m.text.includes('http_request_duration_seconds'), `metrics ${m.status}`);
    });
    await test('an order key that was used before answers with the same order', async () => {
      const r = await shopper('POST', '/api/orders', { address: '1 Main St', paymentToken: 'tok_card' }, { 'idempotency-key': 'smoke-order-0001' });
      expect(r.status === 201 && r.json.id === orderId && seen.charges === 1, `status ${r.status}, ${seen.charges} charges`);
    });
    await test('SIGTERM ends the server cleanly', async () => {
      server.kill('SIGTERM');
      await until('exit', async () => server.exitCode !== null || server.signalCode !== null, 15_000);
      expect(server.exitCode === 0, `exit ${server.exitCode} ${server.signalCode}`);
    });
  }
  await test('vite build', async () => {
    run('npm', ['run', 'build', '-w', 'client'], { cwd: app, timeout: 180_000 });
    expect(fs.existsSync(path.join(app, 'client', 'dist', 'index.html')), 'no dist/index.html');
  });
}

async function stop() {
  if (server && server.exitCode === null && server.signalCode === null) {
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await Promise.race([gone, sleep(3000)]);
  }
  for (const srv of fakes) {
    srv.closeAllConnections();
    srv.close();
  }
  try {
    postgres?.stop();
  } catch (err) {
    console.error(`could not stop PostgreSQL: ${err.message}`);
  }
  fs.rmSync(tmp, { recursive: true, force: true });
}

let stopping = false;
async function finish(code) {
  if (stopping) return;
  stopping = true;
  await stop();
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(code);
}
process.on('SIGINT', () => finish(130));
process.on('SIGTERM', () => finish(143));
setTimeout(() => {
  console.error('smoke took longer than 12 minutes');
  failed++;
  finish(1);
}, 12 * 60_000).unref();

main()
  .catch((err) => {
    failed++;
    console.error(`FAIL ${err.message}`);
  })
  .finally(() => {
    if (failed > 0 && serverLog) console.error(`--- server log (end)\n${serverLog}`);
    return finish(failed > 0 ? 1 : 0);
  });
