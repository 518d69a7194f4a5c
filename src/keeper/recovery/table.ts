/**
 * What is concluded of a kept TD, as data: the first row that fits what is found. docs/recovery.md shows it, and a
 * test walks all that can be found.
 */
import type { Presence } from '../presence.ts';
import type { KeptState } from '../state.ts';
import type { NextKeeper } from './evidence.ts';
import type { UnderWay } from './under-way.ts';

export interface RecoveryRow {
  readonly id: string;
  /** Without it, whatever was under way. */
  readonly underWay?: readonly UnderWay[];
  readonly presence?: readonly (Presence | 'nobody')[];
  /** Of the process of a VMM that has the TD. */
  readonly vmm?: readonly (Presence | 'nobody')[];
  readonly lock?: 'held';
  /** The keeper that it was to move to. */
  readonly next?: NextKeeper['found'];
  /** Fits only where other processes have fds of VMs open. */
  readonly othersHoldVms?: true;
  /** What the conditions mean, for a person. */
  readonly found: string;
  /** `as written`: as the keeper has written it, or the outcome in its journal. */
  readonly state: KeptState | 'as written';
  /** Whether a key slot is still taken by it; `as written` as above. */
  readonly holdsKeySlot: boolean | 'as written';
  /** What tdctl does about it, and who else may. */
  readonly done: string;
  /**
   * What `list` and `show` tell a person, a sentence each; nothing where all is as it should be. `{keeper}` is the
   * process, `{vmm}` that of QEMU, `{next}` the keeper that it was to move to, `{state}` the state that was written
   * last, `{since}` its last sign of life, `{holders}` who has VMs open,
   * `{why}` what is wrong with the files, `{name}` the TD.
   */
  readonly told: readonly string[];
}

const gone = ['gone', 'recycled'] as const;
const ending = ['exiting', ...gone] as const;

