/**
 * What a move runs through is run through before, with a TD of a simulated machine: code that runs for the first time is
 * compiled then, which takes milliseconds in all, and the guest would stand still for them.
 */
import type { Host } from '../../host/port.ts';
import { openSimulatedHost, type SimulatedHost } from '../../host/simulated/index.ts';
import { startTd, type TdRun } from '../../orchestrator/index.ts';
import { LocalSource, startMigration } from '../../orchestrator/migration/index.ts';
import { assessTd, type TdPlan } from '../../plan/index.ts';
import { askHost } from '../../plan/judge/index.ts';
import { prepareToCollect } from './collect.ts';

/** One that moves TDs. */
const kernelAbi = 'rfc-migration-v2';
const processes = [2, 3].map((mm) => ({ mm, cgroup: '/' }));
/** As many as V8 needs to take the code for hot; a few milliseconds each. */
const hops = 16;

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
  if (plan !== undefined) await moveAround(machine, plan);
  await machine.close();
}

/** One TD, which is built once: to and fro between two processes. */
async function moveAround(machine: SimulatedHost, plan: TdPlan): Promise<void> {
  const hosts = processes.map((process) => machine.otherProcess(process));
  const runs: TdRun[] = [];
  const [host] = hosts;
  if (host === undefined) return;
  let run: TdRun | undefined = startTd({ ...quietly, host, plan });
  runs.push(run);
  if (await run.runnable) {
    run.send({ type: 'td.start' });
    await run.reaches('running');
    for (let hop = 1; hop <= hops && run?.isIn('running') === true; hop += 1) {
      const to = hosts[hop % hosts.length] ?? host;
      run = await moved(run, to);
      if (run !== undefined) runs.push(run);
    }
  }
  for (const each of runs) {
    each.stop();
    await each.ended;
  }
  for (const each of hosts) await each.close();
}

async function moved(run: TdRun, host: Host): Promise<TdRun | undefined> {
  const source = new LocalSource(run);
  const migration = startMigration({ ...quietly, source, host, onDestinationEvent: () => {} });
  await migration.ended;
  return migration.destination;
}

const quietly = { tellsRequests: false, onEvent: () => {} };
