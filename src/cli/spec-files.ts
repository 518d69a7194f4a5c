import type { NamedFile } from '../files/named-files.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

/** The files that a TrustDomain file names, which its readers read as well. */
export function firmwareFiles({ firmware, source }: TrustDomain): NamedFile[] {
  const by = `firmware of ${source.path}`;
  return [firmware.path, firmware.varsPath].flatMap((path) => (path ? [{ path, by }] : []));
}
