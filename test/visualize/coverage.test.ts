import { describe, expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { indexChart } from '../../src/visualize/chart-model.ts';
import { chartCoverage } from '../../src/visualize/coverage.ts';
import { extractChart } from '../../src/visualize/extract.ts';

const model = extractChart(machines[0]);

interface Line {
  readonly state: string;
  readonly transitions: readonly string[];
}

/** The events of a run as `tdctl run -o json` prints them. */
function recorded(lines: readonly Line[]): string {
  return lines
    .map((line) =>
      JSON.stringify({ td: 'one', machine: 'td-lifecycle', event: 'state.entered', ...line }),
    )
    .join('\n');
}

const steps =
  'creatingVm readingLimits cappingVcpus initializingTd creatingVcpus initializingVcpus addingMemory finalizing'
    .split(' ')
    .map((step) => `provisioning.${step}`);
const wholeLife: Line[] = [
  ...steps.map((state, at) => ({
    state,
    transitions: [at === 0 ? 'absent td.create' : `${steps[at - 1]} done`],
  })),
  { state: 'runnable', transitions: ['provisioning.finalizing done', 'provisioning done.state'] },
  { state: 'terminating', transitions: ['runnable td.stop'] },
  { state: 'releasing', transitions: ['terminating done'] },
  { state: 'destroyed', transitions: ['releasing done'] },
];

function textsOf(ids: readonly string[]): string[] {
  return ids.map((id) => {
    const edge = model.edges.find((one) => one.id === id);
    return `${edge?.source}: ${edge?.trigger.type} -> ${edge?.targets.join()}`;
  });
}

function coverageOf(...texts: string[]) {
  return chartCoverage(
    model,
    texts.map((text, at) => ({ path: `run${at}.jsonl`, text })),
  );
}

/** States of a TD that is neither entered nor moved, as `tdctl run` has them. */
function isOfOneVm(state: string): boolean {
  return !/^(preparing|receiving|entering|running|pausing|paused|migratingOut|movedAway|stopping)/.test(
    state,
  );
}

describe('coverage', () => {
  test('counts the state that a run starts in, and states only passed through', () => {
    const { states } = coverageOf(recorded(wholeLife));
    expect(states.visited).toContain('absent');
    expect(states.visited).toContain('provisioning.provisioned');
    expect(states.missed.filter(isOfOneVm)).toEqual(['interrupting', 'failed', 'stuck']);
  });

  test('counts the transition that follows when a compound state is done', () => {
    const { transitions } = coverageOf(recorded(wholeLife));
    expect(textsOf(transitions.visited)).toContain('provisioning: completed -> runnable');
    expect(transitions.visited).toHaveLength(13);
  });

  test('tells a success from a failure that leads to the same state', () => {
    const failing = [
      ...wholeLife.slice(0, 10),
      { state: 'releasing', transitions: ['terminating error'] },
    ];
    const { transitions } = coverageOf(recorded(failing));
    expect(textsOf(transitions.visited)).toContain('terminating: error -> releasing');
    expect(textsOf(transitions.visited)).not.toContain('terminating: done -> releasing');
  });

  test('counts an event that is accepted and changes nothing', () => {
    const stoppedTwice = wholeLife.map((line) =>
      line.state === 'destroyed'
        ? { ...line, transitions: ['releasing td.stop', ...line.transitions] }
        : line,
    );
    const { transitions } = coverageOf(recorded(stoppedTwice));
    expect(textsOf(transitions.visited)).toContain('releasing: event -> ');
  });

  test('every transition of every chart has a name of its own', () => {
    for (const entry of machines) {
      const names = extractChart(entry).edges.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test('adds up over runs and files, and never counts more than there is', () => {
    const failed: Line[] = [
      { state: 'provisioning.creatingVm', transitions: ['absent td.create'] },
      { state: 'releasing', transitions: ['provisioning.creatingVm error'] },
      { state: 'failed', transitions: ['releasing done#2'] },
    ];
    const both = coverageOf(recorded(wholeLife), recorded(failed));
    expect(both.runs).toBe(2);
    expect(both.states.missed.filter(isOfOneVm)).toEqual(['interrupting', 'stuck']);
    expect(both.states.visited.length + both.states.missed.length).toBe(
      indexChart(model).nodes.length - 1,
    );
    expect(both.transitions.visited.length + both.transitions.missed.length).toBe(
      model.edges.length,
    );
  });

  const unreadable: Record<string, [text: string, place: string, message: RegExp]> = {
    'a line that is not JSON': [`${recorded(wholeLife)}\n{oops`, 'run0.jsonl:13', /not JSON/],
    'JSON that is no event': ['[1, 2]', 'run0.jsonl:1', /no event/],
    'a state of another version': [
      recorded([{ state: 'provisioning.mixingVm', transitions: [] }]),
      'run0.jsonl:1',
      /no state "provisioning.mixingVm"/,
    ],
    'a transition of another version': [
      recorded([{ state: 'runnable', transitions: ['runnable td.dance'] }]),
      'run0.jsonl:1',
      /no transition "runnable td.dance"/,
    ],
    'another version': [
      '{"event":"state.entered","machine":"td-lifecycle","machineVersion":0,"td":"a","state":"absent"}',
      'run0.jsonl:1',
      new RegExp(`version 0 .* version ${model.version}`),
    ],
    'no run at all': ['{"event":"run.planned","td":"a"}\n', 'run0.jsonl', /no run/],
    'an empty file': ['', 'run0.jsonl', /no run/],
  };
  for (const [what, [text, place, message]] of Object.entries(unreadable)) {
    test(`refuses ${what}, and says where it is`, () => {
      let thrown: unknown;
      try {
        coverageOf(text);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({
        code: 'TDCTL_E_SPEC_INVALID',
        place,
        message: expect.stringMatching(message),
      });
    });
  }
});
