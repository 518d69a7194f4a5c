export type {
  DiskLayer,
  VmmCommand,
  VmmFile,
  VmmPlaces,
  VmmPlan,
} from './command.ts';
export { type CommandPart, commandOf, commandParts } from './command-of.ts';
export { type OpenedFiles, openFiles } from './open-files.ts';
export { shellText } from './shell.ts';
