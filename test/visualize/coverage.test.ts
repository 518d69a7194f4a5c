import { describe, expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { indexChart } from '../../src/visualize/chart-model.ts';
import { chartCoverage } from '../../src/visualize/coverage.ts';
import { extractChart } from '../../src/visualize/extract.ts';

const model = extractChart(machines[0]);

type Line = { readonly state: string; readonly result?: 'done' | 'failed' | 'interrupted' };

/** The events of a run as `tdctl run -o json` prints them: the result is that of the state before. */
function recorded(lines: readonly Line[]): string {
  let before = 'absent';
  const events = lines.flatMap(({ state, result }) => {
    const step = before.split('.').at(-1);
    const ended =
      result === undefined ? [] : [{ event: 'step.ended', step, result, state: before }];
    before = state;
    return [...ended, { event: 'state.entered', state }];
  });
  return events
    .map((event) => JSON.stringify({ td: 'one', machine: 'td-lifecycle', ...event }))
    .join('\n');
}

const steps =
  'creatingVm readingLimits cappingVcpus initializingTd creatingVcpus initializingVcpus addingMemory finalizing';
const wholeLife: Line[] = [
  ...steps.split(' ').map(
    (step, at): Line => ({
      state: `provisioning.${step}`,
      ...(at > 0 ? { result: 'done' } : {}),
    }),
  ),
  { state: 'runnable', result: 'done' },
  { state: 'terminating' },
  { state: 'releasing', result: 'done' },
  { state: 'destroyed', result: 'done' },
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
    const failing: Line[] = [...wholeLife.slice(0, 10), { state: 'releasing', result: 'failed' }];
    const { transitions, unclear } = coverageOf(recorded(failing));
    expect(textsOf(transitions.visited)).toContain('terminating: error -> releasing');
    expect(textsOf(transitions.visited)).not.toContain('terminating: done -> releasing');
    expect(unclear).toEqual([]);
  });

  test('does not count what the record leaves open', () => {
    const open: Line[] = [...wholeLife.slice(0, 10), { state: 'releasing' }];
    const { transitions, unclear } = coverageOf(recorded(open));
    expect(textsOf(unclear)).toEqual([
      'terminating: done -> releasing',
      'terminating: error -> releasing',
    ]);
    expect(transitions.missed).toEqual(expect.arrayContaining([...unclear]));
  });

  test('adds up over runs and files, and never counts more than there is', () => {
    const failed: Line[] = [
      { state: 'provisioning.creatingVm' },
      { state: 'releasing', result: 'failed' },
      { state: 'failed', result: 'done' },
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
    'a line that is not JSON': [`${recorded(wholeLife)}\n{oops`, 'run0.jsonl:23', /not JSON/],
    'JSON that is no event': ['[1, 2]', 'run0.jsonl:1', /no event/],
    'a state of another version': [
      recorded([{ state: 'provisioning.mixingVm' }]),
      'run0.jsonl:1',
      /no state "provisioning.mixingVm"/,
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
        code: 'TDCTL_E_NOT_READABLE',
        place,
        message: expect.stringMatching(message),
      });
    });
  }
});
