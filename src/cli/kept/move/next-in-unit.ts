/**
 * A keeper in a unit of systemd begins the next one itself, which is in that unit then, with its limits: whoever asks for
 * the move is in none, or in another.
 */
import { keeperCommand, launchMove } from '../../../keeper/launch.ts';
import type { MoveReport } from '../../../keeper/move/report.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import { limitSlots } from '../../../keeper/systemd/limits.ts';
import type { ServiceManager } from '../../../keeper/systemd/notify.ts';
import { nextRequest } from './next-request.ts';

export interface NextInUnit {
  /** @throws TdctlError where the TD has not come to it. */
  begin(program: string): Promise<MoveReport>;
  /** Resolves once none of those that were begun is on its way. */
  settled(): Promise<void>;
}

interface Beginning {
  readonly request: KeepRequest;
  readonly env: NodeJS.ProcessEnv;
  readonly manager: ServiceManager;
}

/**
 * A shell begins it in the background and ends, so that it is the manager's own child from its first moment: a main process
 * that is somebody else's systemd does not wait for, and kills together with all of the unit as soon as that is stopped
 * (service_enter_signal() in src/core/service.c of systemd). The input goes by another fd: in the background a shell has put
 * /dev/null in the place of its own.
 */
const asOrphan = (command: readonly [program: string, ...args: string[]]) =>
  ['/bin/sh', '-c', 'exec 4<&0; "$0" "$@" <&4 4<&- &', ...command] as const;

/** @returns undefined of a keeper that is in no unit. */
export function nextInUnit({ request, env, manager }: Beginning): NextInUnit | undefined {
  if (request.unit === undefined) return undefined;
  const underWay = new Set<Promise<MoveReport>>();
  return {
    begin(program) {
      // Some kernels want a key slot for either VM.
      limitSlots(2);
      const command = asOrphan(keeperCommand(request.name, program));
      const launched = launchMove(nextRequest(request), { env: manager.handedOn(env), command });
      const begun = launched.finally(() => {
        underWay.delete(begun);
        if (underWay.size === 0) limitSlots(1);
      });
      underWay.add(begun);
      return begun;
    },
    async settled() {
      await Promise.allSettled(underWay);
    },
  };
}
