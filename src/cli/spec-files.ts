import { TdctlError } from '../errors/index.ts';
import type { NamedFile } from '../files/named-files.ts';
import { type BootImages, loadBootImages } from '../guest/boot/index.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

/** The files that a TrustDomain file names, which its readers read as well. */
export function filesNamedIn({ firmware, boot, engine, source }: TrustDomain): NamedFile[] {
  const disks = engine.kind === 'qemu' ? engine.disks : [];
  const named: readonly (readonly [what: string, path: string | undefined])[] = [
    ['firmware', firmware.path],
    ['firmware', firmware.varsPath],
    ['kernel', boot?.kernelPath],
    ['initrd', boot?.initrdPath],
    ...disks.map(({ path }) => ['disk', path] as const),
  ];
  return named.flatMap(([what, path]) => (path ? [{ path, by: `${what} of ${source.path}` }] : []));
}

/** A kernel that cannot be read is a finding among others, and none on a host that starts none. */
export async function bootImagesOf({
  boot,
}: TrustDomain): Promise<BootImages | TdctlError | undefined> {
  if (boot === undefined) return undefined;
  try {
    return await loadBootImages(boot);
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    return error;
  }
}

/** The files that a run of it writes. */
export function filesWrittenBy({ console, engine, source }: TrustDomain): NamedFile[] {
  const log = engine.kind === 'qemu' ? engine.console.logPath : undefined;
  const path = console?.kind === 'file' ? console.path : log;
  return path === undefined ? [] : [{ path, by: `console of ${source.path}` }];
}
