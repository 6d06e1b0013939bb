import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { MailJob } from '@prisma/client';
import { config } from '../config.js';
import { prisma } from '../db.js';
import { requestJson } from '../lib/http.js';
import { logger } from '../lib/logger.js';

const templates: Record<string, string> = {
  welcome: readFileSync(path.resolve('templates/welcome.html'), 'utf8'),
  'order-confirmation': readFileSync(path.resolve('templates/order-confirmation.html'), 'utf8'),
};

const BATCH = 50;
const MAX_ATTEMPTS = 5;
const IDLE_MS = 1_000;

export function mailJob(recipient: string, subject: string, template: string, values: Record<string, string>) {
  return { recipient, subject, template, values };
}

function render(job: MailJob): string {
  const values = job.values as Record<string, string>;
  return (templates[job.template] ?? '').replace(/{{(\w+)}}/g, (_match, key: string) => values[key] ?? '');
}

/** Takes due jobs for this worker and moves them out of reach of others until their next attempt is due. */
function claim(): Promise<MailJob[]> {
  return prisma.$queryRaw<MailJob[]>`
    UPDATE "MailJob"
       SET "attempts" = "attempts" + 1,
           "runAfter" = now() + interval '1 second' * (10 * power(2, "attempts") * (0.5 + random()))
     WHERE "id" IN (
       SELECT "id" FROM "MailJob"
        WHERE "sentAt" IS NULL AND "runAfter" <= now() AND "attempts" < ${MAX_ATTEMPTS}
        ORDER BY "runAfter"
        LIMIT ${BATCH}
        FOR UPDATE SKIP LOCKED)
    RETURNING *`;
}

async function deliver(jobs: MailJob[]) {
  await requestJson({
    service: 'mail',
    url: `${config.mailUrl}/messages/batch`,
    timeoutMs: 5_000,
    method: 'POST',
    body: {
      messages: jobs.map((job) => ({
        key: `mail-${job.id}`,
        to: job.recipient,
        subject: job.subject,
        html: render(job),
      })),
    },
  });
  await prisma.mailJob.updateMany({
    where: { id: { in: jobs.map((job) => job.id) } },
    data: { sentAt: new Date() },
  });
}

export function startMailWorker() {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let running: Promise<void> = Promise.resolve();

  const tick = async () => {
    let sent = 0;
    try {
      const jobs = await claim();
      sent = jobs.length;
      if (sent > 0) await deliver(jobs);
    } catch (err) {
      sent = 0;
      logger.warn({ err }, 'mail batch failed, it will be tried again');
    }
    if (!stopped) schedule(sent === BATCH ? 50 : IDLE_MS);
  };
  const schedule = (ms: number) => {
    timer = setTimeout(() => {
      running = tick();
    }, ms);
  };
  schedule(0);

  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
