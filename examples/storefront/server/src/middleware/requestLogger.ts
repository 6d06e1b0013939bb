import type { NextFunction, Request, Response } from 'express';

export function requestLogger(req: Request, res: Response, next: NextFunction) {
  const started = Date.now();
  console.log(`--> ${req.method} ${req.originalUrl}`);
  console.log('headers', JSON.stringify(req.headers, null, 2));
  console.log('body', JSON.stringify(req.body, null, 2));

  const sendJson = res.json.bind(res);
  res.json = (payload: unknown) => {
    console.log(`<-- ${res.statusCode} ${Date.now() - started}ms`, JSON.stringify(payload));
    return sendJson(payload);
  };
  next();
}
