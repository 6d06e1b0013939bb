import type { NextFunction, Request, Response } from 'express';
import client from 'prom-client';

client.collectDefaultMetrics();

const duration = new client.Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of HTTP requests',
  labelNames: ['method', 'route', 'status'] as const,
  buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
});

export function measure(req: Request, res: Response, next: NextFunction) {
  const stop = duration.startTimer();
  res.once('finish', () => {
    const route = req.route ? `${req.baseUrl}${req.route.path}` : 'unmatched';
    stop({ method: req.method, route, status: String(res.statusCode) });
  });
  next();
}

export async function showMetrics(_req: Request, res: Response) {
  res.type(client.register.contentType).send(await client.register.metrics());
}
