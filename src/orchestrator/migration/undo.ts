/**
 * These steps take a migration back, or end it where neither VM has the TD. An undo may leave something
 * behind.
 */
import type { GivenBack, LetGo } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/td-lifecycle/index.ts';
import type { TdRun } from '../td-run.ts';
import { ask, reach } from './ask.ts';
import type { MigrationSession } from './session.ts';

export async function takeDownDestination(session: MigrationSession): Promise<GivenBack> {
  return { leftovers: await takeDown(session.destination) };
}

/** A pause that was under way ends first. A pause that never began leaves the TD running. */
export async function keepSource({ source }: MigrationSession): Promise<LetGo> {
  const stopped = source.state === 'migratingOut.stopRequested';
  source.send({ type: 'td.keep' });
  if (stopped) await source.ended;
  else await reach(source, 'paused', 'runnable', 'running');
  return { stopped };
}

export function resumeSource({ source }: MigrationSession): Promise<void> {
  return ask(source, { event: { type: 'td.resume' }, leadsTo: 'running' });
}

export async function clearUp(session: MigrationSession): Promise<GivenBack> {
  const { source, destination } = session;
  source.send({ type: 'td.lost', error: lostError(session) });
  const ofDestination = await takeDown(destination);
  return { leftovers: [...ofDestination, ...(await takeDown(source))] };
}

async function takeDown(td: TdRun | undefined): Promise<readonly StepError[]> {
  if (td === undefined) return [];
  td.stop();
  const { leftovers } = await td.ended;
  return leftovers;
}

function lostError({ source }: MigrationSession): StepError {
  return {
    step: 'moving',
    code: 'TDCTL_E_TD_LOST',
    message: `the TD ${source.session.plan.spec.name} is in no VM any more`,
    hint: 'provision it anew; a TD that is lost in a move cannot be brought back',
  };
}
