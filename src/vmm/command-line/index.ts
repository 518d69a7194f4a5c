export type {
  DiskLayer,
  VmmAccess,
  VmmCommand,
  VmmFile,
  VmmPlaces,
  VmmPlan,
} from './command.ts';
export { type CommandPart, commandOf, commandParts } from './command-of.ts';
export { shellText } from './shell.ts';
