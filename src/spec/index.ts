/** TrustDomain files. Loads zod and yaml: import it where a file is about to be read, not before. */
export { loadTrustDomain, parseTrustDomain } from './load.ts';
export { readTrustDomain } from './read.ts';
