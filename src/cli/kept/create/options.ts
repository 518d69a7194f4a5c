import type { KeptFormat } from '../options.ts';

export interface CreateOptions {
  /** In place of `metadata.name`. */
  readonly name?: string | undefined;
  /** The values of `--host` and `--kernel`. */
  readonly host: string;
  readonly kernel?: string | undefined;
  /** As given to `--fault`. */
  readonly fault?: readonly string[] | undefined;
  readonly anyMeasurement?: boolean | undefined;
  readonly start?: boolean | undefined;
  readonly queue?: boolean | undefined;
  readonly unit?: boolean | undefined;
  /** The words after `tdctl`. */
  readonly typed: readonly string[];
  readonly output: KeptFormat;
}
