import { errnos } from '../errno.ts';

/** The errnos that KVM and TDX answer with. */
const answers = [
  'EPERM',
  'ENOENT',
  'EINTR',
  'EIO',
  'ENXIO',
  'E2BIG',
  'EBADF',
  'EAGAIN',
  'ENOMEM',
  'EACCES',
  'EFAULT',
  'EBUSY',
  'EEXIST',
  'ENODEV',
  'EINVAL',
  'ENFILE',
  'EMFILE',
  'ENOTTY',
  'EFBIG',
  'ENOSPC',
  'ENOSYS',
  'EOPNOTSUPP',
  'EHWPOISON',
] as const satisfies readonly (keyof typeof errnos)[];

export type ErrnoName = (typeof answers)[number];

export const errnoNumbers = Object.fromEntries(
  answers.map((name) => [name, errnos[name]]),
) as Readonly<Record<ErrnoName, number>>;
