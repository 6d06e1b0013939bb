// What each scenario is about: the finding, the number that it gives, how that is measured, and what must hold. Counts must be
// equal; times and sizes may be off by the factor named, since machines differ.
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import http from 'node:http';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const figure = (finding, name) => finding.impact.figures[name]?.value ?? NaN;
const within = (a, b, factor) => a <= b * factor && b <= a * factor;
const MB = 1024 * 1024;

const post = (url, body) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
    signal: AbortSignal.timeout(10_000),
  }).then(async (answer) => (await answer.text(), answer.status), () => 0);
const get = (url, wait = 10_000) =>
  fetch(url, { signal: AbortSignal.timeout(wait) }).then(async (answer) => (await answer.text(), answer.status), () => 0);

/** `count` runs, all at once. */
const atOnce = (count, task) => Promise.all(Array.from({ length: count }, (_, at) => task(at)));


export const scenarios = [
  {
    name: 'n-plus-one', check: '1A', says: /one query per element/, unit: 'queries of the loop in a request',
    predict: (finding) => figure(finding, 'queries_per_request'),
    async measure({ base, statements }) {
      await get(`${base}/books`);
      const before = statements().length;
      await get(`${base}/books`);
      await sleep(200);
      return statements().length - before - 1;
    },
    holds({ said, before, after }, must) {
      must(before === said, 'the loop sends another number of queries');
      must(after === 1, 'the mended one still sends many');
    },
  },
  {
    name: 'whole-table', check: '1B', says: /all rows/, unit: 'ms of event loop for a MB of rows',
    predict: (finding) => (figure(finding, 'loop_block') / figure(finding, 'bytes_per_request')) * MB,
    async measure({ base, ask }) {
      await get(`${base}/events`);
      await ask('reset');
      let bytes = 0;
      for (let round = 0; round < 5; round++) bytes += (await (await fetch(`${base}/events`)).text()).length;
      const { cpu } = await ask();
      return bytes > MB ? cpu / (bytes / MB) : 0;
    },
    holds({ said, before, after }, must) {
      must(within(said, before, 3), 'the cost of a MB is not within three times');
      must(after === 0, 'the mended one still sends a MB');
    },
  },
  {
    name: 'leaked-connection', check: '1D', says: /not given back/, unit: 'answers of 5, after 10 requests failed',
    predict: () => 0,
    async measure({ base }) {
      await atOnce(10, () => post(`${base}/accounts/1/charge`));
      const answers = await atOnce(5, () => Promise.race([post(`${base}/accounts/2/charge`), sleep(1_500)]));
      return answers.filter((status) => status === 200).length;
    },
    holds({ said, before, after }, must) {
      must(before === said, 'the pool is not empty');
      must(after === 5, 'the mended one does not answer');
    },
  },
  {
    name: 'leaked-interval', check: '2A', says: /interval that nothing clears/, unit: 'timers left by 30 clients that are gone',
    predict: () => 30,
    async measure({ port, ask }) {
      const { timers } = await ask();
      const streams = await atOnce(30, async () => {
        const request = http.get({ port, path: '/prices/stream', agent: false });
        const [answer] = await once(request, 'response');
        answer.on('error', () => {});
        return request;
      });
      for (const stream of streams) stream.destroy();
      await sleep(1_300);
      return (await ask()).timers - timers;
    },
    holds({ said, before, after }, must) {
      must(before === said, 'not every client leaves a timer');
      must(after === 0, 'the mended one leaves timers');
    },
  },
  {
    name: 'unbounded-cache', check: '2B', says: /grows with every new/, unit: 'bytes kept for each new key',
    // The finding's growth over its run of 300 s at 100 req/s, each with a key of its own.
    predict: (finding) => (figure(finding, 'heap_growth_over_run') * MB) / (figure(finding, 'requests_per_second') * 300),
    async measure({ base, ask }) {
      const words = (at) => [...'Article'].map((letter, bit) => ((at >> bit) & 1 ? letter.toUpperCase() : letter.toLowerCase()) + ((at >> (bit + 7)) & 1 ? '%' : '')).join('');
      const search = (at) => get(`${base}/search?q=${encodeURIComponent(words(at))}`);
      for (let at = 0; at < 500; at++) await search(at);
      const { heap } = await ask();
      const keys = 5_000;
      for (let at = 500; at < 500 + keys; at += 10) await atOnce(10, (more) => search(at + more));
      return ((await ask()).heap - heap) / keys;
    },
    holds({ said, before, after }, must) {
      must(within(said, before, 2.5), 'the growth is not within two and a half times');
      must(after < before / 5, 'the mended one grows, too');
    },
  },
  {
    name: 'upload-buffer', check: '2D', says: /kept in memory/, unit: 'MB more at 20 uploads of 10 MB at once',
    predict: () => 200,
    prepare: ({ tmp }) => ({ UPLOADS: path.join(tmp, 'uploads') }),
    async measure({ base, ask }) {
      const file = new Blob([Buffer.alloc(10 * MB, 7)]);
      const upload = async () => {
        const form = new FormData();
        form.append('file', file, 'a.bin');
        await fetch(`${base}/files`, { method: 'POST', body: form }).then((answer) => answer.text());
      };
      await upload();
      const { peak } = await ask();
      await atOnce(20, upload);
      return ((await ask()).peak - peak) / MB;
    },
    holds({ said, before, after }, must) {
      must(within(said, before, 3), 'the memory is not within three times');
      must(after < before / 2, 'the mended one needs as much');
    },
  },
  {
    name: 'stalled-upstream', check: '3A', says: /waits/, unit: 'requests in flight after 3 s at 50 req/s',
    // The finding's arithmetic is rate × time of the stall, bounded by the users; here for 3 s.
    predict: () => 150,
    upstream: { env: 'RATES_URL' },
    async measure({ base }) {
      let done = 0;
      const all = [];
      const ends = new AbortController();
      const began = Date.now();
      for (let sent = 0; sent < 150; sent++) {
        await sleep(Math.max(0, began + sent * 20 - Date.now()));
        all.push(fetch(`${base}/rates/eur`, { signal: ends.signal }).then(() => done++, () => {}));
      }
      const inFlight = all.length - done;
      ends.abort();
      return inFlight;
    },
    holds({ said, before, after }, must) {
      must(before === said, 'some ended by themselves');
      must(after < before / 2, 'the mended one keeps as many');
    },
  },
  {
    name: 'retry-storm', check: '3B', says: /balance repeats/i, unit: 'calls of the service for one request',
    predict: (finding) => 1 + figure(finding, 'extra_load'),
    upstream: {
      env: 'PAYMENTS_URL',
      reply(res) {
        res.statusCode = 500;
        res.end();
      },
    },
    async measure({ base, upstream }) {
      await get(`${base}/balance/7`);
      return upstream.asked;
    },
    holds({ said, before, after }, must) {
      must(before === said, 'another number of calls');
      must(after === 2, 'the mended one calls more than twice');
    },
  },
  {
    name: 'duplicate-signup', check: '3C', says: /looked up by/, unit: 'rows of one address after 50 requests at once',
    predict: () => 'more than 1',
    async measure({ base, rows }) {
      await atOnce(50, () => post(`${base}/members`, { email: 'ada@example.com' }));
      return Number(rows('SELECT count(*) FROM members'));
    },
    holds({ before, after }, must) {
      must(before > 1, 'no duplicate came about');
      must(after === 1, 'the mended one has duplicates, too');
    },
  },
  {
    name: 'lost-update', check: '3C', says: /stock|written back|lost/i, unit: 'updates lost of 50 at once',
    predict: () => 'some',
    async measure({ base, rows }) {
      const answers = await atOnce(50, () => post(`${base}/items/1/sell`));
      const sold = answers.filter((status) => status === 200).length;
      return sold - (1_000 - Number(rows('SELECT stock FROM items WHERE id = 1')));
    },
    holds({ before, after }, must) {
      must(before > 0, 'no update was lost');
      must(after === 0, 'the mended one loses updates, too');
    },
  },
  {
    name: 'waterfall', check: '3D', says: /one after the other/, unit: 'ms of the answer, of three reads of 200 ms',
    predict: () => '400 ms less',
    async measure({ base }) {
      await get(`${base}/dashboard`);
      let shortest = Infinity;
      for (let round = 0; round < 3; round++) {
        const began = performance.now();
        await get(`${base}/dashboard`);
        shortest = Math.min(shortest, performance.now() - began);
      }
      return shortest;
    },
    holds({ before, after }, must) {
      must(Math.abs(before - after - 400) < 100, 'it does not save the sum less the longest');
    },
  },
  {
    name: 'blocking-hash', check: '3E', says: /pbkdf2Sync/, unit: 'ms in which nothing else runs',
    predict: (finding) => figure(finding, 'loop_block'),
    async measure({ base, ask }) {
      await post(`${base}/login`, { name: 'ada', password: 'wrong' });
      // The shortest of several, and no longer than the processor worked: what else runs on the machine makes it longer.
      let shortest = Infinity;
      for (let round = 0; round < 5; round++) {
        await ask('reset');
        // A delay is the time between two ticks of a timer: one must have passed before the request, and one after it.
        await sleep(25);
        await post(`${base}/login`, { name: 'ada', password: 'wrong' });
        await sleep(25);
        const { longestDelay, cpu } = await ask();
        shortest = Math.min(shortest, longestDelay, cpu);
      }
      return shortest;
    },
    holds({ said, before, after }, must) {
      must(within(said, before, 4), 'the time is not within four times');
      must(after < before / 2, 'the mended one blocks as long');
    },
  },
  {
    name: 'slow-reader', check: '4C', says: /./, unit: 'MB more for one client that does not read, of 100 MB',
    predict: () => 100,
    prepare({ tmp }) {
      const file = path.join(tmp, 'export.csv');
      fs.writeFileSync(file, Buffer.alloc(100 * MB, 'row;'));
      return { EXPORT_FILE: file };
    },
    async measure({ port, ask }) {
      const { rss } = await ask();
      const client = net.connect(port, '127.0.0.1');
      await once(client, 'connect');
      client.pause();
      client.write('GET /export HTTP/1.1\r\nhost: a\r\n\r\n');
      await sleep(1_500);
      const more = ((await ask()).rss - rss) / MB;
      client.destroy();
      return more;
    },
    holds({ said, before, after }, must) {
      must(within(said, before, 2), 'the memory is not within two times');
      must(after < before / 3, 'the mended one holds the file, too');
    },
  },
  {
    name: 'unhandled-rejection', check: '4D', says: /drops the rejection/, unit: 'processes alive after one bad request',
    predict: () => 0,
    async measure({ base, exited, isAlive }) {
      await Promise.race([get(`${base}/notes/abc`), exited]);
      await Promise.race([exited, sleep(500)]);
      return isAlive() ? 1 : 0;
    },
    holds({ said, before, after }, must) {
      must(before === said, 'the process survives');
      must(after === 1, 'the mended one dies, too');
    },
  },
];
