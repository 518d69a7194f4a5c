export {
  type AnswerParts,
  type EventNotify,
  type GuestMemoryKind,
  type GuestRange,
  type GuestSlot,
  type QuoteService,
  quoteServiceAt,
  TdAnswers,
} from './answers/index.ts';
export { Backlog, bytesOf, gapInWords, type Piece } from './console/backlog.ts';
export { type ConsoleFileOptions, openConsoleFile } from './console/file.ts';
export { type ConsoleLine, ConsoleLines } from './console/lines.ts';
export type { ConsoleSink } from './console/sink.ts';
export { type CameOver, ConsoleSocket, type PassedConsole } from './console/socket.ts';
export { Typing, type TypingSource } from './console/typing.ts';
export { endInWords, guestFailure } from './end.ts';
export {
  ExampleGuestJudge,
  type ExampleGuestVerdict,
  exampleGuestVcpus,
  hasExampleGuest,
} from './example-guest.ts';
export { panicOf, panicText } from './panic.ts';
