/**
 * This is the TrustDomain file as a zod schema. schema/trust-domain.json comes from it, so every
 * field says here what an editor shows: description, default, pattern and an example.
 */
import { z } from 'zod';
import { attributes } from '../abi/tdx/attributes.ts';
import { xfamFeatures } from '../abi/tdx/xfam.ts';
import { objectHead } from '../documents/envelope.ts';
import { dnsLabel, dnsLabelProblem } from '../documents/name.ts';
import { type FieldMeta, notation } from '../documents/notation.ts';
import { bytesForm, khzForm } from '../documents/quantity.ts';
import { parseBytes48 } from './bytes48.ts';
import {
  devices,
  disks,
  engine,
  networks,
  onPanic,
  onReboot,
  qemu,
  vsock,
} from './engine-schema.ts';
import { parseAttributes, parseXfam } from './features.ts';
import { filePath } from './file-path.ts';
import { boot, consolePlace, quotes } from './guest-schema.ts';
import { minMemoryBytes, parseFrequency, parseMemory } from './quantity.ts';

/** TD_PARAMS.MAX_VCPUS has 16 bits. What a host gives a TD is less: see `tdctl host`. */
const maxVcpusOfFormat = 65_535;

function vcpuCount(meta: FieldMeta) {
  return z.int().min(1).max(maxVcpusOfFormat).meta(meta);
}

function featureList(names: readonly string[]) {
  return {
    anyOf: [
      { type: 'array', items: { enum: names }, uniqueItems: true },
      { type: 'string', pattern: '^0[xX][0-9a-fA-F]{1,16}$' },
      { type: 'integer', minimum: 0 },
    ],
  };
}

const bytes48Form = { type: 'string', pattern: '^([0-9a-fA-F]{96}|[A-Za-z0-9+/]{64})$' };
const bytes48Example = '00'.repeat(48);

function identity(description: string) {
  return notation(parseBytes48, {
    ...bytes48Form,
    description: `${description} 48 bytes: 96 hex digits, or base64. Default: all zero.`,
    examples: [bytes48Example],
  }).optional();
}

const labelName =
  /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const labelNameError =
  'must be 1 to 63 letters, digits, "-", "_" or ".", with an optional DNS name and "/" before it';

const metadata = z
  .strictObject({
    name: z
      .string()
      .regex(dnsLabel, { error: dnsLabelProblem })
      .meta({
        description:
          'Name of the TD. A DNS label: 1 to 63 lower-case letters, digits and "-", with a letter or digit at both ends.',
        examples: ['web-1'],
      }),
    labels: z
      .record(
        z.string().regex(labelName, { error: `the name of a label ${labelNameError}` }),
        z.string().regex(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/, {
          error:
            'the value of a label must be at most 63 letters, digits, "-", "_" or ".", with a letter or digit at both ends',
        }),
      )
      .optional()
      .meta({
        description: 'Names and values to select TDs by, under the rules of Kubernetes labels.',
        examples: [{ 'app.kubernetes.io/name': 'web' }],
      }),
    annotations: z
      .record(
        z.string().regex(labelName, { error: `the name of an annotation ${labelNameError}` }),
        z.string(),
      )
      .optional()
      .meta({
        description: 'Notes for people and tools. tdctl keeps them and does not read them.',
        examples: [{ owner: 'payments team' }],
      }),
  })
  .meta({ description: 'What the TD is called.', examples: [{ name: 'web-1' }] });

const firmware = z
  .union([
    filePath({ description: 'Path of the image.', examples: ['OVMF.fd'] }),
    z.strictObject({
      path: filePath({
        description:
          'Path of the image, or of its code part (OVMF_CODE.fd) when vars is given. Relative to this file.',
        examples: ['OVMF_CODE.fd'],
      }),
      vars: filePath({
        description:
          'Path of the variables part (OVMF_VARS.fd), which is put before the code. Relative to this file. Its size enters the measurement, its content does not.',
        examples: ['OVMF_VARS.fd'],
      }).optional(),
    }),
  ])
  .meta({
    description:
      'The TDVF firmware image that the TD starts with: a path relative to this file, or path and vars where code and variables are two files.',
    examples: ['/usr/share/ovmf/OVMF.fd'],
  });

