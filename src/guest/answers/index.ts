export type {
  AnswerParts,
  GuestMemoryKind,
  GuestRange,
  GuestSlot,
  QuoteService,
} from './parts.ts';
export { quotesAtUnixSocket, unavailableQuotes } from './quote-socket.ts';
export { TdAnswers } from './td-answers.ts';
