/** TrustDomain files. Loads zod and yaml: import it where a file is about to be read, not before. */
export { type InitRequest, type InitResult, writeTemplate } from './init.ts';
export { loadTrustDomain, parseTrustDomain } from './load.ts';
export { readTrustDomain, type SpecReading } from './read.ts';
export type { SpecSource, TrustDomain } from './trust-domain.ts';
