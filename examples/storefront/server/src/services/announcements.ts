import { customerRepository } from '../repositories/customerRepository.js';
import { broadcast } from '../realtime/notifications.js';
import { sendMail } from './mailer.js';

export async function announce(title: string, text: string) {
  const audience = await customerRepository.newsletterAudience();
  broadcast({ type: 'announcement', title, text });
  await Promise.all(
    audience.map((customer) => sendMail(customer.email, title, 'welcome', { name: customer.name })),
  );
  return audience.length;
}
