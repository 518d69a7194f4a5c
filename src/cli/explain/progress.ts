import type { CommandIo } from '../io.ts';

const MIB = 1024 * 1024;
/** Smaller logs are read before anybody asks. */
const STEP_BYTES = 32 * MIB;

/** Tells a person at a terminal how far a long log is read; the line is gone when it is read. */
export async function* withProgress(
  chunks: AsyncIterable<Uint8Array>,
  { stderr, stderrIsTty }: CommandIo,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  let next = STEP_BYTES;
  for await (const chunk of chunks) {
    yield chunk;
    read += chunk.length;
    if (read < next) continue;
    next += STEP_BYTES;
    const text = `${Math.floor(read / MIB)} MiB read`;
    stderr.write(stderrIsTty ? `\r${text}` : `${text}\n`);
  }
  if (stderrIsTty && next > STEP_BYTES) stderr.write('\r\u001b[K');
}
