// @ts-check
/** Which modules of the command line are in one file. */
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** What commands that are asked often load; also what is imported only once it is needed. `log`: explain of a log. */
const often = {
  plan: ['cli/commands/plan.ts', 'cli/plan/show-plan.ts', 'host/simulated/index.ts'],
  run: ['cli/commands/run.ts', 'cli/run/run.ts', 'cli/run/text-view.ts', 'host/simulated/index.ts'],
  rehearse: [
    'cli/commands/rehearse.ts',
    'cli/rehearse/rehearse.ts',
    'cli/rehearse/report-text.ts',
    'host/simulated/index.ts',
  ],
  host: [
    'cli/commands/host.ts',
    'cli/show-host.ts',
    'cli/kept/slot-ledger.ts',
    'host/simulated/index.ts',
  ],
  doctor: [
    'cli/commands/doctor.ts',
    'cli/doctor/run-doctor.ts',
    'firmware/index.ts',
    'diagnosis/doctor/log-findings.ts',
  ],
  exec: ['cli/commands/exec.ts', 'cli/exec/shared.ts', 'cli/exec/exec.ts'],
  explain: ['cli/commands/explain.ts', 'cli/explain/explain.ts'],
  log: ['cli/commands/explain.ts', 'cli/explain/explain.ts', 'cli/explain/explain-text.ts'],
};

/**
 * Node takes a third of a millisecond to find and load a file, and a command needs a hundred modules. Those that the
 * same of these commands load become one file: a command loads what it did, from fewer files.
 *
 * It is asked of a build what a command loads, because that leaves out modules of which nothing is used.
 * @param {import('rolldown').BuildOptions} options
 * @returns {Promise<import('rolldown').CodeSplittingGroup[]>}
 */
export async function loadedTogether({ output, ...options }) {
  if (output === undefined || Array.isArray(output)) throw new Error('one output is asked for');
  const bundle = await rolldown(options);
  const { output: files } = await bundle.generate({ ...output, sourcemap: false });
  await bundle.close();
  const chunks = files.filter((file) => file.type === 'chunk');

  /** @type {Map<string, string[]>} */
  const commandsOf = new Map();
  for (const [command, modules] of Object.entries(often)) {
    const roots = modules.map((module) => join(options.cwd ?? '', 'src', module));
    for (const id of idsFrom(chunks, roots)) {
      commandsOf.set(id, [...(commandsOf.get(id) ?? []), command]);
    }
  }
  // A module that more commands load is never behind one that fewer load, so no file needs one that needs it.
  const names = new Set([...commandsOf.values()].sort((a, b) => b.length - a.length).map(nameOf));
  return [...names].map((name) => ({
    name,
    test: (id) => nameOf(commandsOf.get(id) ?? []) === name,
  }));
}

/** @param {readonly string[]} commands */
function nameOf(commands) {
  return commands.join('-');
}

/**
 * The commands that such a file is for. None: it is no file of theirs.
 * @param {string} fileName
 */
export function loadersOf(fileName) {
  const commands = fileName.replace(/\.js$/, '').split('-');
  return commands.every((command) => Object.hasOwn(often, command)) ? commands : [];
}

/**
 * @param {readonly import('rolldown').OutputChunk[]} chunks
 * @param {readonly string[]} roots
 * @returns {ReadonlySet<string>}
 */
function idsFrom(chunks, roots) {
  /** @type {Set<import('rolldown').OutputChunk>} */
  const loaded = new Set();
  /** @param {import('rolldown').OutputChunk | undefined} chunk */
  const visit = (chunk) => {
    if (chunk === undefined || loaded.has(chunk)) return;
    loaded.add(chunk);
    for (const file of chunk.imports) visit(chunks.find(({ fileName }) => fileName === file));
  };
  for (const root of roots) {
    const chunk = chunks.find(({ moduleIds }) => moduleIds.includes(root));
    if (chunk === undefined) throw new Error(`no command loads ${root}`);
    visit(chunk);
  }
  return new Set([...loaded].flatMap(({ moduleIds }) => moduleIds));
}
