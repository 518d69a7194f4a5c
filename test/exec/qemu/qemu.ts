/** The QEMU that the tests run: the one of unpack.sh, or the system's where that knows TDX. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Qemu {
  readonly program: string;
  readonly firmware: string;
  readonly version: string;
}

const unpacked = join(import.meta.dirname, 'unpacked');

/** QEMU 10.1 is the first that makes TDs. */
function knowsTdx(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 10 || (major === 10 && minor >= 1);
}

function tryProgram(program: string, firmware: string): Qemu | undefined {
  const { stdout = '' } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const version = /version (\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
  if (version === undefined || !knowsTdx(version) || !existsSync(firmware)) return undefined;
  return { program, firmware, version };
}

export const qemu: Qemu | undefined =
  tryProgram(join(unpacked, 'qemu-system-x86_64'), join(unpacked, 'OVMF.fd')) ??
  tryProgram('qemu-system-x86_64', '/usr/share/ovmf/OVMF.fd');

export const noQemu =
  'no QEMU >= 10.1 here: `bash test/exec/qemu/unpack.sh` puts one beside the system';

/** A TD with 4 vCPUs and 512 MiB, as a person would start it. */
export function tdCommand({ program, firmware }: Qemu, cpu = 'host'): string[] {
  return [
    program,
    ...['-machine', 'q35,confidential-guest-support=tdx0,kernel-irqchip=split,accel=kvm'],
    ...['-object', 'tdx-guest,id=tdx0', '-cpu', cpu, '-bios', firmware],
    ...['-m', '512', '-smp', '4', '-nodefaults', '-nographic'],
  ];
}
