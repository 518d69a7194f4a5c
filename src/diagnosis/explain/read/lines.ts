/** Cuts a stream of bytes into lines, with bounded memory whatever the bytes are. */

/** What is kept of one line. Kernel lines end at 1 KiB; QEMU command lines are longer. */
const MAX_LINE_CHARS = 8192;

/** LF, CRLF and lone CR end a line; bytes that are no UTF-8 become U+FFFD. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = bounded(lines.pop() ?? '');
    for (const line of lines) yield bounded(line);
  }
  rest = (rest + decoder.decode()).replace(/\r$/, '');
  if (rest !== '') yield bounded(rest);
}

/** Keeps the end mark of a line that is cut off, for the next chunk may begin with its LF. */
function bounded(line: string): string {
  if (line.length <= MAX_LINE_CHARS) return line;
  return line.slice(0, MAX_LINE_CHARS) + (line.endsWith('\r') ? '\r' : '');
}
