/** The name of the errno that a failed system call threw, such as `ENOENT`; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** These mean the same of every file, whether it is read or written: clauses about the file. */
export const fileErrnos = {
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'the name is longer than the file system allows',
  EIO: 'the disk answered with an error',
} as const;

/** The clause about a file for an errno that has no words of its own. Node refuses a bad name without one. */
export function otherFileErrno(errno: string | undefined): string {
  return `the system answered ${errno ?? 'that the name is not one'}`;
}
