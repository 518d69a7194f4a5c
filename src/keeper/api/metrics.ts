/** `GET /v1/metrics`: a kept TD in numbers, as OpenMetrics text (version 1.0.0). */
import type { KeptTd } from '../kept-td.ts';
import { keptStates } from '../state.ts';

/** What has been counted since this life began; where the TD stands is in {@link KeptTd}. */
export interface KeptMetrics {
  /** Exits of the guest by kind. */
  readonly exits: Readonly<Record<string, number>>;
  readonly pauses: number;
  /** How long the TD has been paused in all. */
  readonly pausedMs: number;
  /** How long its teardown has taken until now; null before it begins. */
  readonly teardownMs: number | null;
  readonly refusals: readonly RefusalCount[];
  readonly printedBytes: number;
  readonly typedBytes: number;
}

export interface RefusalCount {
  readonly request: string;
  /** The check that refused it; where only the kernel knows, the errno. */
  readonly check: string;
  readonly count: number;
}

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'info' | 'stateset';
  readonly unit?: 'seconds' | 'bytes';
  readonly help: string;
  samples(td: KeptTd, metrics: KeptMetrics): readonly Sample[];
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  /** Null where there is nothing to say yet. */
  readonly value: number | null;
}

const seconds = (ms: number | null) => (ms === null ? null : Math.round(ms * 1000) / 1e6);

const families: readonly Family[] = [
  {
    name: 'tdctl_td',
    type: 'info',
    help: 'The TD and where it is.',
    samples: ({ host, kernel, keeper }) => [
      {
        labels: { host: host?.name ?? '', kernel: kernel?.id ?? '', tdctl: keeper?.tdctl ?? '' },
        value: 1,
      },
    ],
  },
  {
    name: 'tdctl_td_state',
    type: 'stateset',
    help: 'The state of the TD.',
    samples: ({ state }) =>
      Object.keys(keptStates).map((each) => ({
        labels: { tdctl_td_state: each },
        value: each === state ? 1 : 0,
      })),
  },
  {
    name: 'tdctl_td_in_state_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'How long it has been in that state.',
    samples: ({ sinceMs }) => [{ value: seconds(sinceMs) }],
  },
  {
    name: 'tdctl_td_key_slots',
    type: 'gauge',
    help: 'Key slots (HKIDs) that it holds.',
    samples: ({ holdsKeySlot }) => [{ value: holdsKeySlot ? 1 : 0 }],
  },
  {
    name: 'tdctl_td_queue_position',
    type: 'gauge',
    help: 'Its place among those that wait for a key slot: the first is 1.',
    samples: ({ queue }) => [{ value: queue?.position ?? null }],
  },
  {
    name: 'tdctl_td_queue_left_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'How long it will still wait for a key slot, estimated.',
    samples: ({ queue }) => [{ value: seconds(queue?.forecastMs ?? null) }],
  },
  {
    name: 'tdctl_td_guest_exits',
    type: 'counter',
    help: 'Exits of the guest, by kind.',
    samples: (_td, { exits }) =>
      Object.entries(exits).map(([kind, value]) => ({ labels: { kind }, value })),
  },
  {
    name: 'tdctl_td_pauses',
    type: 'counter',
    help: 'How often it was paused.',
    samples: (_td, { pauses }) => [{ value: pauses }],
  },
  {
    name: 'tdctl_td_paused_seconds',
    type: 'counter',
    unit: 'seconds',
    help: 'How long it was paused.',
    samples: (_td, { pausedMs }) => [{ value: seconds(pausedMs) }],
  },
  {
    name: 'tdctl_td_teardown_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'How long its teardown has taken until now.',
    samples: (_td, { teardownMs }) => [{ value: seconds(teardownMs) }],
  },
  {
    name: 'tdctl_td_teardown_left_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'How long its teardown will still take, estimated.',
    samples: ({ leftMs }) => [{ value: seconds(leftMs) }],
  },
  {
    name: 'tdctl_td_refusals',
    type: 'counter',
    help: 'Requests of its steps that were refused, by request and check.',
    samples: (_td, { refusals }) =>
      refusals.map(({ request, check, count }) => ({ labels: { request, check }, value: count })),
  },
  {
    name: 'tdctl_td_console_bytes',
    type: 'counter',
    unit: 'bytes',
    help: 'Bytes on its console, by direction.',
    samples: (_td, { printedBytes, typedBytes }) => [
      { labels: { direction: 'printed' }, value: printedBytes },
      { labels: { direction: 'typed' }, value: typedBytes },
    ],
  },
];

/** Each type has its own ending of the names of its samples. */
const suffixes: Readonly<Record<Family['type'], string>> = {
  counter: '_total',
  gauge: '',
  info: '_info',
  stateset: '',
};

export const metricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export function metricsText(td: KeptTd, metrics: KeptMetrics): string {
  const lines = families.flatMap((family) => familyLines(family, td, metrics));
  return `${[...lines, '# EOF'].join('\n')}\n`;
}

function familyLines(family: Family, td: KeptTd, metrics: KeptMetrics): readonly string[] {
  const { name, type, unit, help } = family;
  const samples = family
    .samples(td, metrics)
    .filter(({ value }) => value !== null)
    .map(({ labels, value }) => {
      const pairs = Object.entries({ td: td.name, ...labels });
      const text = pairs.map(([label, each]) => `${label}="${escaped(each)}"`).join(',');
      return `${name}${suffixes[type]}{${text}} ${value}`;
    });
  if (samples.length === 0) return [];
  const unitLines = unit === undefined ? [] : [`# UNIT ${name} ${unit}`];
  return [`# TYPE ${name} ${type}`, ...unitLines, `# HELP ${name} ${help}`, ...samples];
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}
