/** Reads what is asked for: TDs of one TrustDomain file, or those of a fleet file. */
import { TdctlError } from '../../errors/index.ts';
import type { NamedFiles } from '../../files/named-files.ts';
import { type FirmwareImage, loadFirmware } from '../../firmware/index.ts';
import { prepareTd } from '../../plan/judge/index.ts';
import type { Demand } from '../../plan/room/index.ts';
import { parseTrustDomain, readTrustDomainText } from '../../spec/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { filesNamedIn } from '../spec-files.ts';

export interface Demands {
  /** Of the TD, or of the fleet. */
  readonly name: string;
  readonly demands: readonly Demand[];
}

/** @throws TdctlError as the loaders of both kinds of file; TDCTL_E_SPEC_INVALID for VMs that no file describes. */
export async function readDemands(
  path: string,
  { count, files }: { readonly count?: number | undefined; readonly files: NamedFiles },
): Promise<Demands> {
  // It is read once, as it may be a pipe.
  const text = await readTrustDomainText(path);
  if (!/^kind\s*:\s*["']?Fleet\b|"kind"\s*:\s*"Fleet"/m.test(text)) {
    const spec = parseTrustDomain(text, { path });
    return { name: spec.name, demands: [await demandOf(spec, { name: spec.name, count, files })] };
  }
  if (count !== undefined) throw countOfFleet(path);
  const { readFleet } = await import('../../plan/fleet/fleet-file.ts');
  const { name, groups } = await readFleet(text, { path });
  const demands = await Promise.all(
    groups.map(({ td, ...group }) => {
      if (td === undefined) throw notDescribed(path, group.name);
      files.reads({ path: td.source.path, by: `${group.name} of ${path}` });
      return demandOf(td, { ...group, files });
    }),
  );
  return { name, demands };
}

async function demandOf(
  spec: TrustDomain,
  asked: { readonly name: string; readonly count?: number | undefined; readonly files: NamedFiles },
): Promise<Demand> {
  const { name, count, files } = asked;
  files.reads(...filesNamedIn(spec));
  return { name, count, td: prepareTd(spec, { firmware: await firmwareOrProblem(spec) }) };
}

/** An image that cannot be used is a reason against every host, and no end of the command. */
async function firmwareOrProblem(spec: TrustDomain): Promise<FirmwareImage | TdctlError> {
  try {
    return await loadFirmware(spec.firmware);
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    return error;
  }
}

/** The number of `--count`. */
export function countFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'count TDs',
    place: '--count',
    message: `--count takes a whole number from 1 to 9999999; this is \`${text}\``,
    hint: 'leave it out to learn how many there is room for',
  });
}

function countOfFleet(path: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'count TDs',
    place: '--count',
    message: `--count is for a TrustDomain file, and ${path} is a Fleet that has its own numbers`,
    hint: 'write `count` into spec.vms of the fleet',
  });
}

function notDescribed(path: string, group: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read the fleet',
    place: path,
    message: `nothing says how much memory a VM of \`${group}\` has, so the room for it is not known`,
    hint: 'give each group of spec.vms a `spec`, which names a TrustDomain file',
  });
}
