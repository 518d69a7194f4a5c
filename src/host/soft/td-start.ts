/**
 * A real vCPU gets the registers that the TDX module starts a TD's with: 32-bit protected mode, flat segments
 * and no paging, at the reset vector. Source: Intel TDX Module Base Architecture Specification, "Initial
 * State of TD VCPUs"; the TDX Virtual Firmware Design Guide says what firmware finds in them.
 */
import type { Vcpu as NativeVcpu } from '../../../native/index.ts';
import { mpStates } from '../../abi/kvm/mp-states.ts';
import { type Segment, withSregs } from '../../abi/kvm/sregs.ts';
import { answered } from '../native/answers.ts';

export interface TdStart {
  /** Its number in the TD, which the module puts into RSI. */
  readonly index: number;
  /** RCX and R8: the address of the TD HOB. */
  readonly initialRcx: bigint;
  /** GPA width, of which the module puts the low bits into RBX. */
  readonly gpaw: number;
}

const flat = { limit: 0xffff_ffff, present: true, db: true, s: true, g: true } as const;
const code: Segment = { ...flat, type: 0xb };
const data: Segment = { ...flat, type: 0x3 };
const noTable = { base: 0n, limit: 0xffff } as const;

const CR0_PE_ET_NE = 0x31n;
const RESET_VECTOR = 0xffff_fff0n;
const RFLAGS_FIXED = 2n;

export async function startAsTd(
  vcpu: NativeVcpu,
  { index, initialRcx, gpaw }: TdStart,
): Promise<void> {
  const sregs = withSregs(await answered(vcpu.kvmGetSregs()), {
    cs: code,
    ds: data,
    es: data,
    fs: data,
    gs: data,
    ss: data,
    tr: { limit: 0xffff, present: true, type: 0xb },
    ldt: { limit: 0xffff, unusable: true, type: 0x2 },
    gdt: noTable,
    idt: noTable,
    cr0: CR0_PE_ET_NE,
    cr2: 0n,
    cr3: 0n,
    cr4: 0n,
    cr8: 0n,
    efer: 0n,
  });
  await answered(vcpu.kvmSetSregs(sregs));
  const zero = await answered(vcpu.kvmGetRegs());
  await answered(
    vcpu.kvmSetRegs({
      ...(Object.fromEntries(
        Object.keys(zero).map((name) => [name, 0n]),
      ) as unknown as typeof zero),
      rbx: BigInt(gpaw),
      rcx: initialRcx,
      rsi: BigInt(index),
      r8: initialRcx,
      rip: RESET_VECTOR,
      rflags: RFLAGS_FIXED,
    }),
  );
  // With an APIC in the kernel, all but the first wait for INIT and SIPI; those of a TD start at once.
  await answered(vcpu.kvmSetMpState(mpStates.RUNNABLE));
}
