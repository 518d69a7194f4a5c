/** Network cards: virtio-net over each kind of backend. */
import { createHash } from 'node:crypto';
import type { Network, NetworkBackend, PortForward } from '../../spec/trust-domain.ts';
import type { Making } from './element.ts';
import { escaped, json } from './words.ts';

export function networkWords({ engine, spec }: Making): string[] {
  return engine.networks.flatMap((network, index) => {
    const id = `net${index}`;
    return [
      ...backendWords(network, id),
      ...json('-device', {
        driver: 'virtio-net-pci',
        id: `${id}-device`,
        netdev: id,
        mac: network.mac ?? macOf(spec.name, index),
        // Nothing is booted from a network, so no option ROM of the host gets into the TD.
        romfile: '',
        ...(network.queues > 1 && { mq: true, vectors: 2 * network.queues + 2 }),
      }),
    ];
  });
}

/** QEMU gives every VM the same address, which a bridge cannot live with. */
function macOf(name: string, index: number): string {
  const digest = createHash('sha256').update(`${name}/${index}`).digest();
  const own = [...digest.subarray(0, 3)].map((byte) => byte.toString(16).padStart(2, '0'));
  return ['52', '54', '00', ...own].join(':');
}

type Backends = { readonly [Kind in NetworkBackend['kind']]: (network: Of<Kind>) => string[] };
type Of<Kind> = {
  readonly id: string;
  readonly queues: number;
  readonly backend: Extract<NetworkBackend, { kind: Kind }>;
};

const backends: Backends = {
  user: ({ id, backend: { forwards } }) =>
    json('-netdev', {
      type: 'user',
      id,
      ...(forwards.length > 0 && { hostfwd: forwards.map((forward) => ({ str: words(forward) })) }),
    }),
  tap: ({ id, queues, backend }) =>
    json('-netdev', {
      type: 'tap',
      id,
      ifname: backend.interface,
      script: 'no',
      downscript: 'no',
      ...(queues > 1 && { queues }),
    }),
  bridge: ({ id, backend: { bridge } }) => json('-netdev', { type: 'bridge', id, br: bridge }),
  vhostUser: ({ id, queues, backend: { socketPath } }) => [
    ...['-chardev', `socket,id=${id}-socket,path=${escaped(socketPath)}`],
    ...json('-netdev', {
      type: 'vhost-user',
      id,
      chardev: `${id}-socket`,
      ...(queues > 1 && { queues }),
    }),
  ],
};

function backendWords({ backend, queues }: Network, id: string): string[] {
  return backends[backend.kind]({ id, queues, backend } as never);
}

function words({ protocol, hostAddress, hostPort, guestPort }: PortForward): string {
  return `${protocol}:${hostAddress}:${hostPort}-:${guestPort}`;
}
