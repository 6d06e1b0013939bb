import bcrypt from 'bcryptjs';
import { customerRepository } from '../repositories/customerRepository.js';
import { sendMail } from './mailer.js';

export async function register(email: string, password: string, name: string) {
  const existing = await customerRepository.byEmail(email);
  if (existing.length > 0) return null;

  const passwordHash = bcrypt.hashSync(password, 12);
  const user = await customerRepository.create({ email, name, passwordHash });
  await sendMail(email, 'Welcome!', 'welcome', { name });
  return { id: user.id, email: user.email, name: user.name };
}

export async function authenticate(email: string, password: string) {
  const [user] = await customerRepository.byEmail(email);
  if (!user) return null;
  return bcrypt.compareSync(password, user.passwordHash) ? user : null;
}
