/** What tdctl itself says of a run, beside a guest that has the terminal. */
import type { CommandIo, TextSink } from '../../io.ts';

/**
 * @param isRaw whether the terminal takes bytes as they are at this moment
 * @param leavesStdout whether standard output is for the guest alone
 */
export function ownOutput(
  io: CommandIo,
  { isRaw, leavesStdout }: { readonly isRaw: () => boolean; readonly leavesStdout: boolean },
): CommandIo {
  const stderr = beside(io.stderr, isRaw);
  if (!leavesStdout) return { ...io, stdout: beside(io.stdout, isRaw), stderr };
  return {
    ...io,
    stdout: stderr,
    stderr,
    colors: { ...io.colors, stdout: io.colors.stderr },
    widths: { ...io.widths, stdout: io.widths.stderr },
  };
}

function beside(sink: TextSink, isRaw: () => boolean): TextSink {
  return {
    write: (text) =>
      sink.write(isRaw() ? `\r\n${String(text).trimEnd().replaceAll('\n', '\r\n')}\r\n` : text),
    get isBehind() {
      return sink.isBehind === true;
    },
    settled: async () => sink.settled?.(),
  };
}
