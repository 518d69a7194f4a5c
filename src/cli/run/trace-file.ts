/** `--trace FILE`: every call of a simulated host, a line each. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { TdctlError } from '../../errors/index.ts';
import { traceJson, traceLine } from '../../simulator/index.ts';
import type { SimulatingHost } from '../open-host.ts';

export interface TraceFile {
  /** Writes what is left, and closes the file. */
  end(): void;
}

/** Lines are written in blocks of this many characters. */
const blockLength = 65_536;

/**
 * An existing file is overwritten: a trace can always be made again. JSON lines where the name ends
 * in .jsonl, else text.
 *
 * @throws TdctlError TDCTL_E_NOT_WRITABLE.
 */
export function openTraceFile(host: SimulatingHost, path: string): TraceFile {
  const fd = openForWriting(path);
  const format = path.endsWith('.jsonl') ? traceJson : traceLine;
  let block = '';
  const flush = () => {
    writeSync(fd, block);
    block = '';
  };
  const stop = host.onCall((event) => {
    block += `${format(event)}\n`;
    if (block.length >= blockLength) flush();
  });
  return {
    end() {
      stop();
      flush();
      closeSync(fd);
    },
  };
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (cause) {
    throw new TdctlError({
      code: 'TDCTL_E_NOT_WRITABLE',
      op: 'write the trace',
      place: path,
      message: 'the trace file cannot be opened for writing',
      hint: 'name a file in a directory that exists and that you may write to',
      cause,
    });
  }
}
