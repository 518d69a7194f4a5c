/** What is told of a TD before anything is begun: its file is read, its host is asked, and all mistakes are found. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { TdctlError } from '../../../errors/index.ts';
import { loadFirmware } from '../../../firmware/index.ts';
import type { KeySlots } from '../../../host/facts.ts';
import { checkTdName } from '../../../keeper/td-files.ts';
import { planTd, type TdPlan } from '../../../plan/index.ts';
import { askHost } from '../../../plan/judge/index.ts';
import { parseTrustDomain, readTrustDomainText } from '../../../spec/index.ts';
import type { TrustDomain } from '../../../spec/trust-domain.ts';
import { hostFileIn } from '../../file-arguments.ts';
import { openHostToActOn } from '../../host-to-act-on.ts';
import type { CommandIo } from '../../io.ts';
import { readSimulation } from '../../run/simulation.ts';
import { bootImagesOf, filesNamedIn } from '../../spec-files.ts';
import { refuseEngineOn } from '../engine/needs-kvm.ts';
import type { CreateOptions } from './options.ts';

/** The file, and who it is for. */
export interface NamedSpec {
  readonly name: string;
  readonly text: string;
  /** Absolute: a keeper has another working directory. */
  readonly path: string;
  readonly spec: TrustDomain;
  /** As `--host` has it, a file of a host with its whole path. */
  readonly host: string;
}

/** @throws TdctlError for whatever is wrong with it. */
export async function readSpec(
  given: string,
  { name, host }: Pick<CreateOptions, 'name' | 'host'>,
  io: CommandIo,
): Promise<NamedSpec> {
  if (name !== undefined) checkTdName(name);
  const text = await readTrustDomainText(given);
  const spec = parseTrustDomain(text, { path: given });
  io.files.reads(...filesNamedIn(spec));
  return {
    name: name ?? spec.name,
    text,
    path: resolve(given),
    spec,
    host: withWholePath(host),
  };
}

/** Whoever acts never simulates unasked, so `auto` is the real one. */
function withWholePath(host: string): string {
  if (host === 'auto') return 'kvm';
  const [file] = hostFileIn(host);
  return file === undefined ? host : `${host.slice(0, host.indexOf(':'))}:${resolve(file)}`;
}

export interface Prepared {
  readonly plan: TdPlan;
  readonly slots: KeySlots | undefined;
}

/**
 * The plan is the keeper's to make again, of the host that it opens; this one is for the errors, and to be shown.
 *
 * @returns undefined where what keeps it from beginning is only that it has to wait, and it shall.
 */
export async function prepare(
  { spec, host: named }: NamedSpec,
  options: CreateOptions,
  io: CommandIo,
): Promise<Prepared | undefined> {
  refuseEngineOn(spec, { host: named, typed: options.typed });
  const faults = await readSimulation(options, options);
  const host = await openHostToActOn({ ...options, faults }, { typed: options.typed, io });
  try {
    const firmware = await loadFirmware(spec.firmware);
    const boot = await bootImagesOf(spec);
    const ignoreExpectation = options.anyMeasurement === true;
    const plan = planTd({ spec, firmware, boot, host: await askHost(host), ignoreExpectation });
    if (spec.engine.kind === 'qemu') {
      const { vmmFor } = await import('../engine/vmm-for.ts');
      await vmmFor(spec, { env: io.env, uuid: randomUUID(), state: undefined });
    }
    return { plan, slots: await host.keySlots() };
  } catch (error) {
    if (options.queue === true && isForNow(error)) return undefined;
    throw error;
  } finally {
    await host.close();
  }
}

function isForNow(error: unknown): boolean {
  return error instanceof TdctlError && error.code === 'TDCTL_E_NO_KEY_SLOT';
}
