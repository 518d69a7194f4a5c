/**
 * Status words of the TDX module: what every SEAMCALL leaf answers in RAX.
 *
 * Bit 63 error, 62 non-recoverable, 61 fatal, 60 host-recoverability hint; 47:32 the code's class
 * and name; 31:0 details, for most codes the operand at fault. A word is compared by its high half.
 * Source: Intel TDX module, include/auto_gen/tdx_error_codes_defs.h, the same numbers in 1.5.01,
 * 1.5.28 and 2.0.18.
 */

const always = {
  TDX_SUCCESS: 0x0000_0000n,
  TDX_NON_RECOVERABLE_VCPU: 0x4000_0001n,
  TDX_NON_RECOVERABLE_TD: 0x6000_0002n,
  TDX_INTERRUPTED_RESUMABLE: 0x8000_0003n,
  TDX_INTERRUPTED_RESTARTABLE: 0x8000_0004n,
  TDX_INVALID_RESUMPTION: 0xc000_0006n,
  TDX_OPERAND_INVALID: 0xc000_0100n,
  TDX_OPERAND_ADDR_RANGE_ERROR: 0xc000_0101n,
  TDX_OPERAND_BUSY: 0x8000_0200n,
  TDX_PREVIOUS_TLB_EPOCH_BUSY: 0x8000_0201n,
  TDX_SYS_BUSY: 0x8000_0202n,
  TDX_RND_NO_ENTROPY: 0x8000_0203n,
  TDX_OPERAND_BUSY_HOST_PRIORITY: 0x8000_0204n,
  TDX_PAGE_METADATA_INCORRECT: 0xc000_0300n,
  TDX_PAGE_NOT_FREE: 0xc000_0303n,
  TDX_HPA_RANGE_NOT_FREE: 0xc000_0304n,
  TDX_MISSING_PAMT_PAGE_PAIR: 0x8000_0308n,
  TDX_TD_ASSOCIATED_PAGES_EXIST: 0xc000_0400n,
  TDX_SYS_INIT_NOT_PENDING: 0xc000_0500n,
  TDX_SYS_LP_INIT_NOT_DONE: 0xc000_0502n,
  TDX_SYS_LP_INIT_DONE: 0xc000_0503n,
  TDX_SYS_NOT_READY: 0xc000_0505n,
  TDX_SYS_SHUTDOWN: 0xc000_0506n,
  TDX_SYS_KEY_CONFIG_NOT_PENDING: 0xc000_0507n,
  TDX_SYS_STATE_INCORRECT: 0xc000_0508n,
  TDX_SYS_INVALID_HANDOFF: 0xc000_0509n,
  TDX_SYS_LP_INIT_NOT_PENDING: 0xc000_050bn,
  TDX_SYS_CONFIG_NOT_PENDING: 0xc000_050cn,
  TDX_UPDATE_COMPATIBILITY_SENSITIVE: 0x8000_0512n,
  TDX_TD_FATAL: 0xe000_0604n,
  TDX_TD_NON_DEBUG: 0xc000_0605n,
  TDX_TDCS_NOT_ALLOCATED: 0xc000_0606n,
  TDX_LIFECYCLE_STATE_INCORRECT: 0xc000_0607n,
  TDX_OP_STATE_INCORRECT: 0xc000_0608n,
  TDX_NO_VCPUS: 0xc000_0609n,
  TDX_TDCX_NUM_INCORRECT: 0xc000_0610n,
  TDX_X2APIC_ID_NOT_UNIQUE: 0xc000_0621n,
  TDX_INCOMPATIBLE_MRTD_CONTEXT: 0xc000_0622n,
  TDX_VCPU_STATE_INCORRECT: 0xc000_0700n,
  TDX_VCPU_ASSOCIATED: 0x8000_0701n,
  TDX_VCPU_NOT_ASSOCIATED: 0x8000_0702n,
  TDX_MAX_VCPUS_EXCEEDED: 0xc000_0705n,
  TDX_TSC_ROLLBACK: 0xc000_0706n,
  TDX_KEY_GENERATION_FAILED: 0x8000_0800n,
  TDX_TD_KEYS_NOT_CONFIGURED: 0x8000_0810n,
  TDX_KEY_STATE_INCORRECT: 0xc000_0811n,
  TDX_KEY_CONFIGURED: 0x0000_0815n,
  TDX_WBCACHE_NOT_COMPLETE: 0x8000_0817n,
  TDX_HKID_NOT_FREE: 0xc000_0820n,
  TDX_NO_HKID_READY_TO_WBCACHE: 0x0000_0821n,
  TDX_WBCACHE_RESUME_ERROR: 0xc000_0823n,
  TDX_FLUSHVP_NOT_DONE: 0x8000_0824n,
  TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED: 0xc000_0825n,
  TDX_LIMIT_CPUID_MAXVAL_SET: 0xc000_0901n,
  TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED: 0xc000_0904n,
  TDX_INCONSISTENT_MSR: 0xc000_0920n,
  TDX_TDMR_ALREADY_INITIALIZED: 0x0000_0a03n,
  TDX_EPT_WALK_FAILED: 0xc000_0b00n,
  TDX_EPT_ENTRY_NOT_PRESENT: 0xc000_0b03n,
  TDX_TLB_TRACKING_NOT_DONE: 0xc000_0b08n,
  TDX_EPT_ENTRY_STATE_INCORRECT: 0xc000_0b0dn,
  TDX_METADATA_FIELD_ID_INCORRECT: 0xc000_0c00n,
  TDX_METADATA_FIELD_NOT_READABLE: 0xc000_0c02n,
  TDX_SERVTD_ALREADY_BOUND_FOR_TYPE: 0xc000_0d00n,
  TDX_SERVTD_TYPE_MISMATCH: 0xc000_0d01n,
  TDX_SERVTD_ATTR_MISMATCH: 0xc000_0d02n,
  TDX_SERVTD_INFO_HASH_MISMATCH: 0xc000_0d03n,
  TDX_SERVTD_UUID_MISMATCH: 0xc000_0d04n,
  TDX_SERVTD_NOT_BOUND: 0xc000_0d05n,
  TDX_SERVTD_BOUND: 0xc000_0d06n,
  TDX_INVALID_MBMD: 0xc000_0e00n,
  TDX_INCORRECT_MBMD_MAC: 0xc000_0e01n,
  TDX_MIGRATION_STREAM_STATE_INCORRECT: 0xc000_0e05n,
  TDX_MAX_MIGS_NUM_EXCEEDED: 0xc000_0e06n,
  TDX_EXPORTED_DIRTY_PAGES_REMAIN: 0xc000_0e07n,
  TDX_MIGRATION_DECRYPTION_KEY_NOT_SET: 0xc000_0e08n,
  TDX_TD_NOT_MIGRATABLE: 0xc000_0e09n,
  TDX_PREVIOUS_EXPORT_CLEANUP_INCOMPLETE: 0xc000_0e0an,
  TDX_NUM_MIGS_HIGHER_THAN_CREATED: 0xc000_0e0bn,
  TDX_IMPORT_MISMATCH: 0xc000_0e0cn,
  TDX_SOME_VCPUS_NOT_MIGRATED: 0xc000_0e12n,
  TDX_ALL_VCPUS_IMPORTED: 0xc000_0e13n,
  TDX_MIN_MIGS_NOT_CREATED: 0xc000_0e14n,
  TDX_VCPU_ALREADY_EXPORTED: 0xc000_0e15n,
} as const;

