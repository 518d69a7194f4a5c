/**
 * Loads the files of the bundle, as Node loads CommonJS, with what V8 compiled of them before. Node's own compile cache
 * has only what is compiled before a file runs, and so none of the functions that a command calls: compiling them again
 * took a fifth of its time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import type { KeptCode } from './kept-code.ts';

type Wrapped = (
  exports: unknown,
  require: (id: string) => unknown,
  module: { exports: unknown },
  filename: string,
  directory: string,
) => void;

export class Loader {
  readonly #directory: string;
  readonly #kept: KeptCode | undefined;
  readonly #loadPackage: (id: string) => unknown;
  readonly #modules = new Map<string, { exports: unknown }>();
  readonly #scripts = new Map<string, Script>();
  #lacked = false;

  constructor(directory: string, kept: KeptCode | undefined, loadPackage: (id: string) => unknown) {
    this.#directory = directory;
    this.#kept = kept;
    this.#loadPackage = loadPackage;
  }

  /** Whether a file was loaded of which no code was kept. */
  get lacked(): boolean {
    return this.#lacked;
  }

  load(file: string): unknown {
    const there = this.#modules.get(file);
    if (there !== undefined) return there.exports;
    const module = { exports: {} };
    this.#modules.set(file, module);
    const filename = join(this.#directory, file);
    const run = this.#compiled(file, filename).runInThisContext() as Wrapped;
    run.call(module.exports, module.exports, this.#requireFor, module, filename, this.#directory);
    return module.exports;
  }

  /** With the functions that have run by now. */
  compiled(): ReadonlyMap<string, Buffer> {
    const now = [...this.#scripts].map(
      ([file, script]) => [file, script.createCachedData()] as const,
    );
    return new Map([...(this.#kept?.code ?? []), ...now]);
  }

  #requireFor = (id: string): unknown =>
    id.startsWith('./')
      ? this.load(id.slice(2))
      : (process.getBuiltinModule(id) ?? this.#loadPackage(id));

  #compiled(file: string, filename: string): Script {
    const cachedData = this.#kept?.code.get(file);
    // The build sees to it that a file is one function, in ASCII, and that none has an import() of its own, for which a
    // script of kept code has no way (scripts/bundles.mjs).
    const script = new Script(readFileSync(filename, 'latin1'), {
      filename,
      ...(cachedData && { cachedData }),
    });
    this.#lacked ||= script.cachedDataRejected !== false;
    this.#scripts.set(file, script);
    return script;
  }
}
