export {
  type AnswerParts,
  type GuestMemoryKind,
  type GuestRange,
  type GuestSlot,
  type QuoteService,
  quotesAtUnixSocket,
  TdAnswers,
  unavailableQuotes,
} from './answers/index.ts';
export { endInWords, guestFailure } from './end.ts';
export { panicOf, panicText } from './panic.ts';
