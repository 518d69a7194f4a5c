export { endInWords, guestFailure } from './end.ts';
export {
  ExampleGuestJudge,
  type ExampleGuestVerdict,
  hasExampleGuest,
} from './example-guest.ts';
