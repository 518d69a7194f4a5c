/** Programs that know nothing of tdctl, on a shared host: the process that serves it, and the one that starts them. */
export { fdsIn } from './asked.ts';
export { ExecDoor } from './door.ts';
export { factsInPlace, factsVariable } from './facts-in-place.ts';
export type { ExecutedFacts } from './program.ts';
export { type HostSockets, type StartedCommand, startOnHost } from './start.ts';
