/**
 * The table has the steps of a TD that a VMM makes, in order: what each does, what the VMM is asked, and who takes it
 * back. A VMM is one process that has all of the TD, so the undo of every step is its end.
 */
import type { TdStep } from '../td-lifecycle/steps.ts';

/** The kernel takes the TD down with the last fd of it, which the process has. */
const withTheProcess = { leftTo: 'the kernel: all of it goes with the process of the VMM' };
const onlyWaits = { leftTo: 'nobody: the step only waits' };
const isUndo = { leftTo: 'nobody: it is itself an undo' };

/** These steps build the TD. */
export const vmmSteps = [
  {
    state: 'creatingVm',
    actor: 'launchVmm',
    does: 'start the VMM in a process group of its own; its identity is written down before it runs',
    requests: [],
    undo: { does: 'kill the process' },
  },
  {
    state: 'connecting',
    actor: 'connectVmm',
    does: 'agree with its monitor on QMP; it has made no machine yet, and no key slot is taken',
    requests: ['qmp_capabilities', 'query-status'],
    undo: { does: 'close the connections' },
  },
  {
    state: 'initializingTd',
    actor: 'buildTd',
    does: 'let the VMM make the whole TD: from here on it may hold a key slot',
    requests: ['x-exit-preconfig', 'query-status'],
    undo: withTheProcess,
  },
] as const satisfies readonly TdStep[];

/** These steps are done with a whole TD. */
export const vmmRunSteps = [
  {
    state: 'runnable',
    actor: 'watchRunnable',
    does: 'the TD is measured and whole; its vCPUs may be entered',
    requests: [],
    undo: onlyWaits,
  },
  {
    state: 'entering',
    actor: 'enterVcpus',
    does: 'let the VMM enter the vCPUs',
    requests: ['cont'],
    undo: { does: 'have them stopped' },
  },
  {
    state: 'running',
    actor: 'watchRunning',
    does: 'wait for what the VMM tells of the guest, and for its end',
    requests: ['query-status'],
    undo: onlyWaits,
  },
  {
    state: 'pausing',
    actor: 'leaveVcpus',
    does: 'have every vCPU stopped',
    requests: ['stop'],
    undo: { does: 'let them run again' },
  },
  {
    state: 'paused',
    actor: 'watchPaused',
    does: 'the TD is whole and no vCPU runs: it can go on',
    requests: [],
    undo: onlyWaits,
  },
  {
    state: 'stopping',
    actor: 'quitVmm',
    does: 'ask the VMM to end by itself, so that its disks are whole; a silent one is not waited for',
    requests: ['quit'],
    undo: isUndo,
  },
] as const satisfies readonly TdStep[];

/** These steps take a TD down. Each runs whatever the one before it answered. */
export const vmmTeardownSteps = [
  {
    state: 'terminating',
    actor: 'killVmm',
    does: 'kill the VMM where it is still there, and see that its process is gone',
    requests: [],
    undo: isUndo,
  },
  {
    state: 'releasing',
    actor: 'releaseVmm',
    does: 'see that the key slot is free, and clear away the sockets',
    requests: [],
    undo: isUndo,
  },
] as const satisfies readonly TdStep[];
