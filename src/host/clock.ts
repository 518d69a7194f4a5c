/** By which clock times on a host are told. */
import type { Host } from './port.ts';

/** A simulated machine has a time of its own; on a real one it is that of this process. */
export function clockKind({ simulatedTimeNs }: Pick<Host, 'simulatedTimeNs'>): ClockKind {
  return simulatedTimeNs === undefined ? 'real' : 'simulated';
}

export type ClockKind = 'simulated' | 'real';

/** Milliseconds since some moment. */
export function clockOf(host: Pick<Host, 'simulatedTimeNs'>): () => number {
  const { simulatedTimeNs } = host;
  if (simulatedTimeNs === undefined) return () => performance.now();
  return () => Number(simulatedTimeNs.call(host)) / 1e6;
}
