/**
 * These steps take a migration back, or end it where neither VM has the TD. An undo may leave something
 * behind.
 */
import type { GivenBack, LetGo } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/td-lifecycle/index.ts';
import type { TdRun } from '../td-run.ts';
import type { MigrationSession } from './session.ts';

export async function takeDownDestination(session: MigrationSession): Promise<GivenBack> {
  return { leftovers: await takeDown(session.destination) };
}

export function keepSource({ source }: MigrationSession): Promise<LetGo> {
  return source.keep();
}

export function resumeSource({ source }: MigrationSession): Promise<void> {
  return source.resume();
}

export async function clearUp(session: MigrationSession): Promise<GivenBack> {
  const { source, destination } = session;
  const lost = source.lost(lostError(session));
  const [ofDestination, ofSource] = await Promise.all([takeDown(destination), lost]);
  return { leftovers: [...ofDestination, ...ofSource.leftovers] };
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
    message: `the TD ${source.plan.spec.name} is in no VM any more`,
    hint: 'provision it anew; a TD that is lost in a move cannot be brought back',
  };
}
