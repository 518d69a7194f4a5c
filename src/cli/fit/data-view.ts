/** The contract of `tdctl fit --output json` and `yaml` (docs/fit.md), written host by host. */
import { errorData } from '../../errors/index.ts';
import type { CommandIo } from '../io.ts';
import type { Content } from '../output/contract/index.ts';
import { dataText, documentVersion } from '../output/data.ts';
import { keySlotsData, limitsData } from '../output/host-parts.ts';
import { roomData } from '../room/room-data.ts';
import type { FitView, HostResult, Summary } from './report.ts';

type Document = Content<'tdctl.Fit'>;
const kind = 'tdctl.Fit';

export function dataView({ stdout }: CommandIo, format: 'json' | 'yaml'): FitView {
  return format === 'json' ? jsonView(stdout) : yamlView(stdout);
}

/** Writes one object, with a host on each line of its list. */
function jsonView(stdout: CommandIo['stdout']): FitView {
  let separator = '';
  return {
    begin: ({ name, from }) => {
      stdout.write(`{\n  "kind": "${kind}",\n  "version": ${documentVersion},\n`);
      stdout.write(`  "td": ${JSON.stringify(name)},\n`);
      stdout.write(`  "from": ${JSON.stringify(from ?? null)},\n  "hosts": [\n`);
    },
    add: (result) => {
      stdout.write(`${separator}    ${JSON.stringify(hostData(result))}`);
      separator = ',\n';
    },
    end: (summary) =>
      stdout.write(`\n  ],\n  "summary": ${JSON.stringify(summaryData(summary))}\n}\n`),
  };
}

function yamlView(stdout: CommandIo['stdout']): FitView {
  let begun = false;
  return {
    begin: ({ name, from }) => {
      stdout.write(`kind: ${kind}\nversion: ${documentVersion}\n`);
      stdout.write(`td: ${JSON.stringify(name)}\nfrom: ${JSON.stringify(from ?? null)}\n`);
    },
    add: async (result) => {
      if (!begun) stdout.write('hosts:\n');
      begun = true;
      stdout.write(await dataText([hostData(result)], 'yaml'));
    },
    end: (summary) => {
      if (!begun) stdout.write('hosts: []\n');
      stdout.write(`summary: ${JSON.stringify(summaryData(summary))}\n`);
    },
  };
}

function summaryData(summary: Summary): Document['summary'] {
  const { hosts, room, reasons, migrationReasons, ...counts } = summary;
  return {
    hostCount: hosts,
    ...counts,
    taken: room,
    reasonCounts: reasons,
    migrationReasonCounts: migrationReasons,
  };
}

function hostData(result: HostResult): Document['hosts'][number] {
  if ('problem' in result) {
    const { place = null } = result.problem;
    return { place, verdict: 'unreadable', error: errorData(result.problem) };
  }
  const { place, host, judgement, times } = result;
  const { offer } = host;
  return {
    host: { name: host.name, simulated: host.simulated },
    place,
    verdict: judgement.verdict,
    firstReason: judgement.reasons[0]?.id ?? null,
    reasons: judgement.reasons,
    migrationReasons: judgement.migrationReasons ?? null,
    unknown: host.unknown,
    limits: offer ? limitsData(offer) : null,
    keySlots: keySlotsData(host.keySlots),
    room: roomData(judgement.room, times),
  };
}
