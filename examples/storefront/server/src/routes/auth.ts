import { Router } from 'express';
import { requireUser } from '../middleware/auth.js';
import { customerRepository } from '../repositories/customerRepository.js';
import { authenticate, register } from '../services/accountService.js';

export const authRouter = Router();

authRouter.post('/register', async (req, res) => {
  const { email, password, name } = req.body;
  const user = await register(email, password, name);
  if (!user) return res.status(409).json({ error: 'This email is already registered' });
  req.session.userId = user.id;
  req.session.role = 'CUSTOMER';
  res.status(201).json(user);
});

authRouter.post('/login', async (req, res) => {
  const user = await authenticate(req.body.email, req.body.password);
  if (!user) return res.status(401).json({ error: 'Wrong email or password' });
  req.session.userId = user.id;
  req.session.role = user.role;
  res.json({ id: user.id, email: user.email, name: user.name });
});

authRouter.post('/logout', (req, res) => {
  req.session.destroy(() => res.status(204).end());
});

authRouter.get('/me', requireUser, async (req, res) => {
  res.json(await customerRepository.byId(req.session.userId!));
});
