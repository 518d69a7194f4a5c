/**
 * The modes of the terminal that is standard input, by stty(1): Node's own raw mode keeps ONLCR on and signals off,
 * and has nothing in between.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How the terminal gives what is typed. */
export type TypingMode = keyof typeof settings;

const settings = {
  /** Every byte as it comes, both ways, and no key is a signal. */
  raw: ['raw', '-echo'],
  /** Each key at once and unseen; Ctrl-C and Ctrl-Z are signals. */
  keys: ['-icanon', '-echo', 'min', '1', 'time', '0'],
} as const;

export class TerminalModes {
  /** As `stty -g` writes them. */
  readonly #before: string;
  #mode: TypingMode | undefined;
  readonly #atExit = () => this.restore();

  /** @returns undefined where stty(1) is missing, or the terminal does not answer. */
  static ofStandardInput(): TerminalModes | undefined {
    const before = stty('-g');
    return before === undefined ? undefined : new TerminalModes(before.trim());
  }

  private constructor(before: string) {
    this.#before = before;
  }

  get mode(): TypingMode | undefined {
    return this.#mode;
  }

  set(mode: TypingMode): void {
    if (this.#mode === mode) return;
    // However the process ends, but by SIGKILL, the terminal gets its modes back.
    if (this.#mode === undefined) process.on('exit', this.#atExit);
    stty(this.#before);
    stty(...settings[mode]);
    this.#mode = mode;
  }

  restore(): void {
    if (this.#mode === undefined) return;
    this.#mode = undefined;
    process.off('exit', this.#atExit);
    stty(this.#before);
  }
}

function stty(...args: readonly string[]): string | undefined {
  // A background process is stopped for it, which would be at a bad moment.
  if (!isInForeground()) return undefined;
  const { status, stdout } = spawnSync('stty', args, {
    stdio: ['inherit', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return status === 0 ? stdout : undefined;
}

/** Whether the terminal is this process's to read: a background job that reads it is stopped (SIGTTIN). */
export function isInForeground(): boolean {
  const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return group === foreground;
}
