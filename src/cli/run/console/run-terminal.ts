/** The terminal of a run: attached to the guest, or one whose keys are for tdctl. */
import { TdctlError } from '../../../errors/index.ts';
import type { CommandIo } from '../../io.ts';
import { ownOutput } from './own-output.ts';
import { TerminalConsole } from './terminal-console.ts';
import { isInForeground, TerminalModes } from './terminal-modes.ts';

export interface RunTerminalOptions {
  readonly io: CommandIo;
  /** The guest's console is for the terminal, or for the pipes in its place. */
  readonly attaches: boolean;
  readonly input: (bytes: Uint8Array) => number;
}

/** What each key does. */
export type Keys = Readonly<Record<string, () => void>>;

export class RunTerminal {
  /** For what tdctl itself has to say: standard output is left to a guest that is attached. */
  readonly own: CommandIo;
  readonly #io: CommandIo;
  readonly #console: TerminalConsole | undefined;
  #modes: TerminalModes | undefined;
  #keys: Keys = {};
  #stopKeys: (() => void) | undefined;
  #isOver = false;
  #onLeft: () => void = () => undefined;

  /** @throws TdctlError TDCTL_E_TOOL_MISSING where a terminal shall be attached and cannot be set. */
  constructor({ io, attaches, input }: RunTerminalOptions) {
    this.#io = io;
    if (attaches) {
      if (io.stdin.isTty) this.#modes = modesOfTerminal();
      this.#console = new TerminalConsole({
        ...{ io, modes: this.#modes, input },
        onLeft: () => {
          this.#listenForKeys();
          this.#onLeft();
        },
      });
    }
    const isRaw = () => this.#console?.isRaw === true;
    this.own = ownOutput(io, { isRaw, leavesStdout: attaches });
  }

  get attached(): TerminalConsole | undefined {
    return this.#console?.isAttached === true ? this.#console : undefined;
  }

  get canAttach(): boolean {
    return this.#console !== undefined;
  }

  /** Attaches the guest. What is typed early has waited in the terminal or the pipe. */
  attach(onLeft: () => void): void {
    if (this.#isOver) return;
    this.#dropKeys();
    this.#onLeft = onLeft;
    this.#console?.attach();
  }

  /** Whether a person types, who can leave; a pipe has all that the guest prints. */
  get isForPerson(): boolean {
    return this.#io.stdin.isTty;
  }

  /** What a person types is not for the guest any more. */
  leave(): void {
    if (this.attached === undefined || !this.isForPerson) return;
    this.#console?.detach();
    this.#listenForKeys();
  }

  /** Whether somebody sits at the terminal, whose keys do something. */
  get hasKeys(): boolean {
    return Object.keys(this.#keys).length > 0;
  }

  /** From now on these keys do something, where somebody sits at the terminal. */
  takeKeys(keys: Keys): void {
    // Who pages the output, or reads it as a file, has the terminal for something else.
    if (!this.#io.stdin.isTty || this.own.widths.stdout === undefined) return;
    this.#modes ??= TerminalModes.ofStandardInput();
    if (this.#modes === undefined) return;
    this.#keys = keys;
    this.#listenForKeys();
  }

  /** While the process is stopped the terminal is the shell's. Returns what takes it back. */
  handOver(): () => void {
    const wasAttached = this.attached !== undefined;
    this.#console?.detach();
    this.#dropKeys();
    return () =>
      wasAttached && isInForeground() ? this.attach(this.#onLeft) : this.#listenForKeys();
  }

  /** The terminal is as it was before. */
  end(): void {
    this.#isOver = true;
    this.#console?.detach();
    this.#dropKeys();
  }

  #listenForKeys(): void {
    const modes = this.#modes;
    if (this.#isOver || modes === undefined || !this.hasKeys) return;
    if (this.#stopKeys !== undefined || this.attached !== undefined || !isInForeground()) return;
    modes.set('keys');
    this.#stopKeys = this.#io.stdin.listen((bytes) => {
      for (const key of bytes.toString('latin1')) this.#keys[key]?.();
    });
  }

  #dropKeys(): void {
    this.#stopKeys?.();
    this.#stopKeys = undefined;
    this.#modes?.restore();
  }
}

function modesOfTerminal(): TerminalModes {
  const modes = TerminalModes.ofStandardInput();
  if (modes !== undefined) return modes;
  throw new TdctlError({
    code: 'TDCTL_E_TOOL_MISSING',
    op: 'attach the console',
    message:
      'the modes of the terminal cannot be read: `stty -g` did not work, or this is a background job',
    hint: 'run tdctl in the foreground, with stty(1) of coreutils in the PATH',
  });
}
