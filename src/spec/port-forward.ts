/** `spec.networks[].user.forward`: a port of the host that leads to one of the guest. */
import { type Parsed, parsed, refused } from '../documents/parsed.ts';
import { describeValue } from '../documents/wording.ts';
import type { PortForward } from './engine.ts';

export const forwardPattern = '^((tcp|udp):)?([0-9.]+:)?\\d{1,5}:\\d{1,5}$';

const form = 'must be [tcp:|udp:][ADDRESS:]HOST-PORT:GUEST-PORT, such as 127.0.0.1:2222:22';

export function parseForward(value: unknown): Parsed<PortForward> {
  if (typeof value === 'number') {
    // YAML 1.1 reads 22:22 as a number of base 60; 1.2 does not, and a plain number is one port.
    return refused(`${form}; this is ${value} alone`);
  }
  if (typeof value !== 'string') return refused(`${form}; this is ${describeValue(value)}`);
  if (/^(?:(?:tcp|udp):)?\[/.test(value)) {
    return refused(`${form}; QEMU forwards no IPv6 port`);
  }
  const match = /^(?:(tcp|udp):)?(?:([0-9.]+):)?(\d{1,5}):(\d{1,5})$/.exec(value);
  if (match === null) return refused(`${form}; this is ${describeValue(value)}`);
  const [, protocol = 'tcp', hostAddress = '127.0.0.1', host, guest] = match;
  const { isIPv4 } = process.getBuiltinModule('node:net');
  if (!isIPv4(hostAddress)) return refused(`names no IPv4 address: ${hostAddress}`);
  const [hostPort, guestPort] = [Number(host), Number(guest)];
  for (const port of [hostPort, guestPort]) {
    if (port < 1 || port > 65_535) return refused(`names a port that is none: ${port}`);
  }
  return parsed({ protocol: protocol as 'tcp' | 'udp', hostAddress, hostPort, guestPort });
}
