/** Small guests: the example firmware with another program at its reset vector, in 32-bit protected mode. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { buildHelloFirmware } from '../../scripts/build-example-firmware.mjs';

const programAt = 0xe000;
const resetVectorAt = 0xfff0;
const addressOf = (offset: number) => 0x1_0000_0000 - 0x10000 + offset;

/** Machine code, which may depend on where it stands. */
type Part = (at: number) => readonly number[];

const little = (value: number, bytes: number) =>
  Array.from({ length: bytes }, (_, at) => Math.floor(value / 2 ** (8 * at)) & 0xff);
const code =
  (...bytes: readonly number[]): Part =>
  () =>
    bytes;
const setPort = (port: number) => [0xba, ...little(port, 4)]; // mov $port, %edx

/** Prints text on COM1. */
export const print =
  (text: string, port = 0x3f8): Part =>
  (at) => {
    const bytes = [...Buffer.from(text), 0];
    const start = [...setPort(port), 0xbe]; // mov $text, %esi
    const loop = [
      ...[0xac, 0x84, 0xc0], // 1: lodsb; test %al, %al
      ...[0x74, 0x03, 0xee, 0xeb, 0xf8], // jz 2f; out %al, (%dx); jmp 1b
      ...[0xe9, ...little(bytes.length, 4)], // 2: jmp over the text
    ];
    const textAt = addressOf(at + start.length + 4 + loop.length);
    return [...start, ...little(textAt, 4), ...loop, ...bytes];
  };

export const powerOff = code(...setPort(0x604), 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef);
export const reset = code(...setPort(0xcf9), 0xb0, 0x06, 0xee);
/** Writes to isa-debug-exit. */
export const debugExit = (value: number) => code(...setPort(0xf4), 0xb0, value, 0xee);
/** ud2, with no handler for anything. */
export const tripleFault = code(0x0f, 0x0b);
export const spin = code(0xf3, 0x90, 0xeb, 0xfc);

/** Prints the byte for ever. */
export const flood = (byte: number) => code(...setPort(0x3f8), 0xb0, byte, 0xee, 0xeb, 0xfd);

/** Prints what is typed, each byte as it comes; a `q` ends it. */
export const echoUntilQ = code(
  ...setPort(0x3fd), // 1:
  ...[0xec, 0xa8, 0x01, 0x74, 0xf6], // in; test $1, %al; jz 1b
  ...setPort(0x3f8),
  ...[0xec, 0xee, 0x3c, 0x71, 0x75, 0xeb], // in; out; cmp $'q', %al; jne 1b
);

export function guestImage(...parts: readonly Part[]): Buffer {
  const image = buildHelloFirmware();
  const program: number[] = [];
  for (const part of parts) program.push(...part(programAt + program.length));
  image.set(program, programAt);
  const jump = programAt - (resetVectorAt + 5);
  image.set([0xe9, ...little(jump >>> 0, 4)], resetVectorAt);
  return image;
}

/** A directory for TrustDomain files of such guests, which goes with the tests of the file. */
export function guestFiles() {
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-guest-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let files = 0;
  return {
    directory,
    at: (name: string) => join(directory, name),
    spec(parts: readonly Part[], fields: Readonly<Record<string, unknown>> = {}): string {
      files += 1;
      writeFileSync(join(directory, `${files}.fd`), guestImage(...parts));
      const path = join(directory, `${files}.yaml`);
      const document = {
        apiVersion: 'tdctl.io/v1alpha1',
        kind: 'TrustDomain',
        metadata: { name: 'td' },
        spec: { vcpus: 1, memory: '64MiB', firmware: `${files}.fd`, ...fields },
      };
      writeFileSync(path, JSON.stringify(document));
      return path;
    },
  };
}
