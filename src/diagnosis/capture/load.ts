import { z } from 'zod';
import { jsonProblems } from '../../documents/json-problems.ts';
import { readTextFile, type TextFileKind } from '../../documents/text-file.ts';
import { TdctlError, type TdctlErrorCode } from '../../errors/index.ts';
import { factsSchema } from '../doctor/facts-schema.ts';
import { captureKind, captureSchemaVersion, type HostCapture } from './capture.ts';

const textFile: TextFileKind = {
  kind: 'capture',
  starter: () => '`tdctl host capture FILE` on the host writes one',
  largest: { bytes: 16 * 1024 * 1024, because: 'has what one host tells' },
};

const envelope = z.object({
  kind: z.literal(captureKind),
  schemaVersion: z.int().positive(),
  tdctl: z.string().max(64),
});

// The schema is made once: zod compiles it at first use, and hosts are read by the thousand.
const content = z.object({ facts: factsSchema });

/**
 * @throws TdctlError TDCTL_E_NOT_FOUND; TDCTL_E_NOT_READABLE; TDCTL_E_SPEC_INVALID for another kind of file,
 * a damaged capture, or one of a newer schema version.
 */
export async function loadCapture(path: string): Promise<HostCapture> {
  return parseCapture(await readCaptureText(path), path);
}

/** @param place the name of the source in errors. */
export function parseCapture(text: string, place: string): HostCapture {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw notACapture(place, 'this is not JSON, so it is no capture of a host', [], cause);
  }
  const outer = envelope.safeParse(json);
  if (!outer.success) {
    throw notACapture(
      place,
      'this JSON is no capture of a host',
      jsonProblems(outer.error, { value: json, schema: envelope, most: mostProblems }),
    );
  }
  const { schemaVersion, tdctl } = outer.data;
  if (schemaVersion > captureSchemaVersion) {
    throw captureError({
      code: 'TDCTL_E_SPEC_INVALID',
      place,
      message: `this capture has schema version ${schemaVersion} (written by tdctl ${tdctl}); this tdctl reads up to ${captureSchemaVersion}`,
      hint: 'use a tdctl at least as new as the one that wrote it',
    });
  }
  const inner = content.safeParse(json);
  if (!inner.success) {
    throw notACapture(
      place,
      'this capture is damaged',
      jsonProblems(inner.error, { value: json, schema: content, most: mostProblems }),
    );
  }
  return { kind: captureKind, schemaVersion, tdctl, facts: inner.data.facts };
}

/**
 * @param also other kinds of files that the reader takes
 * @throws TdctlError as {@link loadCapture}.
 */
export async function readCaptureText(path: string, also: readonly string[] = []): Promise<string> {
  return readTextFile(path, { ...textFile, also });
}

/** Nobody repairs a capture by hand: some of what is wrong will do. */
const mostProblems = 5;

function notACapture(
  place: string,
  message: string,
  details: readonly string[] = [],
  cause?: unknown,
): TdctlError {
  return captureError({
    code: 'TDCTL_E_SPEC_INVALID',
    place,
    message,
    details,
    hint: 'give a file that `tdctl host capture FILE` wrote',
    cause,
  });
}

function captureError(options: {
  readonly code: TdctlErrorCode;
  readonly place: string;
  readonly message: string;
  readonly hint: string;
  readonly details?: readonly string[];
  readonly cause?: unknown;
}): TdctlError {
  return new TdctlError({ op: 'read a host capture', ...options });
}
