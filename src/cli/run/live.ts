/** The part of a run in which its guest runs. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KeptRun } from '../../orchestrator/index.ts';
import type { CommandIo } from '../io.ts';
import { say } from '../output/print.ts';
import { formatDuration } from '../output/units.ts';
import type { RunTerminal } from './console/run-terminal.ts';
import type { RunOptions } from './options.ts';
import type { Pausing } from './pausing.ts';
import type { RunView } from './view.ts';

interface Living {
  readonly until: RunOptions['until'];
  /** How long the guest may run. */
  readonly forMs: number | undefined;
  /** Whether instructions are executed. */
  readonly runsGuests: boolean;
  readonly view: RunView;
  readonly terminal: RunTerminal;
  readonly pausing: Pausing;
  readonly io: CommandIo;
}

/** Returns once nothing more is to be asked of the TD; its end is awaited elsewhere. */
export async function live(td: KeptRun, living: Living): Promise<void> {
  const { until, forMs, terminal, pausing, io } = living;
  if (until === 'runnable') return td.stop();
  // A stop may have come already.
  if (!td.isIn('runnable')) return;
  const attach = () =>
    terminal.attach(() => say(io, `left the console, and the guest runs on; ${ways(living)}`));
  if (terminal.canAttach) {
    if (terminal.isForPerson) say(io, 'the console is attached; ^] leaves it');
    attach();
  }
  td.send({ type: 'td.start' });
  if (!(await td.reaches('running'))) return;
  if (until === 'running') return td.stop();
  terminal.takeKeys({ p: pausing.toggle, ...(terminal.canAttach && { c: attach }) });
  if (terminal.attached === undefined) living.view.holds(holdingInWords(living));
  if (forMs === undefined) return;
  await Promise.race([td.ended, delay(forMs, undefined, { ref: false })]);
  td.stop();
}

function holdingInWords(living: Living): string {
  const { runsGuests } = living;
  if (runsGuests) return `the guest runs; ${ways(living)}`;
  return `no instruction is executed on a sim host: the TD counts as running, and is held; ${ways(living)}`;
}

/** What a person can do now. */
function ways({ terminal, forMs }: Living): string {
  const keys = terminal.canAttach
    ? 'p pauses and resumes it, c attaches again'
    : 'p pauses and resumes it';
  const pausing = terminal.hasKeys ? keys : 'SIGUSR2 pauses and resumes it';
  const end = forMs === undefined ? '' : `; after ${formatDuration(forMs)} it is taken down`;
  return `${pausing}, Ctrl-C takes it down${end}`;
}
