import { prepareBoot } from '../../../src/guest/boot/boot.ts';
import type { BootRequest, BootState, GuestWrite } from '../../../src/guest/boot/types.ts';

export interface RequestParts {
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array | undefined;
  readonly cmdline?: string;
  /** RAM from 0 on. */
  readonly memoryMib?: number;
  readonly memory?: BootRequest['memory']['value'];
  readonly vcpus?: BootRequest['vcpus'];
}

/** The firmware of the plan's layout ends at 4 GiB. */
export const firmware = { holds: 'firmware', gpa: 0xffe0_0000n, sizeBytes: 0x20_0000n } as const;

export function boot(parts: RequestParts): BootState {
  const { kernel, initrd, cmdline = 'console=ttyS0', memoryMib = 64 } = parts;
  const ram = { holds: 'ram', gpa: 0n, sizeBytes: BigInt(memoryMib) << 20n } as const;
  return prepareBoot({
    kernel: { value: kernel, place: 'vmlinuz' },
    initrd: initrd && { value: initrd, place: 'initrd.img' },
    cmdline: { value: cmdline, place: 'td.yaml:9:5' },
    memory: { value: parts.memory ?? [ram, firmware], place: 'td.yaml:7:3' },
    vcpus: parts.vcpus ?? { started: 1, created: 1 },
  });
}

export const endOfWrite = ({ gpa, bytes }: GuestWrite) => gpa + BigInt(bytes.length);

/** The bytes that lie at an address once all is written. */
export function readBack({ writes }: BootState, gpa: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const write of writes) {
    for (let at = 0; at < length; at += 1) {
      const offset = gpa + BigInt(at) - write.gpa;
      const byte = offset < 0n ? undefined : write.bytes[Number(offset)];
      if (byte !== undefined) bytes[at] = byte;
    }
  }
  return bytes;
}

export function viewAt(state: BootState, gpa: bigint, length: number): DataView {
  return new DataView(readBack(state, gpa, length).buffer);
}
