/** The VM of a TD that another keeper has, as the process that it is to come to can name it in a request. */
import type { VmFile } from '../../host/port.ts';
import type { Origin } from '../../orchestrator/migration/index.ts';
import type { Lane } from './lane.ts';

export interface SourceVm {
  readonly origin: Origin;
  readonly vm: VmFile;
  /** Where the state of its guest comes the moment that it stands still. */
  readonly lane?: Lane | undefined;
  /** Whether it lives, as far as that is seen on this side. */
  hasTd(): Promise<boolean>;
  /** The TD is out of it: it is closed at once, because it may hold the key slot. */
  moved(): Promise<void>;
  /** What is left of it on this side is closed. */
  close(): Promise<void>;
}
