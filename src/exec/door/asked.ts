/** The form of what is asked at the door. */
import { z } from 'zod';
import type { CommandEndedTold, ExecuteAsked, FdsHandedOver } from './messages.ts';

const execute = z.object({
  command: z.array(z.string()).min(1),
  cgroup: z
    .string()
    .regex(/^(\/[^/\0]+)+$|^\/$/)
    .optional(),
  script: z.object({ text: z.string(), path: z.string() }).optional(),
  trace: z.boolean(),
});

const commandEnded = z.object({
  ticket: z.string(),
  exit: z.union([
    z.object({ how: z.literal('code'), status: z.int() }),
    z.object({ how: z.literal('signal'), status: z.int(), signal: z.string() }),
  ]),
});

const fdsHandedOver = z.object({ ticket: z.string() });

/** @throws Error that is told to whoever asked. */
export function executeAsked(arg: unknown): ExecuteAsked {
  return execute.parse(arg);
}

export function commandEndedTold(arg: unknown): CommandEndedTold {
  return commandEnded.parse(arg);
}

export function fdsIn(line: string): FdsHandedOver {
  return fdsHandedOver.parse(JSON.parse(line));
}
