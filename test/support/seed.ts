/**
 * All properties are tried with the same inputs in every run, so that a change is judged by what it changes.
 * `TDCTL_SEED=random` explores further, and a number plays such a run again.
 */
import fc from 'fast-check';

const asked = process.env.TDCTL_SEED ?? '20261130';
if (asked !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(asked) });
