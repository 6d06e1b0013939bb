// The same test for k6, with the objective as thresholds: k6 run -e BASE_URL=http://localhost:3000 k6.js
import http from "k6/http";
import { check } from "k6";

const { headers, requests } = JSON.parse(open("./requests.json"));
const baseUrl = __ENV.BASE_URL || "http://localhost:3000";

export const options = {
  scenarios: {
    target: {
      executor: "constant-arrival-rate",
      rate: {{rate}},
      timeUnit: "1s",
      duration: "{{seconds}}s",
      preAllocatedVUs: 100,
      maxVUs: {{users}},
    },
  },
  thresholds: {
    http_req_duration: ["p(95)<{{p95}}"],
    http_req_failed: ["rate<{{errors}}"],
    dropped_iterations: ["count==0"],
  },
};

const total = requests.reduce((sum, request) => sum + request.weight, 0);

function chosen() {
  let left = Math.random() * total;
  for (const request of requests) {
    left -= request.weight;
    if (left <= 0) return request;
  }
  return requests[requests.length - 1];
}

export default function () {
  const request = chosen();
  const path = request.path.replace(/:([A-Za-z_]\w*)[?*]?/g, (whole, name) => {
    const values = request.parameters && request.parameters[name];
    return values ? encodeURIComponent(values[Math.floor(Math.random() * values.length)]) : whole;
  });
  const hasBody = request.body !== undefined;
  const response = http.request(request.method, baseUrl + path, hasBody ? JSON.stringify(request.body) : null, {
    headers: hasBody ? Object.assign({ "content-type": "application/json" }, headers) : headers,
    tags: { name: `${request.method} ${request.path}` },
  });
  check(response, { "below 500": (it) => it.status < 500 });
}
