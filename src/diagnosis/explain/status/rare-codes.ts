/**
 * Status codes that real modules give and our simulated one does not: for reading logs only.
 * Source: Intel TDX module 1.5.06, include/auto_gen/tdx_error_codes_defs.h.
 */

/** `[high half, name, meaning]`; the advice is that of the code's class. */
export const rareCodes: readonly (readonly [bigint, string, string])[] = [
  [
    0x6000_0005n,
    'TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE',
    'the TD ended, and its memory cannot be read any more',
  ],
  [0xe000_0007n, 'TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE', 'the TD ended: a vCPU left x2APIC mode'],
  [0x8000_0008n, 'TDX_CROSS_TD_FAULT', 'a fault concerned another TD than the calling one'],
  [0x9000_0009n, 'TDX_CROSS_TD_TRAP', 'a trap concerned another TD than the calling one'],
  [0x6000_000an, 'TDX_NON_RECOVERABLE_TD_CORRUPTED_MD', 'the TD ended: its metadata is corrupt'],
  [
    0x9000_0205n,
    'TDX_HOST_PRIORITY_BUSY_TIMEOUT',
    'the host waited too long for a lock that the guest holds',
  ],
  [0x0000_0301n, 'TDX_PAGE_ALREADY_FREE', 'the page is free already; no error'],
  [0xc000_0302n, 'TDX_PAGE_NOT_OWNED_BY_TD', 'the page belongs to another TD'],
  [0xc000_050an, 'TDX_SYS_INCOMPATIBLE_SIGSTRUCT', 'the new module cannot follow the running one'],
  [
    0xc000_050dn,
    'TDX_INCOMPATIBLE_SEAM_CAPABILITIES',
    'the module needs a CPU or microcode that can do more',
  ],
  [0xc000_0704n, 'TDX_NO_VALID_VE_INFO', 'there is no virtualization exception to report'],
  [0xc000_0707n, 'TDX_INTERRUPTIBILITY_BLOCKED', 'the vCPU cannot take an interrupt now'],
  [
    0xc000_0730n,
    'TDX_TD_VMCS_FIELD_NOT_INITIALIZED',
    'a field of the vCPU was read before it was written',
  ],
  [0xc000_0731n, 'TD_VMCS_FIELD_ERROR', 'a field of the vCPU cannot be read or written'],
  [
    0xc000_0900n,
    'TDX_INCORRECT_CPUID_VALUE',
    'CPUID says something that the module cannot work with',
  ],
  [0xc000_0902n, 'TDX_INCONSISTENT_CPUID_FIELD', 'CPUID differs between the CPUs of the host'],
  [
    0xc000_0903n,
    'TDX_CPUID_MAX_SUBLEAVES_UNRECOGNIZED',
    'CPUID has more subleaves than the module knows',
  ],
  [0xc000_0905n, 'TDX_INVALID_WBINVD_SCOPE', 'the scope of WBINVD is none that the module knows'],
  [
    0xc000_0906n,
    'TDX_INVALID_PKG_ID',
    'a package has a number that the module cannot manage (at most 8 packages)',
  ],
  [0xc000_0907n, 'TDX_ENABLE_MONITOR_FSM_NOT_SET', 'MONITOR/MWAIT is switched off in the BIOS'],
  [0xc000_0908n, 'TDX_CPUID_LEAF_NOT_SUPPORTED', 'a CPUID leaf that the module needs is missing'],
  [0xc000_0910n, 'TDX_SMRR_NOT_LOCKED', 'the BIOS left the SMM range registers unlocked'],
  [
    0xc000_0911n,
    'TDX_INVALID_SMRR_CONFIGURATION',
    'the BIOS set up the SMM range registers wrongly',
  ],
  [
    0xc000_0912n,
    'TDX_SMRR_OVERLAPS_CMR',
    'SMM memory overlaps the memory that the BIOS offers to TDX',
  ],
  [0xc000_0913n, 'TDX_SMRR_LOCK_NOT_SUPPORTED', 'the CPU cannot lock the SMM range registers'],
  [0xc000_0914n, 'TDX_SMRR_NOT_SUPPORTED', 'the CPU has no SMM range registers'],
  [0xc000_0921n, 'TDX_INCORRECT_MSR_VALUE', 'an MSR has a value that the module cannot work with'],
  [0xc000_0930n, 'TDX_SEAMREPORT_NOT_AVAILABLE', 'the CPU cannot report on the module now'],
  [0xc000_0931n, 'TDX_SEAMDB_GETREF_NOT_AVAILABLE', 'the CPU has no database of module versions'],
  [
    0xc000_0932n,
    'TDX_SEAMDB_REPORT_NOT_AVAILABLE',
    'the CPU cannot report with the database of module versions',
  ],
  [0xc000_0933n, 'TDX_SEAMVERIFYREPORT_NOT_AVAILABLE', 'the CPU cannot verify a report now'],
  [0xc000_0a00n, 'TDX_INVALID_TDMR', 'a memory range handed to the module is malformed'],
  [0xc000_0a01n, 'TDX_NON_ORDERED_TDMR', 'the memory ranges handed to the module are not in order'],
  [
    0xc000_0a02n,
    'TDX_TDMR_OUTSIDE_CMRS',
    'a memory range lies outside what the BIOS offers to TDX (CMR)',
  ],
  [0xc000_0a10n, 'TDX_INVALID_PAMT', 'the place for page metadata (PAMT) is malformed'],
  [
    0xc000_0a11n,
    'TDX_PAMT_OUTSIDE_CMRS',
    'the PAMT lies outside what the BIOS offers to TDX (CMR)',
  ],
  [0xc000_0a12n, 'TDX_PAMT_OVERLAP', 'the PAMT overlaps memory that is not reserved'],
  [0xc000_0a20n, 'TDX_INVALID_RESERVED_IN_TDMR', 'a reserved area of a memory range is malformed'],
  [
    0xc000_0a21n,
    'TDX_NON_ORDERED_RESERVED_IN_TDMR',
    'the reserved areas of a memory range are not in order',
  ],
  [
    0xc000_0a22n,
    'TDX_CMR_LIST_INVALID',
    'the list of memory that the BIOS offers to TDX (CMR) is malformed',
  ],
  [0xc000_0b01n, 'TDX_EPT_ENTRY_FREE', 'nothing is mapped at this guest address'],
  [0xc000_0b02n, 'TDX_EPT_ENTRY_NOT_FREE', 'something is mapped at this guest address already'],
  [0xc000_0b04n, 'TDX_EPT_ENTRY_NOT_LEAF', 'the entry of the secure EPT is a table, not a page'],
  [0xc000_0b05n, 'TDX_EPT_ENTRY_LEAF', 'the entry of the secure EPT is a page, not a table'],
  [0xc000_0b06n, 'TDX_GPA_RANGE_NOT_BLOCKED', 'the guest addresses were not blocked first'],
  [
    0x0000_0b07n,
    'TDX_GPA_RANGE_ALREADY_BLOCKED',
    'the guest addresses are blocked already; no error',
  ],
  [
    0xc000_0b09n,
    'TDX_EPT_INVALID_PROMOTE_CONDITIONS',
    'the small pages cannot be joined to a large one',
  ],
  [0x0000_0b0an, 'TDX_PAGE_ALREADY_ACCEPTED', 'the guest has accepted the page already; no error'],
  [0xc000_0b0bn, 'TDX_PAGE_SIZE_MISMATCH', 'the page has another size than the call says'],
  [0xc000_0b0cn, 'TDX_GPA_RANGE_BLOCKED', 'the guest addresses are blocked'],
  [0xc000_0b0en, 'TDX_EPT_PAGE_NOT_FREE', 'a page of the secure EPT still has entries'],
  [
    0xc000_0b0fn,
    'TDX_L2_SEPT_WALK_FAILED',
    'the secure EPT of a nested VM has no entry on the way',
  ],
  [
    0xc000_0b10n,
    'TDX_L2_SEPT_ENTRY_NOT_FREE',
    'the secure EPT of a nested VM has an entry there already',
  ],
  [0xc000_0b11n, 'TDX_PAGE_ATTR_INVALID', 'the attributes of the page are not allowed'],
  [
    0xc000_0b12n,
    'TDX_L2_SEPT_PAGE_NOT_PROVIDED',
    'a page for the secure EPT of a nested VM is missing',
  ],
  [0xc000_0c01n, 'TDX_METADATA_FIELD_NOT_WRITABLE', 'the metadata field cannot be written'],
  [0xc000_0c03n, 'TDX_METADATA_FIELD_VALUE_NOT_VALID', 'the metadata field cannot take this value'],
  [0xc000_0c04n, 'TDX_METADATA_LIST_OVERFLOW', 'the list of metadata fields is too long'],
  [
    0xc000_0c05n,
    'TDX_INVALID_METADATA_LIST_HEADER',
    'the list of metadata fields has a malformed header',
  ],
  [
    0xc000_0c06n,
    'TDX_REQUIRED_METADATA_FIELD_MISSING',
    'a metadata field that is needed is missing',
  ],
  [0xc000_0c07n, 'TDX_METADATA_ELEMENT_SIZE_INCORRECT', 'a metadata field has another size'],
  [0xc000_0c08n, 'TDX_METADATA_LAST_ELEMENT_INCORRECT', 'the list of metadata fields ends wrongly'],
  [
    0xc000_0c09n,
    'TDX_METADATA_FIELD_CURRENTLY_NOT_WRITABLE',
    'the metadata field cannot be written now',
  ],
  [0xc000_0c0an, 'TDX_METADATA_WR_MASK_NOT_VALID', 'the mask names bits that cannot be written'],
  [
    0x0000_0c0bn,
    'TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT',
    'the first field of a context was answered; no error',
  ],
  [0x0000_0c0cn, 'TDX_METADATA_FIELD_SKIP', 'the metadata field was skipped; no error'],
  [0xc000_0d07n, 'TDX_TARGET_UUID_MISMATCH', 'the service TD speaks of another TD'],
  [0xc000_0d08n, 'TDX_TARGET_UUID_UPDATED', 'the TD has another UUID now'],
  [0xc000_0e02n, 'TDX_NOT_WRITE_BLOCKED', 'the page was not blocked for writing before its export'],
  [0x0000_0e03n, 'TDX_ALREADY_WRITE_BLOCKED', 'the page is blocked for writing already; no error'],
  [0xc000_0e04n, 'TDX_NOT_EXPORTED', 'the page was not exported'],
  [0xc000_0e0dn, 'TDX_MIGRATION_EPOCH_OVERFLOW', 'the migration has too many epochs'],
  [0xc000_0e0en, 'TDX_MAX_EXPORTS_EXCEEDED', 'the TD was exported too often'],
  [0xc000_0e0fn, 'TDX_INVALID_PAGE_MAC', 'a page was altered on its way'],
  [0xc000_0e10n, 'TDX_MIGRATED_IN_CURRENT_EPOCH', 'the page was migrated in this epoch already'],
  [
    0xc000_0e11n,
    'TDX_DISALLOWED_IMPORT_OVER_REMOVED',
    'a page that was removed cannot be imported again',
  ],
  [0xc000_0e16n, 'TDX_INVALID_MIGRATION_DECRYPTION_KEY', 'the migration key is malformed'],
  [
    0xc000_1000n,
    'TDX_INVALID_CPUSVN',
    'the report was made by a CPU state that is no longer trusted',
  ],
  [0xc000_1001n, 'TDX_INVALID_REPORTMACSTRUCT', 'the report is malformed or from another platform'],
  [0x0000_1100n, 'TDX_L2_EXIT_HOST_ROUTED_ASYNC', 'a nested VM exited to the host; no error'],
  [0x0000_1101n, 'TDX_L2_EXIT_HOST_ROUTED_TDVMCALL', 'a nested VM called the host; no error'],
  [0x0000_1102n, 'TDX_L2_EXIT_PENDING_INTERRUPT', 'a nested VM exited for an interrupt; no error'],
  [0x0000_1120n, 'TDX_PENDING_INTERRUPT', 'an interrupt waits for the vCPU; no error'],
  [0x0000_1140n, 'TDX_TD_EXIT_BEFORE_L2_ENTRY', 'the TD exited before its nested VM ran; no error'],
  [0x0000_1141n, 'TDX_TD_EXIT_ON_L2_VM_EXIT', 'the TD exited with its nested VM; no error'],
  [
    0x0000_1142n,
    'TDX_TD_EXIT_ON_L2_TO_L1',
    'the TD exited on the way from its nested VM; no error',
  ],
  [0xc000_1160n, 'TDX_GLA_NOT_CANONICAL', 'a linear address of the guest is not canonical'],
];

