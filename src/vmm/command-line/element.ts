import type { QemuEngine } from '../../spec/trust-domain.ts';
import type { VmmPlaces, VmmPlan } from './command.ts';
import type { FileTable } from './file-table.ts';

/** What an element is made of. */
export interface Making extends VmmPlan {
  readonly engine: QemuEngine;
  readonly places: VmmPlaces;
  /** Whoever asks it for a file gets the next number. */
  readonly files: FileTable;
}

/** One part of the machine, and the words that make it. */
export interface Element {
  readonly name: string;
  /** The field of the file that decides it. */
  readonly field: string;
  /** No words: this TD does not have it. */
  readonly words: (making: Making) => readonly string[];
}
