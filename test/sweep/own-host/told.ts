/** What a command tells of how it ended, in a form in which two hosts can be compared. */
import { expect } from 'vitest';
import { exitCodes } from '../../../src/errors/index.ts';
import type { Outcome } from './supervised.ts';

interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | null;
  readonly request?: string;
  readonly errno?: string;
  readonly hwStatus?: string;
  readonly check?: string;
}

interface ReportedStep {
  readonly lane: string;
  readonly step: string;
  readonly result: string;
}

interface Told {
  readonly exitCode: number;
  /** States and steps in order, of every VM. */
  readonly course: readonly string[];
  readonly errors: readonly ToldError[];
  /** The last word on stderr. */
  readonly end:
    | { readonly code: string; readonly message: string; readonly hint: string | null }
    | undefined;
}

export function told(name: string, { exitCode, stdout, stderr }: Outcome): Told {
  const lines = stderr.split('\n').filter((line) => line.startsWith('{"kind":"tdctl.Error"'));
  const end = lines
    .map((line) => comparable(JSON.parse(line).error as NonNullable<Told['end']>))
    .at(-1);
  const course =
    name === 'run'
      ? courseOfRun(stdout)
      : name === 'rehearse'
        ? courseOfRehearsal(stdout)
        : noCourse;
  return { exitCode, end, ...course, errors: course.errors.map(comparable) };
}

/**
 * A kernel that was asked has a release, and one that was named the name of its rules. A real one has a log to
 * look into, and a simulated one a trace of its calls.
 */
function comparable<Words extends { readonly message: string; readonly hint?: string | null }>(
  words: Words,
): Words {
  const { message, hint } = words;
  return {
    ...words,
    message: message.replace(/the kernel \([^)]*\)/, 'the kernel'),
    ...(hint && {
      hint: hint.replace(/^look .*(kernel log|--trace FILE).*$/, 'look closer'),
    }),
  };
}

const noCourse = { course: [], errors: [] } as const;

function courseOfRun(stdout: string): Pick<Told, 'course' | 'errors'> {
  const events = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return {
    course: events.flatMap(({ event, state, what, outcome }) =>
      event === 'state.entered'
        ? [state]
        : event === 'resource.released'
          ? [what]
          : (outcome ?? []),
    ),
    errors: events.flatMap(({ error }) => error ?? []),
  };
}

function courseOfRehearsal(stdout: string): Pick<Told, 'course' | 'errors'> {
  if (stdout === '') return noCourse;
  const { run } = JSON.parse(stdout);
  const steps = run.steps
    // A rehearsal on simulated machines pauses and enters a source that was kept, to see that it runs.
    .filter(({ step }: ReportedStep) => step !== 'pausing' && step !== 'entering')
    // What two VMs do at the same time ends in any order; what each does has one.
    .toSorted((one: ReportedStep, other: ReportedStep) =>
      one.lane < other.lane ? -1 : one.lane > other.lane ? 1 : 0,
    )
    .map(({ lane, step, result }: ReportedStep) => {
      // The devices of a guest have a state on the kvm host alone: the simulated one has nothing to do.
      return `${lane} ${step} ${result === 'skipped' ? 'done' : result}`;
    });
  const results = run.results.map(
    ({ operation, result, verdict }: { operation: string; result: string; verdict?: string }) =>
      `${operation}: ${result} ${verdict ?? ''}`,
  );
  const errors = run.results.flatMap(({ error }: { error?: ToldError | null }) => error ?? []);
  return { course: [...steps, ...results], errors };
}

/**
 * Where a step of the kernel or a leaf fails, the simulated host names the check that refused, and its words
 * are those of the check. A kernel tells only the errno, and the words are those of the errno.
 *
 * @param namesCheck whether the fault is of that kind.
 */
export function expectSame(
  onKvm: Told,
  simulated: Told,
  { namesCheck }: { readonly namesCheck: boolean },
): void {
  if (!namesCheck) {
    expect(onKvm).toEqual(simulated);
    return;
  }
  expect(onKvm.course).toEqual(simulated.course);
  expect(onKvm.errors.map(withoutWords)).toEqual(simulated.errors.map(withoutWords));
  expect(asked(onKvm)).toBe(asked(simulated));
}

function withoutWords({ request, errno, hwStatus }: ToldError) {
  return { request, errno, hwStatus };
}

/** `provision hello: KVM_TDX_INIT_VM answered EIO`, without what it means. */
function asked({ end }: Told): string | undefined {
  return /^.*? answered \w+/.exec(end?.message ?? '')?.[0];
}

/** Whatever goes wrong is said in words, with a code and what to do next. */
export function expectWords(
  { exitCode, stdout, stderr }: Outcome,
  { end }: Told,
  { findings }: { readonly findings: boolean },
): void {
  expect(stderr).not.toContain('defect');
  if (exitCode === 0) return;
  if (findings && stdout !== '') {
    expect(exitCode).toBe(exitCodes.findings);
    return;
  }
  expect(end?.code).toMatch(/^TDCTL_E_/);
  expect(end?.code).not.toBe('TDCTL_E_INTERNAL');
  expect(end?.hint).toBeTruthy();
}
