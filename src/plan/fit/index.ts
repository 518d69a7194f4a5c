export { type Judgement, judgeHost, type Verdict } from './judge.ts';
export { type RunningTd, runningOn } from './migration.ts';
