/** Everything that reads what others wrote, and what it shall be tried with. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { machines } from '../../machines/index.ts';
import { hostProfile } from '../../src/cli/host-profile.ts';
import { readRehearsalFault } from '../../src/cli/rehearse/fault.ts';
import { readFault } from '../../src/cli/run/fault.ts';
import { captureOf } from '../../src/diagnosis/capture/capture.ts';
import { loadCapture, parseCapture } from '../../src/diagnosis/capture/load.ts';
import { captureToHostProfile } from '../../src/diagnosis/capture/to-host-profile.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { explainLog, explainTyped } from '../../src/diagnosis/explain/index.ts';
import { parseRunScript } from '../../src/exec/run-script/load.ts';
import { parseTdvf } from '../../src/firmware/index.ts';
import { parseHostFile } from '../../src/host/simulated/host-file/load.ts';
import { parseFleet } from '../../src/plan/fleet/fleet-file.ts';
import { parseSavedPlan } from '../../src/plan/plan-file.ts';
import { parseRehearsalFile } from '../../src/rehearsal/scenario-file/scenario-file.ts';
import { defaultHostProfile, hostProfiles, kernelAbis } from '../../src/simulator/index.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { lintTrace, openTrace } from '../../src/trace/lint/index.ts';
import { chartCoverage } from '../../src/visualize/coverage.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { buildTdvfImage, imageA } from '../firmware/tdvf-image.ts';
import { specText } from '../spec/valid-spec.ts';
import { projectRoot } from '../support/built.ts';
import { savedPlan } from '../support/saved-plan.ts';
import { type Corpus, corpusOf, mutatedBytes, mutatedText, mutatedTree } from './mutate.ts';
import type { Random } from './random.ts';
import { callSimulator } from './simulator.ts';

export interface Target {
  readonly name: string;
  /** Its part of all inputs: slow parsers get fewer. */
  readonly share: number;
  /** @returns what `read` takes, and how a report shows it. */
  input(random: Random): Input;
}

export interface Input {
  /** For a person who looks for the cause. */
  readonly shown: string;
  /** Ends with a TdctlError, or in peace. */
  read(): unknown;
}

const fileText = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const path = 'fuzzed.yaml';

/** @param share for text that is nearly right; trees of the same documents are half of the inputs. */
function document(
  name: string,
  share: number,
  { texts, read }: { readonly texts: readonly string[]; readonly read: (text: string) => unknown },
): Target {
  const corpus = corpusOf(texts);
  const trees = texts.map((text): unknown => parseYaml(text));
  return {
    name,
    share,
    input: (random) => {
      const text = random.once(2) ? mutatedTree(random, trees) : mutatedText(random, corpus);
      return { shown: text, read: () => read(text) };
    },
  };
}

function text(
  name: string,
  share: number,
  { corpus, read }: { readonly corpus: Corpus; readonly read: (text: string) => unknown },
): Target {
  return {
    name,
    share,
    input: (random) => {
      const input = mutatedText(random, corpus);
      return { shown: input, read: () => read(input) };
    },
  };
}

/** Pieces of a long text that begin with its first lines, which say what it is. */
function pieces(
  whole: string,
  { head, length }: { readonly head: number; readonly length: number },
) {
  const lines = whole.split('\n');
  const first = lines.slice(0, head);
  const starts = Array.from({ length: Math.ceil(lines.length / length) }, (_, at) => at * length);
  return starts.map((start) =>
    [...first, ...lines.slice(Math.max(head, start), start + length)].join('\n'),
  );
}

const jsonTrace = fileText('test/golden/exec/trace.jsonl').split('\n').filter(Boolean);
const textTraces = [
  ...pieces(fileText('test/golden/exec/trace.txt'), { head: 1, length: 30 }),
  ...pieces(fileText('test/golden/trace-hello.txt'), { head: 1, length: 30 }),
];
const jsonTraces = jsonTrace.map((line, at) =>
  [jsonTrace[0], line, ...jsonTrace.slice(at, at + 3)].join('\n'),
);
const straces = ['plain-vm.strace', 'plain-vm-times.strace'].flatMap((name) =>
  pieces(fileText(`test/fixtures/traces/${name}`), { head: 0, length: 20 }),
);
const lintOptions = {
  profile: hostProfiles[defaultHostProfile],
  kernelAbi: kernelAbis['upstream-7.3'],
  hostName: 'sim',
};

/** Two lines a block, so that blocks end where they are inconvenient. */
function opened(input: string) {
  const lines = input.split(/\r?\n/);
  return openTrace(async function* () {
    for (let at = 0; at < lines.length; at += 2) yield lines.slice(at, at + 2);
  });
}

async function read(input: string): Promise<void> {
  const result = await opened(input);
  if (!('trace' in result)) return;
  for await (const steps of result.trace.steps) Array.from(steps);
  result.trace.end();
}

async function lint(input: string): Promise<void> {
  const result = await opened(input);
  if ('trace' in result) await lintTrace(result.trace, lintOptions);
}

