/**
 * How a real vCPU starts. As the TDX module has it, in 32-bit protected mode with flat segments and no paging,
 * at the reset vector (Intel TDX Module Base Architecture Specification, "Initial State of TD VCPUs"; the TDX
 * Virtual Firmware Design Guide says what firmware finds in the registers); or as a boot protocol says.
 */
import type { Vcpu as NativeVcpu } from '../../../native/index.ts';
import { mpStates } from '../../abi/kvm/mp-states.ts';
import {
  generalRegistersOf,
  type Segment,
  type StartRegisters,
  withSpecialRegisters,
} from '../../abi/kvm/registers.ts';
import { answered } from '../native/answers.ts';

export interface TdStart {
  /** Its number in the TD, which the module puts into RSI. */
  readonly index: number;
  /** RCX and R8: the address of the TD HOB. */
  readonly initialRcx: bigint;
  /** GPA width, of which the module puts the low bits into RBX. */
  readonly gpaw: number;
}

const flat = {
  base: 0n,
  limit: 0xffff_ffff,
  selector: 0,
  present: 1,
  dpl: 0,
  db: 1,
  s: 1,
  l: 0,
  g: 1,
} as const;
const code: Segment = { ...flat, type: 0xb };
const data: Segment = { ...flat, type: 0x3 };
const noTable = { base: 0n, limit: 0xffff } as const;

const CR0_PE_ET_NE = 0x31n;
const RESET_VECTOR = 0xffff_fff0n;
const RFLAGS_FIXED = 2n;

/** The module has every vCPU start by itself; those of a plain VM wait for INIT and SIPI, but for the first. */
export async function startAsTd(
  vcpu: NativeVcpu,
  { index, initialRcx, gpaw }: TdStart,
): Promise<void> {
  await startAt(vcpu, {
    sregs: {
      ...{ cs: code, ds: data, es: data, fs: data, gs: data, ss: data },
      ...{ gdt: noTable, idt: noTable },
      ...{ cr0: CR0_PE_ET_NE, cr2: 0n, cr3: 0n, cr4: 0n, cr8: 0n, efer: 0n },
    },
    regs: generalRegistersOf({
      rbx: BigInt(gpaw),
      rcx: initialRcx,
      rsi: BigInt(index),
      r8: initialRcx,
      rip: RESET_VECTOR,
      rflags: RFLAGS_FIXED,
    }),
  });
  await answered(vcpu.kvmSetMpState(mpStates.RUNNABLE));
}

export async function startAt(vcpu: NativeVcpu, { regs, sregs }: StartRegisters): Promise<void> {
  const current = await answered(vcpu.kvmGetSregs());
  await answered(vcpu.kvmSetSregs(withSpecialRegisters(current, sregs)));
  await answered(vcpu.kvmSetRegs(regs));
}

export async function waitForSipi(vcpu: NativeVcpu): Promise<void> {
  await answered(vcpu.kvmSetMpState(mpStates.UNINITIALIZED));
}
