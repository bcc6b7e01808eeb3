/**
 * Compiles every dashboard as a constant of the type OurDashboard, and what must be refused beside them.
 *
 *   node check/types.mjs [FOLDER]
 *
 * FOLDER holds the dashboards, `dashboards` when it is not given. Prints the compiler's errors; exits with 1
 * when there are any.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const dashboards = resolve(process.argv[2] ?? join(root, 'dashboards'));

mkdirSync(join(root, 'build'), { recursive: true });
const work = mkdtempSync(join(root, 'build', 'types-'));
try {
  for (const file of readdirSync(dashboards).filter(name => name.endsWith('.json'))) {
    const text = readFileSync(join(dashboards, file), 'utf8');
    const constant = `export const dashboard: OurDashboard = ${text}`;
    const header = `import type { OurDashboard } from '../../check/types';\n`;
    writeFileSync(join(work, `${basename(file, '.json')}.ts`), header + constant);
  }
  const settings = { extends: '../../tsconfig.json', files: [], include: ['./*.ts', '../../check/refused.ts'] };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(settings));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '--project', work], { stdio: 'inherit', cwd: root });
  process.exitCode = status ?? 1;
} finally {
  rmSync(work, { recursive: true });
}
