/** `--tree` shows the charts of the newest TD as folded trees, redrawn in place on stderr. */
import { machines } from '../../../machines/index.ts';
import type { RecordedEvent } from '../../rehearsal/index.ts';
import { extractChart } from '../../visualize/extract.ts';
import { chartTree } from '../../visualize/text/tree.ts';
import { treeStyle } from '../graph/tree-style.ts';
import type { CommandIo } from '../io.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { formatDuration } from '../output/units.ts';

export interface TreeView {
  take(event: RecordedEvent<unknown>): void;
  /** Ends the view; the last picture stays. */
  end(): void;
}

interface Lane {
  readonly name: string;
  readonly machine: string;
  readonly td: string;
  state: string;
}

const redrawEveryMs = 40;
const noWrap = '\x1b[?7l';
const wrap = '\x1b[?7h';

/** Where stderr is no terminal, the view is a line for each state that is entered. */
export function treeView(io: CommandIo): TreeView {
  return io.stderrIsTty ? redrawnTrees(io) : stateLines(io);
}

function stateLines({ stderr }: CommandIo): TreeView {
  return {
    take: ({ lane, atMs, event }) => {
      if (event.event !== 'state.entered') return;
      stderr.write(`${formatDuration(atMs).padStart(12)}  ${sanitize(lane)}  ${event.state}\n`);
    },
    end: () => undefined,
  };
}

function redrawnTrees(io: CommandIo): TreeView {
  const lanes = new Map<string, Lane>();
  let newest: RecordedEvent<unknown> | undefined;
  let drawnLines = 0;
  let timer: NodeJS.Timeout | undefined;

  const draw = () => {
    timer = undefined;
    if (newest === undefined) return;
    const lines = picture(shownLanes(lanes, newest.event.td), newest, io);
    const back = drawnLines === 0 ? '' : `\x1b[${drawnLines}A\x1b[0J`;
    drawnLines = lines.length;
    io.stderr.write(`${back}${noWrap}${lines.join('\n')}\n${wrap}`);
  };
  return {
    take: (recorded) => {
      const { lane, event } = recorded;
      newest = recorded;
      if (event.event !== 'state.entered') return;
      lanes.set(lane, { name: lane, machine: event.machine, td: event.td, state: event.state });
      timer ??= setTimeout(draw, redrawEveryMs);
    },
    end: () => {
      clearTimeout(timer);
      draw();
    },
  };
}

/** The VM of a TD, or the two VMs of its newest move with the move between them. */
function shownLanes(lanes: ReadonlyMap<string, Lane>, td: string): readonly Lane[] {
  const of = [...lanes.values()].filter((lane) => lane.td === td);
  const vms = of.filter(({ machine }) => machine === 'td-lifecycle').slice(-2);
  const move = of.filter(({ machine }) => machine !== 'td-lifecycle').slice(-1);
  return [...vms.slice(0, 1), ...move, ...vms.slice(1)];
}

function picture(lanes: readonly Lane[], newest: RecordedEvent<unknown>, io: CommandIo): string[] {
  const { bold, dim } = paint(io.colors.stderr);
  const slots = newest.usedSlots === undefined ? '' : `, ${newest.usedSlots} key slots in use`;
  const head = dim(`${formatDuration(newest.atMs)} on the clock of the machine${slots}`);
  const trees = lanes.map((lane) => [bold(sanitize(lane.name)), ...treeOf(lane, io)]);
  const lines = [head, ...trees.flat()];
  if (lines.length < (process.stderr.rows ?? 24)) return lines;
  // The picture is too tall to be redrawn in place, so only the lane that moves is shown whole.
  return [
    head,
    ...lanes.flatMap((lane, at) =>
      lane.name === newest.lane
        ? (trees[at] ?? [])
        : [`${bold(sanitize(lane.name))} ${lane.state}`],
    ),
  ].slice(0, (process.stderr.rows ?? 24) - 1);
}

function treeOf({ machine, state }: Lane, io: CommandIo): string[] {
  const entry = machines.find(({ id }) => id === machine);
  if (entry === undefined) return [];
  const style = treeStyle(io.colors.stderr);
  const text = chartTree(extractChart(entry), { active: [state], folded: true, style });
  return text.trimEnd().split('\n').slice(1);
}
