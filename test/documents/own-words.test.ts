/** Mistakes in files are told in our words: nothing that the library of schemas says by itself gets out. */
import { readFileSync } from 'node:fs';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { captureOf } from '../../src/diagnosis/capture/capture.ts';
import { parseCapture } from '../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { TdctlError } from '../../src/errors/index.ts';
import { parseRunScript } from '../../src/exec/run-script/load.ts';
import { parseHostFile } from '../../src/host/simulated/host-file/load.ts';
import { parseFleet } from '../../src/plan/fleet/fleet-file.ts';
import { parseSavedPlan } from '../../src/plan/plan-file.ts';
import { parseRehearsalFile } from '../../src/rehearsal/scenario-file/scenario-file.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { savedPlan } from '../support/saved-plan.ts';

/** What zod 4 says in English, where nobody says it otherwise. */
const ofTheLibrary =
  /Invalid (input|string|option|key|element|type|union|value)|expected \w+, received|received \w+$|Too (small|big)|Unrecognized key|^Required$/m;

const path = 'f.yaml';
const example = (file: string) => parse(readFileSync(`examples/${file}`, 'utf8'));
const inYaml = (value: unknown) => stringify(value) ?? '';
const inJson = (value: unknown) => JSON.stringify(value, null, 2) ?? '';

const capture = captureOf(await readFacts(), { tdctl: '0.1.0' });

const formats: readonly [string, unknown, (value: unknown) => unknown][] = [
  ['TrustDomain', example('hello.yaml'), (it) => parseTrustDomain(inYaml(it), { path })],
  [
    'Rehearsal',
    example('rehearsals/upgrade.yaml'),
    (it) => parseRehearsalFile(inYaml(it), { path }),
  ],
  ['SimulatedHost', example('hosts/edge-box.yaml'), (it) => parseHostFile(inYaml(it), path)],
  ['Fleet', example('fleets/mixed.yaml'), (it) => parseFleet(inYaml(it), { path })],
  ['RunScript', example('exec/accidents.yaml'), (it) => parseRunScript(inYaml(it), { path })],
  ['saved plan', savedPlan, (it) => parseSavedPlan(inJson(it), path)],
  ['capture', JSON.parse(JSON.stringify(capture)), (it) => parseCapture(inJson(it), path)],
];

type Path = readonly (string | number)[];

function pathsIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    at,
    ...keys.flatMap((key) =>
      pathsIn((value as Record<string | number, unknown>)[key], [...at, key]),
    ),
  ];
}

/** The same value, with another one at the path; undefined takes it away. */
function changed(value: unknown, [step, ...rest]: Path, other: unknown): unknown {
  if (step === undefined) return other;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  copy[step] = changed(copy[step], rest, other);
  return copy;
}

const strange = fc.oneof(
  fc.constantFrom(undefined, null, '', 'x', -1, 0, 1.5, 1e300, true, [], {}, [[]], { x: 1 }),
  fc.string({ maxLength: 80 }),
  fc.array(fc.constantFrom('a', 1, null), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'kind', 'name'), fc.constantFrom(1, 'b', null)),
);

async function saidOf(read: () => unknown): Promise<string> {
  try {
    await read();
    return '';
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    return [error.message, ...error.details].join('\n');
  }
}

describe.each(formats)('%s', (_, sample, read) => {
  const paths = pathsIn(sample);

  property.prop([fc.nat({ max: paths.length - 1 }), strange], { numRuns: 150 })(
    'with any value in place of any other',
    async (at, other) => {
      const said = await saidOf(() => read(changed(sample, paths[at] ?? [], other)));
      expect(said).not.toMatch(ofTheLibrary);
    },
  );

  property('as it is has no mistake', async () => {
    expect(await saidOf(() => read(sample))).toBe('');
  });
});
