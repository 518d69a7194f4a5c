/** Events as data: one JSON object a line, or one YAML document each. docs/events.md is the contract. */
import { stringify } from 'yaml';
import { dataValue } from '../../documents/data-values.ts';
import type { KeySlots } from '../../host/facts.ts';
import { hostIdentity } from '../../host/identity.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { CommandIo } from '../io.ts';
import type { Content } from '../output/contract/index.ts';
import { documentOf } from '../output/data.ts';
import { kernelData, keySlotsData, limitsData, moduleData } from '../output/host-parts.ts';
import { firmwareData, initialPagesData } from '../plan/plan-parts.ts';
import type { RunView } from './view.ts';

export function dataView(format: 'json' | 'yaml', io: CommandIo): RunView {
  const print = (event: object) => {
    const line = JSON.stringify(event, dataValue);
    io.stdout.write(format === 'json' ? `${line}\n` : `---\n${stringify(JSON.parse(line))}`);
  };
  return {
    planned: (plan, slots) => print(documentOf('tdctl.Run', plannedEvent(plan, slots))),
    event: (event) => {
      // Every single request is for the log; the stream stays readable.
      if (event.event !== 'request.answered') print(event);
    },
    runnable: () => undefined,
    holds: () => undefined,
    // The stream is for events alone: --console-log keeps what the guest prints.
    guest: () => undefined,
    ended: ({ name, outcome }, { before, after }) =>
      print({
        event: 'run.ended',
        td: name,
        outcome,
        keySlotsBefore: keySlotsData(before),
        keySlotsAfter: keySlotsData(after),
      }),
  };
}

function plannedEvent(plan: TdPlan, slots: KeySlots | undefined): Content<'tdctl.Run'> {
  const { spec, facts, layout } = plan;
  return {
    event: 'run.planned',
    td: spec.name,
    host: hostIdentity(facts),
    kernel: kernelData(facts),
    module: moduleData(facts),
    vcpus: { started: spec.vcpus, created: plan.vcpuIds.length },
    limits: limitsData(plan),
    memoryBytes: spec.memoryBytes,
    memorySlots: layout.slots,
    firmware: firmwareData(plan),
    initialPages: initialPagesData(plan),
    predictedMrtd: plan.predictedMrtd,
    keySlots: keySlotsData(slots),
  };
}
