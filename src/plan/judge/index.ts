export { type AskedHost, askHost } from './ask-host.ts';
export { judgeTd } from './judge.ts';
export { memoryNeed } from './memory.ts';
export type { JudgedHost, Objection, Reason, ReasonId } from './objection.ts';
export { type PreparedTd, prepareTd } from './prepare.ts';
