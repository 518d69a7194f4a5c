/** The form of what programs send. Whatever has another one is not understood. */
import { z } from 'zod';
import { NotTheProtocol } from '../wire/frames.ts';
import type { ToHost } from '../wire/messages.ts';

const number = z.int().min(0);
const message = z.union([
  z.object({ call: number, on: number, method: z.string(), arg: z.unknown().optional() }),
  z.object({ cancel: number }),
  z.object({ forget: z.array(number) }),
  z.object({ write: number, pages: z.array(number), bytes: z.instanceof(Uint8Array) }),
  z.object({ ping: number }),
]);

/** @throws NotTheProtocol */
export function toHost(value: unknown): ToHost {
  const parsed = message.safeParse(value);
  if (!parsed.success) throw new NotTheProtocol('a message has no form that is known');
  return parsed.data as ToHost;
}
