// @ts-check
/** Checks what `npm pack` would publish: all that a user needs, and nothing of the workshop. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const required = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  'package.json',
  'dist/NOTICES.txt',
  'dist/package.json',
  'dist/keeper.js',
  'dist/keeper.NOTICES.txt',
  'dist/tdctl.js',
  'dist/tdctl.js.map',
  'dist/pages/graph.js',
  'dist/pages/rehearse.js',
  'dist/pages/watch.js',
  'prebuilds/linux-x64.node',
  'schema/trust-domain.json',
  'examples/hello.yaml',
  'examples/firmware/hello.fd',
];
const allowed =
  /^(dist\/((tdctl|keeper)\.js(\.map)?|(keeper\.)?NOTICES\.txt|package\.json|chunks\/[^/]+\.js(\.map)?|pages\/\w+\.js|layouts\/\w+\.json\.gz)|(docs|schema|examples)\/.*|prebuilds\/linux-x64\.node|package\.json|\w+\.md|LICENSE)$/;
const forbidden = [/\.test\./, /\.env/, /\.tsbuildinfo$/];
/** Guards against what gets in by accident. Source maps are a quarter of it, and the keeper's own copy a fifth. */
const largestBytes = 9.5 * 1024 * 1024;

if (!existsSync('dist/tdctl.js')) {
  console.error('nothing is built: run `npm run build` first');
  process.exit(1);
}
/** @type {[{ files: { path: string }[], size: number, unpackedSize: number }]} */
const [pack] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }),
);
const paths = pack.files.map(({ path }) => path);
const problems = [
  ...required.filter((path) => !paths.includes(path)).map((path) => `missing: ${path}`),
  ...paths
    .filter((path) => !allowed.test(path) || forbidden.some((pattern) => pattern.test(path)))
    .map((path) => `must not be published: ${path}`),
  ...(paths.some((path) => path.startsWith('dist/layouts/')) ? [] : ['missing: the layouts']),
  ...(pack.unpackedSize > largestBytes ? [`too large: ${pack.unpackedSize} bytes unpacked`] : []),
];
for (const problem of problems) console.error(problem);
console.log(`${paths.length} files, ${pack.size} bytes packed, ${pack.unpackedSize} unpacked`);
process.exitCode = problems.length === 0 ? 0 : 1;
