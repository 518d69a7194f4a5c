/**
 * This zod schema makes schema/simulated-host.json, so every field says here what an editor shows.
 * The profile that a file starts from gives whatever the file leaves out.
 */
import { z } from 'zod';
import { type CapabilityName, capabilities } from '../../../abi/kvm/capabilities.ts';
import { type ModuleReleaseName, moduleReleases } from '../../../abi/tdx/module-releases.ts';
import { xfamFeatures } from '../../../abi/tdx/xfam.ts';
import { objectHead } from '../../../documents/envelope.ts';
import { dnsLabel, dnsLabelProblem } from '../../../documents/name.ts';
import { nearest } from '../../../documents/nearest.ts';
import { notation } from '../../../documents/notation.ts';
import { type Parsed, parsed, refused } from '../../../documents/parsed.ts';
import {
  bytesForm,
  formatBytes,
  formatKhz,
  khzForm,
  parseBytes,
  parseKhz,
} from '../../../documents/quantity.ts';
import { describeValue } from '../../../documents/wording.ts';
import { profileNames } from '../profile-names.ts';

/** A whole number within bounds, with what an editor shows. */
function count(bounds: { min: number; max: number }, description: string, example: number) {
  return z
    .int()
    .min(bounds.min)
    .max(bounds.max)
    .optional()
    .meta({ description, examples: [example] });
}

function flag(description: string) {
  return z
    .boolean()
    .optional()
    .meta({ description, examples: [true] });
}

const pageBytes = 4096n;
const leastMemoryBytes = 1n << 30n;
/** Physical addresses have at most 52 bits. */
const mostMemoryBytes = 1n << 52n;

function parseHostMemory(value: unknown): Parsed<bigint> {
  const amount = parseBytes(value);
  if ('problems' in amount) return amount;
  const bytes = amount.value;
  if (bytes < leastMemoryBytes || bytes > mostMemoryBytes) {
    return refused(`must be 1GiB to 4096TiB; this is ${formatBytes(bytes)}`);
  }
  return bytes % pageBytes === 0n ? amount : refused('must be a multiple of 4KiB');
}

/** Whether the text names the file of a captured host, and not a profile. */
export function isCaptureFile(from: string): boolean {
  return from.includes('/') || from.endsWith('.json');
}

function parseFrom(value: unknown): Parsed<string> {
  if (typeof value !== 'string') return refused(`must be a text; this is ${describeValue(value)}`);
  const names: readonly string[] = profileNames;
  if (isCaptureFile(value) || names.includes(value)) return parsed(value);
  const meant = nearest(value, names);
  const known = `must be ${names.join(', ')}, or the path of a captured host (FILE.json)`;
  return refused(meant === undefined ? known : `${known}; did you mean ${meant}?`);
}

function parseMemoryLimit(value: unknown): Parsed<bigint> {
  const amount = parseBytes(value);
  if ('problems' in amount || amount.value % pageBytes === 0n) return amount;
  return refused('must be a multiple of 4KiB');
}

function parseHostTsc(value: unknown): Parsed<number> {
  const amount = parseKhz(value);
  if ('problems' in amount) return amount;
  const isInRange = amount.value >= 100_000n && amount.value <= 10_000_000n;
  return isInRange
    ? parsed(Number(amount.value))
    : refused(`must be 100MHz to 10GHz; this is ${formatKhz(amount.value)}`);
}

const keyIds = z
  .strictObject({
    mktme: count({ min: 0, max: 2047 }, 'Key IDs for TME-MT, which come first.', 63),
    tdxPrivate: count(
      { min: 0, max: 2047 },
      'Private key IDs. The TDX module keeps the first; the rest are key slots for TDs.',
      64,
    ),
  })
  .optional()
  .meta({
    description: 'How the BIOS splits the key IDs (IA32_MKTME_KEYID_PARTITIONING).',
    examples: [{ mktme: 63, tdxPrivate: 64 }],
  });

const features = z
  .strictObject({
    tscScaling: flag('The CPUs can give a guest another TSC frequency.'),
    busLockDetection: flag('KVM_CAP_X86_BUS_LOCK_EXIT.'),
    notifyVmExit: flag('KVM_CAP_X86_NOTIFY_VMEXIT.'),
    pmu: flag('KVM_CAP_PMU_CAPABILITY.'),
  })
  .optional()
  .meta({
    description: 'What the CPUs can do, as far as KVM asks.',
    examples: [{ tscScaling: false }],
  });

