/** Standard input where it is no document: what is typed at a command while it works. */

export interface StandardInput {
  readonly isTty: boolean;
  /**
   * Reads from now on, until the returned function is called. Nothing is read before, so that what is typed early
   * waits in the terminal or the pipe.
   */
  listen(onBytes: (bytes: Buffer) => void): () => void;
  /** Whoever is slow lets the input wait. */
  pause(): void;
  resume(): void;
}

export function processInput(): StandardInput {
  let isOpen = false;
  const open = () => {
    // A terminal that has gone, or a descriptor that cannot be read: nobody types any more.
    if (!isOpen) process.stdin.on('error', () => undefined);
    isOpen = true;
    return process.stdin;
  };
  return {
    // Asked when it is needed: the module is slow to load, and most commands are typed nothing at.
    get isTty() {
      return process.getBuiltinModule('node:tty').isatty(0);
    },
    listen(onBytes) {
      const stdin = open();
      stdin.on('data', onBytes);
      stdin.resume();
      return () => {
        stdin.off('data', onBytes);
        stdin.pause();
      };
    },
    pause: () => void process.stdin.pause(),
    resume: () => void process.stdin.resume(),
  };
}
