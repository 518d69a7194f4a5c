export type { NotTaken } from './draft.ts';
export { type Imported, type ImportOptions, importText, importWords } from './import.ts';
