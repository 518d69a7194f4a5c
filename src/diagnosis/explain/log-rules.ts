/** What only a whole log says: mostly what is missing in it. */
import type { Answer } from './answer.ts';
import { vmTypeUnsupportedId } from './lines/vmm.ts';

export interface SeenInLog {
  /** Ids of the answers found line by line. */
  readonly ids: ReadonlySet<string>;
  /** The log begins where the kernel does: "Linux version …". */
  readonly hasBoot: boolean;
  /** Something but a note was found. */
  readonly hasTrouble: boolean;
}

interface LogRule {
  readonly when: (seen: SeenInLog) => boolean;
  readonly answer: Answer;
}

const rules: readonly LogRule[] = [
  {
    when: ({ ids }) => ids.has(vmTypeUnsupportedId) && ids.has('host.module-initialized'),
    answer: {
      // canonical/tdx#385, intel-staging/qemu-tdx#6
      id: 'log.initialized-and-vm-type-unsupported',
      meaning:
        'the TDX module is initialised, and QEMU still gets no TD: QEMU and kernel do not fit',
      causes: [
        'QEMU is upstream and the kernel is a vendor kernel from before Linux 6.16, or the other way round',
        'QEMU runs where it sees another /dev/kvm: in a VM or container',
      ],
      next: 'use upstream QEMU 10.1 or later with Linux 6.16 or later, or both from one vendor release',
    },
  },
  {
    // canonical/tdx#382, #260
    when: ({ ids, hasTrouble }) =>
      ids.has('host.bios-enabled') && !ids.has('host.module-initialized') && !hasTrouble,
    answer: {
      id: 'log.nothing-after-bios-enabled',
      meaning:
        'the BIOS enabled TDX, and nobody initialised the module: kvm_intel did not ask for it',
      causes: [
        'kvm_intel was loaded without tdx=1 (kernels before 7.x initialise TDX only then)',
        'kvm_intel is not loaded at all',
        'the BIOS settings are incomplete, and the module hangs silently (rare)',
      ],
      next: 'check `cat /sys/module/kvm_intel/parameters/tdx`; add kvm_intel.tdx=1 to the command line',
    },
  },
  {
    // canonical/tdx#424: the default kernel had changed to -generic.
    when: ({ ids, hasBoot }) => hasBoot && ids.size === 0,
    answer: {
      id: 'log.no-word-of-tdx',
      meaning: 'the kernel booted without a word about TDX',
      causes: [
        'another kernel was booted than the one with TDX: an update changed the default (-generic)',
        'TDX or its key split is off in the BIOS, or the CPU has no TDX',
        'the host is itself a VM',
      ],
      next: 'check `uname -r` against the kernel that had TDX; run `tdctl doctor`',
    },
  },
  {
    when: ({ ids, hasTrouble }) => ids.has('host.module-initialized') && !hasTrouble,
    answer: {
      id: 'log.no-trouble',
      rank: 'note',
      meaning: 'the module is initialised, and the log names no trouble with TDX',
      next: 'look at the log of the VMM; run `tdctl doctor`',
    },
  },
];

export function explainWholeLog(seen: SeenInLog): readonly Answer[] {
  return rules.filter(({ when }) => when(seen)).map(({ answer }) => answer);
}

export const logRuleAnswers: readonly Answer[] = rules.map(({ answer }) => answer);
