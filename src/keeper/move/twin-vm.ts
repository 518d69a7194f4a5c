/**
 * The twin of a TD that another process has on a machine that it simulates itself: what it was built from is known, so
 * the same is built here, as a process of its own, and the TD moves out of that.
 */
import { TdctlError } from '../../errors/index.ts';
import type { HostWithProcesses } from '../../host/passing.ts';
import { startTd, type toStepError } from '../../orchestrator/index.ts';
import { LocalSource } from '../../orchestrator/migration/index.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { SourceVm } from './source-vm.ts';

/** Any number but the one of this process. */
const twinProcess = { mm: 2, cgroup: '/' } as const;

export interface TwinOf {
  readonly plan: TdPlan;
  /** The measurement of the TD, which that of the twin has to be. */
  readonly mrtd: string | null;
}

/** @throws TdctlError TDCTL_E_MIGRATION_REFUSED where the twin is no twin. */
export async function twinVm(
  host: HostWithProcesses,
  { plan, mrtd }: TwinOf,
): Promise<SourceVm & { readonly source: LocalSource }> {
  const process = host.otherProcess(twinProcess);
  const run = startTd({ host: process, plan, onEvent: () => {}, tellsRequests: false });
  const end = async () => {
    run.stop();
    await run.ended;
    await process.close();
  };
  if (!(await run.runnable)) {
    const { error } = await run.ended;
    await process.close();
    throw notBuilt(error === null ? 'it was stopped' : inWords(error));
  }
  if (run.context.mrtd !== mrtd) {
    await end();
    throw notBuilt(`it measures ${run.context.mrtd}, and the TD ${mrtd}`);
  }
  const source = new LocalSource(run);
  await source.handOver();
  let hasMoved = false;
  return {
    source,
    origin: await source.origin(),
    vm: await source.vm(),
    hasTd: async () => (await source.hasTd()).hasTd,
    // Its chart has time for that once the guest runs again: no key slot of anybody's is held by a twin.
    async moved() {
      hasMoved = true;
    },
    async close() {
      source.letGo(hasMoved ? 'moved' : 'kept');
      await end();
    },
  };
}

function inWords(error: ReturnType<typeof toStepError>): string {
  if ('message' in error) return `${error.step}: ${error.message}`;
  return `${error.step}: ${error.refusal.request} answered ${error.refusal.errno}`;
}

function notBuilt(why: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_MIGRATION_REFUSED',
    op: 'simulate the source in the process of the destination',
    message: `the TD cannot be built here as it was built there: ${why}`,
    hint: 'its firmware, or the file of its host, may be another one by now; the TD stays where it is',
  });
}
