import type { NextFunction, Request, Response } from 'express';
import { MulterError } from 'multer';
import { ZodError } from 'zod';
import { HttpError, isMissingRow, isUniqueViolation } from '../lib/errors.js';

function toHttpError(err: unknown): HttpError {
  if (err instanceof HttpError) return err;
  if (err instanceof ZodError) return new HttpError(400, 'Invalid input');
  if (err instanceof MulterError) return new HttpError(413, err.message);
  if (isUniqueViolation(err)) return new HttpError(409, 'This already exists');
  if (isMissingRow(err)) return new HttpError(404, 'Not found');
  const status = (err as { status?: number }).status;
  if (status && status >= 400 && status < 500) return new HttpError(status, 'Bad request');
  return new HttpError(500, 'Something went wrong');
}

export function notFound(_req: Request, _res: Response, next: NextFunction) {
  next(new HttpError(404, 'Not found'));
}

export function errorHandler(err: unknown, req: Request, res: Response, next: NextFunction) {
  const known = toHttpError(err);
  if (known.status >= 500) req.log.error({ err }, 'request failed');
  if (res.headersSent) return next(err);
  res.status(known.status).json({ error: known.message, requestId: req.id });
}
