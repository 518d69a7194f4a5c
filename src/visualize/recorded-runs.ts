/** Reads the events of recorded runs: JSON lines of `tdctl run -o json`, of its trace or of its log. */
import { quote } from '../documents/wording.ts';
import { TdctlError } from '../errors/index.ts';
import type { ChartEdge, ChartIndex, ChartModel } from './chart-model.ts';

export interface RecordedRun {
  /** States that a run comes to rest in, in order. */
  readonly states: readonly string[];
  /** The transitions taken, in order. */
  readonly edges: readonly ChartEdge[];
}

export interface EventFile {
  readonly path: string;
  readonly text: string;
}

interface RunEvent {
  readonly event: string;
  readonly td: string;
  readonly machine: string | undefined;
  readonly machineVersion: number | undefined;
  readonly state: string | undefined;
  readonly transitions: readonly string[];
}

interface OpenRun {
  readonly states: string[];
  readonly edges: ChartEdge[];
}

/** @throws TdctlError TDCTL_E_SPEC_INVALID for a line that is no event, or one of another version. */
export function readRuns(
  file: EventFile,
  { model, chart }: { model: ChartModel; chart: ChartIndex },
): RecordedRun[] {
  const runs: OpenRun[] = [];
  const open = new Map<string, OpenRun>();
  const runOf = (td: string): OpenRun => {
    const known = open.get(td);
    if (known !== undefined) return known;
    const run: OpenRun = { states: [], edges: [] };
    open.set(td, run);
    runs.push(run);
    return run;
  };

  for (const [at, line] of file.text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `${file.path}:${at + 1}`;
    const event = parseEvent(line, place);
    if (event === undefined) continue;
    if (event.event === 'run.planned') open.delete(event.td);
    if (event.machine !== model.id) continue;
    checkVersion(event, { model, place });
    if (event.event === 'state.entered') {
      const run = runOf(event.td);
      run.states.push(checkState(event, { model, chart, place }));
      run.edges.push(...event.transitions.map((name) => checkEdge(name, { model, place })));
    } else if (event.event === 'td.ended') {
      open.delete(event.td);
    }
  }
  const recorded = runs.filter(({ states }) => states.length > 0);
  if (recorded.length === 0) throw nothingRecorded(file, model);
  return recorded;
}

/** Events of a trace are of the first kind; of those of a run, the first line has a kind, the second. */
const eventKinds: ReadonlySet<string> = new Set(['event', 'tdctl.Run']);

/** Returns undefined for the records that a trace has between the events. */
function parseEvent(line: string, place: string): RunEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw notAnEvent(place, 'this line is not JSON', cause);
  }
  const fields =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  if (typeof fields.kind === 'string' && !eventKinds.has(fields.kind)) return undefined;
  // A line of the log has `op` in place of `event`.
  const event = fields.event ?? fields.op;
  if (typeof event !== 'string')
    throw notAnEvent(place, 'this line is JSON, but no event of a run');
  const transitions = fields.transitions ?? [];
  if (!isTexts(transitions)) throw notAnEvent(place, 'its transitions are no list of names');
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
  return {
    event,
    td: text('td') ?? '',
    machine: text('machine'),
    machineVersion: typeof fields.machineVersion === 'number' ? fields.machineVersion : undefined,
    state: text('state'),
    transitions,
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

interface Place {
  readonly model: ChartModel;
  readonly place: string;
}

function checkVersion({ machineVersion }: RunEvent, { model, place }: Place): void {
  if (machineVersion === undefined || machineVersion === model.version) return;
  throw otherVersion(
    place,
    `recorded with version ${machineVersion} of ${model.id}, and this tdctl has version ${model.version}`,
  );
}

function checkState(
  { state }: RunEvent,
  { model, chart, place }: Place & { chart: ChartIndex },
): string {
  if (state !== undefined && chart.nodes.some(({ id }) => id === state)) return state;
  throw otherVersion(
    place,
    `${model.id} version ${model.version} has no state ${quote(state ?? '')}`,
  );
}

function checkEdge(name: string, { model, place }: Place): ChartEdge {
  const edge = model.edges.find((candidate) => candidate.name === name);
  if (edge !== undefined) return edge;
  throw otherVersion(
    place,
    `${model.id} version ${model.version} has no transition ${quote(name)}`,
  );
}

function otherVersion(place: string, message: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read recorded events',
    place,
    message,
    hint: 'record the run again with this tdctl: tdctl run SPEC -o json > FILE',
  });
}

function notAnEvent(place: string, message: string, cause?: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read recorded events',
    place,
    message,
    hint: 'give the JSON lines of `tdctl run SPEC -o json`, its `--trace FILE.jsonl`, or its log',
    ...(cause === undefined ? {} : { cause }),
  });
}

function nothingRecorded({ path }: EventFile, { id }: ChartModel): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read recorded events',
    place: path,
    message: `no run of ${id} is recorded in this file`,
    hint: 'give the JSON lines of `tdctl run SPEC -o json`, its `--trace FILE.jsonl`, or its log',
  });
}
