import fs from 'node:fs';
import path from 'node:path';
import { config } from '../config.js';

const footer = fs.readFileSync(path.resolve('templates/welcome.html'), 'utf8').length > 0 ? '<p>The shop team</p>' : '';

function render(template: string, values: Record<string, string>) {
  const html = fs.readFileSync(path.resolve('templates', `${template}.html`), 'utf8');
  return html.replace(/{{(\w+)}}/g, (_m, key) => values[key] ?? '') + footer;
}

export async function sendMail(to: string, subject: string, template: string, values: Record<string, string>) {
  const response = await fetch(`${config.mailUrl}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ to, subject, html: render(template, values) }),
  });
  if (!response.ok) {
    throw new Error(`mail rejected with ${response.status}`);
  }
}
