/**
 * The console on the terminal (`--console`): what the guest prints goes to standard output as it is, and what is
 * typed goes to the guest. Where standard input is a pipe or a file, so do its bytes, all of them.
 */
import { bytesOf, type ConsoleSink, Typing } from '../../../guest/index.ts';
import type { CommandIo } from '../../io.ts';
import { Pump } from './pump.ts';
import { enterScreen, leaveScreen } from './screen.ts';
import type { TerminalModes } from './terminal-modes.ts';

/** ^], as in telnet and `virsh console`. */
const escapeByte = 0x1d;

const goesOn = { pause: () => undefined, resume: () => undefined };

export interface TerminalConsoleOptions {
  /** Its standard output is the guest's. */
  readonly io: CommandIo;
  /** Undefined where standard input is no terminal. */
  readonly modes: TerminalModes | undefined;
  readonly input: (bytes: Uint8Array) => number;
  /** The person has left by ^]. */
  readonly onLeft: () => void;
}

export class TerminalConsole implements ConsoleSink {
  readonly #options: TerminalConsoleOptions;
  readonly #pump: Pump;
  #typing: Typing | undefined;
  #stopListening: (() => void) | undefined;

  constructor(options: TerminalConsoleOptions) {
    this.#options = options;
    const { stdout } = options.io;
    this.#pump = new Pump(stdout, (piece) => stdout.write(bytesOf(piece)));
  }

  /** The terminal takes bytes as they are, so that a line feed is no new line. */
  get isRaw(): boolean {
    return this.isAttached && this.#options.modes !== undefined;
  }

  get isAttached(): boolean {
    return this.#typing !== undefined;
  }

  attach(): void {
    if (this.isAttached) return;
    const { io, modes, input } = this.#options;
    const typing = new Typing(input);
    this.#typing = typing;
    enterScreen(io);
    modes?.set('raw');
    this.#stopListening = io.stdin.listen((bytes) => this.#type(bytes, typing));
  }

  /** The terminal is as it was before. */
  detach(): void {
    if (!this.isAttached) return;
    const { io, modes } = this.#options;
    this.#pump.flush();
    this.#typing?.end();
    this.#typing = undefined;
    this.#stopListening?.();
    modes?.restore();
    leaveScreen(io);
  }

  print(bytes: Uint8Array, lostBytes: number): void {
    this.#pump.push(bytes, 0);
    if (lostBytes > 0) this.#pump.push(new Uint8Array(), lostBytes);
  }

  async end(): Promise<void> {
    this.detach();
  }

  #type(bytes: Buffer, typing: Typing): void {
    const { io, modes, onLeft } = this.#options;
    const leaves = modes === undefined ? -1 : bytes.indexOf(escapeByte);
    const typed = leaves === -1 ? bytes : bytes.subarray(0, leaves);
    // A terminal is read on, or ^] would not be heard while the guest takes nothing.
    if (typed.length > 0) typing.type(typed, modes === undefined ? io.stdin : goesOn);
    if (leaves === -1) return;
    this.detach();
    onLeft();
  }
}
