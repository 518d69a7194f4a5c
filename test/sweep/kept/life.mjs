// @ts-check
/**
 * Lives of kept TDs by the commands of an operator. In each, one process, the keeper's or a command's, is killed
 * at one call to the system that touches the state directory, or one such call fails. It is a program of its own,
 * so that `tdctl exec` can run it: the trials are lines of JSON on its standard input, and what came of each is a
 * line on its standard output.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * @typedef {'create' | 'start' | 'pause' | 'resume' | 'stop' | 'delete'} Verb
 * @typedef {{ action: string, errno?: 'ENOSPC' | 'EIO' | 'EMFILE', at: number }} Fault
 * @typedef {{ name: string, directory: string, host: string, spec: string, whose: Verb | 'keeper', fault: Fault | null }} Trial
 * @typedef {{ exitCode: number | null, signal: string | null, stdout: string, stderr: string }} Ended
 * @typedef {{ problems: string[], calls: string[] }} Outcome `calls` are those of interpose.c
 */

/** @type {{ main: string, keeper: readonly string[], library: string }} */
const programs = JSON.parse(process.env.TDCTL_SWEPT ?? '{}');

/** The words of each command of a life, in order; NAME and SPEC stand for those of the trial. */
/** @type {Readonly<Record<Verb, readonly string[]>>} */
const life = {
  create: ['create', 'SPEC'],
  start: ['start', 'NAME'],
  pause: ['pause', 'NAME'],
  resume: ['resume', 'NAME'],
  stop: ['stop', '--wait', 'NAME'],
  delete: ['delete', 'NAME'],
};
const verbs = /** @type {Verb[]} */ (Object.keys(life));
const secondLife = [['create', '--start', 'SPEC'], life.stop, life.delete];

/** A command that has not ended after so long hangs, and the keeper of one that has died does not go. */
const mostMs = 120_000;

/** A TD is told to be so only while its keeper lives. */
const livingStates = [
  'queued',
  'creating',
  'runnable',
  'running',
  'paused',
  'stopping',
  'releasing',
];

/** @param {Trial} trial @returns {Promise<Outcome>} */
async function tryOut(trial) {
  mkdirSync(stateOf(trial), { recursive: true, mode: 0o700 });
  const problems = [...(await firstLife(trial))];
  for (const words of secondLife) {
    const ended = await command(trial, words);
    if (ended.exitCode !== 0) problems.push(`the second life: ${told(words, ended)}`);
  }
  problems.push(...(await leftOver(trial)));
  const calls = callsOf(trial);
  rmSync(stateOf(trial), { recursive: true, force: true });
  return { problems, calls };
}

/** @param {Trial} trial @returns {Promise<string[]>} the problems */
async function firstLife(trial) {
  /** @type {string[]} */
  const problems = [];
  for (const verb of verbs) {
    const isWatched = trial.whose === verb;
    const ended =
      verb === 'create' && trial.whose === 'keeper'
        ? await createWithKeeper(trial)
        : await command(trial, life[verb], isWatched);
    problems.push(...hanging(life[verb], ended), ...(await untrue(trial, verb)));
    if (ended.exitCode === 0) continue;
    if (trial.fault === null) problems.push(told(life[verb], ended));
    if (ended.signal === null && !ended.stderr.includes('error:')) {
      problems.push(`it does not say why: ${told(life[verb], ended)}`);
    }
    if (isWatched) {
      const again = await command(trial, life[verb]);
      // Who deletes what is gone is told so.
      const isDone = again.exitCode === 0 || (verb === 'delete' && again.exitCode === 3);
      if (!isDone) problems.push(`the second try: ${told(life[verb], again)}`);
    }
    if (keepersOf(trial).length === 0) break;
  }
  return problems;
}

/**
 * Starts the keeper as `tdctl create` does, but below the library, and waits until it has told how far it came.
 *
 * @param {Trial} trial @returns {Promise<Ended>}
 */
async function createWithKeeper(trial) {
  const request = {
    version: 1,
    name: trial.name,
    spec: readFileSync(trial.spec, 'utf8'),
    specPath: trial.spec,
    host: trial.host,
    start: false,
    queue: false,
    again: true,
    api: { oldest: 1, newest: 1 },
  };
  const [program = '', ...args] = programs.keeper;
  const child = spawn(program, [...args, trial.name], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: { ...environment(trial), ...interposed(trial), TDCTL_PROGRESS_FD: '3' },
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(JSON.stringify(request));
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal, stdout: '', stderr }));
  });
  const reached = new Promise((resolve) => {
    let told = '';
    const pipe = /** @type {import('node:stream').Readable} */ (child.stdio[3]);
    pipe.setEncoding('utf8').on('data', (text) => {
      told += text;
      if (told.includes('"reached"')) resolve({ exitCode: 0, signal: null, stdout: told, stderr });
    });
    pipe.on('close', async () => {
      const failed = /"message":"([^"]*)"/.exec(told)?.[1];
      const how = await ended;
      resolve({ ...how, stderr: failed === undefined ? how.stderr : `error: ${failed}` });
    });
  });
  const how = await Promise.race([reached, delay(mostMs, hung, { ref: false })]);
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
  return how;
}

/** @type {Ended} */
const hung = { exitCode: null, signal: 'hung', stdout: '', stderr: '' };

