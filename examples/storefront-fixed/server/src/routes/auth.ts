import { Router, type Request } from 'express';
import { HttpError } from '../lib/errors.js';
import { requireUser } from '../middleware/auth.js';
import * as input from '../middleware/input.js';
import { authLimit } from '../middleware/limits.js';
import { customerRepository } from '../repositories/customerRepository.js';
import { authenticate, register } from '../services/accountService.js';

export const authRouter = Router();

function signIn(req: Request, userId: number, role: 'CUSTOMER' | 'ADMIN') {
  return new Promise<void>((resolve, reject) => {
    req.session.regenerate((err) => {
      if (err) return reject(err);
      req.session.userId = userId;
      req.session.role = role;
      resolve();
    });
  });
}

authRouter.post('/register', authLimit, async (req, res) => {
  const { email, password, name } = input.registerBody.parse(req.body);
  const user = await register(email, password, name);
  if (!user) throw new HttpError(409, 'This email is already registered');
  await signIn(req, user.id, 'CUSTOMER');
  res.status(201).json(user);
});

authRouter.post('/login', authLimit, async (req, res) => {
  const { email, password } = input.loginBody.parse(req.body);
  const user = await authenticate(email, password);
  if (!user) throw new HttpError(401, 'Wrong email or password');
  await signIn(req, user.id, user.role);
  res.json({ id: user.id, email: user.email, name: user.name });
});

authRouter.post('/logout', (req, res, next) => {
  req.session.destroy((err) => {
    if (err) return next(err);
    res.status(204).end();
  });
});

authRouter.get('/me', requireUser, async (req, res) => {
  res.json(await customerRepository.byId(req.session.userId!));
});
