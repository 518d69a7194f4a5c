/** The digest tells what KVM_TDX_INIT_MEM_REGION put into a TD, without keeping the content. */
import type { UserMemory } from '../simulator/index.ts';

/** This is a caller's memory that digests what is read through it, in the order of the reads. */
export class DigestingMemory implements UserMemory {
  readonly #memory: UserMemory;
  // Loaded with the first content: it takes Node a tenth of its start.
  readonly #hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  #bytesRead = 0;

  constructor(memory: UserMemory) {
    this.#memory = memory;
  }

  read(address: bigint, length: number): Uint8Array | undefined {
    const bytes = this.#memory.read(address, length);
    if (bytes === undefined) return undefined;
    this.#hash.update(bytes);
    this.#bytesRead += bytes.length;
    return bytes;
  }

  /**
   * Gives `sha256:…`, as sha256sum would for a file with these pages, or undefined where none was read.
   */
  digest(): string | undefined {
    if (this.#bytesRead === 0) return undefined;
    return `sha256:${this.#hash.copy().digest('hex')}`;
  }
}
