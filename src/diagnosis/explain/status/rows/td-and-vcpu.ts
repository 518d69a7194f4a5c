/** Classes 06 and 07: the state of a TD and of its vCPUs. */
import type { StatusRow } from '../status-row.ts';

const orderOfVmm = 'compare the order of the VMM with docs/lifecycle.md; `tdctl run` keeps it';
const moduleIs1Dot0 = 'update the BIOS: module 1.0 answers this, and Linux needs 1.5 or later';

export const tdAndVcpuRows = {
  TDX_TD_FATAL: {
    meaning: 'the TD met a fatal error earlier; only tearing it down still works',
    returnedBy: [],
    next: 'stop the TD, and look for the first failure of it in the kernel log',
  },
  TDX_TD_NON_DEBUG: {
    meaning: 'the state of a TD can be read or written only when it was built with DEBUG',
    returnedBy: ['TDH.MEM.RD', 'TDH.MEM.WR', 'TDH.VP.RD', 'TDH.VP.WR'],
    next: 'build the TD with ATTRIBUTES.DEBUG to look into it; never for production',
  },
  TDX_TDCS_NOT_ALLOCATED: {
    meaning: 'the TD has too few control pages',
    returnedBy: ['TDH.MNG.INIT', 'TDH.VP.CREATE'],
    causes: ['the VMM or kernel adds as many pages as another release of the module needs'],
    next: 'update the kernel: it must read the number of pages from the module',
  },
  TDX_LIFECYCLE_STATE_INCORRECT: {
    meaning: 'the call does not fit where the TD is between creation and teardown',
    returnedBy: [
      'TDH.MNG.KEY.CONFIG',
      'TDH.MNG.VPFLUSHDONE',
      'TDH.MNG.KEY.FREEID',
      'TDH.PHYMEM.PAGE.RECLAIM',
    ],
    causes: ['an earlier step of the teardown failed, and the next one was tried all the same'],
    next: 'look for the first failed SEAMCALL of this TD',
  },
  TDX_OP_STATE_INCORRECT: {
    meaning:
      'the call does not fit the state of the TD: uninitialised, initialised, runnable, migrating',
    returnedBy: [],
    causes: [
      'memory or a vCPU was added after the TD had been finalised',
      'the TD was run before it had been finalised',
      'the TD is being exported or imported',
    ],
    next: orderOfVmm,
  },
  TDX_NO_VCPUS: {
    meaning: 'a TD without an initialised vCPU cannot be finalised',
    returnedBy: ['TDH.MR.FINALIZE'],
    next: 'initialise at least one vCPU (KVM_TDX_INIT_VCPU) before KVM_TDX_FINALIZE_VM',
  },
  TDX_TDCX_NUM_INCORRECT: {
    meaning: 'too many or too few control pages for the TD or the vCPU',
    returnedBy: ['TDH.MNG.ADDCX', 'TDH.VP.ADDCX', 'TDH.VP.INIT'],
    causes: ['the kernel does not know how many pages this release of the module needs'],
    next: 'update the kernel, or use a module release that it knows',
  },
  TDX_X2APIC_ID_NOT_UNIQUE: {
    meaning: 'two vCPUs of the TD were given the same x2APIC id',
    returnedBy: ['TDH.VP.INIT'],
    next: 'give each vCPU an id of its own: the kernel uses the id of KVM_CREATE_VCPU',
  },
  TDX_INCOMPATIBLE_MRTD_CONTEXT: {
    meaning: 'the module was updated while the TD was being measured, so its MRTD would be wrong',
    returnedBy: ['TDH.MEM.PAGE.ADD', 'TDH.MR.EXTEND', 'TDH.MR.FINALIZE'],
    next: 'build the TD again; do not update the module while TDs are being built',
  },
  TDX_VCPU_STATE_INCORRECT: {
    meaning: 'the call does not fit the state of the vCPU',
    returnedBy: ['TDH.VP.ADDCX', 'TDH.VP.INIT', 'TDH.VP.ENTER'],
    causes: ['the vCPU was initialised twice', 'the vCPU had a fatal error and is disabled'],
    next: orderOfVmm,
  },
  TDX_VCPU_ASSOCIATED: {
    meaning: 'the vCPU is still held by another CPU of the host',
    returnedBy: ['TDH.VP.ENTER', 'TDH.VP.FLUSH'],
    next: 'nothing if the kernel goes on: it flushes the vCPU there and repeats',
  },
  TDX_VCPU_NOT_ASSOCIATED: {
    meaning: 'the vCPU is not held by this CPU of the host, so there is nothing to flush',
    returnedBy: ['TDH.VP.FLUSH'],
    next: 'nothing to do: the kernel takes it as done',
  },
  TDX_MAX_VCPUS_EXCEEDED: {
    meaning: 'the TD has as many vCPUs as TD_PARAMS.MAX_VCPUS allows it',
    returnedBy: ['TDH.VP.INIT'],
    next: 'create fewer vCPUs; `tdctl host` shows the four limits and which one binds',
  },
  TDX_TSC_ROLLBACK: {
    meaning: 'the time stamp counter of the host went backwards since the TD ran last',
    returnedBy: ['TDH.VP.ENTER'],
    causes: ['the host slept or was resumed', 'software wrote the TSC of one CPU'],
    next: 'stop the TD; keep the host from sleeping, and look for "tsc:" in the kernel log',
  },
  TDX_TD_NOT_INITIALIZED: {
    meaning: 'the TD is not initialised (a code of module 1.0 only)',
    returnedBy: ['TDH.MEM.SEPT.ADD', 'TDH.VP.CREATE', 'TDH.MR.FINALIZE'],
    next: moduleIs1Dot0,
  },
  TDX_TD_INITIALIZED: {
    meaning: 'the TD is initialised already (a code of module 1.0 only)',
    returnedBy: ['TDH.MNG.INIT', 'TDH.MNG.ADDCX'],
    next: moduleIs1Dot0,
  },
  TDX_TD_NOT_FINALIZED: {
    meaning: 'the TD is not finalised (a code of module 1.0 only)',
    returnedBy: ['TDH.VP.ENTER', 'TDH.MEM.PAGE.AUG'],
    next: moduleIs1Dot0,
  },
  TDX_TD_FINALIZED: {
    meaning: 'the TD is finalised already (a code of module 1.0 only)',
    returnedBy: ['TDH.MEM.PAGE.ADD', 'TDH.MR.EXTEND', 'TDH.VP.INIT'],
    next: moduleIs1Dot0,
  },
} as const satisfies Record<string, StatusRow>;