/**
 * @param {Trial} trial
 * @param {readonly string[]} words
 * @param {boolean} [isWatched] whether it is below the library
 * @returns {Promise<Ended>}
 */
function command(trial, words, isWatched = false) {
  const args = words.map((word) => ({ NAME: trial.name, SPEC: trial.spec })[word] ?? word);
  if (words[0] === 'create') args.push('--host', trial.host);
  const child = spawn(process.execPath, [programs.main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment(trial), ...(isWatched && interposed(trial)) },
  });
  const [stdout, stderr] = [child.stdout, child.stderr].map(textOf);
  return new Promise((resolve) => {
    const end = (/** @type {number | null} */ exitCode, /** @type {string | null} */ signal) =>
      resolve({ exitCode, signal, stdout: stdout?.() ?? '', stderr: stderr?.() ?? '' });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      end(null, 'hung');
    }, mostMs);
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      end(exitCode, signal);
    });
  });
}

/** @param {import('node:stream').Readable} stream */
function textOf(stream) {
  let text = '';
  stream.setEncoding('utf8').on('data', (more) => {
    text += more;
  });
  return () => text;
}

/** @param {Trial} trial */
function environment(trial) {
  const { TDCTL_SWEPT: _, FORCE_COLOR: __, ...inherited } = process.env;
  return { ...inherited, NO_COLOR: '1', TDCTL_STATE_DIR: stateOf(trial) };
}

/** @param {Trial} trial */
function interposed(trial) {
  const { fault } = trial;
  return {
    // Calls come in the same order each time, and all through the C library.
    UV_THREADPOOL_SIZE: '1',
    UV_USE_IO_URING: '0',
    LD_PRELOAD: programs.library,
    SWEEP_DIRECTORY: stateOf(trial),
    SWEEP_CALLS: `${stateOf(trial)}.calls`,
    SWEEP_AT: String(fault?.at ?? 0),
    SWEEP_ACTION: fault?.action ?? '',
    SWEEP_ERRNO: String(fault?.errno === undefined ? 0 : constants.errno[fault.errno]),
  };
}

/** @param {readonly string[]} words @param {Ended} ended */
function hanging(words, { signal }) {
  return signal === 'hung' ? [`${words.join(' ')} hangs`] : [];
}

/** @param {readonly string[]} words @param {Ended} ended */
function told(words, { exitCode, signal, stderr }) {
  return `\`${words.join(' ')}\` ends with ${signal ?? exitCode}: ${stderr.trim()}`;
}

/**
 * `list` says no more than is so: a TD lives while its keeper does.
 *
 * @param {Trial} trial @param {Verb} verb
 */
async function untrue(trial, verb) {
  const words = ['list', '-o', 'json'];
  const before = keepersOf(trial);
  const ended = await command(trial, words);
  if (ended.exitCode !== 0) return [`after ${verb}: ${told(words, ended)}`];
  const [td] = JSON.parse(ended.stdout).items;
  const keepers = keepersOf(trial);
  // It died while it was looked at: a guest that prints brings its keeper to that call at any time.
  if (before.length !== keepers.length) return untrue(trial, verb);
  if (keepers.length > 1) return [`after ${verb} there are ${keepers.length} keepers`];
  if (td === undefined)
    return keepers.length > 0 ? [`after ${verb} a keeper lives that is not listed`] : [];
  if (livingStates.includes(td.state) && keepers.length === 0) {
    return [`after ${verb} it is said to be ${td.state}, and its keeper is gone`];
  }
  if (['lost', 'damaged'].includes(td.state) && keepers.length > 0) {
    return [`after ${verb} it is said to be ${td.state}, and its keeper lives`];
  }
  return [];
}

/**
 * Nothing stays that nobody can explain: no process, no directory, no ticket.
 *
 * @param {Trial} trial
 */
async function leftOver(trial) {
  const deadline = Date.now() + mostMs;
  while (keepersOf(trial).length > 0 && Date.now() < deadline) await delay(20);
  const problems = keepersOf(trial).map((pid) => `the keeper ${pid} lives on`);
  for (const pid of keepersOf(trial)) process.kill(pid, 'SIGKILL');
  for (const directory of ['td', 'queue']) {
    const names = entriesOf(join(stateOf(trial), directory));
    if (names.length > 0) problems.push(`left in ${directory}: ${names.join(', ')}`);
  }
  return problems;
}

/** @param {string} directory */
function entriesOf(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Processes that keep the TD of this trial, whose name no other has. @param {Trial} trial */
function keepersOf({ name }) {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const words = commandOf(pid);
      return words.at(-1) === name && words.some((word) => word === programs.keeper.at(-1));
    })
    .map(Number);
}

/** A process that is gone has none, and one that has ended and was not waited for has none either. @param {string} pid */
function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}

/** @param {Trial} trial */
function callsOf(trial) {
  const file = `${stateOf(trial)}.calls`;
  try {
    const calls = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    rmSync(file, { force: true });
    return calls;
  } catch {
    return [];
  }
}

/** @param {Trial} trial */
function stateOf({ directory, name }) {
  return join(directory, name);
}

for await (const line of createInterface({ input: process.stdin })) {
  const outcome = await tryOut(JSON.parse(line));
  writeFileSync(1, `${JSON.stringify(outcome)}\n`);
}
