/** The simulated kernel's open files that programs have fds of. */
import type { FileNumber } from '../../native/index.ts';
import type { Handle } from '../simulator/index.ts';
import { kindsInNames, ObjectNames } from '../trace/index.ts';
import type { FileKind } from './codec/index.ts';

export interface ProgramFile {
  readonly number: FileNumber;
  readonly kind: FileKind;
  readonly handle: Handle;
  /** Traces and the summary call the file so: `vm#1`. */
  readonly name: string;
  /** What a vCPU shares with the programs: struct kvm_run, the data of port I/O, coalesced MMIO. */
  readonly runPage: Uint8Array | undefined;
}

export class ProgramFiles {
  readonly #files = new Map<FileNumber, ProgramFile>();
  readonly #names = new ObjectNames();

  add(file: Omit<ProgramFile, 'name'>): ProgramFile {
    const named = { ...file, name: this.#names.add(kindsInNames[file.kind], file.handle) };
    this.#files.set(file.number, named);
    return named;
  }

  get(number: FileNumber): ProgramFile | undefined {
    return this.#files.get(number);
  }

  remove(number: FileNumber): ProgramFile | undefined {
    const file = this.#files.get(number);
    this.#files.delete(number);
    if (file !== undefined) this.#names.forget(file.handle);
    return file;
  }

  find(handle: Handle): ProgramFile | undefined {
    return this.open.find((file) => file.handle === handle);
  }

  nameOf(handle: Handle): string | undefined {
    return this.#names.nameOf(handle);
  }

  get open(): readonly ProgramFile[] {
    return [...this.#files.values()];
  }
}
