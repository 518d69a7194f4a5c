/**
 * What a move runs through is run through before, with a TD of a simulated machine: code that runs for the first time is
 * compiled then, which takes milliseconds in all, and the guest would stand still for them.
 */
import { openSimulatedHost, type SimulatedHost } from '../../host/simulated/index.ts';
import { startTd } from '../../orchestrator/index.ts';
import { LocalSource, startMigration } from '../../orchestrator/migration/index.ts';
import { assessTd, type TdPlan } from '../../plan/index.ts';
import { askHost } from '../../plan/judge/index.ts';
import { prepareToCollect } from './collect.ts';

/** One that moves TDs. */
const kernelAbi = 'rfc-migration-v2';
const processes = [2, 3].map((mm) => ({ mm, cgroup: '/' }));
/** More of them change little. */
const rounds = 4;

/**
 * For a TD whose guest is executed. Nothing comes of it, whether it comes to its end or not: the move itself is the one
 * that tells what stands against it.
 */
export async function warmUp({ spec, firmware, facts }: TdPlan): Promise<void> {
  if (facts.kind === 'sim') return;
  prepareToCollect();
  const machine = openSimulatedHost({ kernelAbi });
  const host = await askHost(machine);
  const small = { ...spec, vcpus: 1, maxVcpus: 1, boot: undefined };
  const { plan } = assessTd({ spec: small, firmware, host, ignoreExpectation: true });
  if (plan !== undefined) for (let at = 0; at < rounds; at += 1) await moveOnce(machine, plan);
  await machine.close();
}

async function moveOnce(machine: SimulatedHost, plan: TdPlan): Promise<void> {
  const [from, to] = processes.map((process) => machine.otherProcess(process));
  if (from === undefined || to === undefined) return;
  const quietly = { tellsRequests: false, onEvent: () => {} };
  const run = startTd({ ...quietly, host: from, plan });
  if (await run.runnable) {
    run.send({ type: 'td.start' });
    await run.reaches('running');
    const source = new LocalSource(run);
    const migration = startMigration({
      ...quietly,
      source,
      host: to,
      onDestinationEvent: () => {},
    });
    await migration.ended;
    migration.destination?.stop();
    await migration.destination?.ended;
  }
  run.stop();
  await run.ended;
  await from.close();
  await to.close();
}
