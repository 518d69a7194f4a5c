/** What a QEMU can do for a TD, found once for each binary. */
import { z } from 'zod';
import { TdctlError } from '../../errors/index.ts';
import { sanitize } from '../../errors/sanitize.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { type Bounds, dialogue } from './dialogue.ts';
import { findProgram } from './find-program.ts';
import { digestOf, type ProbeMemory } from './memory.ts';

export interface VmmProgram {
  /** Absolute. */
  readonly path: string;
  /** Of the file that is started; a wrapper has one of its own. */
  readonly sha256: string;
  /** `11.1.3`. */
  readonly version: string;
  /** The properties of its TDs, sorted. */
  readonly tdOptions: readonly string[];
}

export interface ProbeOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Where answers are kept; without one the program is asked each time. */
  readonly memory?: ProbeMemory | undefined;
  readonly bounds?: Bounds;
}

/** QEMU answers within 0.1 s; a cold disk or a loaded machine may take longer. */
const usualBounds: Bounds = { deadlineMs: 10_000, mostBytes: 1 << 20 };

/** The first that makes TDs on kernels of kernel.org. */
const least = { major: 10, minor: 1 };

const greetingSchema = z.object({
  version: z.object({ qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }) }),
});
const propertiesSchema = z.array(z.object({ name: z.string() }));

const questions = [{ execute: 'qom-list-properties', arguments: { typename: 'tdx-guest' } }];

/** @throws TdctlError TDCTL_E_HOST_UNSUPPORTED with the place of the field. */
export async function probeVmm(spec: TrustDomain, options: ProbeOptions): Promise<VmmProgram> {
  const { engine } = spec;
  if (engine.kind !== 'qemu') throw new Error('the builtin engine is no program');
  const unusable = (problem: string, more: Partial<Words> = {}) =>
    unusableProgram(spec, { name: engine.binary, problem, ...more });
  const found = findProgram(engine.binary, options.env);
  if ('problem' in found) throw unusable(found.problem);
  const { path } = found;
  const { sha256, isStable } = await digestOf(path).catch((error: NodeJS.ErrnoException) => {
    throw unusable(`it cannot be read (${error.code})`);
  });
  const known = isStable ? options.memory?.read(sha256) : undefined;
  const asked = known ?? (await ask(path, options.bounds ?? usualBounds, unusable));
  if (isStable && known === undefined) await options.memory?.keep(sha256, asked);
  const program = { path, sha256, ...asked };
  checkVersion(program, unusable);
  return program;
}

interface Words {
  readonly name: string;
  readonly problem: string;
  readonly stderr: readonly string[];
  readonly hint: string;
}

async function ask(
  path: string,
  bounds: Bounds,
  unusable: (problem: string, more?: Partial<Words>) => TdctlError,
): Promise<Pick<VmmProgram, 'version' | 'tdOptions'>> {
  const outcome = await dialogue(path, questions, bounds);
  if ('problem' in outcome) throw unusable(outcome.problem, { stderr: outcome.stderr });
  const greeting = greetingSchema.safeParse(outcome.greeting);
  if (!greeting.success) throw unusable('it greets as no QEMU does');
  const { major, minor, micro } = greeting.data.version.qemu;
  const properties = propertiesSchema.safeParse(outcome.answers[0]);
  const tdOptions = properties.success ? properties.data.map(({ name }) => name).sort() : [];
  return { version: `${major}.${minor}.${micro}`, tdOptions };
}

function checkVersion(
  { version, tdOptions }: Omit<VmmProgram, 'path' | 'sha256'>,
  unusable: (problem: string, more?: Partial<Words>) => TdctlError,
): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < least.major || (major === least.major && minor < least.minor)) {
    throw unusable(
      `it is QEMU ${version}; TDs need ${least.major}.${least.minor} or later, the first that has tdx-guest`,
      { hint: 'install a later QEMU, and name it with spec.qemu.binary' },
    );
  }
  if (tdOptions.length === 0) {
    throw unusable(`it is QEMU ${version}, and was built without TDX: it has no tdx-guest`, {
      hint: 'name another QEMU for x86-64 with spec.qemu.binary',
    });
  }
}

function unusableProgram(spec: TrustDomain, words: Partial<Words> & { name: string }): TdctlError {
  const { name, problem = '', stderr = [] } = words;
  const field = 'spec.qemu.binary';
  return new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'ask QEMU what it can do',
    place: spec.source.locate(field),
    message: `${sanitize(name)} cannot run this TD: ${sanitize(problem)}`,
    details: [
      spec.source.finding({ field, problem }),
      ...stderr.map((line) => `it said: ${sanitize(line)}`),
    ],
    hint: words.hint ?? 'install QEMU 10.1 or later, or name it with spec.qemu.binary',
  });
}