/** Gone since 1.5, which answers TDX_OP_STATE_INCORRECT in their places. */
const onlyRelease1Dot0 = {
  TDX_TD_NOT_INITIALIZED: 0xc000_0600n,
  TDX_TD_INITIALIZED: 0xc000_0601n,
  TDX_TD_NOT_FINALIZED: 0xc000_0602n,
  TDX_TD_FINALIZED: 0xc000_0603n,
} as const;

export type StatusName = keyof typeof always | keyof typeof onlyRelease1Dot0;

const highHalves = { ...always, ...onlyRelease1Dot0 } as const;

/** Each status as a whole word, details 0. */
export const statusCodes = Object.fromEntries(
  Object.entries(highHalves).map(([name, high]) => [name, high << 32n]),
) as Readonly<Record<StatusName, bigint>>;

/** Details of a status: which operand. Registers by number, the rest by the module's own ids. */
export const operandIds = {
  RAX: 0,
  RCX: 1,
  RDX: 2,
  RBX: 3,
  RBP: 5,
  RSI: 6,
  RDI: 7,
  R8: 8,
  R9: 9,
  R10: 10,
  R11: 11,
  R12: 12,
  R13: 13,
  R14: 14,
  R15: 15,
  ATTRIBUTES: 64,
  XFAM: 65,
  EXEC_CONTROLS: 66,
  EPTP_CONTROLS: 67,
  MAX_VCPUS: 68,
  CPUID_CONFIG: 69,
  TSC_FREQUENCY: 70,
  NUM_L2_VMS: 71,
  IA32_ARCH_CAPABILITIES_CONFIG: 72,
  TDR: 128,
  TDCX: 129,
  TDVPR: 130,
  TDCS: 144,
  TDVPS: 145,
  SEPT_TREE: 146,
  RTMR: 168,
  TD_EPOCH: 169,
  MIGSC: 171,
  OP_STATE: 172,
  MIG: 173,
  SERVTD_BINDINGS: 174,
  SYS: 184,
  TDMR: 185,
  KOT: 186,
  KET: 187,
  WBCACHE: 188,
} as const;

