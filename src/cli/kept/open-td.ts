/** From what a keeper is asked to keep to a host and a plan. */
import { loadFirmware } from '../../firmware/index.ts';
import type { Host } from '../../host/port.ts';
import type { KeepRequest } from '../../keeper/request.ts';
import { assessTd, planTd, type TdPlan } from '../../plan/index.ts';
import { askHost } from '../../plan/judge/index.ts';
import { parseTrustDomain } from '../../spec/index.ts';
import { openHostToActOn } from '../host-to-act-on.ts';
import type { CommandIo } from '../io.ts';
import { executesGuests } from '../open-host.ts';
import { type WantedConsole, wantedConsole } from '../run/console/wanted.ts';
import { readSimulation } from '../run/simulation.ts';
import { bootImagesOf } from '../spec-files.ts';
import { refuseEngineOn } from './engine/needs-kvm.ts';

export interface OpenedTd {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly wanted: WantedConsole;
}

/** @throws TdctlError for whatever stands against the TD; the host is closed then. */
export async function openTd(request: KeepRequest, io: CommandIo): Promise<OpenedTd> {
  const { specPath, host: named, kernel, faults: fault, anyMeasurement = false } = request;
  // It is told by the name that it is kept under.
  const spec = { ...parseTrustDomain(request.spec, { path: specPath }), name: request.name };
  const typed = ['create', specPath];
  refuseEngineOn(spec, { host: named, typed });
  const faults = await readSimulation({ host: named }, { fault });
  const firmware = await loadFirmware(spec.firmware);
  const boot = await bootImagesOf(spec);
  const host = await openHostToActOn({ host: named, kernel, faults }, { typed, io });
  try {
    const asked = await askHost(host);
    // Whether a slot is free is seen when it is this TD's turn. One that moves here has its slot and its memory.
    const offer =
      request.moves === true
        ? { ...asked, keySlots: undefined, memory: undefined, cgroupRoom: undefined }
        : request.queue
          ? { ...asked, keySlots: undefined }
          : asked;
    // QEMU has the console of its guest itself.
    const runsGuests = executesGuests(named) && spec.engine.kind === 'builtin';
    const options = { spec, firmware, boot, host: offer, ignoreExpectation: anyMeasurement };
    // Whatever would be said against a TD that is there is late, such as that its own key slot is taken.
    const existing = request.adopt === true ? assessTd(options).plan : undefined;
    return {
      host,
      plan: existing ?? planTd(options),
      wanted: wantedConsole({ runsGuests, output: 'text', spec: specPath }, spec),
    };
  } catch (error) {
    await host.close();
    throw error;
  }
}