export const recoveryTable = [
  {
    id: 'damaged',
    underWay: ['unreadable'],
    found:
      'the status is no JSON, of another tdctl, or may not be read; or the entry is no directory',
    state: 'damaged',
    holdsKeySlot: false,
    done: 'nothing by itself: a keeper that lives writes its status again; `delete` removes it once nobody has the lock',
    told: ['its files cannot be read: {why}', '`tdctl delete {name}` removes what is left of it'],
  },
  {
    id: 'left-for-the-next',
    underWay: ['movedAway'],
    next: 'lives',
    found:
      'the TD has left this keeper, and the next one, which has it, has not taken the directory over yet',
    state: 'moving',
    holdsKeySlot: true,
    done: 'nothing: the next keeper takes the directory over',
    told: ['it has moved from {keeper} to {next}, which will say soon how it is'],
  },
  {
    id: 'left-for-one-that-stands-still',
    underWay: ['movedAway'],
    next: 'stopped',
    found: 'the TD has left this keeper, and SIGSTOP holds the next one, which has it',
    state: 'unknown',
    holdsKeySlot: true,
    done: 'nothing by itself: what it holds, it holds',
    told: [
      'it has moved from {keeper} to {next}, which is stopped by a signal',
      '`kill -CONT` lets that go on',
    ],
  },
  {
    id: 'taken-over',
    presence: ending,
    next: 'lives',
    found: 'the keeper is gone, in a move, and the next one is there',
    state: 'moving',
    holdsKeySlot: 'as written',
    done: 'nothing: the next keeper asks who has the TD, and takes the directory over or says that it is lost',
    told: [
      'its keeper, {keeper}, has ended in a move; {next} is to keep it, and says soon what came of it',
    ],
  },
  {
    id: 'taken-over-by-one-that-stands-still',
    presence: ending,
    next: 'stopped',
    found: 'the keeper is gone, in a move, and SIGSTOP holds the next one',
    state: 'unknown',
    holdsKeySlot: 'as written',
    done: 'nothing by itself: what it holds, it holds',
    told: [
      'its keeper, {keeper}, has ended in a move, and {next}, which is to keep it, is stopped by a signal',
      '`kill -CONT` lets that go on',
    ],
  },
  {
    id: 'lost-after-move',
    presence: gone,
    vmm: ['nobody'],
    next: 'diedWithTd',
    found: 'both keepers of a move are gone, and the next one had the TD',
    state: 'lost',
    holdsKeySlot: false,
    done: 'the kernel took the TD down with the last fd, and the key slot is free',
    told: [
      'it had moved from {keeper} to {next}, which died before it was in the list, and the kernel took the TD down; its key slot is free',
    ],
  },
  {
    id: 'lost-in-move',
    presence: gone,
    vmm: ['nobody'],
    next: 'diedMoving',
    found: 'both keepers of a move are gone, and none has written down that it had the TD',
    state: 'lost',
    holdsKeySlot: false,
    done: 'the kernel took the TD down with the last fd, and the key slot is free',
    told: [
      'both its keepers, {keeper} and {next}, died in its move, and the kernel took the TD down, whoever had it; its key slot is free',
    ],
  },
  {
    id: 'over',
    underWay: ['over'],
    found: 'the end is in the status, or is the last record of the journal',
    state: 'as written',
    holdsKeySlot: 'as written',
    done: 'nothing is left to do',
    told: [],
  },
  {
    id: 'moved',
    underWay: ['movedAway'],
    presence: ['nobody', 'exiting', 'gone', 'recycled', 'rebooted'],
    found: 'the keeper is gone, and the TD had left it before',
    state: 'moved',
    holdsKeySlot: false,
    done: 'nothing is left to do',
    told: [],
  },
  {
    id: 'rebooted',
    presence: ['rebooted'],
    found: 'the boot id is another one',
    state: 'lost',
    holdsKeySlot: false,
    done: 'nothing is left to free',
    told: ['the host was booted since, and nothing is left of the TD; it was {state}'],
  },
  {
    id: 'just-begun',
    underWay: ['nothing'],
    lock: 'held',
    found: 'no status, and a process has the lock',
    state: 'creating',
    holdsKeySlot: false,
    done: 'nothing: its keeper has just begun',
    told: [],
  },
  {
    id: 'half-made',
    underWay: ['nothing'],
    found: 'no status, and nobody has the lock',
    state: 'lost',
    holdsKeySlot: false,
    done: 'no step was begun, so nothing was ever taken; `create` takes the name',
    told: ['its keeper ended before it had begun, and nothing was taken'],
  },
  {
    id: 'stopped',
    presence: ['stopped'],
    found: 'the process is there, and SIGSTOP holds it',
    state: 'unknown',
    holdsKeySlot: 'as written',
    done: 'nothing by itself: what it holds, it holds',
    told: [
      'its keeper, {keeper}, is stopped by a signal since {since} or later, and answers nobody; it was {state}',
      '`kill -CONT` lets it go on; `tdctl kill {name}` ends it, and the kernel then takes the TD down',
    ],
  },
  {
    id: 'vmm-runs',
    presence: ending,
    vmm: ['lives', 'stopped'],
    found: 'the keeper is gone, and the process of QEMU, which has the TD, is there',
    state: 'unkept',
    holdsKeySlot: 'as written',
    done: 'nothing by itself; `start` and every other verb begins another keeper, which goes on where the one before ended; `kill` ends QEMU',
    told: [
      'its keeper, {keeper}, died as it was {state}; QEMU, {vmm}, has the TD, and goes on with it',
      '`tdctl start {name}` gives it another keeper; `tdctl kill {name}` ends it',
    ],
  },
  {
    id: 'vmm-exiting',
    presence: ending,
    vmm: ['exiting'],
    found: 'the keeper is gone, and the process of QEMU, which has the TD, is ending',
    state: 'draining',
    holdsKeySlot: 'as written',
    done: 'nothing can be done but wait; `wait` and `delete` do',
    told: [
      'its keeper, {keeper}, died as it was {state}, and QEMU, {vmm}, is ending: the kernel is taking the TD down',
    ],
  },
  {
    id: 'vmm-gone',
    underWay: ['holding'],
    presence: gone,
    vmm: gone,
    found: 'the keeper is gone, and so is the process of QEMU, which had the TD',
    state: 'lost',
    holdsKeySlot: false,
    done: 'the kernel took the TD down with QEMU, and the key slot is free',
    told: [
      'its keeper, {keeper}, died as it was {state}, and QEMU, {vmm}, has ended since; its key slot is free',
    ],
  },
  {
    id: 'exiting-with-slot',
    underWay: ['holding'],
    presence: ['exiting'],
    found: 'the process is ending, and the kernel is closing what it held',
    state: 'draining',
    holdsKeySlot: true,
    done: 'nothing can be done but wait; `wait` and `delete` do',
    told: ['its keeper, {keeper}, was killed as it was {state}; the kernel is taking the TD down'],
  },
  {
    id: 'exiting',
    presence: ['exiting'],
    found: 'the process is ending, and it held no key slot',
    state: 'draining',
    holdsKeySlot: false,
    done: 'nothing can be done but wait; `wait` and `delete` do',
    told: ['its keeper, {keeper}, was killed as it was {state}; no key slot was taken'],
  },
  {
    id: 'elsewhere-locked',
    presence: ['elsewhere'],
    lock: 'held',
    found: 'the number of the process is one of another PID namespace, and a process has the lock',
    state: 'as written',
    holdsKeySlot: 'as written',
    done: 'nothing',
    told: ['its keeper runs in another PID namespace, as in a container'],
  },
  {
    id: 'elsewhere',
    presence: ['elsewhere'],
    found:
      'the number of the process is one of another PID namespace, and nobody is seen with the lock',
    state: 'unknown',
    holdsKeySlot: 'as written',
    done: 'nothing by itself; `delete` removes it once nobody has the lock',
    told: [
      'its keeper was started in another PID namespace, as in a container, and cannot be seen from here; it was {state}',
      'ask where it was started',
    ],
  },
  {
    id: 'held-by-others',
    underWay: ['holding'],
    presence: gone,
    othersHoldVms: true,
    found: 'the keeper is gone, and other processes have fds of VMs open, which may be of this one',
    state: 'lost',
    holdsKeySlot: false,
    done: 'a VM that was handed on keeps its key slot until its last holder closes it',
    told: [
      'its keeper, {keeper}, died as it was {state}; the kernel has taken the TD down unless one of these has its VM: {holders}',
    ],
  },
  {
    id: 'lost-with-slot',
    underWay: ['holding'],
    presence: gone,
    found: 'the keeper is gone: there is no such process, or another has its number',
    state: 'lost',
    holdsKeySlot: false,
    done: 'the kernel took the TD down with the last fd, and the key slot is free',
    told: [
      'its keeper, {keeper}, died as it was {state}, and the kernel took the TD down; its key slot is free',
    ],
  },
  {
    id: 'lost-before-slot',
    underWay: ['waiting', 'building'],
    presence: gone,
    found: 'the keeper is gone',
    state: 'lost',
    holdsKeySlot: false,
    done: 'no key slot was ever taken',
    told: ['its keeper, {keeper}, died as it was {state}; no key slot was taken'],
  },
  {
    id: 'alive',
    presence: ['lives'],
    found: 'the process is there: the number, the time it was started and the boot are the same',
    state: 'as written',
    holdsKeySlot: 'as written',
    done: 'nothing',
    told: [],
  },
] as const satisfies readonly RecoveryRow[];

export type RecoveryRowId = (typeof recoveryTable)[number]['id'];
