/**
 * What reads long input makes garbage all the time. V8 lets that grow to a quarter of a GiB, because the machine has room
 * for it; a process that takes minutes is a better neighbour with a tenth more CPU time and a third of the memory.
 */

/** Each with what V8 starts with: code that is kept is refused where flags are others (bundled/loader.ts). */
const flags = [
  { little: '--optimize-for-size', usual: '--no-optimize-for-size' },
  { little: '--semi-space-growth-factor=1', usual: '--semi-space-growth-factor=2' },
] as const;

/** What is shorter is read at once. Anything longer has made more garbage in a moment than it ever needs. */
const shortest = 32 * 1024;

/** Passes the lines of a text on. @yields as `blocks`. */
export async function* withLittleGarbage(
  blocks: AsyncIterable<readonly string[]>,
): AsyncGenerator<readonly string[]> {
  const setAll = (which: keyof (typeof flags)[number]) => {
    // Only long input needs it.
    const { setFlagsFromString } = process.getBuiltinModule('node:v8');
    for (const flag of flags) setFlagsFromString(flag[which]);
  };
  let size = 0;
  try {
    for await (const lines of blocks) {
      const isLong = size > shortest;
      for (const { length } of lines) size += length;
      if (!isLong && size > shortest) setAll('little');
      yield lines;
    }
  } finally {
    if (size > shortest) setAll('usual');
  }
}
