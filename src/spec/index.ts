/** TrustDomain files. This loads zod and yaml: import it where a file is about to be read. */
export { loadTrustDomain, parseTrustDomain, readTrustDomainText } from './load.ts';
export { readTrustDomain } from './read.ts';
