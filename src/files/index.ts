/** Everything that tdctl writes to a file goes through here. See docs/files.md. */

export { writeKernelFile } from './kernel-file.ts';
export { LiveFile } from './live-file.ts';
export { type NamedFile, NamedFiles } from './named-files.ts';
export type { OutputFile } from './not-writable.ts';
export { type NumberedFiles, numberedFiles } from './numbered-files.ts';
export { openForProgram, type ProgramAccess } from './program-file.ts';
export { listenOnSocketFile, serveSocketFile, takeOverSocketFile } from './socket-file.ts';
export { type SocketPath, socketPath } from './socket-path.ts';
export { StreamFile, type StreamFileOptions } from './stream-file.ts';
export { prepareWholeFile, type WholeFile, writeWholeFile } from './whole-file.ts';
