export { type Preflight, preflightVmm } from './preflight.ts';
export { type CidHolder, cidHolders } from './vsock.ts';
