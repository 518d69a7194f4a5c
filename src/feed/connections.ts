/**
 * Bounds the connections of a server. Each takes a file descriptor of the process, which has TDs to hold with them,
 * and whoever may reach the address may connect; only who has shown that it may ask is admitted.
 */
import { readFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';

export interface Connections {
  /** This one may ask. */
  admit(socket: Socket): void;
}

/** Those who were admitted, and strangers, together. */
const mostConnections = 256;
const mostStrangers = 32;
/** The run keeps three of four descriptors: one for each VM, vCPU and memory of its TDs. */
const shareOfDescriptors = 1 / 4;

/** Of the strangers, the one that came first goes when one too many comes, so that one who may ask always gets in. */
export function boundConnections(
  server: Server,
  descriptors: number = mostDescriptors(),
): Connections {
  const most = Math.max(2, Math.min(mostConnections, Math.floor(descriptors * shareOfDescriptors)));
  const strangers = new Set<Socket>();
  const strangersAllowed = Math.min(mostStrangers, Math.floor(most / 2));
  server.maxConnections = most;
  server.on('connection', (socket: Socket) => {
    strangers.add(socket);
    socket.once('close', () => strangers.delete(socket));
    const [first] = strangers;
    if (strangers.size <= strangersAllowed || first === undefined) return;
    // It is closed at once, and not in the next turn: many may be accepted in this one.
    strangers.delete(first);
    first.destroy();
  });
  return { admit: (socket) => strangers.delete(socket) };
}

/** POSIX promises a process so many where the kernel does not tell. */
const leastDescriptors = 20;

function mostDescriptors(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const [, soft] = /^Max open files +(\d+|unlimited)/m.exec(limits) ?? [];
    return soft === 'unlimited' ? Infinity : Number(soft ?? leastDescriptors);
  } catch {
    return leastDescriptors;
  }
}
