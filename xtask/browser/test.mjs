// node test.mjs CHROMIUM REPORT.html [HOSTILE.html]
// Opens reports as a person would, in light and dark: filters, search, no request, no message of the console, no dialog, and
// no violation that axe finds with everything unfolded.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

const [executablePath, ...files] = process.argv.slice(2);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let passed = 0;
let failed = 0;
function check(what, holds, more = '') {
  if (holds) passed += 1;
  else {
    failed += 1;
    console.log(`FAIL ${what} ${more}`);
  }
}

for (const file of files) {
  for (const colorScheme of ['light', 'dark']) {
    const name = `${path.basename(file)} (${colorScheme})`;
    const page = await browser.newPage({ colorScheme });
    const seen = [];
    page.on('console', (message) => seen.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      seen.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) seen.push(`request: ${request.url()}`);
    });
    await page.goto(`file://${path.resolve(file)}`);
    const counts = async () => (await page.textContent('#shown')).match(/\d+/g).map(Number);
    const [all, total] = await counts();
    check(`${name}: all findings are shown first`, all === total && total > 0, `${all} of ${total}`);
    await page.keyboard.press('/');
    await page.keyboard.type('no such words');
    check(`${name}: the slash leads to the search, which filters`, (await counts())[0] === 0);
    await page.fill('#search', '');
    for (const box of await page.locator('input[name=severity]').all()) await box.uncheck();
    check(`${name}: severities filter`, (await counts())[0] === 0);
    for (const box of await page.locator('input[name=severity]').all()) await box.check();
    const first = page.locator('details.finding').first();
    await first.locator('summary').first().press('Enter');
    check(`${name}: a finding unfolds by the keyboard`, await first.evaluate((card) => card.open));
    await page.evaluate(() => document.querySelectorAll('details').forEach((it) => (it.open = true)));
    check(`${name}: nothing of the audited code became an element`, (await page.locator('img, iframe, object, embed, form, script[src], link').count()) === 0);
    check(`${name}: no request, dialog or message`, seen.length === 0, seen.join('; '));
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    check(`${name}: axe finds no violation`, violations.length === 0, violations.map((it) => `${it.id}: ${it.nodes[0].html}`).join('; '));
    await page.close();
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
