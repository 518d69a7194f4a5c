/** The kernel of a direct boot: one that QEMU takes, and the firmware can start. */
import { readUpTo } from '../../documents/read-bytes.ts';
import type { BootFiles } from '../../spec/trust-domain.ts';
import type { DeviceFinding } from './finding.ts';

const headBytes = 0x206;

/** A file that cannot be read is told by whoever reads it whole. */
export async function bootFindings(boot: BootFiles | undefined): Promise<DeviceFinding[]> {
  if (boot === undefined) return [];
  const head = await readUpTo(boot.kernelPath, headBytes).catch(() => undefined);
  if (head === undefined) return [];
  const at = {
    field: 'spec.boot.kernel',
    remedy: 'name a bzImage with CONFIG_EFI_STUB=y, as distributions have it',
  };
  const text = head.toString('latin1');
  // Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
  if (text.slice(0x202, 0x206) !== 'HdrS') {
    return [{ ...at, problem: `${boot.kernelPath} is no bzImage` }];
  }
  if (text.slice(0, 2) !== 'MZ') {
    return [
      {
        ...at,
        problem: `${boot.kernelPath} has no EFI stub, and the firmware of a TD starts nothing else`,
      },
    ];
  }
  return [];
}
