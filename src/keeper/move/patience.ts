/** How long one waits for the other side of a move. */

export interface Patience {
  /** It was heard of. */
  end(): void;
}

/**
 * Whoever waits may have stood still itself (SIGSTOP, a machine with too much to do), and Node looks at the clock before it
 * reads what has come meanwhile: that is heard before patience is lost.
 */
export function patience(ms: number, lose: () => void): Patience {
  let over: NodeJS.Immediate | undefined;
  const late = setTimeout(() => {
    over = setImmediate(lose);
    over.unref();
  }, ms);
  late.unref();
  return {
    end: () => {
      clearTimeout(late);
      clearImmediate(over);
    },
  };
}
