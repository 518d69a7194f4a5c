/** The errno values KVM and TDX answer with, on x86-64 Linux. Source: uapi/asm-generic/errno*.h. */
export const errnoNumbers = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  ENOSYS: 38,
  EOPNOTSUPP: 95,
  EHWPOISON: 133,
} as const;

export type ErrnoName = keyof typeof errnoNumbers;

const namesByNumber = new Map<number, ErrnoName>(
  Object.entries(errnoNumbers).map(([name, number]) => [number, name as ErrnoName]),
);

/** The name of an errno, or `errno N` for one that KVM is not known to answer with. */
export function errnoName(errno: number): string {
  return namesByNumber.get(errno) ?? `errno ${errno}`;
}
