/** Turns the text of a file into a TrustDomain, or into every finding about it. It is pure. */
import { dirname, resolve } from 'node:path';
import { type FileFormat, type FileSource, type Findings, readObject } from '../documents/read.ts';
import { SchemaFields } from '../documents/schema-fields.ts';
import { toHex } from './bytes48.ts';
import { resolveEngine } from './resolve-engine.ts';
import { trustDomainRules } from './rules.ts';
import { type TrustDomainFile, trustDomainSchema } from './schema.ts';
import type { BootFiles, ConsolePlace, QuoteSocket, TrustDomain } from './trust-domain.ts';

export const trustDomainFormat: FileFormat<typeof trustDomainSchema> = {
  kind: 'TrustDomain',
  schema: trustDomainSchema,
  fields: new SchemaFields(trustDomainSchema),
  rules: trustDomainRules,
  help: 'docs/spec.md explains every field; `tdctl init -` prints a file that is right',
};

type Spec = TrustDomainFile['spec'];

export type SpecReading = { readonly trustDomain: TrustDomain } | Findings;

/** This never throws for any text. `findings` come in the order of the file. */
export function readTrustDomain(text: string, { path }: { readonly path: string }): SpecReading {
  const reading = readObject(text, { path, format: trustDomainFormat });
  if ('findings' in reading) return reading;
  return { trustDomain: resolveDefaults(reading.data, reading.source) };
}

function resolveDefaults({ metadata, spec }: TrustDomainFile, source: FileSource): TrustDomain {
  const { identity, measurement } = spec;
  const directory = dirname(source.path);
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    engine: resolveEngine(spec, directory),
    vcpus: spec.vcpus,
    maxVcpus: spec.maxVcpus ?? spec.vcpus,
    memoryBytes: spec.memory,
    firmware: resolveFirmware(spec.firmware, directory),
    boot: spec.boot && resolveBoot(spec.boot, directory),
    // The places of an engine with devices are its own.
    console:
      spec.engine === 'builtin' && spec.console
        ? resolveConsole(spec.console, directory)
        : undefined,
    quotes: spec.quotes && resolveQuotes(spec.quotes.socket, directory),
    attributes: spec.attributes,
    xfam: spec.xfam,
    tscKhz: spec.tsc,
    gpaw: spec.gpaw,
    identity: {
      mrConfigId: identity.mrConfigId ?? new Uint8Array(48),
      mrOwner: identity.mrOwner ?? new Uint8Array(48),
      mrOwnerConfig: identity.mrOwnerConfig ?? new Uint8Array(48),
    },
    measurement: {
      expect: measurement.expect === undefined ? undefined : toHex(measurement.expect),
      order: measurement.order,
    },
    source,
  };
}

function resolveFirmware(firmware: Spec['firmware'], directory: string): TrustDomain['firmware'] {
  if (typeof firmware === 'string') return { path: resolve(directory, firmware) };
  const path = resolve(directory, firmware.path);
  if (firmware.vars === undefined) return { path };
  return { path, varsPath: resolve(directory, firmware.vars) };
}

function resolveBoot(boot: NonNullable<Spec['boot']>, directory: string): BootFiles {
  const { kernel, initrd, cmdline } = boot;
  return {
    kernelPath: resolve(directory, kernel),
    ...(initrd !== undefined && { initrdPath: resolve(directory, initrd) }),
    cmdline,
  };
}

function resolveQuotes(socket: QuoteSocket, directory: string): QuoteSocket {
  return socket.kind === 'unix' ? { kind: 'unix', path: resolve(directory, socket.path) } : socket;
}

function resolveConsole(place: NonNullable<Spec['console']>, directory: string): ConsolePlace {
  if (place === 'stdio') return { kind: 'stdio' };
  const { file, socket } = place;
  if (file !== undefined) return { kind: 'file', path: resolve(directory, file) };
  if (socket !== undefined) return { kind: 'socket', path: resolve(directory, socket) };
  throw new Error('a rule sees to it that a console has one place');
}