const logs = [
  'bios-too-old',
  'module-too-old',
  'reserved-areas',
  'reclaim-race',
  'working',
].flatMap((name) => pieces(fileText(`test/fixtures/dmesg/${name}.txt`), { head: 0, length: 12 }));
const typed = [
  'EINVAL',
  '-22',
  '0xC000060000000000',
  'KVM_TDX_INIT_VM EINVAL',
  'errno 28',
  'TDX_OPERAND_INVALID',
];
const faults = [
  'KVM_CREATE_VM=ENOMEM',
  'TDH.MNG.CREATE#2=TDX_OPERAND_BUSY',
  'KVM_RUN#1..3=EINTR',
  'KVM_TDX_INIT_VM=EINVAL',
  'TDH.SYS.INFO=0x8000020000000000',
  'KVM_ENABLE_CAP#8=source-dies',
];
const hostTexts = [...Object.keys(hostProfiles), 'sim:spr-1.5', 'soft', 'kvm', 'auto', 'this-host'];

const captures = await Promise.all(['healthy', 'leaked-slot', 'amd'].map(captured));

async function captured(fixture: string) {
  const directory = hostTree(fixture);
  const capture = captureOf(await readFacts(directory), { tdctl: '0.1.0' });
  rmSync(directory, { recursive: true });
  return capture;
}

const lifeCycle = extractChart(machines[0]);
const events = fileText('test/golden/run-hello.jsonl').split('\n').filter(Boolean);

const image = buildTdvfImage(imageA);

const hostOfPlan = {
  name: 'sim:spr-1.5',
  kernel: { rules: 'upstream-7.3' },
  cpus: 4,
  memory: null,
  names: ['a'],
};
const plan = { ...savedPlan, made: { ...savedPlan.made, host: hostOfPlan } };

export const targets: readonly Target[] = [
  document('TrustDomain', 3, {
    texts: [
      fileText('examples/hello.yaml'),
      specText({
        maxVcpus: '4',
        attributes: '[sept-ve-disable, debug]',
        xfam: '0x7',
        tsc: '1.5GHz',
        gpaw: '52',
      }),
    ],
    read: (input) => parseTrustDomain(input, { path }),
  }),
  document('Rehearsal', 2, {
    texts: ['full-cgroup', 'upgrade'].map((name) => fileText(`examples/rehearsals/${name}.yaml`)),
    read: (input) => parseRehearsalFile(input, { path }),
  }),
  document('SimulatedHost', 2, {
    texts: ['edge-box', 'tenant-limit'].map((name) => fileText(`examples/hosts/${name}.yaml`)),
    read: (input) =>
      parseHostFile(input, path, async (from) =>
        captureToHostProfile(await loadCapture(from), from),
      ),
  }),
  document('Fleet', 2, {
    texts: ['mixed', 'small'].map((name) => fileText(`examples/fleets/${name}.yaml`)),
    read: (input) => parseFleet(input, { path }),
  }),
  document('RunScript', 2, {
    texts: ['accidents', 'first-breath', 'shutdown'].map((name) =>
      fileText(`examples/exec/${name}.yaml`),
    ),
    read: (input) => parseRunScript(input, { path }),
  }),
  document('saved plan', 2, {
    texts: [JSON.stringify(plan, null, 2)],
    read: (input) => parseSavedPlan(input, path),
  }),
  document('capture', 3, {
    texts: captures.map((capture) => JSON.stringify(capture)),
    read: (input) => captureToHostProfile(parseCapture(input, path), path),
  }),
  text('text trace', 8, {
    corpus: corpusOf(textTraces),
    read,
  }),
  text('JSON trace', 8, {
    corpus: corpusOf(jsonTraces),
    read,
  }),
  text('strace', 10, { corpus: corpusOf(straces), read }),
  text('lint', 2, { corpus: corpusOf([...textTraces, ...jsonTraces, ...straces]), read: lint }),
  text('log to explain', 6, {
    corpus: corpusOf(logs),
    read: (input) => explainLog([Buffer.from(input)]),
  }),
  text('words to explain', 3, {
    corpus: corpusOf([...typed, ...logs]),
    read: (input) => explainTyped(input),
  }),
  text('events', 10, {
    corpus: corpusOf(events.map((line, at) => [line, ...events.slice(at, at + 4)].join('\n'))),
    read: (input) => chartCoverage(lifeCycle, [{ path, text: input }]),
  }),
  text('--fault', 10, { corpus: corpusOf(faults), read: (input) => readFault(input) }),
  text('--fault of a rehearsal', 6, {
    corpus: corpusOf(faults),
    read: (input) => readRehearsalFault(input),
  }),
  text('--host', 4, { corpus: corpusOf(hostTexts), read: (input) => hostProfile(input) }),
  {
    name: 'firmware',
    share: 12,
    input: (random) => {
      const bytes = mutatedBytes(random, image, [
        [0xfbf0, 0xfc90],
        [0xffb8, 0xffe3],
      ]);
      const varsSizeBytes = random.once(4) ? random.below(20) * 4096 : undefined;
      return {
        shown: `${bytes.length} bytes, vars ${varsSizeBytes}`,
        read: () => parseTdvf(bytes, { varsSizeBytes }),
      };
    },
  },
  { name: 'simulator', share: 12, input: callSimulator },
];
