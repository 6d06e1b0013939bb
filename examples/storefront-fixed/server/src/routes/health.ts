import { Router } from 'express';
import { config } from '../config.js';
import { prisma } from '../db.js';
import { showMetrics } from '../lib/metrics.js';

export const healthRouter = Router();
let draining = false;

export function startDraining() {
  draining = true;
}

healthRouter.get('/healthz', (_req, res) => {
  res.json({ ok: true, version: config.version });
});

healthRouter.get('/readyz', async (_req, res) => {
  if (draining) return res.status(503).json({ ok: false });
  try {
    await prisma.$queryRaw`SELECT 1`;
    res.json({ ok: true });
  } catch {
    res.status(503).json({ ok: false });
  }
});

healthRouter.get('/metrics', showMetrics);
