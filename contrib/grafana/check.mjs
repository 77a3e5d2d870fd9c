// node check.mjs DASHBOARD.json: checks a dashboard against Grafana's own types, and its expressions with promtool. It writes into
// the working folder, where @grafana/schema and typescript are installed.
import fs from 'node:fs';
import { execFileSync } from 'node:child_process';

const dashboard = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const expressions = [];
const walk = (panel) => {
  for (const target of panel.targets ?? []) if (target.expr) expressions.push(target.expr);
  for (const inner of panel.panels ?? []) walk(inner);
};
walk(dashboard);
if (expressions.length === 0) throw new Error('no expressions found');

// Variables stand for what is typed into the page.
const plain = (e) => e.replaceAll('$__rate_interval', '5m').replace(/\$\{?\w+\}?/g, 'x');
const rules = expressions.map((e, i) => ({ record: `expression:${i}`, expr: plain(e) }));
fs.writeFileSync('expressions.yml', JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
execFileSync('promtool', ['check', 'rules', 'expressions.yml'], { stdio: 'inherit' });

fs.writeFileSync('dashboard.ts', `import type { Dashboard } from '@grafana/schema';\nexport const d: Dashboard = ${JSON.stringify(dashboard, null, 1)};\n`);
const tsc = ['node_modules/typescript/bin/tsc', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--moduleResolution', 'nodenext', 'dashboard.ts'];
execFileSync('node', tsc, { stdio: 'inherit' });
console.log(`${expressions.length} expressions, ${dashboard.panels.length} panels: ok`);
