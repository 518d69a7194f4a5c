/**
 * XCR0 and the XSAVE area: __kvm_set_xcr() in arch/x86/kvm/x86.c, fpu_copy_uabi_to_guest_fpstate() and
 * copy_uabi_to_xstate() in arch/x86/kernel/fpu/.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import { xfamMask } from '../../../abi/tdx/xfam.ts';
import type { CopiedIn, Steps } from '../checks.ts';
import { supportedFeatures } from '../cpuid/cpu-caps.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { guestXcr0 } from './guest-cpu-caps.ts';

export interface XstateCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly given: CopiedIn<DataView>;
}

const { x87, sse, avx, avx512, amx } = xfamMask;
const mpx = 0b11n << 3n;
const tileData = 1n << 18n;

/** What XSETBV would take from a guest. */
function isValidXcr0(xcr0: bigint, supported: bigint): boolean {
  const allOrNone = (group: bigint) => [0n, group].includes(xcr0 & group);
  return (
    (xcr0 & x87) !== 0n &&
    ((xcr0 & avx) === 0n || (xcr0 & sse) !== 0n) &&
    (xcr0 & ~(supported | x87)) === 0n &&
    allOrNone(mpx) &&
    ((xcr0 & avx512) === 0n || ((xcr0 & avx) !== 0n && allOrNone(avx512))) &&
    allOrNone(amx)
  );
}

/** `struct kvm_xcrs`: a header, then 16 registers, of which KVM takes the first that is XCR0. */
const xcrs = { most: 16, header: 8, bytes: 16, value: 8 } as const;

function xcr0In(view: DataView): bigint | undefined {
  const count = view.getUint32(0, true);
  for (let i = 0; i < count; i++) {
    const register = xcrs.header + i * xcrs.bytes;
    if (view.getUint32(register, true) === 0) return view.getBigUint64(register + xcrs.value, true);
  }
  return undefined;
}

/** Offsets in the XSAVE area. */
const area = { mxcsr: 24, xstateBv: 512, xcompBv: 520, reserved: 528, end: 576 } as const;
const mxcsrMask = 0xffff;

export const xstateSteps: Steps<XstateCall> = {
  'set-xcrs.header': ({ given: { value } }) =>
    value.getUint32(0, true) > xcrs.most || value.getUint32(4, true) !== 0,
  'set-xcrs.xcr0': ({ kernel, vcpu, given }) => {
    const xcr0 = xcr0In(given.value);
    return xcr0 !== undefined && !isValidXcr0(xcr0, guestXcr0(kernel, vcpu));
  },
  'set-xsave.components': (call) => {
    const { kernel, vcpu } = call;
    const host = supportedFeatures(kernel.profile.platform).xcr0;
    // Only AMX tiles take room that a guest must have been given.
    const supported = (guestXcr0(kernel, vcpu) & tileData) === 0n ? host & ~tileData : host;
    return (components(call) & ~supported) !== 0n;
  },
  'set-xsave.header': ({ given: { value } }) => {
    for (let offset = area.xcompBv; offset < area.end; offset += 8) {
      if (value.getBigUint64(offset, true) !== 0n) return true;
    }
    return false;
  },
  'set-xsave.mxcsr': (call) =>
    (components(call) & (x87 | sse | avx)) !== 0n &&
    (call.given.value.getUint32(area.mxcsr, true) & ~mxcsrMask) !== 0,
};

/** A component that IA32_XFD has switched off counts as not given. */
function components({ vcpu, given }: XstateCall): bigint {
  const disabled = vcpu.msrs.get(msr.IA32_XFD) ?? 0n;
  return given.value.getBigUint64(area.xstateBv, true) & ~disabled;
}

/** XCR0 is the only register that is shown, whatever else came with it. */
export function keepXcrs({ vcpu, given: { value } }: XstateCall): void {
  const xcr0 = xcr0In(value);
  if (xcr0 === undefined) return;
  const kept = new Uint8Array(value.byteLength);
  const view = new DataView(kept.buffer);
  view.setUint32(0, 1, true);
  view.setBigUint64(xcrs.header + xcrs.value, xcr0, true);
  vcpu.state.set('XCRS', kept);
}
