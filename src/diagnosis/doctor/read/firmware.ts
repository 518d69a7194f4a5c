/** The parser of `tdctl measure` judges firmware images where distributions put them. */
import type { FirmwareFacts } from '../facts.ts';
import type { HostFiles } from '../host-files.ts';
import { type Reading, read } from '../reading.ts';

/** Whole images come first. The places are of Debian, Ubuntu, Fedora, CentOS Stream and SUSE. */
const places = [
  '/usr/share/ovmf/OVMF.inteltdx.fd',
  '/usr/share/ovmf/OVMF.inteltdx.ms.fd',
  '/usr/share/edk2/ovmf/OVMF.inteltdx.fd',
  '/usr/share/edk2/ovmf/OVMF.inteltdx.secboot.fd',
  '/usr/share/qemu/OVMF.inteltdx.fd',
  '/usr/share/qemu/ovmf-x86_64-tdx.bin',
  '/usr/share/ovmf/OVMF.tdx.fd',
  '/usr/share/ovmf/OVMF.fd',
  '/usr/share/edk2/ovmf/OVMF.fd',
] as const;

export async function readFirmware(files: HostFiles): Promise<Reading<readonly FirmwareFacts[]>> {
  const present = places.filter((path) => files.exists(path));
  const from = 'OVMF under /usr/share';
  if (present.length === 0) {
    return { state: files.exists('/usr/share') ? 'absent' : 'not-asked', from };
  }
  const { loadFirmware } = await import('../../../firmware/index.ts');
  const judged: FirmwareFacts[] = [];
  for (const path of present) {
    const problem = await loadFirmware({ path: files.resolve(path) }).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    judged.push({ path, problem });
    // One that works is enough, and reading megabytes takes time.
    if (problem === null) break;
  }
  return read(from, judged);
}
