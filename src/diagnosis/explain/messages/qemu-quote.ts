/** What QEMU says of quotes: it hands the report of a TD to QGS, and the reply back. */
import { qgsCodes, qgsProtocol, qgsWithoutQuote } from './attestation/qgs-codes.ts';
import { inDecimal } from './codes.ts';
import { messages } from './message.ts';

export const qemuQuote = messages(
  {
    by: 'QEMU',
    place: 'host',
    source: 'target/i386/kvm/tdx-quote-generator.c',
    releases: '10.1 and later',
  },
  [
    {
      says: 'quote-generation-socket is not set',
      source: 'target/i386/kvm/tdx.c',
      answer: {
        id: 'attestation.no-quote-socket',
        meaning: 'QEMU was not told where QGS listens, so its TD gets no quotes',
        next: 'start QEMU with -object \'{"qom-type":"tdx-guest","id":"tdx0","quote-generation-socket":{"type":"unix","path":"/var/run/tdx-qgs/qgs.socket"}}\'',
      },
    },
    {
      says: [
        'TDX: get-quote: failed to write quote data',
        'TDX: get-quote: failed to update GetQuote header',
        'TDX: get-quote: failed to read GetQuote header',
        'TDX: failed to update GetQuote header',
      ],
      source: 'target/i386/kvm/tdx.c',
      answer: {
        id: 'attestation.quote-buffer',
        meaning: 'QEMU could not read or write the buffer of a quote in the memory of the guest',
        causes: ['the guest gave a private address, or took the memory back'],
        next: 'update the guest kernel: it must share the buffer before it asks',
      },
    },
    {
      says: 'QGS message error code {code:int}',
      codes: [inDecimal(qgsCodes)],
      answer: qgsWithoutQuote,
    },
    {
      says: [
        'Invalid QGS message header version {major:int}.{minor:int}',
        'Invalid QGS message type {type:int}',
        'QGS message size {size:int} exceeds payload capacity {capacity:int}',
        'QGS message selected ID was {id:int} not 0',
        'QGS quote size {size:int} should be {expected:int}',
        'Message len {bytes:int} must be non-zero & less than {most:int}',
      ],
      answer: qgsProtocol,
    },
    {
      says: 'End of file before reply received',
      answer: {
        id: 'qgs.hung-up',
        meaning: 'QGS closed the connection without a reply to the request for a quote',
        causes: [
          'QGS could make no quote and had no reply: its log says why',
          'QGS is too old for the requests of QEMU',
        ],
        next: 'read `journalctl -u qgsd`; update tdx-qgs to DCAP 1.21 or later',
      },
    },
    {
      says: "Failed to connect to '{cid:int}:{port:int}': No such device",
      source: 'util/qemu-sockets.c',
      releases: 'any',
      answer: {
        id: 'qgs.vsock-no-device',
        meaning: 'QEMU cannot reach QGS by vsock: the host has nothing at that context id',
        causes: [
          'vhost_vsock is not loaded',
          'the quote socket names cid 2, where a QGS of the same host is at cid 1',
        ],
        next: '`modprobe vhost_vsock`, and give cid 1; or use the UNIX socket /var/run/tdx-qgs/qgs.socket',
      },
    },
    {
      says: "Failed to connect to '{cid:int}:{port:int}': Permission denied",
      source: 'util/qemu-sockets.c',
      releases: 'any',
      answer: {
        id: 'qgs.vsock-not-permitted',
        meaning: 'QEMU may not use vsock, by which it would reach QGS',
        causes: ['the AppArmor profile of libvirt does not allow `network vsock stream`'],
        next: 'add `network vsock stream,` to /etc/apparmor.d/local/abstractions/libvirt-qemu, and restart the TD',
      },
    },
    {
      says: [
        "Failed to connect to '{cid:int}:{port:int}': Connection refused",
        "Failed to connect to '{cid:int}:{port:int}': Connection reset by peer",
        "Failed to connect to '/var/run/tdx-qgs/qgs.socket'",
        "Failed to connect to '/run/tdx-qgs/qgs.socket'",
      ],
      source: 'util/qemu-sockets.c',
      releases: 'any',
      answer: {
        id: 'qgs.not-listening',
        meaning: 'nothing listens where QEMU looks for QGS',
        causes: [
          'qgsd does not run',
          '/etc/qgs.conf says another port, or none: QGS then listens at /var/run/tdx-qgs/qgs.socket',
          'QEMU has no right to the socket',
        ],
        next: 'check `systemctl status qgsd`, port in /etc/qgs.conf, and `ls -l /var/run/tdx-qgs/`',
      },
    },
  ],
);