const identities = z
  .strictObject({
    mrConfigId: identity(
      'MRCONFIGID: what the owner says about the non-measured configuration of the TD.',
    ),
    mrOwner: identity('MROWNER: who owns the TD.'),
    mrOwnerConfig: identity('MROWNERCONFIG: what the owner says about their own configuration.'),
  })
  .prefault({})
  .meta({
    description:
      'Three values that the TDX module copies into every attestation report without looking at them.',
    examples: [{ mrOwner: bytes48Example }],
  });

const measurement = z
  .strictObject({
    expect: notation(parseBytes48, {
      ...bytes48Form,
      description:
        'The MRTD that the TD must have. 48 bytes: 96 hex digits, or base64. Default: nothing is expected.',
      examples: [bytes48Example],
    }).optional(),
    order: z
      .enum(['page', 'section'])
      .default('page')
      .meta({
        description:
          'The order in which firmware pages are added and measured: page by page (Linux 6.16 and later), or first all pages of a section and then their content (out-of-tree stacks around QEMU 8). MRTD depends on it. Default: page.',
        examples: ['page'],
      }),
  })
  .prefault({})
  .meta({
    description: 'What is expected of MRTD, the measurement of what the TD starts with.',
    examples: [{ order: 'page' }],
  });

const spec = z
  .strictObject({
    engine,
    vcpus: vcpuCount({
      description:
        'vCPUs that start with the TD. 1 to 65535; the host has a lower limit (tdctl host).',
      examples: [4],
    }),
    maxVcpus: vcpuCount({
      description:
        'vCPUs that are created; those above vcpus stay offline. None can be added once the TD is built, and each costs memory. At least vcpus. Default: vcpus.',
      examples: [8],
    }).optional(),
    memory: notation(parseMemory, {
      ...bytesForm,
      minimum: Number(minMemoryBytes),
      description:
        'Memory of the guest: KiB, MiB, GiB or TiB (powers of 1024), or bytes. 16MiB to 2048TiB, a multiple of 4KiB.',
      examples: ['2GiB'],
    }),
    firmware,
    boot: boot.optional(),
    console: consolePlace.optional(),
    quotes: quotes.optional(),
    disks,
    networks,
    vsock,
    devices,
    onReboot,
    onPanic,
    qemu,
    attributes: notation(parseAttributes, {
      ...featureList(attributes.map((feature) => feature.name)),
      description:
        'TD attributes, by name or as a 64-bit mask. Guests and their owners can see them in the attestation report. Default: sept-ve-disable, as QEMU has it; Linux guests need it.',
      examples: [['sept-ve-disable', 'debug']],
    }).prefault(['sept-ve-disable']),
    xfam: notation(parseXfam, {
      ...featureList(xfamFeatures.map((feature) => feature.name)),
      description:
        'Extended CPU state that the guest may use, by name or as a 64-bit mask. x87 and sse are always on. Default: all that the host supports.',
      examples: [['x87', 'sse', 'avx', 'avx512']],
    }).optional(),
    tsc: notation(parseFrequency, {
      ...khzForm,
      description:
        'Frequency of the guest TSC: kHz, MHz or GHz. 100MHz to 10GHz, a multiple of 25MHz. Default: that of the host.',
      examples: ['1.5GHz'],
    }).optional(),
    gpaw: z
      .literal([48, 52])
      .default(48)
      .meta({
        description:
          'Guest physical address width in bits. 52 needs a host with 5-level EPT. Default: 48.',
        examples: [48],
      }),
    identity: identities,
    measurement,
  })
  .meta({ description: 'What the TD is.', examples: [{ vcpus: 4, memory: '2GiB' }] });

export const trustDomainSchema = z
  .strictObject({
    ...objectHead('TrustDomain'),
    metadata,
    spec,
  })
  .meta({
    title: 'TrustDomain',
    description: 'An Intel TDX trust domain, as tdctl reads it.',
  });

export type TrustDomainFile = z.output<typeof trustDomainSchema>;
