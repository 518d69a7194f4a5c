/** A server that says what a monitor says, or what none would. It ends with the test. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stateBase } from '../../support/state-base.ts';

const greeting = '{"QMP": {"version": {"qemu": {"micro": 3, "minor": 1, "major": 11}}}}\n';

/** @param answer what is said to each line. */
export async function serve(
  answer: (asked: { execute: string; id: number }, socket: Socket) => string,
  first = greeting,
) {
  const directory = mkdtempSync(join(stateBase, 'qmp-'));
  const path = join(directory, 'monitor');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (first !== '') socket.write(first);
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trim().split('\n')) {
        const said = answer(JSON.parse(line), socket);
        if (said !== '' && !socket.destroyed) socket.write(said);
      }
    });
    onTestFinished(() => void socket.destroy());
  });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  return path;
}

export const done = ({ id }: { id: number }, value: unknown = {}) =>
  `${JSON.stringify({ return: value, id })}\n`;
