/** Where another keeper comes in that the TD is to move to: one at a time, and only where the TD can leave. */
import { hasTag } from '../../../machines/state-id.ts';
import { tdLifecycle } from '../../../machines/td-lifecycle/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { Host } from '../../host/port.ts';
import type { TdRun } from '../../orchestrator/index.ts';
import type { MoveDoor } from '../api/surface.ts';
import type { Life } from '../life.ts';
import type { Giving, GivingOptions, LeftDirectory } from './giving.ts';

export interface DoorOptions {
  readonly host: Host;
  readonly life: Life;
  /** Undefined where it is nobody else's to have. */
  readonly directory?: LeftDirectory | undefined;
  readonly consoleSocket?: GivingOptions['consoleSocket'] | undefined;
  readonly patienceMs?: number | undefined;
  /** Somebody has asked for its end, which may still be to come. */
  readonly hasEnd: () => boolean;
}

export const usualPatienceMs = 10_000;

/** @param run undefined where QEMU has the TD. */
export function moveDoor(run: TdRun | undefined, options: DoorOptions): MoveDoor {
  const { host, life, directory, patienceMs = usualPatienceMs, hasEnd } = options;
  const { consoleSocket = () => undefined } = options;
  let isOpen = false;
  let given: Giving | undefined;
  return {
    get hasLeft() {
      return given?.hasLeft === true;
    },
    checkHere() {
      if (given?.hasLeft === true) throw hasLeft();
    },
    settled: async () => given?.settled(),
    typed: (bytes) => given?.typed(bytes),
    check() {
      const { state } = life.status;
      if (directory === undefined) {
        throw cannotLeave(state, 'it is kept by the command that runs it, and ends with that');
      }
      if (run === undefined) {
        throw cannotLeave(state, 'QEMU has it, and lets no other process have it');
      }
      if (isOpen) throw cannotLeave(state, 'another keeper takes it over just now');
      if (hasEnd()) throw cannotLeave(state, 'somebody has asked for its end');
      if (state === 'queued') throw cannotLeave(state, 'it waits for a key slot');
      if (hasTag(tdLifecycle, run.state, 'whole')) return;
      throw cannotLeave(state, 'it is not whole, or is on its way to another state');
    },
    open(socket) {
      if (directory === undefined || run === undefined) {
        throw new Error('it was not checked whether the TD can move');
      }
      isOpen = true;
      const onOver = () => {
        isOpen = false;
      };
      // Few TDs move, and the chart of a move is loaded for those alone.
      const giving = import('./giving.ts').then(({ Giving }) => {
        given = new Giving(socket, {
          run,
          host,
          life,
          patienceMs,
          directory,
          consoleSocket,
          onOver,
        });
        return given;
      });
      return { end: async () => (await giving).end() };
    },
  };
}

function hasLeft(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: 'ask the keeper of a TD',
    message: 'the TD has just moved to another keeper, which takes questions in a moment',
    hint: 'ask again',
  });
}

function cannotLeave(state: string, why: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'move a TD to another keeper',
    message: `the TD is ${state}, and cannot move: ${why}`,
    hint: 'only a TD that is runnable, running or paused, and that nobody has asked to end, can move',
  });
}