const platform = z
  .strictObject({
    packages: count({ min: 1, max: 8 }, 'CPU packages (sockets). A module knows at most 8.', 2),
    coresPerPackage: count({ min: 1, max: 1024 }, 'Cores of one package.', 56),
    threadsPerCore: count({ min: 1, max: 8 }, 'Threads of one core.', 2),
    offlineCpus: count(
      { min: 0, max: 65_535 },
      'CPUs that are present and not online; the highest ones are.',
      0,
    ),
    memory: notation(parseHostMemory, {
      ...bytesForm,
      description: 'Memory: KiB, MiB, GiB or TiB (powers of 1024), or bytes. 1GiB to 4096TiB.',
      examples: ['512GiB'],
    }).optional(),
    keyIds,
    guestAddressWidth: z
      .literal([48, 52])
      .optional()
      .meta({
        description: 'The widest guest physical address in bits: 52 means 5-level EPT.',
        examples: [52],
      }),
    physicalAddressWidth: count(
      { min: 39, max: 52 },
      'Physical address bits of the CPUs, as CPUID says.',
      52,
    ),
    tsc: notation(parseHostTsc, {
      ...khzForm,
      description: 'Frequency of the TSC: kHz, MHz or GHz.',
      examples: ['2GHz'],
    }).optional(),
    xfam: z
      .array(z.enum(xfamFeatures.map(({ name }) => name)))
      .optional()
      .meta({
        description:
          'Extended CPU state that the CPUs and KVM can give a guest. x87 and sse are always there.',
        examples: [['avx', 'avx512', 'amx']],
      }),
    features,
  })
  .optional()
  .meta({ description: 'CPUs, memory and key IDs.', examples: [{ packages: 2 }] });

const releases = Object.keys(moduleReleases) as [ModuleReleaseName, ...ModuleReleaseName[]];

const module = z
  .strictObject({
    loaded: flag('false: the machine has no TDX module, so KVM offers no TDs.'),
    release: z
      .enum(releases)
      .optional()
      .meta({ description: 'Release of the TDX module.', examples: ['1.5.28'] }),
    maxVcpusPerTd: count(
      { min: 1, max: 65_535 },
      "MAX_VCPUS_PER_TD of a module nobody has published. Default: the release's own.",
      576,
    ),
  })
  .optional()
  .meta({ description: 'The TDX module.', examples: [{ release: '2.0.08' }] });

const capabilityNames = Object.keys(capabilities) as [CapabilityName, ...CapabilityName[]];

const kvm = z
  .strictObject({
    maxVcpus: count(
      { min: 1, max: 4096 },
      'KVM_MAX_VCPUS: CONFIG_KVM_MAX_NR_VCPUS of the kernel, 1024 to 4096 on Linux 7.3.',
      1024,
    ),
    capabilities: z
      .partialRecord(z.enum(capabilityNames), z.int().min(0).max(0x7fff_ffff))
      .optional()
      .meta({
        description:
          "Answers of KVM_CHECK_EXTENSION recorded on a real machine. They win over the model's on /dev/kvm and on ordinary VMs.",
        examples: [{ KVM_CAP_X86_SMM: 0 }],
      }),
  })
  .optional()
  .meta({ description: 'What the build of the kernel decides.', examples: [{ maxVcpus: 4096 }] });

const cgroupLimit = z.strictObject({
  path: z
    .string()
    .regex(/^\/\S*$/, { error: 'must be the path of a cgroup, which starts with /' })
    .meta({ description: 'Path of the cgroup; tdctl itself runs in /.', examples: ['/'] }),
  max: z
    .int()
    .min(0)
    .max(2047)
    .optional()
    .meta({ description: 'misc.max for the resource tdx.', examples: [4] }),
  memory: notation(parseMemoryLimit, {
    ...bytesForm,
    description: 'memory.max: KiB, MiB, GiB or TiB (powers of 1024), or bytes.',
    examples: ['64GiB'],
  }).optional(),
});

export const simulatedHostSchema = z
  .strictObject({
    ...objectHead('SimulatedHost'),
    metadata: z
      .strictObject({
        name: z
          .string()
          .regex(dnsLabel, { error: dnsLabelProblem })
          .meta({
            description:
              'Name of the host. A DNS label: 1 to 63 lower-case letters, digits and "-".',
            examples: ['rack-7'],
          }),
      })
      .meta({ description: 'What the host is called.', examples: [{ name: 'rack-7' }] }),
    spec: z
      .strictObject({
        from: notation(parseFrom, {
          type: 'string',
          anyOf: [{ enum: [...profileNames] }, { pattern: '/|\\.json$' }],
          description:
            'The profile that gives whatever this file leaves out (docs/host-files.md lists them), or the file of a captured host, relative to this file. Default: spr-1.5.',
          examples: ['gnr-2.0', './node1.json'],
        }).default('spr-1.5'),
        description: z
          .string()
          .min(1)
          .optional()
          .meta({ description: 'One line for people.', examples: ['the machines of row 7'] }),
        platform,
        module,
        kvm,
        foreignTds: count(
          { min: 0, max: 2046 },
          'TDs of other processes that hold a key slot from the start.',
          3,
        ),
        cgroupLimits: z
          .array(cgroupLimit)
          .optional()
          .meta({
            description:
              'Limits of cgroups: of the misc controller for the resource tdx, and of memory.',
            examples: [[{ path: '/', max: 4 }]],
          }),
      })
      .prefault({})
      .meta({ description: 'What the host is.', examples: [{ from: 'spr-1.5' }] }),
  })
  .meta({
    title: 'SimulatedHost',
    description: 'A machine for `--host sim:FILE` and `--host soft:FILE` of tdctl.',
  });

export type SimulatedHostFile = z.output<typeof simulatedHostSchema>;
