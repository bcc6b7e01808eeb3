/** Bundles the drawing page into build/page: page.js, page.css, fonts within. */
import { build } from 'esbuild';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
const page = join(root, 'build', 'page');

mkdirSync(page, { recursive: true });
await build({
  entryPoints: [join(root, 'render', 'page.tsx')],
  outdir: page,
  bundle: true,
  format: 'iife',
  target: 'chrome110',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  loader: { '.woff': 'empty', '.ttf': 'empty', '.woff2': 'dataurl', '.svg': 'dataurl', '.png': 'dataurl' },
  logLevel: 'warning',
});
writeFileSync(
  join(page, 'index.html'),
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>pgvigil</title>' +
    '<link rel="stylesheet" href="page.css"><body><div id="root"></div><script src="page.js"></script></body></html>\n'
);
// Where Grafana's components look for icons and fonts; the fonts come with no package of Grafana's.
const modules = join(root, 'node_modules');
cpSync(join(modules, '@grafana', 'ui', 'dist', 'public', 'img'), join(page, 'public', 'build', 'img'), { recursive: true });
for (const [weight, name] of [[400, 'Regular'], [500, 'Medium']]) {
  const font = join(modules, '@fontsource', 'inter', 'files', `inter-latin-${weight}-normal.woff2`);
  cpSync(font, join(page, 'public', 'fonts', 'inter', `Inter-${name}.woff2`));
}
