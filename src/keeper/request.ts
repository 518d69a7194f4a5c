/** What a keeper is asked to keep: JSON on its standard input, and `request.json` in its directory. */
import type { ApiRange } from './identity.ts';

export interface KeepRequest {
  readonly version: 1;
  readonly name: string;
  /** The TrustDomain file as it was given, byte for byte; it is `td.yaml` in the directory. */
  readonly spec: string;
  /** Where that file was: what it names is relative to this. Absolute. */
  readonly specPath: string;
  /** The values of `--host` and `--kernel`; a file of a host is absolute. */
  readonly host: string;
  readonly kernel?: string | undefined;
  /** As given to `--fault`. */
  readonly faults?: readonly string[] | undefined;
  readonly anyMeasurement?: boolean | undefined;
  /** Whether it runs as soon as it can. */
  readonly start: boolean;
  /** Whether it waits for a key slot where none is free. */
  readonly queue: boolean;
  /** Takes the name over from a TD that is over. `create` and `start` ask for it. */
  readonly again: boolean;
  /** Goes on with a TD whose keeper has died, and whose VMM has not. */
  readonly adopt?: boolean | undefined;
  readonly unit?: string | undefined;
  /** Takes the TD over from the keeper that has it now. The rest is as that was asked. */
  readonly moves?: boolean | undefined;
  readonly api: ApiRange;
}
