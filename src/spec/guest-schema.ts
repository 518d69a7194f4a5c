/** The fields that are about what runs in the VM, and not about the TD: `spec.boot`, `spec.console`, `spec.quotes`. */
import { z } from 'zod';
import { notation } from '../documents/notation.ts';
import { type Parsed, parsed, refused } from '../documents/parsed.ts';
import { describeValue } from '../documents/wording.ts';
import { filePath } from './file-path.ts';
import { parseQuoteSocket, quoteSocketPattern } from './quote-socket.ts';

/** COM1 is the only output that a guest has for sure, so Linux is told to use it. */
const defaultCommandLine = 'console=ttyS0';

export const boot = z
  .strictObject({
    kernel: filePath({
      description:
        'Path of the kernel: a Linux bzImage for x86-64 (as /boot/vmlinuz), or an ELF image with a PVH entry. Relative to this file.',
      examples: ['vmlinuz'],
    }),
    initrd: filePath({
      description: 'Path of the initial RAM disk. Relative to this file. Default: none.',
      examples: ['initrd.img'],
    }).optional(),
    cmdline: z
      .string()
      .regex(/^[^\0]*$/, {
        error: 'must not contain a NUL character, where the kernel would end it',
      })
      .default(defaultCommandLine)
      .meta({
        description: `The kernel's command line. Default: ${defaultCommandLine}.`,
        examples: ['console=ttyS0 panic=-1'],
      }),
  })
  .meta({
    description:
      'With the engine qemu, a kernel that the firmware of the TD measures and starts. With the builtin engine, one that the VM starts in place of its firmware, on the host soft alone.',
    examples: [{ kernel: 'vmlinuz', initrd: 'initrd.img' }],
  });

const stdio = 'stdio';

function parseStdio(value: unknown): Parsed<typeof stdio> {
  if (value === stdio) return parsed(stdio);
  const asFile = typeof value === 'string' && /[./]/.test(value);
  return refused(
    `must be ${stdio}, or a map with file or socket; ${
      asFile ? `write { file: ${value} }` : `this is ${describeValue(value)}`
    }`,
  );
}

export const consolePlace = z
  .union([
    z
      .strictObject({
        file: filePath({
          description:
            'Path of the file that gets all that the guest prints. Relative to this file.',
          examples: ['guest.log'],
        }).optional(),
        log: filePath({
          description:
            'With the engine qemu: path of the file that gets all that the guest prints. Relative to this file.',
          examples: ['guest.log'],
        }).optional(),
        socket: filePath({
          description:
            'Path of a UNIX socket that a client attaches to, to read and to type. Relative to this file.',
          examples: ['guest.sock'],
        }).optional(),
      })
      .meta({ minProperties: 1, maxProperties: 2 }),
    notation(parseStdio, { const: stdio, description: 'The terminal.', examples: [stdio] }),
  ])
  .meta({
    description:
      "Where the guest's serial port (COM1) goes: stdio for the terminal, or a map with either file or socket; with the engine qemu a map with log, socket or both. Default: nowhere.",
    examples: [{ file: 'guest.log' }],
  });

export const quotes = z
  .strictObject({
    socket: notation(parseQuoteSocket, {
      type: 'string',
      pattern: quoteSocketPattern,
      description:
        'Socket of the quote generation service (qgsd): unix:PATH, relative to this file, or vsock:CID:PORT.',
      examples: ['unix:/var/run/tdx-qgs/qgs.socket'],
    }),
  })
  .meta({
    description:
      'Where the guest gets the quotes that it attests itself with. Read on the host kvm alone, whose VM is a TD. Default: nowhere, and a guest that asks is told that there is no such service.',
    examples: [{ socket: 'unix:/var/run/tdx-qgs/qgs.socket' }],
  });
