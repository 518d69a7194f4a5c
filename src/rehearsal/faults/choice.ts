/** What `--faults` may be. It stands alone, because options are made before anything else is loaded. */

/** `each` plays a few of the calls that differ in nothing but the page, `every` all of them. */
export const faultChoices = ['none', 'each', 'every', 'pairs', 'random'] as const;

export type FaultChoice = (typeof faultChoices)[number];
