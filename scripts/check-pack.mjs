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
  'dist/src/cli/main.js',
  'dist/machines/index.js',
  'dist/native/index.js',
  'dist/pages/graph.js',
  'dist/pages/rehearse.js',
  'dist/pages/watch.js',
  'schema/trust-domain.json',
  'examples/hello.yaml',
  'examples/firmware/hello.fd',
  'scripts/build-native.mjs',
];
const forbidden = [
  /^(src|machines|test|bench|\.ci|build|coverage)\//,
  /^dist\/client\//,
  /^native\/testing\/threads\//,
  /\.test\./,
  /\.env/,
  /\.tsbuildinfo$/,
  /\.map$/,
];
// A guard against what gets in by accident. The book of checks, the table of messages and their pages are a mebibyte of it,
// the schemas of what commands print a sixth of one.
const largestBytes = 3.75 * 1024 * 1024;

if (!existsSync('dist/src/cli/main.js')) {
  console.error('nothing is built: run `npm run build` first');
  process.exit(1);
}
/** @type {[{ files: { path: string }[], unpackedSize: number }]} */
const [pack] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }),
);
const paths = pack.files.map(({ path }) => path);
const problems = [
  ...required.filter((path) => !paths.includes(path)).map((path) => `missing: ${path}`),
  ...paths
    .filter((path) => forbidden.some((pattern) => pattern.test(path)))
    .map((path) => `must not be published: ${path}`),
  ...(paths.some((path) => /^native\/.*\.cc$/.test(path)) ? [] : ['missing: the addon sources']),
  ...(paths.some((path) => /layout\/prepared\/.*\.json\.gz$/.test(path))
    ? []
    : ['missing: the prepared layouts']),
  ...(pack.unpackedSize > largestBytes ? [`too large: ${pack.unpackedSize} bytes unpacked`] : []),
];
for (const problem of problems) console.error(problem);
console.log(`${paths.length} files, ${pack.unpackedSize} bytes unpacked`);
process.exitCode = problems.length === 0 ? 0 : 1;
