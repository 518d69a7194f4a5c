/** What only a whole log says: messages that mean more together, and what is missing. */
import type { Answer } from './answer.ts';
import { type Boot, printsOfTdx } from './log/boots.ts';
import type { Mark } from './messages/message.ts';

/** What was found in one boot of a log, or in a log without the beginning of one. */
export interface SeenInBoot {
  readonly boot: Boot;
  /** Ids of answers, and names of messages that have none. */
  readonly ids: ReadonlySet<string>;
  /** Of the whole log: a VMM writes after the kernel, and into another file. */
  readonly idsOfLog: ReadonlySet<string>;
  /** Any answer was found. */
  readonly saysAnything: boolean;
  /** Something but notes was found. */
  readonly hasTrouble: boolean;
}

interface LogRule {
  readonly when: (seen: SeenInBoot) => boolean;
  /** The message whose line is shown as what the answer rests on. */
  readonly restsOn: string;
  readonly answer: Answer;
}

/** The name of the message that begins a boot, for rules that rest on it. */
export const bootMessage: Mark = 'boot';

const rules: readonly LogRule[] = [
  {
    when: ({ ids, idsOfLog }) =>
      idsOfLog.has('vmm.vm-type-unsupported') && ids.has('host.module-initialized'),
    restsOn: 'host.module-initialized',
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
    when: ({ boot, ids, hasTrouble }) =>
      boot.isWhole &&
      ids.has('host.bios-enabled') &&
      !ids.has('host.module-initialized') &&
      !hasTrouble,
    restsOn: 'host.bios-enabled',
    answer: {
      id: 'log.nothing-after-bios-enabled',
      meaning:
        'the BIOS enabled TDX, and up to its end the log has no line of an initialised module, nor of a failure',
      causes: [
        'kvm_intel was loaded without tdx=1 (kernels before 7.x initialise TDX only then)',
        'kvm_intel is not loaded at all',
        'the log ends before kvm_intel was loaded',
      ],
      next: 'check `cat /sys/module/kvm_intel/parameters/tdx`; add kvm_intel.tdx=1 to the command line',
    },
  },
  {
    // canonical/tdx#424: the default kernel had changed to -generic.
    when: ({ boot, saysAnything }) =>
      boot.isWhole &&
      boot.place === undefined &&
      !boot.marks.has('in-vm') &&
      printsOfTdx(boot.release) &&
      !saysAnything,
    restsOn: bootMessage,
    answer: {
      id: 'log.no-word-of-tdx',
      meaning:
        'this kernel booted from its first line to the first process without a line about TDX',
      causes: [
        'another kernel was booted than the one with TDX: an update changed the default (-generic)',
        'TDX or its key split is off in the BIOS, or the CPU has no TDX',
      ],
      next: 'check `uname -r` against the kernel that had TDX; run `tdctl doctor`',
    },
  },
  {
    when: ({ ids, hasTrouble }) => ids.has('host.module-initialized') && !hasTrouble,
    restsOn: 'host.module-initialized',
    answer: {
      id: 'log.no-trouble',
      rank: 'note',
      meaning: 'the module is initialised, and the log names no trouble with TDX',
      next: 'look at the log of the VMM; run `tdctl doctor`',
    },
  },
  {
    // canonical/tdx#421
    when: ({ boot, ids }) =>
      boot.place === 'guest' && ids.has('early-page-fault') && ids.has('in-find-next-bit'),
    restsOn: 'early-page-fault',
    answer: {
      id: 'guest.memory-no-multiple-of-gib',
      meaning:
        'the kernel of the TD died at its start where it looks through the bitmap of unaccepted memory: ' +
        'some kernels do with more than 64 GiB that are no multiple of 1 GiB',
      causes: [
        'the TD has more than 64 GiB, and its memory is no multiple of 1024 MiB (67000 MiB, for example)',
      ],
      next: 'give the TD a multiple of 1 GiB, or a guest kernel with the fix',
    },
  },
];

export interface SaidByLog {
  readonly answer: Answer;
  readonly restsOn: string;
}

export function explainBoot(seen: SeenInBoot): readonly SaidByLog[] {
  return rules.filter(({ when }) => when(seen));
}

export const logRuleAnswers: readonly Answer[] = rules.map(({ answer }) => answer);
