import type { AttestationFacts, EnvironmentFacts } from '../facts.ts';
import type { HostFiles } from '../host-files.ts';
import { parsed, type Reading, read } from '../reading.ts';

const containerMarkers = ['/.dockerenv', '/run/.containerenv', '/run/systemd/container'];

export function readEnvironment(files: HostFiles): EnvironmentFacts {
  return {
    container: readContainer(files),
    // Only the vendor is read of DMI, because the rest has serial numbers.
    vendor: parsed(files.text('/sys/class/dmi/id/sys_vendor'), (text) => text.trim() || undefined),
  };
}

function readContainer(files: HostFiles): Reading<string> {
  const marker = containerMarkers.find((path) => files.exists(path));
  if (marker !== undefined) return read(marker, marker);
  const from = '/proc/1/cgroup';
  const text = files.text(from);
  if (text.state !== 'read') return { state: 'not-asked', from };
  const runtime = /docker|kubepods|containerd|libpod|lxc/.exec(text.value)?.[0];
  return runtime === undefined ? { state: 'absent', from } : read(from, runtime);
}

/** The Quote Generation Service of Intel's DCAP listens here (qgs, /etc/qgs.conf). */
const quoteSocket = '/var/run/tdx-qgs/qgs.socket';
const quoteConfig = '/etc/qgs.conf';
const registrationVariable =
  '/sys/firmware/efi/efivars/SgxRegistrationStatus-f236c5dc-a491-4bbe-bcdd-88885770df45';

export function readAttestation(files: HostFiles): AttestationFacts {
  return {
    quoteService: readQuoteService(files),
    registration: parsed(files.bytes(registrationVariable), registrationIn),
  };
}

function readQuoteService(files: HostFiles): Reading<string> {
  for (const path of [quoteSocket, quoteSocket.replace('/var', '')]) {
    if (files.exists(path)) return read(path, path);
  }
  const port = parsed(files.text(quoteConfig), (text) => /^\s*port\s*=\s*(\d+)/m.exec(text)?.[1]);
  if (port.state === 'read') return read(quoteConfig, `vsock port ${port.value}`);
  // A copy without /run and /etc says nothing of services.
  const wasLookedAt = ['/run', '/var/run', '/etc'].some((path) => files.exists(path));
  return { state: wasLookedAt ? 'absent' : 'not-asked', from: quoteSocket };
}

/**
 * An efivarfs file has four bytes of variable attributes, then version, size and status (16 bits
 * each) and the error code. Source: Intel, "SGX Registration Status".
 */
function registrationIn(bytes: Buffer) {
  if (bytes.length < 11) return undefined;
  return { complete: (bytes.readUInt16LE(8) & 1) === 1, errorCode: bytes.readUInt8(10) };
}
