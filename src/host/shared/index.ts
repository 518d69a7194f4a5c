/** One simulated machine for many programs: the one that serves it, and a program that joins (docs/shared-host.md). */
export { LaterFaults } from './faults.ts';
export { openSharedHost, SharedHost, type SharedHostOptions } from './program/host.ts';
export { type HostOperator, openHostOperator } from './program/operator.ts';
export type { Asked, Operation, Operations } from './server/operator.ts';
export type { Peer } from './server/peer.ts';
export { type ProgramFacts, SharedMachine, type SharedMachineOptions } from './server/server.ts';
export { protocolVersion } from './wire/greeting.ts';
export { awaitWord } from './wire/silence.ts';
