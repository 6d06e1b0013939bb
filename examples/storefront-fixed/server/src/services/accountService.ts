import bcrypt from 'bcrypt';
import { isUniqueViolation } from '../lib/errors.js';
import { customerRepository } from '../repositories/customerRepository.js';

const COST = 10;
const UNKNOWN_USER_HASH = '$2b$10$C6UzMDM.H6dfI/f/IKcEeO7ZbCbJ6mU9Ut8hQk1fH3s5xGxWJ0l1e';

export async function register(email: string, password: string, name: string) {
  const passwordHash = await bcrypt.hash(password, COST);
  try {
    return await customerRepository.createWithWelcome({ email, name, passwordHash });
  } catch (err) {
    if (isUniqueViolation(err)) return null;
    throw err;
  }
}

export async function authenticate(email: string, password: string) {
  const user = await customerRepository.credentials(email);
  const matches = await bcrypt.compare(password, user?.passwordHash ?? UNKNOWN_USER_HASH);
  return user && matches ? user : null;
}
