export { endInWords, guestFailure } from './end.ts';
