/** `tdctl prune`: what is over is deleted, and what was cut off is finished. */
import { pruneTds } from '../../keeper/kept-tds.ts';
import type { CommandIo } from '../io.ts';
import type { KeptFormat } from './options.ts';
import { keptState } from './state-of.ts';
