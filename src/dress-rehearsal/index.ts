/** The same rehearsals with real keepers, each a process of its own, on a shared host that is started for each run. */
export { byState, deathsIn } from './cases.ts';
export {
  type CastOptions,
  type DressRehearsal,
  playerOfProcesses,
  playWithProcesses,
} from './play.ts';
