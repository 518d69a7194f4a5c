/** Gives `12 µs`, `0.42 ms`, `13 ms`, `2.1 s` or `88 min 42 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds >= 120_000) {
    const seconds = Math.round(milliseconds / 1000);
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (milliseconds < 0.1) return `${Math.round(milliseconds * 1000)} µs`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`;
}

/** Gives `KVM_RUN` or `KVM_RUN ×4`. */
export function times(what: string, number: number): string {
  return number === 1 ? what : `${what} ×${number}`;
}

/** Gives `1 vCPU` or `4 vCPUs`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
