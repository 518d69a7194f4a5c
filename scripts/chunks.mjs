// @ts-check
/** Which modules of the command line are in one file. */
import { join } from 'node:path';

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
  doctor: ['cli/commands/doctor.ts', 'cli/doctor/run-doctor.ts', 'firmware/index.ts'],
  exec: ['cli/commands/exec.ts', 'cli/exec/shared.ts', 'cli/exec/exec.ts'],
  explain: ['cli/commands/explain.ts', 'cli/explain/explain.ts'],
  log: ['cli/commands/explain.ts', 'cli/explain/explain.ts', 'cli/explain/explain-text.ts'],
};

/**
 * Node takes a third of a millisecond to find and load a file, and a command needs a hundred modules. Those that the
 * same of these commands load become one file: a command loads what it did, from fewer files. What the modules of such
 * a file import is loaded by those commands too, and so no file needs one that needs it.
 * @param {string} root
 * @returns {import('rolldown').CodeSplittingGroup}
 */
export function loadedTogether(root) {
  /** @type {WeakMap<import('rolldown').ChunkingContext, ReadonlyMap<string, readonly string[]>>} */
  const passes = new WeakMap();
  return {
    debugName: 'loaded together',
    includeDependenciesRecursively: false,
    name: (id, pass) => {
      const commands = passes.get(pass) ?? commandsOf(pass, root);
      passes.set(pass, commands);
      return commands.get(id)?.join('-');
    },
  };
}

/**
 * Of each module, the commands that load it.
 * @param {import('rolldown').ChunkingContext} pass
 * @param {string} root
 */
function commandsOf(pass, root) {
  /** @type {Map<string, string[]>} */
  const commands = new Map();
  for (const [command, modules] of Object.entries(often)) {
    const roots = modules.map((module) => join(root, 'src', module));
    for (const id of idsFrom(pass, roots)) {
      commands.set(id, [...(commands.get(id) ?? []), command]);
    }
  }
  return commands;
}

/**
 * @param {import('rolldown').ChunkingContext} pass
 * @param {readonly string[]} roots
 * @returns {ReadonlySet<string>}
 */
function idsFrom(pass, roots) {
  /** @type {Set<string>} */
  const loaded = new Set();
  /** @param {string} id */
  const visit = (id) => {
    if (loaded.has(id)) return;
    loaded.add(id);
    for (const imported of pass.getModuleInfo(id)?.importedIds ?? []) visit(imported);
  };
  for (const id of roots) {
    if (pass.getModuleInfo(id) === null) throw new Error(`no command loads ${id}`);
    visit(id);
  }
  return loaded;
}

/**
 * The commands that such a file is for. None: it is no file of theirs.
 * @param {string} fileName
 */
export function loadersOf(fileName) {
  const commands = fileName.replace(/\.js$/, '').split('-');
  return commands.every((command) => Object.hasOwn(often, command)) ? commands : [];
}
