/** The kernel of a direct boot: one that QEMU takes, and the firmware can start. */
import { readUpTo } from '../../documents/read-bytes.ts';
import type { BootFiles } from '../../spec/trust-domain.ts';
import type { DeviceFinding } from './finding.ts';

const headBytes = 0x23c;
/** From this version of the boot protocol on the header says how long its command line may be (boot.rst, cmdline_size). */
const saysCmdlineSize = 0x206;

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
  return cmdlineFindings(boot, head);
}

/** The kernel would go without the rest of one that is longer, and say so to nobody but its console. */
function cmdlineFindings({ cmdline }: BootFiles, head: Buffer): DeviceFinding[] {
  if (head.length < headBytes || head.readUInt16LE(0x206) < saysCmdlineSize) return [];
  const most = head.readUInt32LE(0x238);
  const bytes = Buffer.byteLength(cmdline);
  if (bytes <= most) return [];
  return [
    {
      field: 'spec.boot.cmdline',
      problem: `it has ${bytes} bytes, and this kernel takes ${most} at most`,
      remedy: 'shorten it, or put what is not for the kernel into the initrd',
    },
  ];
}