export type OperandName = keyof typeof operandIds;

/** The word of a status with the operand at fault in its details. */
export function statusWord(name: StatusName, operand?: OperandName): bigint {
  return operand === undefined
    ? statusCodes[name]
    : statusCodes[name] | BigInt(operandIds[operand]);
}

const codeMask = 0xffff_ffff_0000_0000n;

/** True where two words are the same code, whatever their details. */
export function isStatus(word: bigint, name: StatusName): boolean {
  return (word & codeMask) === statusCodes[name];
}

/** Bit 63: the leaf did not do what it was asked. A non-zero word without it only informs. */
export function isStatusError(word: bigint): boolean {
  return word >> 63n === 1n;
}

export interface DecodedStatus {
  /** undefined: no release known here has this code. */
  readonly name: StatusName | undefined;
  readonly error: boolean;
  readonly nonRecoverable: boolean;
  readonly fatal: boolean;
  readonly details: number;
  /** The operand that the details name; undefined where they are 0 or name none. */
  readonly operand: OperandName | undefined;
}

const namesByHighHalf = new Map(
  Object.entries(highHalves).map(([name, high]) => [high as bigint, name as StatusName]),
);
const namesByOperandId = new Map(
  Object.entries(operandIds).map(([name, id]) => [id as number, name as OperandName]),
);

// Details that are an operand id. Elsewhere they are something else (an MSR, a leaf), or nothing.
const namesItsOperand: ReadonlySet<StatusName> = new Set([
  'TDX_OPERAND_INVALID',
  'TDX_OPERAND_ADDR_RANGE_ERROR',
  'TDX_OPERAND_BUSY',
  'TDX_OPERAND_BUSY_HOST_PRIORITY',
  'TDX_PAGE_METADATA_INCORRECT',
  'TDX_HPA_RANGE_NOT_FREE',
  'TDX_EPT_WALK_FAILED',
  'TDX_EPT_ENTRY_NOT_PRESENT',
  'TDX_EPT_ENTRY_STATE_INCORRECT',
]);

export function decodeStatus(word: bigint): DecodedStatus {
  const name = namesByHighHalf.get(word >> 32n);
  const details = Number(word & 0xffff_ffffn);
  const isOperand =
    name !== undefined &&
    namesItsOperand.has(name) &&
    (details !== 0 || name === 'TDX_OPERAND_INVALID' || name === 'TDX_OPERAND_BUSY');
  return {
    name,
    error: isStatusError(word),
    nonRecoverable: ((word >> 62n) & 1n) === 1n,
    fatal: ((word >> 61n) & 1n) === 1n,
    details,
    operand: isOperand ? namesByOperandId.get(details) : undefined,
  };
}

/** The word as logs and messages have it: `0x` and 16 digits. */
export function formatWord(word: bigint): string {
  return `0x${word.toString(16).toUpperCase().padStart(16, '0')}`;
}

/** `TDX_OPERAND_INVALID | MAX_VCPUS (0xC000010000000044)`. Never throws. */
export function formatStatus(word: bigint): string {
  const { name, operand, details } = decodeStatus(word);
  const hex = formatWord(word);
  if (name === undefined) return `unknown TDX status (${hex})`;
  const what = operand ?? (details === 0 ? undefined : `0x${details.toString(16).toUpperCase()}`);
  return what === undefined ? `${name} (${hex})` : `${name} | ${what} (${hex})`;
}
