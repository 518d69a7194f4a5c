/** The contract of `tdctl fit --output json` and `yaml` (docs/fit.md), written host by host. */
import { bindingLimit } from '../../../machines/td-lifecycle/limits.ts';
import { vcpuLimits } from '../../host/facts.ts';
import { freeKeySlots } from '../../host/offer.ts';
import { errorEnvelope } from '../failure.ts';
import type { CommandIo } from '../io.ts';
import { dataText } from '../output/data.ts';
import { roomData } from '../room/room-data.ts';
import type { FitView, HostResult } from './report.ts';

export function dataView({ stdout }: CommandIo, format: 'json' | 'yaml'): FitView {
  return format === 'json' ? jsonView(stdout) : yamlView(stdout);
}

/** Writes one object, with a host on each line of its list. */
function jsonView(stdout: CommandIo['stdout']): FitView {
  let separator = '';
  return {
    begin: ({ name, from }) => {
      stdout.write(`{\n  "td": ${JSON.stringify(name)},\n`);
      stdout.write(`  "from": ${JSON.stringify(from ?? null)},\n  "hosts": [\n`);
    },
    add: (result) => {
      stdout.write(`${separator}    ${JSON.stringify(hostData(result))}`);
      separator = ',\n';
    },
    end: (summary) => stdout.write(`\n  ],\n  "summary": ${JSON.stringify(summary)}\n}\n`),
  };
}

function yamlView(stdout: CommandIo['stdout']): FitView {
  let begun = false;
  return {
    begin: ({ name, from }) => {
      stdout.write(`td: ${JSON.stringify(name)}\nfrom: ${JSON.stringify(from ?? null)}\n`);
    },
    add: async (result) => {
      if (!begun) stdout.write('hosts:\n');
      begun = true;
      stdout.write(await dataText([hostData(result)], 'yaml'));
    },
    end: (summary) => {
      if (!begun) stdout.write('hosts: []\n');
      stdout.write(`summary: ${JSON.stringify(summary)}\n`);
    },
  };
}

function hostData(result: HostResult) {
  if ('problem' in result) {
    const { place = null } = result.problem;
    return { place, verdict: 'unreadable', ...errorEnvelope(result.problem) };
  }
  const { place, host, judgement, times } = result;
  const { offer } = host;
  return {
    name: host.name,
    simulated: host.simulated,
    place,
    verdict: judgement.verdict,
    firstReason: judgement.reasons[0]?.id ?? null,
    reasons: judgement.reasons,
    migrationReasons: judgement.migrationReasons ?? null,
    unknown: host.unknown,
    vcpuLimit: offer ? bindingLimit(vcpuLimits(offer)) : null,
    freeKeySlots: freeKeySlots(host.keySlots) ?? null,
    room: roomData(judgement.room, times),
  };
}
