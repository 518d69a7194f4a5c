/** Looks at all of the host that a TD with devices needs, and takes nothing. */
import { TdctlError } from '../../errors/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import type { VmmPlan } from '../command-line/index.ts';
import { bootFindings } from './boot.ts';
import { consoleFindings } from './console.ts';
import { lookAtDevice } from './devices.ts';
import { lookAtDisk } from './disks.ts';
import { type DeviceFinding, type KernelFiles, kernelFiles } from './finding.ts';
import { networkFindings } from './networks.ts';
import { quoteFindings } from './quotes.ts';
import { sameFileFindings } from './same-file.ts';
import { vsockFindings } from './vsock.ts';

export interface Preflight extends Pick<VmmPlan, 'disks' | 'vfioFiles'> {
  /** What stands against it, in the order of the command line. */
  readonly findings: readonly TdctlError[];
}

export async function preflightVmm(
  spec: TrustDomain,
  kernel: KernelFiles = kernelFiles,
): Promise<Preflight> {
  const { engine } = spec;
  if (engine.kind !== 'qemu') throw new Error('the builtin engine has no devices');
  const disks = await Promise.all(
    engine.disks.map((disk, index) => lookAtDisk(disk, { field: `spec.disks.${index}`, kernel })),
  );
  const networks = await Promise.all(
    engine.networks.map(({ backend }, index) =>
      networkFindings({ backend, field: `spec.networks.${index}`, kernel }),
    ),
  );
  const devices = engine.devices.map(({ vfio }, index) =>
    lookAtDevice(vfio, { field: `spec.devices.${index}`, kernel }),
  );
  const findings = [
    ...(await quoteFindings(spec.quotes)),
    ...(await bootFindings(spec.boot)),
    ...consoleFindings(engine.console, kernel),
    ...disks.flatMap((disk) => disk.findings),
    ...sameFileFindings(
      spec,
      disks.map(({ layers }) => layers),
    ),
    ...networks.flat(),
    ...vsockFindings(engine.vsock, kernel),
    ...devices.flatMap((device) => ('finding' in device ? [device.finding] : [])),
  ];
  return {
    findings: findings.map((finding) => errorOf(spec, finding)),
    disks: disks.map(({ layers }) => layers),
    vfioFiles: devices.flatMap((device) => ('file' in device ? [device.file] : [])),
  };
}

function errorOf({ source }: TrustDomain, { field, problem, remedy }: DeviceFinding): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_DEVICE',
    op: 'look at what the TD needs of the host',
    place: source.locate(field),
    message: `${field} cannot be had: ${problem}`,
    details: [source.finding({ field, problem })],
    hint: remedy,
  });
}
