/**
 * What can be wrong on the way from a platform to its quote. QCNL, QPL, the quote library and PCCS each have
 * a code of their own for the same thing: it is said once, whoever says it.
 */
import type { Answer } from '../../answer.ts';

const qcnlConf = '/etc/sgx_default_qcnl.conf';

export const facts = {
  proxyNotFound: {
    id: 'qcnl.proxy-not-resolved',
    meaning: 'the host cannot resolve the name of the proxy by which it would reach PCCS',
    causes: ['https_proxy of the service names a proxy that does not exist here'],
    next: 'check `systemctl show qgsd -p Environment`; PCCS of this host or network needs no proxy: set no_proxy, and restart qgsd',
  },
  hostNotFound: {
    id: 'qcnl.pccs-not-resolved',
    meaning: 'the host cannot resolve the name of PCCS',
    causes: [`pccs_url in ${qcnlConf} has a wrong name`, 'DNS does not work on the host'],
    next: `check pccs_url in ${qcnlConf} and \`getent hosts NAME\`, then restart qgsd`,
  },
  notConnected: {
    // canonical/tdx documentation; intel/confidential-computing.tee.dcap#219
    id: 'qcnl.pccs-refuses-connection',
    meaning: 'nothing answers at the address and port of PCCS',
    causes: [
      'PCCS does not run',
      `pccs_url in ${qcnlConf} has another address or port than PCCS listens at`,
      'a firewall is between them',
    ],
    next: `run \`systemctl status pccs\`, and compare pccs_url in ${qcnlConf} with HTTPS_PORT and hosts of /opt/intel/sgx-dcap-pccs/config/default.json`,
  },
  timedOut: {
    id: 'qcnl.pccs-timed-out',
    meaning: 'PCCS did not answer in time',
    causes: [
      'PCCS itself waits for Intel, which it cannot reach',
      'a firewall drops the packets',
      'a proxy stands between the host and PCCS',
    ],
    next: 'try `curl -kv PCCS_URL/rootcacrl` on the host, and look at `journalctl -u pccs`',
  },
  tlsFailed: {
    id: 'qcnl.tls-failed',
    meaning: 'the TLS handshake with PCCS failed',
    causes: [
      'pccs_url says https and a server without TLS answers, or the other way round',
      'the two sides have no TLS version or cipher in common',
    ],
    next: `try \`curl -kv PCCS_URL/rootcacrl\` on the host; check pccs_url in ${qcnlConf}`,
  },
  certificateUntrusted: {
    // canonical/tdx#256, #409
    id: 'qcnl.pccs-certificate-not-trusted',
    meaning: 'QCNL does not trust the certificate of PCCS, which is self-signed as installed',
    causes: [
      'use_secure_cert is true in sgx_default_qcnl.conf, and the certificate of PCCS is self-signed',
      'the certificate is for another host name than the one in pccs_url',
    ],
    next: `give PCCS a certificate that this host trusts; for a test, set "use_secure_cert": false in ${qcnlConf} and restart qgsd`,
  },
  networkError: {
    id: 'qpl.pccs-not-reached',
    rank: 'effect',
    meaning: 'QPL got nothing from PCCS: the network or the connection failed',
    causes: ['PCCS does not run, or not at the pccs_url of this host', 'a proxy or firewall'],
    next: `look for the "[QCNL]" line before it; try \`curl -kv PCCS_URL/rootcacrl\`, with pccs_url of ${qcnlConf}`,
  },
  platformUnknown: {
    // canonical/tdx#313
    id: 'qpl.platform-unknown',
    meaning: 'PCCS does not have this platform in its cache: it was never sent there (HTTP 461)',
    causes: [
      'PCCS fills its cache by request (REQ) or offline, and nobody put the platform in',
      'the platform was never registered, or not since its last BIOS or CPU change',
    ],
    next: 'register the platform (PCKIDRetrievalTool, or mpa_registration), then restart qgsd',
  },
  notRegistered: {
    // canonical/tdx#338, confidential-dot-ai/c8s#387, NVIDIA/NVFlare#5312
    id: 'attestation.platform-not-registered',
    meaning:
      'there is no certificate for this platform: PCCS has none, and got none from Intel (404)',
    causes: [
      'the platform was never registered with Intel, or not since its last BIOS or CPU change',
      'a server with several CPU packages was not registered as one platform (MPA)',
      'PCCS has no valid API key, or does not reach Intel: its own log says so',
    ],
    next: 'register the platform (PCKIDRetrievalTool, or mpa_registration), look at `journalctl -u pccs`, then restart qgsd',
  },
  certificatesUnavailable: {
    id: 'attestation.certificate-of-tcb-unavailable',
    meaning: 'Intel has no certificate for this platform at its TCB level (HTTP 462)',
    causes: [
      'microcode or BIOS are newer than what Intel has published, or the platform was not registered again after the update',
      'a pre-production CPU asks the production service',
    ],
    next: 'register the platform again after the update; ask the maker of the BIOS whether its TCB level is published',
  },
  pccsUnexpected: {
    // intel/confidential-computing.tee.dcap#450: after some days of use, mended by a restart.
    id: 'attestation.pccs-unexpected-status',
    meaning: 'PCCS answered with an HTTP status that QCNL has no meaning for',
    causes: [
      'PCCS has an error of its own, or does not reach Intel (500, 502)',
      'PCCS does not take the request or the token (400, 401)',
      'qgsd ran for days: a defect of some DCAP releases, which a restart mends',
    ],
    next: 'look at `journalctl -u pccs` for the status; then `systemctl restart qgsd`',
  },
  pccsUnavailable: {
    id: 'attestation.pccs-unavailable',
    meaning: 'PCCS says that it cannot serve the request now (HTTP 503)',
    causes: [
      'PCCS is starting or overloaded',
      'it was asked to refresh a cache that is filled offline',
    ],
    next: 'look at `journalctl -u pccs`, and try again',
  },
  badReply: {
    id: 'attestation.pccs-reply-not-understood',
    meaning: 'what came back from PCCS is no certificate data: the reply could not be taken apart',
    causes: [
      'pccs_url points to something else, or lacks the path /sgx/certification/v4/',
      'a proxy answered in place of PCCS',
      'PCCS and the libraries are of releases that do not fit',
    ],
    next: `check pccs_url in ${qcnlConf}; try \`curl -kv PCCS_URL/rootcacrl\``,
  },
  badConfig: {
    // Oasis documentation: a malformed file shows as a library that cannot be loaded.
    id: 'qcnl.configuration-invalid',
    meaning: `the configuration of the quote provider, ${qcnlConf}, is not valid`,
    causes: ['it is no valid JSON: a comma too many, comments in the wrong place'],
    next: `check it with \`grep -v '^ *//' ${qcnlConf} | jq .\`, then restart qgsd`,
  },
  cacheMissing: {
    id: 'qcnl.cache-missing',
    rank: 'note',
    meaning: 'QCNL has nothing in its local cache yet, and asks PCCS',
    next: 'nothing, unless the request to PCCS fails too',
  },
  cacheExpired: {
    id: 'qcnl.cache-expired',
    rank: 'note',
    meaning: 'what QCNL has in its local cache is too old, and it asks PCCS',
    next: 'nothing, unless the request to PCCS fails too',
  },
  unexpected: {
    id: 'attestation.unexpected',
    rank: 'effect',
    meaning: 'a library of the quote service failed, and has no code for why; lines before say it',
    next: 'look for the first "[QCNL]" or "[QPL]" line before it: `journalctl -u qgsd`',
  },
  badParameter: {
    id: 'attestation.bad-parameter',
    meaning: 'a library of the quote service was called with a parameter that it does not take',
    causes: ['QGS, QPL and the quote library are of different DCAP releases'],
    next: 'install all DCAP packages from one release (`dpkg -l | grep -E "tdx-qgs|dcap"`), and restart qgsd',
  },
  outOfMemory: {
    id: 'attestation.out-of-memory',
    meaning: 'the quote service got no memory',
    next: 'check `free -h` and the memory limit of the service: `systemctl show qgsd -p MemoryMax`',
  },
  curlInit: {
    id: 'qcnl.curl-not-initialized',
    meaning: 'QCNL could not set libcurl up, by which it asks PCCS',
    causes: ['libcurl is missing, or of a release that the library was not built for'],
    next: 'check `ldd /usr/lib/x86_64-linux-gnu/libsgx_default_qcnl_wrapper.so.1`',
  },
} satisfies Record<string, Answer>;