/** What the kernel itself answers in place of a status, when the call did not reach the module. */
export const kernelWords: readonly {
  readonly word: bigint;
  readonly name: string;
  readonly meaning: string;
  readonly causes: readonly string[];
  readonly next: string;
}[] = [
  {
    word: 0x8000_ff00_ffff_0000n,
    name: 'TDX_SEAMCALL_VMFAILINVALID',
    meaning: 'the call reached nobody: the TDX module is not loaded',
    causes: ['the BIOS did not load the module', 'the module was shut down'],
    next: 'switch on "SEAM Loader" and TDX in the BIOS, and update the BIOS',
  },
  {
    word: 0x8000_ff00_0000_000dn,
    name: 'TDX_SEAMCALL_GP',
    meaning: 'the CPU refuses SEAMCALL (#GP): TDX is not enabled by the BIOS',
    causes: ['one of several BIOS settings for TDX is missing'],
    next: 'go through every TDX setting of the BIOS: docs/explain.md lists them',
  },
  {
    word: 0x8000_ff00_0000_0006n,
    name: 'TDX_SEAMCALL_UD',
    meaning: 'the CPU refuses SEAMCALL (#UD): this CPU is not in VMX operation',
    causes: ['the kvm modules were not loaded when the call was made'],
    next: 'load kvm_intel, and look for an earlier failure of it in the kernel log',
  },
];

