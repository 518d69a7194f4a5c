/** What the guests of a run do, vCPU by vCPU. It stands for guest code, which is not run. */

export interface RunScript {
  readonly name: string;
  readonly programs: readonly VcpuProgram[];
}

export interface VcpuProgram {
  /** `others` are all vCPUs that no other program names. */
  readonly vcpus: readonly number[] | 'others';
  readonly steps: readonly ScriptStep[];
  /** The next entry after the last step is that of a machine which was reset; else the vCPU holds. */
  readonly repeats?: true;
}

export interface ScriptStep {
  /** Where the step stands: `file:line:col`. */
  readonly place: string;
  readonly action: GuestAction;
}

/**
 * Addresses are without the shared bit, which a guest adds where the call wants shared memory. What
 * is expected is what the guest finds after the call; undefined means anything.
 */
export type GuestAction =
  | {
      readonly do: 'in';
      readonly port: number;
      readonly sizeBytes: 1 | 2 | 4;
      readonly expect?: bigint | undefined;
    }
  | {
      readonly do: 'out';
      readonly port: number;
      readonly sizeBytes: 1 | 2 | 4;
      readonly data: bigint;
    }
  | {
      readonly do: 'mmioRead';
      readonly address: bigint;
      readonly sizeBytes: 1 | 2 | 4 | 8;
      readonly expect?: bigint | undefined;
    }
  | {
      readonly do: 'mmioWrite';
      readonly address: bigint;
      readonly sizeBytes: 1 | 2 | 4 | 8;
      readonly data: bigint;
    }
  | {
      readonly do: 'mapGpa';
      readonly gpa: bigint;
      readonly size: bigint;
      readonly to: 'shared' | 'private';
      readonly expect?: CallStatus | undefined;
    }
  | {
      readonly do: 'getQuote';
      readonly gpa: bigint;
      readonly size: bigint;
      readonly expect?: CallStatus | undefined;
    }
  | {
      readonly do: 'getTdVmCallInfo';
      readonly leaf: bigint;
      readonly expect?: InfoExpectation | undefined;
    }
  | {
      readonly do: 'setupEventNotifyInterrupt';
      readonly vector: bigint;
      readonly expect?: CallStatus | undefined;
    }
  | {
      readonly do: 'reportFatalError';
      readonly code: bigint;
      /** The message has at most 64 bytes of UTF-8. */
      readonly message: string;
      /** The guest left more to read at this address, in shared memory. */
      readonly gpa?: bigint | undefined;
    }
  | {
      /** KVM cannot map what the guest touches, so KVM_RUN fails, and the exit says where. */
      readonly do: 'memoryFault';
      readonly gpa: bigint;
      readonly size: bigint;
      readonly access: 'shared' | 'private';
      readonly errno: 'EFAULT' | 'EHWPOISON';
    }
  /** KVM gives the VM up, and answers EIO from then on. */
  | { readonly do: 'touchUnacceptedMemory' }
  /** The guest meets a triple fault. */
  | { readonly do: 'shutdown' }
  /** The guest runs, without an exit, until KVM_RUN is interrupted. */
  | { readonly do: 'hold' }
  | { readonly do: 'repeat'; readonly times: number; readonly steps: readonly ScriptStep[] };

/** The status of a TDVMCALL, which the guest finds in R10. */
export type CallStatus =
  | 'success'
  | 'retry'
  | 'invalidOperand'
  | 'alignError'
  | 'subfuncUnsupported';

export interface InfoExpectation {
  readonly status?: CallStatus | undefined;
  readonly r11?: bigint | undefined;
  readonly r12?: bigint | undefined;
  readonly r13?: bigint | undefined;
  readonly r14?: bigint | undefined;
}

const out = (port: number, sizeBytes: 1 | 2 | 4, data: bigint): GuestAction => ({
  do: 'out',
  port,
  sizeBytes,
  data,
});

/**
 * How guests turn a machine off, one way after the other until the VMM has had enough. KVM_EXIT_SHUTDOWN
 * comes last: to a VMM that can rebuild a TD (QEMU since 11.1) it means a reset, and a new TD.
 */
const powerOff: readonly GuestAction[] = [
  // Q35: the LPC bridge (PCI 00:1f.0) gets PMBASE 0x600 (0x40) and ACPI_EN (0x44), as its firmware
  // would write them; then SLP_EN in PM1a_CNT, with the sleep type that QEMU gives to S5.
  out(0xcf8, 4, 0x8000f840n),
  out(0xcfc, 4, 0x601n),
  out(0xcf8, 4, 0x8000f844n),
  out(0xcfc, 1, 0x80n),
  out(0x604, 2, 0x2000n),
  // i440FX (`pc`): the same of the PIIX4 (PCI 00:01.3), whose registers are PMBASE (0x40) and PMREGMISC
  // (0x80); PM1a_CNT is at the same port, and the sleep type of S5 is the same.
  out(0xcf8, 4, 0x80000b40n),
  out(0xcfc, 4, 0x601n),
  out(0xcf8, 4, 0x80000b80n),
  out(0xcfc, 1, 1n),
  out(0x604, 2, 0x2000n),
  // microvm: the sleep control register of its generic event device, SLP_EN with S5.
  { do: 'mmioWrite', address: 0xfea0_0200n, sizeBytes: 1, data: 0x34n },
  // Cloud Hypervisor has hardware-reduced ACPI at this port, and takes SLP_EN with S5.
  out(0x600, 1, 0x34n),
  // Firecracker, Dragonball and libkrun end at the reset line of the keyboard controller.
  out(0x64, 1, 0xfen),
  { do: 'shutdown' },
];

/** The boot vCPU turns the machine off at its first entry; every other vCPU holds. */
export const defaultRunScript: RunScript = {
  name: 'default',
  programs: [
    {
      vcpus: [0],
      steps: powerOff.map((action) => ({ place: 'the default script', action })),
      repeats: true,
    },
  ],
};
