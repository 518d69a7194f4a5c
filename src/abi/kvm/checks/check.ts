/**
 * The book of the kernel's checks. KVM looks at a request step by step; the first check that applies
 * refuses it. Each check is one row with a stable name, and the rows of a request stand in the order
 * in which Linux 7.3 makes them. Kernel records (../kernels/) say which rows another kernel has, and in
 * which order. The simulator answers with the row that refused; explain, lint, plan and the generated
 * docs/kernel-checks/ read the same rows.
 */
import type { ErrnoName } from '../errno.ts';

/** One check: a condition, and what comes of a request for which it holds. */
export interface Check {
  /** What the request answers. Where a step fails for several reasons, the usual one comes first. */
  readonly errno: ErrnoName | readonly ErrnoName[];
  /** The condition: a clause without a full stop. */
  readonly when: string;
  /** What whoever asked should do: an imperative clause. */
  readonly remedy: string;
  /** `hw_error` of the command tells the status of the TDX module; absent: it stays 0. */
  readonly hwError?: 'module-status';
  /** What stays changed although the request was refused; absent: nothing. */
  readonly leaves?: string;
  /** KVM gives the VM up: from then on it answers EIO to everything. */
  readonly vmDead?: true;
  /** Kernel file and function, or the patch series that has the check. */
  readonly source: string;
}

/** Rows by their name, in the order of the checks. */
export type Checks<Name extends string = string> = Readonly<Record<Name, Check>>;

/** What a row may say besides; without a `source` it stands in the function that checksIn() is given. */
type More = Partial<Omit<Check, 'errno' | 'when' | 'remedy'>>;
type Sourceless = Omit<Check, 'source'> & More;

/** A row is its errno, called with the condition and the remedy: EINVAL(when, remedy, more). */
export function refusing(errno: Check['errno']) {
  return (when: string, remedy: string, more?: More): Sourceless => ({
    errno,
    when,
    remedy,
    ...more,
  });
}

export const E2BIG = refusing('E2BIG');
export const EAGAIN = refusing('EAGAIN');
export const EBADF = refusing('EBADF');
export const EBUSY = refusing('EBUSY');
export const EEXIST = refusing('EEXIST');
export const EFAULT = refusing('EFAULT');
export const EHWPOISON = refusing('EHWPOISON');
export const EINTR = refusing('EINTR');
export const EINVAL = refusing('EINVAL');
export const EIO = refusing('EIO');
export const ENODEV = refusing('ENODEV');
export const ENOENT = refusing('ENOENT');
export const ENOMEM = refusing('ENOMEM');
export const ENOSPC = refusing('ENOSPC');
export const ENOTTY = refusing('ENOTTY');
export const EFBIG = refusing('EFBIG');
export const ENXIO = refusing('ENXIO');
export const EOPNOTSUPP = refusing('EOPNOTSUPP');
export const EPERM = refusing('EPERM');

/** Rows that stand in one function of the kernel, unless a row names another. */
export function checksIn<Name extends string>(
  source: string,
  rows: Readonly<Record<Name, Sourceless>>,
): Checks<Name> {
  const entries = Object.entries<Sourceless>(rows);
  return Object.fromEntries(
    entries.map(([name, row]) => [name, { source, ...row }]),
  ) as Checks<Name>;
}

/** Every errno that a check can answer, the usual one first. */
export function errnosOf({ errno }: Pick<Check, 'errno'>): readonly ErrnoName[] {
  return typeof errno === 'string' ? [errno] : errno;
}
