#!/usr/bin/env node
/**
 * Runs the tests of the native addon, and programs under its supervisor, against an ASan and UBSan
 * build of it, for which build/modules/ must be there:
 * `node scripts/test-native-sanitized.mjs [VITEST ARGUMENTS]`. Without arguments, the threads of the
 * supervisor and of vCPUs run under TSan too, in programs without Node (native/testing/threads, vcpus).
 * Ends non-zero on a failed test, on a sanitizer report, and where the sanitized addon cannot be loaded or
 * skipped tests would hide that nothing ran.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const addon = join(root, 'build/sanitized/build/Debug/tdctl.node');

process.exitCode = (process.argv.length > 2 ? 0 : testVcpus() || testThreads()) || main();

/** @returns {number} the exit code */
function testThreads() {
  const status = runUnderTsan('threads', threadSources(), ['20']);
  if (status !== 8) return status;
  console.log('the threads of the supervisor were not run under TSan: nothing can be supervised');
  return 0;
}

/** @returns {number} the exit code */
function testVcpus() {
  const native = join(root, 'native');
  const names = [
    'vcpu_thread',
    'vcpu_exits',
    'devices/ports',
    'devices/serial_port',
    'util/kernel',
  ];
  const sources = names.map((name) => join(native, `${name}.cc`));
  return runUnderTsan('vcpus', [join(native, 'testing/vcpus/main.cc'), ...sources], ['100']);
}

/** @returns {number} the exit code */
function runUnderTsan(
  /** @type {string} */ name,
  /** @type {string[]} */ sources,
  /** @type {string[]} */ args,
) {
  const directory = mkdtempSync(join(tmpdir(), `tdctl-${name}-`));
  try {
    const program = join(directory, name);
    const flags = ['-std=gnu++20', '-O1', '-g', '-fsanitize=thread', '-Wall', '-Wextra', '-Werror'];
    const build = run(process.env.CXX ?? 'g++', [...flags, ...sources, '-o', program]);
    if (build !== 0) return build;
    // TSan cannot place its shadow memory where addresses are too random.
    return run('setarch', ['-R', program, ...args]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** All of the supervisor that does without Node. */
function threadSources() {
  const supervisor = join(root, 'native/supervisor');
  const isWithoutNode = (/** @type {string} */ file) =>
    !/#include (<napi\.h>|"(supervisor|handlers|js_answers)\.h")/.test(readFileSync(file, 'utf8'));
  const files = readdirSync(supervisor)
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(supervisor, name));
  const beside = ['testing/threads/main', 'util/fd_message'];
  return [
    ...beside.map((name) => join(root, 'native', `${name}.cc`)),
    ...files.filter(isWithoutNode),
  ];
}

function main() {
  const build = run(process.execPath, [join(root, 'scripts/build-native.mjs'), '--sanitize']);
  if (build !== 0) return build;
  const runtime = sanitizerRuntime();
  if (!runtime) {
    console.error('no libasan.so: the C++ compiler came without its sanitizer runtime');
    return 1;
  }
  const reports = mkdtempSync(join(tmpdir(), 'tdctl-sanitized-'));
  try {
    const env = sanitizedEnvironment(runtime, join(reports, 'report'));
    const loads = run(process.execPath, ['-e', `require(${JSON.stringify(addon)})`], env);
    if (loads !== 0) return loads;
    const tests = run(process.execPath, [vitest(), ...vitestArguments()], env);
    return printReports(reports) > 0 ? 1 : tests;
  } finally {
    rmSync(reports, { recursive: true });
  }
}

/** Node is not linked with ASan, so its runtime must come first. */
function sanitizerRuntime() {
  const { stdout } = spawnSync(process.env.CXX ?? 'g++', ['-print-file-name=libasan.so'], {
    encoding: 'utf8',
  });
  const path = stdout.trim();
  // The bare name back: not found.
  return path.includes('/') ? path : undefined;
}

function sanitizedEnvironment(/** @type {string} */ runtime, /** @type {string} */ reportPath) {
  const common = `log_path=${reportPath}:exitcode=99`;
  return {
    ...process.env,
    TDCTL_ADDON: addon,
    LD_PRELOAD: runtime,
    // Node frees little at exit: its own leaks would drown ours. Leaked fds are the tests' matter.
    ASAN_OPTIONS: `${common}:detect_leaks=0:abort_on_error=0:allocator_may_return_null=1`,
    UBSAN_OPTIONS: `${common}:print_stacktrace=1:halt_on_error=1`,
  };
}

function vitest() {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
}

function vitestArguments() {
  const chosen = process.argv.slice(2);
  return [
    'run',
    ...(chosen.length > 0 ? chosen : ['test/native', 'test/kvm/guest', 'test/exec/programs']),
    '--reporter=default',
    '--no-file-parallelism',
    '--testTimeout=60000',
  ];
}

/** @returns {number} how many processes reported something */
function printReports(/** @type {string} */ directory) {
  const names = readdirSync(directory);
  for (const name of names) process.stderr.write(readFileSync(join(directory, name), 'utf8'));
  if (names.length > 0) console.error(`${names.length} process(es) with sanitizer reports`);
  return names.length;
}

/** @returns {number} the exit code */
function run(
  /** @type {string} */ command,
  /** @type {string[]} */ args,
  /** @type {NodeJS.ProcessEnv} */ env = process.env,
) {
  return spawnSync(command, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
}
