// Takes a picture of every mail in FOLDER/mails and of the pages that links in mails lead to, light and dark, on a phone and beside it on a
// desk, and says what is wrong without anybody looking: words that cannot be read (contrast), what is wider than the screen, labels that are
// missing. Arguments: the folder playwright-core and axe-core are installed in, the browser, the folder.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [tools, browserPath, folder] = process.argv.slice(2);
const require = createRequire(join(tools, 'package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const SCREENS = [['desk', 700], ['phone', 360]];
const SCHEMES = ['light', 'dark'];
// How many mails stand on one sheet of small pictures.
const ON_A_SHEET = 12;

const json = (value) => ({ contentType: 'application/json', body: JSON.stringify(value) });
const store = readFileSync(join(root, 'tenant-runtime/templates/pages/link.html'), 'utf8');
const control = readFileSync(join(root, 'control-plane/templates/link.html'), 'utf8');
// A page, where it stands, and whether its button is pressed: the answer then is what a used link gets.
const pages = [
  ...['confirm-subscription', 'unsubscribe', 'verify-email', 'reset-password', 'confirm-email', 'join-store', 'confirm-sender'].map((page) => (
    { name: `page.store.${page}`, html: store, path: `/account/${page}#secret~token` })),
  { name: 'page.store.verify-email.done', html: store, path: '/account/verify-email#secret', press: 204 },
  { name: 'page.store.verify-email.used', html: store, path: '/account/verify-email#secret', press: 410 },
  { name: 'page.store.verify-email.cut', html: store, path: '/account/verify-email' },
  ...['verify-email', 'reset-password', 'forgot-password', 'accept-invitation', 'join-store', 'confirm-sender', 'signed-in'].map((page) => (
    { name: `page.control.${page}`, html: control, path: `/${page}#${page === 'join-store' || page === 'confirm-sender' ? 'sto_1.secret' : 'token=secret'}` })),
];

const browser = await chromium.launch({
  executablePath: browserPath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const pictures = join(folder, 'pictures');
mkdirSync(pictures, { recursive: true });
const findings = [];
let looked = 0;

async function looks(tab, name, scheme, screen) {
  looked += 1;
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) findings.push(`${name} (${scheme}, ${screen}): ${wide} px wider than the screen`);
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }));
  for (const { id, nodes } of violations) {
    const first = nodes[0];
    const why = (first.any[0] || first.all[0] || first.none[0] || {}).message || '';
    findings.push(`${name} (${scheme}, ${screen}): ${id}: ${first.html.slice(0, 120)} ${why}`);
  }
  await tab.screenshot({ path: join(pictures, `${name}.${scheme}.${screen}.png`), fullPage: true });
}

for (const scheme of SCHEMES) {
  for (const [screen, width] of SCREENS) {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 500 }, locale: 'en' });
    const german = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 500 }, locale: 'de-DE' });
    const mails = await context.newPage();
    for (const file of readdirSync(join(folder, 'mails')).sort()) {
      await mails.setContent(readFileSync(join(folder, 'mails', file), 'utf8'));
      await looks(mails, file.replace(/\.html$/, ''), scheme, screen);
    }
    for (const [language, whole] of [['en', context], ['de', german]]) {
      for (const page of pages) {
        const tab = await whole.newPage();
        await tab.route('http://shop.test/**', (route) => {
          const url = new URL(route.request().url());
          if (route.request().method() !== 'GET') {
            const problem = { title: 'The link does not work any more', status: 410 };
            return page.press === 204 ? route.fulfill({ status: 204 }) : route.fulfill({ status: 410, ...json(problem) });
          }
          return url.pathname === '/store/v1/store' ? route.fulfill(json({ name: 'Tea & Tales' }))
            : route.fulfill({ contentType: 'text/html; charset=utf-8', body: page.html });
        });
        await tab.goto(`http://shop.test${page.path}`);
        if (page.press) await tab.click('button');
        await tab.waitForLoadState('networkidle');
        await looks(tab, `${page.name}.${language}`, scheme, screen);
        await tab.close();
      }
    }
    await context.close();
    await german.close();
  }
}

// Sheets, for whoever looks: many small pictures beside each other.
const all = readdirSync(pictures).sort();
const sheet = await browser.newPage({ viewport: { width: 1600, height: 900 } });
let number = 0;
for (const [screen] of SCREENS) {
  for (const scheme of SCHEMES) {
    const those = all.filter((file) => file.endsWith(`.${scheme}.${screen}.png`));
    for (let begin = 0; begin < those.length; begin += ON_A_SHEET) {
      const cells = those.slice(begin, begin + ON_A_SHEET).map((file) => {
        const data = readFileSync(join(pictures, file)).toString('base64');
        return `<figure><img src="data:image/png;base64,${data}"><figcaption>${file}</figcaption></figure>`;
      });
      await sheet.setContent(`<style>body{margin:8px;background:#999;display:grid;grid-template-columns:repeat(4,1fr);gap:8px;align-items:start}
        figure{margin:0}img{width:100%;display:block}figcaption{font:11px sans-serif}</style>${cells.join('')}`);
      number += 1;
      await sheet.screenshot({ path: join(folder, `sheet-${String(number).padStart(2, '0')}-${screen}-${scheme}.png`), fullPage: true });
    }
  }
}
await browser.close();
console.log(`${looked} looks at mails and pages; pictures in ${pictures}, sheets beside them`);
for (const finding of findings) console.log(`✘ ${finding}`);
process.exit(findings.length ? 1 : 0);
