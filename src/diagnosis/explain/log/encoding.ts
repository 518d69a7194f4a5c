/** Makes UTF-8 of what a log is written in: PowerShell and some editors write UTF-16. */

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** As many bytes of the beginning as decide. */
const SAMPLE_BYTES = 512;

export async function* asUtf8(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array();
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  const convert = (chunk: Uint8Array) =>
    decoder === undefined ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }));
  const decide = (sample: Uint8Array) => {
    const encoding = encodingOf(sample);
    if (encoding !== 'utf-8') decoder = new TextDecoder(encoding);
    return convert(sample);
  };
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield convert(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < SAMPLE_BYTES) continue;
    yield decide(head);
    head = undefined;
  }
  if (head !== undefined) yield decide(head);
  if (decoder !== undefined) yield Buffer.from(decoder.decode());
}

/** By the byte order mark, or by every second byte being 0, as it is of text in Latin letters. */
function encodingOf(bytes: Uint8Array): Encoding {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const zeros = [0, 0];
  for (const [index, byte] of sample.entries())
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const many = sample.length / 4;
  if (sample.length < 8 || even + odd <= many) return 'utf-8';
  if (even === 0) return 'utf-16le';
  return odd === 0 ? 'utf-16be' : 'utf-8';
}
