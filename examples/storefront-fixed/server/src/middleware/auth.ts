import type { NextFunction, Request, Response } from 'express';
import { HttpError } from '../lib/errors.js';

export function requireUser(req: Request, _res: Response, next: NextFunction) {
  next(req.session.userId ? undefined : new HttpError(401, 'Please log in'));
}

export function requireAdmin(req: Request, _res: Response, next: NextFunction) {
  next(req.session.role === 'ADMIN' ? undefined : new HttpError(403, 'Admins only'));
}
