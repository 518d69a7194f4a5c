/** A capture is simulated and judged as one and the same host. */
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  captureOf,
  captureToHostProfile,
  captureToKnownHost,
  type HostCapture,
} from '../../../src/diagnosis/capture/index.ts';
import { nearestRelease } from '../../../src/diagnosis/capture/to-host-profile.ts';
import type { KvmAnswers } from '../../../src/diagnosis/doctor/facts.ts';
import { readFacts } from '../../../src/diagnosis/doctor/index.ts';
import { knownValue, read } from '../../../src/diagnosis/doctor/reading.ts';
import type { HostOffer, KnownHost } from '../../../src/host/offer.ts';
import { simulatedAsKnown } from '../../../src/host/simulated/known-host.ts';
import { fixtureNames, hostTree } from '../doctor/host-tree.ts';

async function capture(fixture: string): Promise<HostCapture> {
  const directory = hostTree(fixture);
  try {
    return captureOf(await readFacts(directory), { tdctl: '0.0.0-test' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const captures = await Promise.all(
  fixtureNames.map(async (name) => ({ name, host: await capture(name) })),
);

const answersOf = ({ facts }: HostCapture) => knownValue(facts.kvm.answers);
const withTds = captures.filter(({ host }) => answersOf(host)?.tdxVm);

function withAnswers(host: HostCapture, change: (answers: KvmAnswers) => KvmAnswers): HostCapture {
  const answers = answersOf(host);
  if (answers === undefined) throw new Error('KVM was asked');
  const { facts } = host;
  return {
    ...host,
    facts: { ...facts, kvm: { ...facts.kvm, answers: read('x', change(answers)) } },
  };
}

const simulated = (host: HostCapture) =>
  simulatedAsKnown(captureToHostProfile(host, 'node'), { name: 'node', kernel: 'upstream-7.3' });

/** What both must say alike. The module's CPUID table and the kernel's name are the model's own. */
function alike({ offer, presentCpus, memory, tscScaling }: KnownHost) {
  return {
    presentCpus,
    totalBytes: memory?.totalBytes,
    tscScaling,
    offer: offer && essence(offer),
  };
}

function essence({ facts, capabilities, supportedCpuid, maxVcpus }: HostOffer) {
  const { rules: _, ...kernel } = facts.kernel;
  const { supportedXfam, supportedAttributes } = capabilities;
  const release = nearestRelease(facts.module?.release);
  const { platform, kvm } = facts;
  return {
    kernel,
    release,
    platform,
    kvm,
    supportedXfam,
    supportedAttributes,
    supportedCpuid,
    maxVcpus,
  };
}

describe('a captured host', () => {
  test.each(withTds)('($name) offers a TD the same when it is simulated', async ({ host }) => {
    expect(alike(await simulated(host))).toEqual(alike(captureToKnownHost(host, 'node')));
  });

  const healthy = () => capture('healthy');

  test('that was not asked for KVM_MAX_VCPUS has that of its TD', async () => {
    const host = withAnswers(await healthy(), (answers) => {
      const { KVM_CAP_MAX_VCPUS: _, ...capabilities } = answers.capabilities;
      return { ...answers, capabilities };
    });
    const { offer } = captureToKnownHost(host, 'node');
    expect(offer?.facts.kvm.maxVcpus).toBe(128);
    expect(captureToHostProfile(host, 'node').kvmMaxVcpus).toBe(128);
  });

  test('whose newer module gives a TD more than the nearest release keeps that limit', async () => {
    const host = withAnswers(await healthy(), (answers) => ({
      ...answers,
      tdxVm: answers.tdxVm && { ...answers.tdxVm, maxVcpus: 900 },
    }));
    const { version } = host.facts.tdxHost;
    const newer = {
      ...host,
      facts: { ...host.facts, tdxHost: { ...host.facts.tdxHost, version: read('x', '1.5.99') } },
    };
    expect(version.state).toBe('read');
    expect(captureToHostProfile(newer, 'node').module).toEqual({
      release: '1.5.28',
      maxVcpusPerTd: 900,
    });
    expect(captureToKnownHost(newer, 'node').offer?.facts.module).toEqual({
      release: '1.5.99',
      maxVcpusPerTd: undefined,
    });
  });

  test('whose address widths are not known is judged by none and simulated with 48, said so', async () => {
    const host = withAnswers(await healthy(), (answers) => ({
      ...answers,
      supportedCpuid: answers.supportedCpuid.filter((entry) => entry.function !== 0x8000_0008),
    }));
    expect(captureToKnownHost(host, 'node').unknown).toContain('guest address width');
    const { platform, source } = captureToHostProfile(host, 'node');
    expect(platform.fiveLevelEpt).toBe(false);
    expect(source).toContain('guest address width of 48 assumed');
  });
});
