import type { NamedFile } from '../files/named-files.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

/** The files that a TrustDomain file names, which its readers read as well. */
export function filesNamedIn({ firmware, boot, source }: TrustDomain): NamedFile[] {
  const named: readonly (readonly [what: string, path: string | undefined])[] = [
    ['firmware', firmware.path],
    ['firmware', firmware.varsPath],
    ['kernel', boot?.kernelPath],
    ['initrd', boot?.initrdPath],
  ];
  return named.flatMap(([what, path]) => (path ? [{ path, by: `${what} of ${source.path}` }] : []));
}

/** The files that a run of it writes. */
export function filesWrittenBy({ console, source }: TrustDomain): NamedFile[] {
  return console?.kind === 'file' ? [{ path: console.path, by: `console of ${source.path}` }] : [];
}
