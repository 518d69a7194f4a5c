export { recordsSince } from './both-lives.ts';
export { Journal } from './journal.ts';
export { type Corrupt, type JournalRead, parseJournal, readJournal } from './read.ts';
