// Loaded into each server before its own code: answers the harness's questions about the process. The server knows nothing of it.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let cpu = process.cpuUsage();

process.on('message', (question) => {
  if (question === 'reset') {
    delay.reset();
    cpu = process.cpuUsage();
  }
  globalThis.gc();
  process.send({
    timers: process.getActiveResourcesInfo().filter((it) => it === 'Timeout').length,
    heap: process.memoryUsage().heapUsed,
    rss: process.memoryUsage().rss,
    peak: process.resourceUsage().maxRSS * 1024,
    longestDelay: delay.max / 1e6,
    cpu: process.cpuUsage(cpu).user / 1000,
  });
});
// The channel alone does not keep the process running.
process.channel.unref();
