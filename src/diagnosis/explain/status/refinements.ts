/**
 * What a status means where the leaf or the operand narrows it: the first row that fits decides.
 * Rows from the field carry the thread where the cause was found.
 */
import { tdParamsChecks as rows } from '../../../abi/tdx/checks/build.ts';
import { memPageAddChecks } from '../../../abi/tdx/checks/memory.ts';
import type { OperandName, StatusName } from '../../../abi/tdx/status.ts';
import type { Answer } from '../answer.ts';
import type { LeafName } from './leaves.ts';

export interface Refinement extends Answer {
  readonly status: StatusName | 'TDX_INCORRECT_CPUID_VALUE' | 'TDX_INCORRECT_MSR_VALUE';
  readonly leaf?: LeafName;
  readonly operand?: OperandName;
}

export const refinements: readonly Refinement[] = [
  {
    // canonical/tdx#161
    id: 'seamcall.sys-init.bios-too-old',
    status: 'TDX_INCORRECT_CPUID_VALUE',
    leaf: 'TDH.SYS.INIT',
    meaning:
      'the TDX module finds CPUID values that it cannot work with: the BIOS is too old for it',
    causes: [
      'the BIOS, with the microcode in it, is older than the TDX module expects',
      'the host is itself a VM whose CPUID was altered',
    ],
    next: 'update the BIOS from the maker of the server, then reboot',
  },
  {
    // canonical/tdx#25: 0xc000092100000122, MSR 0x122 is IA32_TSX_CTRL.
    id: 'seamcall.sys-init.msr-refused',
    status: 'TDX_INCORRECT_MSR_VALUE',
    leaf: 'TDH.SYS.INIT',
    meaning: 'the TDX module refuses the value of an MSR, whose number is in the details',
    causes: [
      'the BIOS or its microcode is older than the module expects',
      'a BIOS setting writes the MSR (0x122 is TSX, 0x981 and 0x982 are memory encryption)',
    ],
    next: 'update the BIOS; compare its settings for memory encryption and TSX with its manual',
  },
  {
    // canonical/tdx#83, #331: module 1.0 under a kernel that needs 1.5.
    id: 'seamcall.sys-rd.module-too-old',
    status: 'TDX_SYS_NOT_READY',
    leaf: 'TDH.SYS.RD',
    meaning:
      'the TDX module is too old for this kernel: it answers TDH.SYS.RD only once it is ready',
    causes: [
      'the module is of the 1.0 line ("major_version 1, minor_version 0" in the log); Linux needs 1.5',
      'an earlier step of the initialisation failed',
    ],
    next: 'update the BIOS, which brings the module; 1.5.06 or later',
  },
  {
    id: 'seamcall.sys-rd.field-unknown',
    status: 'TDX_METADATA_FIELD_ID_INCORRECT',
    leaf: 'TDH.SYS.RD',
    meaning:
      'the TDX module does not know a field that this kernel reads: it is too old for the kernel',
    causes: ['the id of the field is RDX in the next line of the log'],
    next: 'update the BIOS, which brings a newer module, or boot an older kernel',
  },
  {
    // canonical/tdx#153, and #149 for "VMs stop after two weeks" with the same warning.
    id: 'seamcall.page-reclaim.race',
    status: 'TDX_PAGE_METADATA_INCORRECT',
    leaf: 'TDH.PHYMEM.PAGE.RECLAIM',
    operand: 'RCX',
    meaning: 'a page of an ending TD was to be given back, and the module says it is free already',
    causes: [
      'a race in the kernel when a TD with much memory or many vCPUs ends; the host goes on',
      'an earlier teardown of the same TD had half succeeded',
    ],
    next: 'update the kernel; check with `tdctl host` that no key slot was lost',
  },
  {
    id: 'td-params.attributes-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'ATTRIBUTES',
    meaning: 'the module refuses the ATTRIBUTES of the TD',
    causes: [
      'a bit that this module release does not have, or that the CPU does not support',
      'MIGRATABLE together with DEBUG or PERFMON',
    ],
    next: rows['mng-init.attributes'].remedy,
  },
  {
    id: 'td-params.xfam-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'XFAM',
    meaning: 'the module refuses the XFAM of the TD',
    causes: [
      'AVX-512 (bits 5, 6, 7) only in part, or without AVX (bit 2)',
      'CET (11, 12) or AMX (17, 18) only in part',
      'a state that this CPU does not have',
    ],
    next: rows['mng-init.xfam'].remedy,
  },
  {
    id: 'td-params.config-flags-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'EXEC_CONTROLS',
    meaning: 'the module refuses the CONFIG_FLAGS of the TD',
    causes: ['the module is too old for a flag that the kernel sets (NO_RBP_MOD needs 1.5.01)'],
    next: rows['mng-init.config-flags'].remedy,
  },
  {
    id: 'td-params.eptp-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'EPTP_CONTROLS',
    meaning: 'the module refuses the depth of the secure EPT',
    causes: ['52 guest address bits were asked for on a host that has 4-level EPT only'],
    next: rows['mng-init.eptp-controls'].remedy,
  },
  {
    id: 'td-params.max-vcpus-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'MAX_VCPUS',
    meaning: 'the module refuses MAX_VCPUS: it is 0, or more than the module gives one TD',
    causes: [
      'the TD asks for more vCPUs than the module allows: 576 since 1.5.05, 1376 in 2.0',
      'KVM writes the number of CPUs of the host, and the host has more than the module allows',
    ],
    next: rows['mng-init.max-vcpus'].remedy,
  },
  {
    id: 'td-params.cpuid-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'CPUID_CONFIG',
    meaning: 'the module refuses a CPUID bit of the TD',
    causes: [
      'a bit that is fixed in this module release; RCX of the call names leaf and subleaf',
      'HLE without RTM, or the other way round',
      'family, model or stepping of another CPU',
    ],
    next: rows['mng-init.cpuid-config'].remedy,
  },
  {
    id: 'td-params.tsc-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'TSC_FREQUENCY',
    meaning: 'the module refuses the TSC frequency of the TD',
    causes: ['it is not between 100 MHz and 10 GHz'],
    next: rows['mng-init.tsc-frequency'].remedy,
  },
  {
    id: 'td-params.nested-vms-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'NUM_L2_VMS',
    meaning: 'the module refuses the number of nested VMs (more than 3)',
    next: rows['mng-init.num-l2-vms'].remedy,
  },
  {
    id: 'td-params.arch-capabilities-refused',
    status: 'TDX_OPERAND_INVALID',
    operand: 'IA32_ARCH_CAPABILITIES_CONFIG',
    meaning: 'the module refuses what the TD is to see of IA32_ARCH_CAPABILITIES',
    next: rows['mng-init.arch-capabilities'].remedy,
  },
  {
    id: 'td-params.reserved-not-zero',
    status: 'TDX_OPERAND_INVALID',
    leaf: 'TDH.MNG.INIT',
    operand: 'RDX',
    meaning:
      'TD_PARAMS is not aligned, not in shared memory, or has a reserved byte that is not zero',
    next: 'report it with the kernel version: the kernel fills in TD_PARAMS',
  },
  {
    id: 'seamcall.leaf-unknown',
    status: 'TDX_OPERAND_INVALID',
    operand: 'RAX',
    meaning:
      'the module does not know the call, or not this version of it: it is too old for the kernel',
    next: 'update the BIOS, which brings a newer module, or boot an older kernel',
  },
  {
    id: 'seamcall.source-page-refused',
    status: 'TDX_OPERAND_INVALID',
    leaf: 'TDH.MEM.PAGE.ADD',
    operand: 'R9',
    meaning: 'the page that is copied into the TD is not ordinary shared memory',
    next: memPageAddChecks['mem-page-add.source'].remedy,
  },
  {
    id: 'seamcall.gpa-refused',
    status: 'TDX_OPERAND_INVALID',
    leaf: 'TDH.MEM.PAGE.ADD',
    operand: 'RCX',
    meaning: 'the guest address is shared, unaligned, or beyond the address width of the TD',
    next: memPageAddChecks['gpa.not-private'].remedy,
  },
];
