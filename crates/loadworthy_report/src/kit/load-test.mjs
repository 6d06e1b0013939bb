// Drives the application at the target's rate and fails when the objective is missed.
//
//   npm install autocannon
//   BASE_URL=http://localhost:3000 node load-test.mjs > run.json
//
// RATE=0.1 runs a tenth of the rate for a minute (baseline). What needs a login: put `authorization` or `cookie` into "headers" of
// requests.json, and real ids and bodies into its requests. autocannon prints no p95, so it is computed here from each response.
import { readFile } from "node:fs/promises";
import autocannon from "autocannon";

const baseUrl = process.env.BASE_URL ?? "http://localhost:3000";
const part = Number(process.env.RATE ?? 1);
const rate = Math.max(1, Math.round({{rate}} * part));
const seconds = Number(process.env.SECONDS ?? (part < 1 ? 60 : {{seconds}}));
const objective = { p95: {{p95}}, errors: {{errors}} };

const { headers, requests } = JSON.parse(await readFile(new URL("./requests.json", import.meta.url), "utf8"));
const pick = (values) => values[Math.floor(Math.random() * values.length)];
const pathOf = ({ path, parameters = {} }) =>
  path.replace(/:([A-Za-z_]\w*)[?*]?/g, (whole, name) => (parameters[name] ? encodeURIComponent(pick(parameters[name])) : whole));

// A list in which each request stands as often as its weight says; every connection walks through it.
const slots = requests.flatMap((request) => Array(Math.max(1, Math.round(request.weight * 100))).fill(request));
for (let at = slots.length - 1; at > 0; at -= 1) {
  const other = Math.floor(Math.random() * (at + 1));
  [slots[at], slots[other]] = [slots[other], slots[at]];
}

let failed = 0;
const instance = autocannon({
  url: baseUrl,
  connections: Math.min(500, Math.max(10, Math.ceil(rate / 2))),
  overallRate: rate,
  duration: seconds,
  timeout: 10,
  headers,
  requests: slots.map((request) => ({
    method: request.method,
    setupRequest: (made) => ({
      ...made,
      path: pathOf(request),
      ...(request.body === undefined
        ? {}
        : { body: JSON.stringify(request.body), headers: { ...headers, "content-type": "application/json" } }),
    }),
    onResponse: (status) => {
      if (status >= 500 || status === 429) failed += 1;
    },
  })),
});
const all = [];
instance.on("response", (_client, _status, _bytes, millis) => all.push(millis));
const result = await instance;

const percentile = (values, share) => {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
};
const answered = all.length;
const errors = failed + result.errors + result.timeouts;
const report = {
  rate,
  seconds,
  requests: answered,
  perSecond: answered / seconds,
  p50: percentile(all, 0.5),
  p95: percentile(all, 0.95),
  p99: percentile(all, 0.99),
  errorRate: errors / Math.max(1, answered + result.errors),
  statuses: { "2xx": result["2xx"], "3xx": result["3xx"], "4xx": result["4xx"], "5xx": result["5xx"], timeouts: result.timeouts },
};
console.log(JSON.stringify(report, null, 2));
const missed = [];
if (answered === 0) missed.push("no request was answered");
if (report.p95 > objective.p95) missed.push(`p95 ${report.p95} ms is over ${objective.p95} ms`);
if (report.errorRate > objective.errors) missed.push(`${(report.errorRate * 100).toFixed(2)} % failed, over ${objective.errors * 100} %`);
for (const line of missed) console.error(`missed: ${line}`);
process.exitCode = missed.length > 0 ? 1 : 0;
