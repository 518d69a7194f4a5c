/**
 * A trace shows the exits of KVM_RUN. Their numbers are from include/uapi/linux/kvm.h, and the leaves
 * of TDVMCALL from the GHCI, chapter 3.
 */
import type { VcpuExit } from '../simulator/index.ts';
import type { TraceArgs, TraceValue } from './record.ts';
import { hex, kernelName, plainValue } from './values.ts';

const hypercalls: Readonly<Record<number, string>> = { 12: 'KVM_HC_MAP_GPA_RANGE' };
const systemEvents: Readonly<Record<number, string>> = { 7: 'KVM_SYSTEM_EVENT_TDX_FATAL' };
/** KVM_EXIT_TDX carries these leaves of the GHCI in `nr`. */
const tdvmcalls: Readonly<Record<number, string>> = {
  65536: 'GetTdVmCallInfo',
  65537: 'MapGPA',
  65538: 'GetQuote',
  65539: 'ReportFatalError',
  65540: 'SetupEventNotifyInterrupt',
};

/** The exit's fields have the kernel's names in `struct kvm_run`. */
export function exitValue(exit: VcpuExit): TraceArgs {
  return Object.fromEntries(
    Object.entries(exit).map(([field, value]) => [
      kernelName(field),
      numberName(exit.reason, field, value) ??
        (isRegister(field) ? hexOf(value) : plainValue(value)),
    ]),
  );
}

function numberName(reason: VcpuExit['reason'], field: string, value: unknown) {
  const number = typeof value === 'number' ? value : -1;
  if (reason === 'KVM_EXIT_HYPERCALL' && field === 'nr') return hypercalls[number];
  if (reason === 'KVM_EXIT_SYSTEM_EVENT' && field === 'type') return systemEvents[number];
  return reason === 'KVM_EXIT_TDX' && field === 'nr' ? tdvmcalls[number] : undefined;
}

const isRegister = (field: string) => field === 'port' || field === 'flags';

function hexOf(value: unknown): TraceValue {
  return typeof value === 'number' ? hex(value) : plainValue(value);
}
