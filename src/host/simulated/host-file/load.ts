/** Reads SimulatedHost files. It loads zod and yaml: import it where a file is about to be read. */
import { dirname, resolve } from 'node:path';
import { invalidFile } from '../../../documents/invalid.ts';
import { type FileFormat, readObject } from '../../../documents/read.ts';
import { SchemaFields } from '../../../documents/schema-fields.ts';
import { readTextFile, type TextFileKind } from '../../../documents/text-file.ts';
import { TdctlError } from '../../../errors/index.ts';
import { sanitize } from '../../../errors/sanitize.ts';
import type { HostProfile } from '../../../simulator/index.ts';
import { namedProfile } from '../named-profile.ts';
import { isCaptureFile, simulatedHostSchema } from './schema.ts';
import { toProfile } from './to-profile.ts';

export const simulatedHostFormat: FileFormat<typeof simulatedHostSchema> = {
  kind: 'SimulatedHost',
  schema: simulatedHostSchema,
  fields: new SchemaFields(simulatedHostSchema),
  // Rules between fields need the profile that the file starts from, so they are in to-profile.ts.
  help: 'docs/host-files.md explains every field; examples/hosts/ has files that are right',
};

const textFile: TextFileKind = {
  kind: 'SimulatedHost',
  starter: () => 'copy one of examples/hosts/ to start from',
};

/** Makes a machine of the captured host at a path. Whoever reads host files brings it: captures are read elsewhere. */
export type ReadCaptured = (path: string) => Promise<HostProfile>;

/**
 * @throws TdctlError TDCTL_E_NOT_FOUND, TDCTL_E_NOT_READABLE; TDCTL_E_SPEC_INVALID as {@link
 * parseHostFile}; TDCTL_E_HOST_UNSUPPORTED where it needs `this-host` and cannot read it.
 */
export async function loadHostFile(path: string, captured?: ReadCaptured): Promise<HostProfile> {
  return parseHostFile(await readTextFile(path, textFile), path, captured);
}

/** @throws TdctlError TDCTL_E_SPEC_INVALID with every mistake and its place. */
export async function parseHostFile(
  text: string,
  path: string,
  captured: ReadCaptured = noCaptures,
): Promise<HostProfile> {
  const reading = readObject(text, { path, format: simulatedHostFormat });
  if ('findings' in reading) throw invalidFile(reading, { ...simulatedHostFormat, path });
  const { data, source } = reading;
  const { from } = data.spec;
  const base = isCaptureFile(from)
    ? await captured(resolve(dirname(path), from))
    : await namedProfile(from);
  const profile = toProfile(data, base, path);
  if ('platform' in profile) return profile;
  throw new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read the SimulatedHost file',
    message: 'the fields of this host do not go together',
    place: sanitize(path),
    details: profile.map((misfit) => source.finding(misfit)),
    hint: simulatedHostFormat.help,
  });
}

function noCaptures(path: string): never {
  throw new Error(`nobody brought a reader of captured hosts, and ${path} is asked for`);
}
