export type {
  AnswerParts,
  GuestMemoryKind,
  GuestRange,
  GuestSlot,
  QuoteService,
} from './parts.ts';
export { quoteServiceAt } from './quote-service.ts';
export { type EventNotify, TdAnswers } from './td-answers.ts';