/** Answers of P-SEAMLDR, which loads the module: whole words, unlike the module's own codes. */
export const loaderWords: readonly (readonly [bigint, string, string])[] = [
  [0x8000_0000_0000_0000n, 'PSEAMLDR_EBADPARAM', 'the request to load a module is malformed'],
  [0x8000_0000_0000_0003n, 'PSEAMLDR_EBADCALL', 'P-SEAMLDR was called already'],
  [
    0x8000_0000_0000_0004n,
    'PSEAMLDR_EBADHANDOFF',
    'the new module cannot take over from the running one',
  ],
  [
    0x8000_0000_0000_0006n,
    'PSEAMLDR_EUNSUPPORTED',
    'the loader does not know this generation of modules',
  ],
  [
    0x8000_0000_0001_0002n,
    'PSEAMLDR_ENOMEM',
    'the module does not fit into the memory the BIOS set apart (SEAMRR)',
  ],
  [
    0x8000_0000_0001_0003n,
    'PSEAMLDR_EUNSPECERR',
    'the platform is set up in a way that the loader refuses',
  ],
  [0x8000_0000_0001_0004n, 'PSEAMLDR_EUNSUPCPU', 'the module does not support a CPU of this host'],
  [0x8000_0000_0002_0000n, 'PSEAMLDR_EBADSIG', 'the signature of the module is not valid'],
  [0x8000_0000_0002_0001n, 'PSEAMLDR_EBADHASH', 'the module image is damaged'],
];
