/**
 * How long the other side may say nothing. What is counted is looks and not time: a process that was not running itself, on
 * a machine with too much to do, must not take that for the silence of another one.
 */
export const lookEveryMs = 5000;
export const silentLooks = 6;
export const silentMs = silentLooks * lookEveryMs;

/** @returns what ends the waiting for the first word. */
export function awaitWord(silent: () => void): () => void {
  let looks = 0;
  const looking = setInterval(() => {
    looks++;
    if (looks < silentLooks) return;
    clearInterval(looking);
    silent();
  }, lookEveryMs);
  return () => clearInterval(looking);
}
