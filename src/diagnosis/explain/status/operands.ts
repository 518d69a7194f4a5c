/** Operands by the ids that a status word carries in its low half. */
import type { OperandName } from '../../../abi/tdx/status.ts';

export interface OperandRow {
  /** What it is, for someone who has not read the module's specification. */
  readonly what: string;
}

/** Source: Intel TDX module, tdx_error_codes_defs.h. Registers carry what the leaf defines. */
export const operandRows: Readonly<Record<OperandName, OperandRow>> = {
  RAX: { what: 'register RAX: the leaf and its version' },
  RCX: { what: 'register RCX: usually the page or the guest address' },
  RDX: { what: 'register RDX: usually the TD, a key id or TD_PARAMS' },
  RBX: { what: 'register RBX' },
  RBP: { what: 'register RBP' },
  RSI: { what: 'register RSI' },
  RDI: { what: 'register RDI' },
  R8: { what: 'register R8: usually the page that is given to the module' },
  R9: { what: 'register R9: usually the page that is copied from' },
  R10: { what: 'register R10' },
  R11: { what: 'register R11' },
  R12: { what: 'register R12' },
  R13: { what: 'register R13' },
  R14: { what: 'register R14' },
  R15: { what: 'register R15' },
  ATTRIBUTES: { what: 'TD_PARAMS.ATTRIBUTES: DEBUG, SEPT_VE_DISABLE, PERFMON and the like' },
  XFAM: { what: 'TD_PARAMS.XFAM: the extended CPU state the TD may use' },
  EXEC_CONTROLS: { what: 'TD_PARAMS.CONFIG_FLAGS: GPAW, NO_RBP_MOD and the like' },
  EPTP_CONTROLS: { what: 'TD_PARAMS.EPTP_CONTROLS: 4 or 5 levels of secure EPT' },
  MAX_VCPUS: { what: 'TD_PARAMS.MAX_VCPUS: how many vCPUs the TD may ever have' },
  CPUID_CONFIG: { what: 'TD_PARAMS.CPUID_CONFIG: the CPUID bits chosen for the TD' },
  TSC_FREQUENCY: { what: 'TD_PARAMS.TSC_FREQUENCY: the TSC of the TD in units of 25 MHz' },
  NUM_L2_VMS: { what: 'TD_PARAMS.NUM_L2_VMS: nested VMs of the TD' },
  IA32_ARCH_CAPABILITIES_CONFIG: {
    what: 'TD_PARAMS.IA32_ARCH_CAPABILITIES_CONFIG: what the TD sees of that MSR',
  },
  TDR: { what: 'TDR: the root page of the TD' },
  TDCX: { what: 'TDCX: a control page of the TD or the vCPU' },
  TDVPR: { what: 'TDVPR: the root page of the vCPU' },
  TDCS: { what: 'TDCS: the control structure of the TD' },
  TDVPS: { what: 'TDVPS: the state of the vCPU' },
  SEPT_TREE: { what: 'the lock of the secure EPT of the TD' },
  RTMR: { what: 'a run-time measurement register of the TD' },
  TD_EPOCH: { what: 'the TLB epoch of the TD' },
  MIGSC: { what: 'the context of a migration stream' },
  OP_STATE: { what: 'the lock of the state of the TD' },
  MIG: { what: 'the lock of the migration of the TD' },
  SERVTD_BINDINGS: { what: 'the bindings of service TDs' },
  SYS: { what: 'the lock of the module itself' },
  TDMR: { what: 'a range of memory that TDX manages' },
  KOT: { what: 'the table that says who owns each key id' },
  KET: { what: 'the table of keys in the memory controller' },
  WBCACHE: { what: 'the lock of writing caches back' },
};
