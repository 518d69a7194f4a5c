import { z } from 'zod';
import { readUpTo } from '../../documents/read-bytes.ts';
import { errnoOf } from '../../errors/errno.ts';
import { TdctlError, type TdctlErrorCode } from '../../errors/index.ts';
import { factsSchema } from '../doctor/facts-schema.ts';
import { captureKind, captureSchemaVersion, type HostCapture } from './capture.ts';

const maxBytes = 16 * 1024 * 1024;

const envelope = z.object({
  kind: z.literal(captureKind),
  schemaVersion: z.int().positive(),
  tdctl: z.string().max(64),
});

// The schema is made once: zod compiles it at first use, and hosts are read by the thousand.
const content = z.object({ facts: factsSchema });

/**
 * @throws TdctlError TDCTL_E_NOT_FOUND; TDCTL_E_NOT_READABLE for a directory, junk, or a capture of
 * a newer schema version.
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
    throw notACapture(place, 'this JSON is no capture of a host', problems(outer.error));
  }
  const { schemaVersion, tdctl } = outer.data;
  if (schemaVersion > captureSchemaVersion) {
    throw captureError({
      code: 'TDCTL_E_NOT_READABLE',
      place,
      message: `this capture has schema version ${schemaVersion} (written by tdctl ${tdctl}); this tdctl reads up to ${captureSchemaVersion}`,
      hint: 'use a tdctl at least as new as the one that wrote it',
    });
  }
  const inner = content.safeParse(json);
  if (!inner.success) {
    throw notACapture(place, 'this capture is damaged', problems(inner.error));
  }
  return { kind: captureKind, schemaVersion, tdctl, facts: inner.data.facts };
}

/** @throws TdctlError as {@link loadCapture}. */
export async function readCaptureText(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readUpTo(path, maxBytes + 1);
  } catch (cause) {
    if (cause instanceof TdctlError) throw cause;
    const errno = errnoOf(cause);
    if (errno === 'EISDIR') throw notACapture(path, 'this is a directory');
    const isMissing = errno === 'ENOENT' || errno === 'ENOTDIR';
    throw captureError({
      code: isMissing ? 'TDCTL_E_NOT_FOUND' : 'TDCTL_E_NOT_READABLE',
      place: path,
      message: isMissing ? 'there is no such capture' : 'the capture could not be read',
      hint: isMissing
        ? 'write one on the host with `tdctl host capture FILE`'
        : 'check the permissions of the file and of the folders above it',
      cause,
    });
  }
  if (bytes.length > maxBytes) throw notACapture(path, 'no capture is larger than 16 MiB');
  return bytes.toString('utf8');
}

function problems(error: z.ZodError): string[] {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`);
}

function notACapture(
  place: string,
  message: string,
  details: readonly string[] = [],
  cause?: unknown,
): TdctlError {
  return captureError({
    code: 'TDCTL_E_NOT_READABLE',
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
