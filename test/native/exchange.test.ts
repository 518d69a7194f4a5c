/** A request to a service on a socket: what it is answered, and every way in which it is not. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, type TestContext, test } from 'vitest';
import { type ExchangeOptions, loadAddon } from '../../native/index.ts';
import { openFds, rejection, requireAddon, zeros } from './support.ts';

const ascii = (text: string) => new Uint8Array(Buffer.from(text));
const withLength = (bytes: Uint8Array, length = bytes.length) => {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(length);
  return Buffer.concat([prefix, bytes]);
};

/** A service on a UNIX socket, and how it is asked. */
async function serve(context: TestContext, answer: (socket: Socket) => void) {
  const addon = requireAddon(context);
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-exchange-'));
  const path = join(directory, 'service');
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    answer(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  context.onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
    rmSync(directory, { recursive: true });
  });
  const ask = (options: Partial<ExchangeOptions> = {}) =>
    addon.exchange({
      address: { unix: path },
      request: ascii('ask'),
      maxBytes: 1000,
      deadlineMs: 60_000,
      framing: 'length',
      ...options,
    });
  return { addon, ask, path, sockets };
}

/** Answers once `bytes` have come, with what it is given. */
const onceHeard =
  (bytes: number, then: (socket: Socket, heard: Buffer) => void) => (socket: Socket) => {
    let heard = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length >= bytes) then(socket, heard);
    });
  };

describe('an exchange', () => {
  test('sends a message with its length, and gives the one that comes back', async (context) => {
    const { ask } = await serve(
      context,
      onceHeard(7, (socket, heard) => socket.write(withLength(new Uint8Array(heard)))),
    );
    expect(await ask()).toEqual(new Uint8Array(withLength(ascii('ask'))));
  });

  test('hears an answer that comes byte by byte, and what follows it not', async (context) => {
    const { ask } = await serve(
      context,
      onceHeard(7, async (socket) => {
        for (const byte of withLength(ascii('in parts'))) {
          socket.write(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.write('and more');
      }),
    );
    expect(Buffer.from(await ask()).toString()).toBe('in parts');
  });

  test('sends a request that no socket takes at once', async (context) => {
    const request = zeros(3 << 20).fill(7);
    const { ask } = await serve(
      context,
      onceHeard(4 + request.length, (socket, heard) =>
        socket.write(withLength(ascii(`${heard.length} ${heard.at(-1)}`))),
      ),
    );
    expect(Buffer.from(await ask({ request })).toString()).toBe(`${4 + request.length} 7`);
  });

  test('may end each message by a close', async (context) => {
    const { ask } = await serve(context, (socket) => {
      let heard = '';
      socket.on('data', (chunk) => {
        heard += chunk;
      });
      socket.on('end', () => socket.end(`${heard}ed`));
    });
    expect(Buffer.from(await ask({ framing: 'end' })).toString()).toBe('asked');
    expect(await ask({ framing: 'end', maxBytes: 5 })).toHaveLength(5);
    expect(await rejection(ask({ framing: 'end', maxBytes: 4 }))).toMatchObject({
      code: 'EMSGSIZE',
    });
  });

  test('runs beside many others', async (context) => {
    const { ask } = await serve(
      context,
      onceHeard(5, (socket, heard) => socket.write(withLength(new Uint8Array(heard.subarray(4))))),
    );
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) => ask({ request: Uint8Array.of(at) })),
    );
    expect(answers.map(([byte]) => byte)).toEqual(Array.from({ length: 100 }, (_, at) => at));
  });
});

