/** What a keeper can be asked to do: `POST /v1/td/VERB`. */
export const keptVerbs = {
  start: 'Runs the guest of a TD that is built, or as soon as it is.',
  pause: 'Stops the vCPUs; the TD stays whole.',
  resume: 'Lets the vCPUs of a paused TD run on.',
  stop: 'Asks the guest to end, takes the TD down after the grace period, and ends the keeper.',
  kill: 'Takes the TD down at once, and ends the keeper.',
} as const;

export type KeptVerb = keyof typeof keptVerbs;

export const endsLife = (verb: string): boolean => verb === 'stop' || verb === 'kill';
