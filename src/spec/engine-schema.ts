/** The fields that an engine with devices reads, and the choice of the engine. */
import { z } from 'zod';
import { notation } from '../documents/notation.ts';
import { parseExtraArgs } from './extra-args.ts';
import { filePath } from './file-path.ts';
import { forwardPattern, parseForward } from './port-forward.ts';
import { largestCid, parseVsock, smallestCid } from './vsock.ts';

const flag = (description: string) =>
  z
    .boolean()
    .optional()
    .meta({ description, examples: [true] });

export const engine = z
  .enum(['builtin', 'qemu'])
  .default('builtin')
  .meta({
    description:
      'Who runs the TD: tdctl itself, whose guests have a console and no other device, or QEMU 10.1 or later. Default: builtin.',
    examples: ['qemu'],
  });

const disk = z.strictObject({
  path: filePath({
    description: 'A file, or a block device. Relative to this file.',
    examples: ['root.qcow2'],
  }),
  format: z
    .enum(['raw', 'qcow2'])
    .optional()
    .meta({
      description:
        'How the disk is stored; it is never guessed from what the guest wrote. Default: raw.',
      examples: ['qcow2'],
    }),
  readOnly: flag('Whether the guest may only read it. Default: false.'),
  serial: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,20}$/, {
      error: 'must be 1 to 20 letters, digits, "_", "." or "-": virtio has no room for more',
    })
    .optional()
    .meta({
      description:
        'What the guest finds the disk by: /dev/disk/by-id/virtio-SERIAL. Default: none.',
      examples: ['root'],
    }),
  discard: flag('Whether what the guest discards is given back to the host. Default: false.'),
  aio: z
    .enum(['threads', 'native', 'io_uring'])
    .optional()
    .meta({
      description:
        "How requests reach the host's kernel. native goes past the page cache of the host. Default: threads.",
      examples: ['io_uring'],
    }),
});

export const disks = z
  .array(disk)
  .max(32)
  .optional()
  .meta({
    description:
      'Disks of the guest, virtio-blk, in their order: /dev/vda, /dev/vdb. Engine qemu alone.',
    examples: [[{ path: 'root.qcow2', format: 'qcow2' }]],
  });

const interfaceName = (description: string, example: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, {
      error: 'must be the name of a network interface: 1 to 15 letters, digits, "_", "." or "-"',
    })
    .optional()
    .meta({ description, examples: [example] });

const backends = ['user', 'tap', 'bridge', 'vhostUser'] as const;

const network = z
  .strictObject({
    user: z
      .strictObject({
        forward: z
          .array(
            notation(parseForward, {
              type: 'string',
              pattern: forwardPattern,
              description: '[tcp:|udp:][ADDRESS:]HOST-PORT:GUEST-PORT.',
              examples: ['127.0.0.1:2222:22'],
            }),
          )
          .optional()
          .meta({
            description:
              'Ports of the host that lead to the guest: [tcp:|udp:][ADDRESS:]HOST-PORT:GUEST-PORT. Default address: 127.0.0.1.',
            examples: [['2222:22']],
          }),
      })
      .optional()
      .meta({
        description:
          'A network inside QEMU: the guest reaches out, and is reached by forwarded ports alone.',
        examples: [{ forward: ['2222:22'] }],
      }),
    tap: interfaceName('A tap interface of the host that this user may use.', 'tap0'),
    bridge: interfaceName("A bridge of the host, by QEMU's own helper.", 'br0'),
    vhostUser: filePath({
      description: 'The UNIX socket of a vhost-user backend, such as passt. Relative to this file.',
      examples: ['/run/passt.sock'],
    }).optional(),
    mac: z
      .string()
      .regex(/^([0-9a-fA-F][02468aceACE]:)([0-9a-fA-F]{2}:){4}[0-9a-fA-F]{2}$/, {
        error:
          'must be six pairs of hex digits between colons, the first of them even (no multicast)',
      })
      .optional()
      .meta({
        description: "The guest's MAC address. Default: one that is made of the name of the TD.",
        examples: ['52:54:00:12:34:56'],
      }),
    queues: z
      .int()
      .min(1)
      .max(256)
      .optional()
      .meta({
        description: 'Pairs of queues, with tap and vhostUser. Default: 1.',
        examples: [4],
      }),
  })
  .check((context) => {
    const { value, issues } = context;
    const given = backends.filter((name) => value[name] !== undefined);
    if (given.length !== 1) {
      const found = given.length === 0 ? 'this has none' : `this has ${given.join(' and ')}`;
      const message = `must have one of user, tap, bridge and vhostUser; ${found}`;
      issues.push({ code: 'custom', message, input: value });
    } else if ((value.queues ?? 1) > 1 && !value.tap && !value.vhostUser) {
      const message = `must be 1 with ${given[0]}: only tap and vhostUser have more queues`;
      issues.push({ code: 'custom', message, input: value, path: ['queues'] });
    }
  });

export const networks = z
  .array(network)
  .max(16)
  .optional()
  .meta({
    description: 'Network cards of the guest, virtio-net, in their order. Engine qemu alone.',
    examples: [[{ user: { forward: ['2222:22'] } }]],
  });

export const vsock = notation(parseVsock, {
  anyOf: [{ type: 'integer', minimum: smallestCid, maximum: largestCid }, { const: 'auto' }],
  description:
    'The context ID (CID) by which the host reaches the guest, the same for the whole host: a number from 3 on, or auto. Default: none. Engine qemu alone.',
  examples: ['auto'],
}).optional();

const device = z.strictObject({
  vfio: z
    .string()
    .regex(/^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/, {
      error: 'must be the address of a PCI device, such as 0000:17:00.0',
    })
    .meta({
      description: 'Address of a PCI device of the host that is bound to vfio-pci.',
      examples: ['0000:17:00.0'],
    }),
});

export const devices = z
  .array(device)
  .max(16)
  .optional()
  .meta({
    description: 'Devices of the host that the guest gets, by iommufd. Engine qemu alone.',
    examples: [[{ vfio: '0000:17:00.0' }]],
  });

export const onReboot = z
  .enum(['restart', 'stop'])
  .optional()
  .meta({
    description:
      'What follows when the guest reboots: the TD is destroyed, and then made again, or not. Default: restart. Engine qemu alone.',
    examples: ['stop'],
  });

export const onPanic = z
  .enum(['stop', 'keep'])
  .optional()
  .meta({
    description:
      'What follows when the guest panics: the TD is destroyed, or kept for a look, with its key slot. Default: stop. Engine qemu alone.',
    examples: ['keep'],
  });

export const qemu = z
  .strictObject({
    binary: filePath({
      description:
        'The QEMU to start: a name to be found in PATH, or a path, relative to this file. Default: qemu-system-x86_64.',
      examples: ['/usr/bin/qemu-system-x86_64'],
    }).optional(),
    extraArgs: notation(parseExtraArgs, {
      type: 'array',
      items: { type: 'string' },
      description:
        'Words that follow those of tdctl on the command line. None may contradict what tdctl sets. With any, the TD is marked as not reproducible.',
      examples: [['-device', 'virtio-rng-pci']],
    }).optional(),
  })
  .optional()
  .meta({
    description: 'Which QEMU runs the TD, and what it is told besides. Engine qemu alone.',
    examples: [{ binary: '/usr/bin/qemu-system-x86_64' }],
  });
