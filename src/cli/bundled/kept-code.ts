/**
 * What V8 compiled of a program while it ran: one file for each command, one for keepers, read whole when it starts.
 * A line of JSON says of what the rest is. V8 refuses what another V8 or other flags have made, but runs what is damaged.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KeptCode {
  /** By the names of the files of the bundle. */
  readonly code: ReadonlyMap<string, Buffer>;
  /**
   * What the runs have come to that it is of, and whose functions it has therefore: none of them where it is of one
   * that was refused early, which runs few of the functions that another needs.
   */
  readonly reached: readonly string[];
}

/** What the code is of. */
export interface Origin {
  readonly build: string;
  /** V8 keeps with the code where its file was, and an error of another installation would name files of this one. */
  readonly directory: string;
}

interface Head extends Origin {
  readonly reached: readonly string[];
  /** Of what follows the line. */
  readonly sum: number;
  readonly sizes: readonly (readonly [file: string, size: number])[];
}

export function keptCodePath(directory: string, program: string): string {
  return join(directory, `${program}-${process.version}-${process.arch}`);
}

/** Undefined where nothing is kept of this build in this directory. */
export function readKeptCode(path: string, { build, directory }: Origin): KeptCode | undefined {
  try {
    const all = readFileSync(path);
    const endOfHead = all.indexOf('\n');
    const head = JSON.parse(all.toString('utf8', 0, endOfHead)) as Head;
    const body = all.subarray(aligned(endOfHead + 1));
    if (head.build !== build || head.directory !== directory) return undefined;
    if (head.sum !== sumOf(body)) return undefined;
    const code = new Map<string, Buffer>();
    let at = 0;
    for (const [file, size] of head.sizes) {
      code.set(file, body.subarray(at, at + size));
      at = aligned(at + size);
    }
    if (at !== body.length) return undefined;
    return { code, reached: head.reached };
  } catch {
    return undefined;
  }
}

export function keptCodeBytes(origin: Origin, { code, reached }: KeptCode): Buffer {
  const sizes = [...code].map(([file, bytes]) => [file, bytes.length] as const);
  const body = Buffer.concat([...code.values()].map(toWholeWords));
  const head: Head = { ...origin, reached, sum: sumOf(body), sizes };
  return Buffer.concat([toWholeWords(Buffer.from(`${JSON.stringify(head)}\n`)), body]);
}

/** A disk loses whole blocks, so one word of each 64 bytes tells. All of them by Node's CRC took each command 3 ms: it has to be loaded. */
function sumOf(body: Buffer): number {
  const words = new Int32Array(body.buffer, body.byteOffset, body.length / 4);
  let sum = body.length;
  for (let at = 0; at < words.length; at += 16) sum = (Math.imul(sum, 31) + (words[at] ?? 0)) | 0;
  return sum;
}

/** V8 copies code that is not at an address of whole words. */
function aligned(at: number): number {
  return Math.ceil(at / 8) * 8;
}

function toWholeWords(bytes: Buffer): Buffer {
  return Buffer.concat([bytes], aligned(bytes.length));
}
