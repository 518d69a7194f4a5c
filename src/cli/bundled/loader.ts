/**
 * Loads the files of the bundle, as Node loads CommonJS, with what V8 compiled of them before. Node's own compile cache
 * has only what is compiled before a file runs, and so none of the functions that a command calls: compiling them again
 * took a fifth of its time.
 */
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

export interface Source {
  /**
   * One function, as Node would put a module into one. The build sees to it (scripts/bundles.mjs), and that it is ASCII
   * and has no import(): a script of kept code has no way for that.
   */
  readonly text: string;
  /** Lines of its file that come before it. */
  readonly lineOffset?: number;
}

interface LoaderOptions {
  readonly directory: string;
  readonly kept: KeptCode | undefined;
  readonly read: (filename: string) => Source;
  /** Loads what is no file of the bundle and no part of Node. */
  readonly loadPackage: (id: string) => unknown;
}

export class Loader {
  readonly #directory: string;
  readonly #read: LoaderOptions['read'];
  readonly #loadPackage: LoaderOptions['loadPackage'];
  readonly #modules = new Map<string, { exports: unknown }>();
  readonly #scripts = new Map<string, Script>();
  #kept: KeptCode | undefined;
  #lacked = false;

  constructor({ directory, kept, read, loadPackage }: LoaderOptions) {
    this.#directory = directory;
    this.#kept = kept;
    this.#read = read;
    this.#loadPackage = loadPackage;
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

  /**
   * What is worth keeping of this run, which has come to something or to nothing.
   *
   * @returns undefined where that was kept before. It is asked for once: nothing of it is held any longer.
   */
  compiled(reached: string | undefined): (() => KeptCode) | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    const scripts = [...this.#scripts];
    this.#scripts.clear();
    const before = this.#lacked ? [] : (kept?.reached ?? []);
    const isNew = reached !== undefined && !before.includes(reached);
    if (!this.#lacked && !isNew) return undefined;
    return () => ({
      // With the functions that have run by now.
      code: new Map([
        ...(kept?.code ?? []),
        ...scripts.map(([file, script]) => [file, script.createCachedData()] as const),
      ]),
      reached: isNew ? [...before, reached] : before,
    });
  }

  #requireFor = (id: string): unknown =>
    id.startsWith('./')
      ? this.load(id.slice(2))
      : (process.getBuiltinModule(id) ?? this.#loadPackage(id));

  #compiled(file: string, filename: string): Script {
    const cachedData = this.#kept?.code.get(file);
    const { text, lineOffset = 0 } = this.#read(filename);
    const script = new Script(text, {
      ...{ filename, lineOffset },
      ...(cachedData && { cachedData }),
    });
    this.#lacked ||= script.cachedDataRejected !== false;
    this.#scripts.set(file, script);
    return script;
  }
}
