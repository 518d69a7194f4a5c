/**
 * `console.log`: what the guest prints on COM1, and to whom else it goes. The log is bounded: what is full becomes
 * `console.log.1`, in place of the one before.
 */
import { statSync } from 'node:fs';
import type { TdctlError } from '../errors/index.ts';
import { FollowedFile } from '../files/followed-file.ts';
import type { OutputFile } from '../files/not-writable.ts';
import { AppendedFile } from '../files/owned-file.ts';
import { moveTo, removeFile } from '../files/private-directory.ts';
import { bytesOf } from '../guest/index.ts';

export interface ConsoleLogOptions {
  /** Undefined: it is kept nowhere. */
  readonly path: string | undefined;
  /** What is in it stays: the guest has printed it to the keeper before this one. */
  readonly goesOn?: boolean | undefined;
  /** More than so much is never in one of the two files. */
  readonly mostBytes?: number | undefined;
  readonly beforeWrite: (file: OutputFile) => void;
  /** Is told once, when nothing can be written. */
  readonly onTrouble: (error: TdctlError) => void;
}

type Listener = (bytes: Uint8Array) => void;

const usualMostBytes = 4 * 1024 * 1024;

export class ConsoleLog {
  readonly #options: ConsoleLogOptions;
  readonly #mostBytes: number;
  readonly #listeners = new Set<Listener>();
  #file: AppendedFile | undefined;
  #followed: FollowedFile | undefined;
  #printedBytes = 0;
  /** Printed and not in the log, because that could not be written. */
  #lostBytes = 0;
  #isTroubled = false;
  /** What was there before has been put aside. */
  #isAside = false;

  constructor(options: ConsoleLogOptions) {
    this.#options = options;
    this.#mostBytes = options.mostBytes ?? usualMostBytes;
  }

  get path(): string {
    return this.#options.path ?? '';
  }

  /** How long the log is at this moment: it has what was printed until now. */
  get sizeBytes(): number {
    return this.#followed?.size ?? this.#file?.size ?? this.#sizeBefore();
  }

  /** All that the guest has printed in this life. */
  get printedBytes(): number {
    return this.#printedBytes;
  }

  /**
   * Another process writes the log: this one tells what is in it, and keeps it short.
   *
   * @param from the byte that was told last.
   */
  follow(from: 'start' | 'end'): void {
    const { path } = this.#options;
    if (path === undefined) return;
    this.#followed = new FollowedFile({ path, what: 'console log' }, from);
    this.#printedBytes = this.#followed.size;
    this.#followed.watch(() => this.catchUp());
  }

  /** Tells what is in a log that another process writes, and has not been told. */
  catchUp(): void {
    for (const bytes of this.#followed?.news() ?? []) {
      this.#printedBytes += bytes.length;
      for (const listener of this.#listeners) listener(bytes);
    }
    if ((this.#followed?.size ?? 0) > this.#mostBytes) this.#followed?.putAside();
  }

  /** It neither waits nor throws. `lostBytes` came after `bytes`, and nobody has them. */
  print(bytes: Uint8Array, lostBytes: number): void {
    this.#printedBytes += bytes.length + lostBytes;
    const told = Buffer.concat([
      bytesOf({ bytes, lostBytes: 0 }),
      ...(lostBytes > 0 ? [bytesOf({ bytes: new Uint8Array(), lostBytes })] : []),
    ]);
    this.#append(told);
    for (const listener of this.#listeners) listener(told);
  }

  /** @returns the way to end the subscription. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#followed?.close();
    this.#followed = undefined;
  }

  #append(told: Buffer): void {
    const { path, beforeWrite } = this.#options;
    if (path === undefined) return;
    const file = { path, what: 'console log' };
    try {
      beforeWrite(file);
      if (this.sizeBytes + told.length > this.#mostBytes) this.#putAside(path);
      this.#file ??= new AppendedFile(file, this.#sizeBefore());
      const piece = { lostBytes: this.#lostBytes, bytes: told };
      this.#file.append(bytesOf(piece), { flush: false });
      this.#lostBytes = 0;
    } catch (error) {
      this.#lostBytes += told.length;
      if (!this.#isTroubled) this.#options.onTrouble(error as TdctlError);
      this.#isTroubled = true;
    }
  }

  #sizeBefore(): number {
    const { path, goesOn = false } = this.#options;
    if (path === undefined || !goesOn || this.#isAside) return 0;
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  #putAside(path: string): void {
    if (this.sizeBytes === 0) return;
    this.close();
    this.#isAside = true;
    removeFile(`${path}.1`);
    moveTo(path, `${path}.1`);
  }
}
