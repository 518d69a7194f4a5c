/** The way back, and the way out where the TD is in neither VM. Undo does not fail; it may leave rests. */
import type { GivenBack, RolledBack } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/td-lifecycle/index.ts';
import type { TdRun } from '../td-run.ts';
import type { MigrationSession } from './session.ts';
import { isAlive } from './steps.ts';

export async function rollBack(session: MigrationSession): Promise<RolledBack> {
  await session.underWay;
  const leftovers = await takeDown(session.destination);
  return { leftovers, sourceKept: await letGoOn(session) };
}

/** False where there is nothing to go on with: the source is dead, or has ended by itself. */
async function letGoOn({ source, wasRunning }: MigrationSession): Promise<boolean> {
  if (!(await isAlive(source))) return false;
  source.send({ type: 'td.keep' });
  if (!wasRunning) return source.reaches('paused', 'runnable');
  // A pause that was under way ends first. One that never began leaves the TD running.
  if (!(await source.reaches('paused', 'running'))) return false;
  source.send({ type: 'td.resume' });
  return source.reaches('running');
}

export async function clearUp(session: MigrationSession): Promise<GivenBack> {
  const { source, destination } = session;
  await session.underWay;
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
