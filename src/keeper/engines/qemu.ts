/** A TD that QEMU has, as its keeper keeps it: where the two meet, and what is written down of it. */
import { basename } from 'node:path';
import type { Host } from '../../host/port.ts';
import type { TdPlan } from '../../plan/index.ts';
import { commandOf, type VmmPlaces, type VmmPlan } from '../../vmm/command-line/index.ts';
import { startVmm, type VmmRunOptions, vmmChart } from '../../vmm/run/index.ts';
import { thisOrChild, type VmmIdentity } from '../identity.ts';
import type { Engine, RunHooks } from '../keep.ts';
import type { Life } from '../life.ts';
import type { TdFiles } from '../td-files.ts';

export interface QemuEngineOptions {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly vmm: VmmPlan;
  readonly life: Life;
  readonly files: TdFiles;
  /** Starts the program, where it is to be no child of the keeper. */
  readonly startProgram?: VmmRunOptions['startProgram'];
  /** The QEMU to go on with, which another keeper has begun. */
  readonly attached?: VmmRunOptions['attached'];
}

export function qemuEngine(options: QemuEngineOptions): Engine {
  const { host, plan, vmm, life, files, startProgram, attached } = options;
  const { engine } = vmm.spec;
  if (engine.kind !== 'qemu') throw new Error('the builtin engine has no VMM');
  const places = placesIn(files);
  return {
    chart: vmmChart,
    start({ onEvent, onChartEvent, aroundStep }: RunHooks) {
      const run = startVmm({
        ...{ host, plan, policy: engine, places, attached, onChartEvent, aroundStep },
        startProgram,
        command: commandOf(vmm, placesInside(places)),
        stderrPath: files.vmmLog,
        onProcess: (pid) => noteProcess(life, { pid, vmm }),
        onEvent(event) {
          // What the guest has printed is told before what has come of it.
          life.console.catchUp();
          onEvent(event);
        },
      });
      life.console.follow(attached === undefined ? 'start' : 'end');
      return run;
    },
  };
}

/** A path of a socket has 107 bytes at most, and that of a directory may be longer: QEMU is started there. */
function placesInside({ monitor, console, ...others }: VmmPlaces): VmmPlaces {
  return { ...others, monitor: basename(monitor), console: basename(console) };
}

function placesIn(files: TdFiles): VmmPlaces {
  const { monitor, serial, console, directory } = files;
  return { monitor, console: serial, consoleLog: console, directory };
}

/** It is on the disk before the program begins. @throws TdctlError TDCTL_E_NOT_WRITABLE. */
function noteProcess(
  { journaling, status }: Life,
  { pid, vmm }: { readonly pid: number; readonly vmm: VmmPlan },
): void {
  const { uuid, vsockCid } = vmm;
  const identity: VmmIdentity = { ...thisOrChild(pid), uuid, vsockCid };
  journaling.takes({ kind: 'vmm', identity });
  status.change({ vmm: identity });
}
