/** `tdctl run`: from a file to a TD and back to nothing. */

import type { TdOutput } from '../../../machines/td-lifecycle/index.ts';
import {
  type ExitCode,
  errorKinds,
  exitCodes,
  TdctlError,
  type TdctlErrorCode,
} from '../../errors/index.ts';
import { loadFirmware } from '../../firmware/index.ts';
import type { KeySlots } from '../../host/facts.ts';
import type { Host } from '../../host/port.ts';
import { startTd } from '../../orchestrator/index.ts';
import { planTd, type TdPlan } from '../../plan/index.ts';
import { loadTrustDomain } from '../../spec/index.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { openRunLog } from '../log.ts';
import { type HostChoice, openHost } from '../open-host.ts';
import type { LogLevel, OutputFormat } from '../options.ts';
import { openRunView, type RunView } from './view.ts';

export interface RunOptions extends HostChoice {
  readonly spec: string;
  readonly until?: 'runnable' | undefined;
  readonly output: OutputFormat;
  readonly logLevel?: LogLevel | undefined;
  readonly logFile?: string | undefined;
}

export async function run(options: RunOptions, io: CommandIo): Promise<ExitCode> {
  const spec = await loadTrustDomain(options.spec);
  const firmware = await loadFirmware(spec.firmware);
  const log = openRunLog({ level: options.logLevel, file: options.logFile });
  const host = await openHost(options, io);
  try {
    const plan = planTd({ spec, firmware, facts: await host.facts() });
    const view = await openRunView(options.output, io);
    return await runPlan({ host, plan, view, log, until: options.until, io });
  } finally {
    await host.close();
  }
}

interface Running {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly view: RunView;
  readonly log: ReturnType<typeof openRunLog>;
  readonly until: RunOptions['until'];
  readonly io: CommandIo;
}

async function runPlan({ host, plan, view, log, until, io }: Running): Promise<ExitCode> {
  const slotsBefore = await host.keySlots();
  view.planned(plan, slotsBefore);

  const td = startTd({
    host,
    plan,
    onEvent: (event) => {
      log.write(event);
      view.event(event);
    },
  });
  const interrupts = listenForInterrupts((times) => {
    if (times > 1) io.stderr.write(`already stopping: waiting for ${td.waitingFor ?? 'the end'}\n`);
    td.stop();
  });
  try {
    const becameRunnable = await td.runnable;
    if (becameRunnable) {
      view.runnable({ holds: until === undefined });
      if (until === 'runnable') td.stop();
    }
    const output = await td.ended;
    const slotsAfter = await host.keySlots();
    view.ended(output, { before: slotsBefore, after: slotsAfter });
    checkSlots({ host: plan.facts.kind, before: slotsBefore, after: slotsAfter });
    return exitCodeOf(output, {
      interrupted: interrupts.received !== undefined && !becameRunnable,
    });
  } finally {
    interrupts.stopListening();
  }
}

/** A simulated host is ours alone: a slot more in use than before is one that this run lost. */
function checkSlots({ host, before, after }: SlotCheck): void {
  if (host === 'kvm' || !before || !after || after.used <= before.used) return;
  throw new TdctlError({
    code: 'TDCTL_E_STUCK',
    op: 'give back the key slot',
    message: `${after.used - before.used} key slot was not given back by the host`,
    hint: 'run again with --log-level debug and look at the last requests',
  });
}

interface SlotCheck {
  readonly host: string;
  readonly before: KeySlots | undefined;
  readonly after: KeySlots | undefined;
}

function exitCodeOf(output: TdOutput, { interrupted }: { interrupted: boolean }): ExitCode {
  if (output.outcome === 'stuck') return errorKinds.TDCTL_E_STUCK.exitCode;
  if (output.error) return errorKinds[output.error.code as TdctlErrorCode].exitCode;
  return interrupted ? exitCodes.interrupted : exitCodes.ok;
}
