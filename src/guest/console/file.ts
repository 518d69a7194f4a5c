/** `--console-log` and `spec.console.file`: a file that gets all that the guest prints, after what is there. */
import { StreamFile, type StreamFileOptions } from '../../files/index.ts';
import { bytesOf } from './backlog.ts';
import type { ConsoleSink } from './sink.ts';

export type ConsoleFileOptions = Pick<StreamFileOptions, 'path' | 'onFailure' | 'signal'>;

/** @throws TdctlError TDCTL_E_NOT_WRITABLE, TDCTL_E_BUSY, TDCTL_E_INTERRUPTED. */
export async function openConsoleFile(options: ConsoleFileOptions): Promise<ConsoleSink> {
  const file = await StreamFile.open({
    ...options,
    what: 'console log',
    existing: 'append',
    flush: 'each',
  });
  return {
    print(bytes, lostBytes) {
      file.writeBytes(bytesOf({ bytes, lostBytes: 0 }));
      if (lostBytes > 0) file.writeBytes(bytesOf({ bytes: new Uint8Array(), lostBytes }));
    },
    end: () => file.end(),
  };
}
