/** Networks: what each kind of backend needs of the host. */
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { errnoOf } from '../../errors/errno.ts';
import type { NetworkBackend, PortForward } from '../../spec/trust-domain.ts';
import { openProblem } from './access.ts';
import type { DeviceFinding, KernelFiles } from './finding.ts';
import { isListenedOn, tooLongForSocket } from './unix-sockets.ts';
import { isInGroup, mayAdministerNetworks } from './user.ts';

interface Asked<Backend> {
  readonly backend: Backend;
  readonly field: string;
  readonly kernel: KernelFiles;
}

type Of<Kind> = Asked<Extract<NetworkBackend, { kind: Kind }>>;
type Checks = {
  readonly [Kind in NetworkBackend['kind']]: (asked: Of<Kind>) => Promise<DeviceFinding[]>;
};

const checks: Checks = {
  user: async ({ backend: { forwards }, field }) => {
    const found = await Promise.all(
      forwards.map(async (forward, index) => {
        const errno = await bindError(forward);
        return errno === undefined
          ? []
          : [forwardFinding(forward, errno, `${field}.user.forward.${index}`)];
      }),
    );
    return found.flat();
  },
  tap: async ({ backend, field, kernel }) => tapFindings(backend.interface, `${field}.tap`, kernel),
  bridge: async ({ backend: { bridge }, field, kernel }) => {
    const at = { field: `${field}.bridge` };
    if (!existsSync(`${kernel.sys}/class/net/${bridge}`)) {
      return [
        {
          ...at,
          problem: `there is no interface ${bridge}`,
          remedy: `make it: ip link add ${bridge} type bridge`,
        },
      ];
    }
    if (!existsSync(`${kernel.sys}/class/net/${bridge}/bridge`)) {
      return [{ ...at, problem: `${bridge} is no bridge`, remedy: 'name a bridge, or use `tap`' }];
    }
    return [];
  },
  vhostUser: async ({ backend: { socketPath }, field, kernel }) =>
    listeningFindings(socketPath, { field: `${field}.vhostUser`, kernel }),
};

export function networkFindings(asked: Asked<NetworkBackend>): Promise<DeviceFinding[]> {
  return checks[asked.backend.kind](asked as never);
}

/** Whether QEMU could listen there now. */
function bindError({ protocol, hostAddress, hostPort }: PortForward): Promise<string | undefined> {
  return new Promise((resolve) => {
    const isRefused = (error: Error) => resolve(errnoOf(error) ?? error.message);
    if (protocol === 'udp') {
      const socket = createSocket('udp4').once('error', isRefused);
      socket.bind({ port: hostPort, address: hostAddress, exclusive: true }, () =>
        socket.close(() => resolve(undefined)),
      );
      return;
    }
    const server = createServer().once('error', isRefused);
    server.listen({ port: hostPort, host: hostAddress, exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}

const bindRemedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'choose another port of the host, or stop what listens there (ss -lnp)',
  EACCES: 'choose a port from 1024 on',
  EADDRNOTAVAIL: 'name an address that the host has (ip address), or leave it out',
};

const bindWords: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken',
  EACCES: 'is not for this user',
  EADDRNOTAVAIL: 'has an address that the host does not have',
};

function forwardFinding(
  { protocol, hostAddress, hostPort }: PortForward,
  errno: string,
  field: string,
): DeviceFinding {
  const words = bindWords[errno] ?? 'cannot be listened on';
  return {
    field,
    problem: `port ${hostPort} (${protocol}) of ${hostAddress} ${words} (${errno})`,
    remedy: bindRemedies[errno] ?? 'choose another address or port of the host',
  };
}

/** IFF_TAP (include/uapi/linux/if_tun.h). */
const iffTap = 2;

function tapFindings(name: string, field: string, kernel: KernelFiles): DeviceFinding[] {
  const directory = `${kernel.sys}/class/net/${name}`;
  const make = `make it: ip tuntap add ${name} mode tap user $USER`;
  const tun = openProblem(`${kernel.dev}/net/tun`);
  if (tun !== undefined) {
    return [
      {
        field,
        problem: `/dev/net/tun cannot be opened by this user (${tun})`,
        remedy: 'load the module tun, and give this user the right to it',
      },
    ];
  }
  if (!existsSync(directory)) {
    // QEMU makes it itself where it may.
    if (mayAdministerNetworks(kernel)) return [];
    return [
      {
        field,
        problem: `there is no interface ${name}, and this user may not make one`,
        remedy: make,
      },
    ];
  }
  const read = (file: string) => {
    try {
      return readFileSync(`${directory}/${file}`, 'utf8').trim();
    } catch {
      return undefined;
    }
  };
  const flags = read('tun_flags');
  if (flags === undefined || (Number(flags) & iffTap) === 0) {
    return [{ field, problem: `${name} is no tap interface`, remedy: `name another, or ${make}` }];
  }
  const [owner, group] = [Number(read('owner') ?? -1), Number(read('group') ?? -1)];
  const isOwn = owner === -1 || owner === process.geteuid?.();
  const isOurs = group === -1 || isInGroup(group);
  // As tun_not_capable() of drivers/net/tun.c has it.
  if (!(isOwn && isOurs) && !mayAdministerNetworks(kernel)) {
    const whose = owner === -1 ? `group ${group}` : `the user with the ID ${owner}`;
    return [
      {
        field,
        problem: `${name} is that of ${whose}, and this user may not use it`,
        remedy: `ip tuntap del ${name} mode tap, and ${make}`,
      },
    ];
  }
  // A tap has a carrier while somebody has it open; the file says nothing of an interface that is down.
  if (read('carrier') === '1') {
    return [
      {
        field,
        problem: `${name} is in use: another program has it open`,
        remedy: `stop that, or give this TD a tap of its own`,
      },
    ];
  }
  return [];
}

function listeningFindings(
  path: string,
  { field, kernel }: { readonly field: string; readonly kernel: KernelFiles },
): DeviceFinding[] {
  const remedy = 'start the backend first, or name the socket that it listens on';
  const at = (problem: string) => [{ field, problem, remedy }];
  const long = tooLongForSocket(path);
  if (long !== undefined) return [{ field, problem: long, remedy: 'name a shorter path' }];
  if (!existsSync(path)) return at(`there is no socket ${path}`);
  if (!statSync(path).isSocket()) return at(`${path} is no socket`);
  return isListenedOn(path, kernel) ? [] : at(`nobody listens on ${path}`);
}
