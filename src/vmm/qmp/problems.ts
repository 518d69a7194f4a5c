/** What may come of a question to a monitor. */

/** It has answered that it will not. */
export class MonitorRefused extends Error {
  readonly command: string;
  readonly class: string;

  constructor(command: string, refusal: { readonly class: string; readonly desc: string }) {
    super(refusal.desc);
    this.command = command;
    this.class = refusal.class;
  }
}

/** It is there, and has not answered in time. */
export class MonitorSilent extends Error {
  readonly command: string;

  constructor(command: string, ms: number) {
    super(`its monitor did not answer within ${Math.round(ms)} ms (${command})`);
    this.command = command;
  }
}

/** The connection is no more, in order or not. */
export class MonitorClosed extends Error {}