describe('an exchange without an answer', () => {
  test('rejects when the peer never answers, at its deadline, and takes no thread for it', async (context) => {
    const { ask, path, addon } = await serve(context, () => {});
    const before = readdirSync('/proc/self/task').length;
    const asked = Array.from({ length: 8 }, () => rejection(ask({ deadlineMs: 300 })));
    expect(readdirSync('/proc/self/task').length).toBeLessThanOrEqual(before);
    // The four threads that all of libuv has are free meanwhile.
    await addon.System.open('/dev/null').then((system) => system.close());
    for (const error of await Promise.all(asked)) {
      expect(error).toMatchObject({ code: 'ETIMEDOUT', message: `${path} did not answer in time` });
    }
  });

  test('rejects when the peer stops in the middle', async (context) => {
    const { ask } = await serve(
      context,
      onceHeard(7, (socket) => socket.write(withLength(ascii('half'), 100))),
    );
    expect(await rejection(ask({ deadlineMs: 100 }))).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test.for([
    ['before its length', Buffer.of(0, 0)],
    ['after its length', withLength(zeros(0), 9)],
    ['before its last byte', withLength(zeros(8), 9)],
    ['at once', Buffer.alloc(0)],
  ] as const)('rejects when the peer closes %s', async ([, bytes], context) => {
    const { ask, path } = await serve(
      context,
      onceHeard(7, (socket) => socket.end(bytes)),
    );
    expect(await rejection(ask())).toMatchObject({
      code: 'ECONNRESET',
      message: `${path} closed in the middle of its answer`,
    });
  });

  test('rejects when the peer announces too much, before that is read', async (context) => {
    const { ask, path } = await serve(
      context,
      onceHeard(7, (socket) => socket.write(withLength(zeros(1), 0xffff_ffff))),
    );
    expect(await rejection(ask())).toMatchObject({
      code: 'EMSGSIZE',
      message: `${path} answers with more than 1000 bytes`,
    });
  });

  test('rejects when the peer floods', async (context) => {
    const flood = zeros(1 << 20);
    const { ask } = await serve(context, (socket) => socket.write(flood));
    expect(await rejection(ask({ framing: 'end' }))).toMatchObject({ code: 'EMSGSIZE' });
  });

  test('rejects when the peer closes while it is asked', async (context) => {
    const { ask } = await serve(context, (socket) => socket.destroy());
    const error = await rejection(ask({ request: zeros(8 << 20) }));
    expect(['EPIPE', 'ECONNRESET']).toContain(error.code);
  });

  test('rejects when nobody is there', async (context) => {
    const { addon, ask, path } = await serve(context, () => {});
    expect(await rejection(ask({ address: { unix: `${path}2` } }))).toMatchObject({
      syscall: 'connect',
      code: 'ENOENT',
      message: `connect ${path}2: ENOENT`,
    });
    // A socket of somebody who is gone.
    const gone = `${path}3`;
    const bind = `require('node:net').createServer().listen(${JSON.stringify(gone)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', bind]);
    expect(await rejection(ask({ address: { unix: gone } }))).toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(addon.leakedFds()).toBe(0);
  });

  test('rejects when it is aborted, before and meanwhile, and lets go of its signal', async (context) => {
    const { ask } = await serve(context, () => {});
    const controller = new AbortController();
    const asked = rejection(ask({ signal: controller.signal }));
    setImmediate(() => controller.abort());
    expect(await asked).toMatchObject({
      code: 'ECANCELED',
      message: 'the exchange was aborted',
    });
    expect(await rejection(ask({ signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ECANCELED',
    });
  });

  test('leaves no fd', async (context) => {
    const before = openFds();
    const { addon } = await serve(context, () => {});
    const options = {
      request: ascii('a'),
      maxBytes: 1,
      deadlineMs: 1,
      framing: 'length',
    } as const;
    const fds = () => [...openFds()].filter(([fd]) => !before.has(fd)).length;
    const own = fds();
    for (const unix of ['/dev/null', '/nowhere']) {
      await rejection(addon.exchange({ ...options, address: { unix } }));
    }
    expect(fds()).toBe(own);
  });
});

const right = {
  address: { unix: '/nowhere' },
  request: ascii('a'),
  maxBytes: 1,
  deadlineMs: 1,
  framing: 'length',
};
const mistakes = [
  ['`options` must be an object', undefined],
  ['`address` must be an object', { ...right, address: '/nowhere' }],
  ['`vsock` must be an object', { ...right, address: {} }],
  ['`unix` must have 1 to 107 bytes', { ...right, address: { unix: 'x'.repeat(108) } }],
  ['`unix` must have 1 to 107 bytes', { ...right, address: { unix: '' } }],
  ['`port` must be an integer from 0 to 4294967295', { ...right, address: { vsock: { cid: 2 } } }],
  ['`request` must be a Uint8Array', { ...right, request: 'a' }],
  ['`request` must have 1 to 1073741824 bytes', { ...right, request: zeros(0) }],
  ['`maxBytes` must be an integer from 1 to 1073741824', { ...right, maxBytes: 0 }],
  ['`deadlineMs` must be an integer from 1 to 86400000', { ...right, deadlineMs: 0 }],
  ["`framing` must be 'length' or 'end'", { ...right, framing: 'lines' }],
  ['`signal` must be an object', { ...right, signal: 1 }],
] as const;
test.for(mistakes)('what is no exchange is refused: %s', async ([message, wrong], context) => {
  const addon = requireAddon(context);
  expect((await rejection(addon.exchange(wrong as never))).message).toBe(message);
});

describe('an exchange that is under way', () => {
  const program = (unix: string, then: string) => {
    const native = loadAddon();
    const path = native.available ? native.path : '';
    return `const addon = require(${JSON.stringify(path)});
      addon.exchange({ address: { unix: ${JSON.stringify(unix)} }, request: Uint8Array.of(1),
        maxBytes: 9, deadlineMs: 600000, framing: 'length' })
        .then(() => console.log('answered'), (error) => console.log(error.code));
      ${then}`;
  };

  test('holds the process until it is settled, and no longer', async (context) => {
    const { path, sockets } = await serve(context, () => {});
    const child = spawn(process.execPath, ['-e', program(path, '')]);
    while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
    sockets[0]?.write(withLength(ascii('yes')));
    const [output] = await once(child.stdout, 'data');
    expect(String(output)).toBe('answered\n');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('does not keep a process that exits', async (context) => {
    const { path, sockets } = await serve(context, () => {});
    const child = spawn(process.execPath, [
      '-e',
      program(path, "process.stdin.once('data', () => process.exit(7))"),
    ]);
    while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
    child.stdin.write('go');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  test('ends with its worker thread, and its socket does', async (context) => {
    const { path, sockets } = await serve(context, () => {});
    for (let round = 0; round < 5; round += 1) {
      const worker = new Worker(program(path, ''), { eval: true });
      while (sockets.length <= round) await new Promise((resolve) => setImmediate(resolve));
      const socket = sockets[round];
      socket?.resume();
      const ended = socket && once(socket, 'end');
      await worker.terminate();
      await ended;
    }
  });
});

test('an exchange goes over vsock', async (context) => {
  const addon = requireAddon(context);
  const service = `
import socket
listener = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
listener.bind((1, socket.VMADDR_PORT_ANY))
listener.listen()
print(listener.getsockname()[1], flush=True)
peer, _ = listener.accept()
peer.sendall(peer.recv(100))
`;
  const child = spawn('python3', ['-c', service], { stdio: ['ignore', 'pipe', 'pipe'] });
  const failed = once(child.stderr, 'data').then(([text]) => String(text).trim());
  failed.catch(() => {});
  const heard = await Promise.race([
    once(child.stdout, 'data').then(([text]) => ({ port: Number(text) })),
    failed.then((reason) => ({ reason })),
    once(child, 'error').then(([error]) => ({ reason: String(error) })),
  ]);
  if ('reason' in heard) context.skip(`no vsock to this host: ${heard.reason.split('\n').at(-1)}`);
  else {
    const answer = await addon.exchange({
      address: { vsock: { cid: 1, port: heard.port } },
      request: ascii('over vsock'),
      maxBytes: 100,
      deadlineMs: 60_000,
      framing: 'length',
    });
    expect(Buffer.from(answer).toString()).toBe('over vsock');
  }
});
