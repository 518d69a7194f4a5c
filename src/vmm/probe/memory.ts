/** Answers of QEMUs, kept by the hash of the binary: one that is replaced is asked anew. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWholeFile } from '../../files/index.ts';
import { makePrivateDirectory } from '../../files/private-directory.ts';

const schema = z.strictObject({
  kind: z.literal('tdctl.VmmProbe'),
  version: z.literal(1),
  qemu: z.string().regex(/^\d+\.\d+\.\d+$/),
  tdOptions: z.array(z.string()),
});

export interface Kept {
  readonly version: string;
  readonly tdOptions: readonly string[];
}

export interface ProbeMemory {
  read(sha256: string): Kept | undefined;
  keep(sha256: string, kept: Kept): Promise<void>;
}

/** @param directory of this user's own, which is made where it is not there. */
export function probeMemory(directory: string): ProbeMemory {
  const fileOf = (sha256: string) => join(directory, `qemu-${sha256}.json`);
  return {
    read: (sha256) => {
      try {
        const kept = schema.parse(JSON.parse(readFileSync(fileOf(sha256), 'utf8')));
        return { version: kept.qemu, tdOptions: kept.tdOptions };
      } catch {
        // Not there, or nothing to go by: the program itself is asked.
        return undefined;
      }
    },
    keep: async (sha256, { version, tdOptions }) => {
      const kept = { kind: 'tdctl.VmmProbe', version: 1, qemu: version, tdOptions };
      try {
        makePrivateDirectory(directory);
        const file = {
          path: fileOf(sha256),
          what: 'answers of QEMU',
          existing: 'replace',
        } as const;
        await writeWholeFile(file, `${JSON.stringify(kept)}\n`);
      } catch {
        // Where nothing can be kept, it is asked the next time as well.
      }
    },
  };
}

export interface ProgramDigest {
  readonly sha256: string;
  /** Whether the file is the program. What a script starts can change under it. */
  readonly isStable: boolean;
}

/** @throws the error of the system call. */
export async function digestOf(path: string): Promise<ProgramDigest> {
  const hash = createHash('sha256');
  let start: Buffer | undefined;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    start ??= chunk;
    hash.update(chunk);
  }
  const isStable = start?.subarray(0, 4).toString('latin1') === '\x7fELF';
  return { sha256: hash.digest('hex'), isStable };
}
