export { type Judgement, judgeHost, type Verdict } from './judge.ts';
export { type RunningTd, runningOn } from './migration.ts';
export type { Reason, ReasonId } from './reasons.ts';
