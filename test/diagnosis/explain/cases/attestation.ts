/** QGS, its libraries, PCCS. */
import type { Case } from './case.ts';

export const attestationCases: readonly Case[] = [
  {
    from: 'canonical/tdx#256',
    log: 'qgs-pccs-certificate.log',
    ids: [
      'qcnl.pccs-certificate-not-trusted',
      'attestation.unexpected',
      'attestation.key-not-certified',
    ],
  },
  {
    from: 'canonical/tdx#313',
    log: 'qgs-platform-unknown.log',
    ids: ['qpl.platform-unknown', 'attestation.unexpected', 'attestation.key-not-certified'],
  },
  {
    from: 'canonical/tdx#338',
    log: 'pccs-not-registered.log',
    ids: ['attestation.platform-not-registered', 'pccs.intel-does-not-know'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#450',
    log: [
      'Added a new connection, now [1]',
      'handle_read: status [system:0]',
      'handle_read:[system:0Received 1024 bytes.]',
      'process raw request [1024] bytes!.',
      '[QPL] Failed to get quote config. Error code is 0xb011',
      '[get_platform_quote_cert_data ../td_ql_logic.cpp:302] Error returned from the p_sgx_get_quote_config API. 0xe044',
      'tee_att_get_quote_size return 0x11001',
      'resp_size is 0',
      'About to shutdown and close socket',
    ],
    ids: ['attestation.pccs-unexpected-status', 'attestation.unexpected', 'qgs.no-reply'],
  },
  {
    from: 'Oasis, a server with two packages and no MPA',
    log: [
      'May 09 13:24:16 node-1 qgsd[6732]: call tee_att_init_quote',
      'May 09 13:24:16 node-1 qgsd[6732]: [QPL] No certificate data for this platform.',
      'May 09 13:24:16 node-1 qgsd[6732]: [get_platform_quote_cert_data ../td_ql_logic.cpp:302] Error returned from the p_sgx_get_quote_config API. 0xe011',
      'May 09 13:24:16 node-1 qgsd[6732]: tee_att_init_quote return 0x11001',
      'May 09 13:24:16 node-1 qgsd[6732]: tee_att_get_quote_size return 0x1100f',
    ],
    ids: [
      'attestation.platform-not-registered',
      'attestation.unexpected',
      'attestation.key-not-certified',
    ],
  },
  {
    from: 'Oasis, a sgx_default_qcnl.conf that is no JSON',
    log: [
      "[read_persistent_data ../td_ql_logic.cpp:1084] Couldn't find the platform library. (null)",
      "[get_platform_quote_cert_data ../td_ql_logic.cpp:438] Couldn't load the platform library. (null)",
    ],
    ids: ['attestation.no-provider-library'],
  },
  {
    from: 'canonical/tdx, PCCS at another address',
    log: [
      "qgsd[4161]: [QCNL] Encountered CURL error: (7) Couldn't connect to server",
      'qgsd[4161]: [QPL] Failed to get quote config. Error code is 0xb006',
      'qgsd[4161]: Error returned from the p_sgx_get_quote_config API. 0xe019',
    ],
    ids: ['qcnl.pccs-refuses-connection', 'qpl.pccs-not-reached'],
  },
  {
    from: 'canonical/tdx#220, QGS that is older than QEMU',
    log: [
      'Sep 13 10:29:42 host1 qgsd[335944]: Added a new connection, now [1]',
      'Sep 13 10:29:42 host1 qgsd[335944]: Got header!',
      'Sep 13 10:29:42 host1 qgsd[335944]: body should be [-2130706432] bytes!',
      'Sep 13 10:30:12 host1 qgsd[335944]: handle read body status [asio.misc:2]',
      'Sep 13 10:30:12 host1 qgsd[335944]: timeout',
    ],
    ids: ['qgs.protocol'],
  },
  {
    from: 'a PCCS without a valid key of Intel',
    log: [
      '2024-09-18 13:15:00.370 [info]: Client Request-ID : 27f864c476484ba8ac2dc651ffe05cd5',
      '2024-09-18 13:15:01.730 [error]: Intel PCS server returns error(401).{ "statusCode": 401 }',
      '2024-09-18 13:15:01.731 [error]: Error: No cache data for this platform.',
    ],
    ids: ['pccs.api-key', 'attestation.platform-not-registered'],
  },
  {
    from: 'PCCS of 2026, which logs what it asked',
    log: [
      '2026-03-01 10:00:00.001 [info]: [Request-ID=3c3aa2c6][URL=https://api.trustedservices.intel.com/sgx/certification/v4/pckcerts?encrypted_ppid=aaaa...bbbb&pceid=0000] -> [Status=404]',
      '2026-03-01 10:00:00.002 [info]: [IP=127.0.0.1][URL=/sgx/certification/v4/pckcert?qeid=0001&pceid=0000] -> [Status=404]',
    ],
    ids: ['attestation.platform-not-registered', 'pccs.intel-does-not-know'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#219',
    log: [
      '2022-03-10 06:20:59.671 [error]: Error: Unable to retrieve the collateral from the Intel SGX PCS.',
      '2022-03-10 06:20:59.676 [info]: 127.0.0.1 - - [09/Mar/2022:22:20:59 +0000] "GET /sgx/certification/v3/rootcacrl HTTP/1.1" 502 57 "-" "curl/7.68.0"',
    ],
    ids: ['pccs.intel-not-reached'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#215',
    log: [
      'Intel(R) Software Guard Extensions PCK Cert ID Retrieval Tool Version 1.12.101.1',
      'Warning: platform manifest is not available or current platform is not multi-package platform.',
      'Error: network error, please check the network setting or whether the cache server is down.',
      "pckid_retrieval.csv has been generated successfully, however the data couldn't be sent to cache server!",
    ],
    ids: ['registration.pccs-not-reached', 'registration.no-manifest'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#226',
    log: [
      "[13-04-2022 04:43:30] INFO: SGX MP Server configuration flag indicates that Registration Server won't save encrypted platform keys.",
      "[13-04-2022 04:43:30] INFO: Platform registration request (PLATFORM_MANIFEST) won't be send to Registration Server.",
      '[13-04-2022 04:43:30] INFO: Finished Registration Agent Flow.',
    ],
    ids: ['registration.not-automatic'],
  },
  {
    from: 'QEMU, QGS that made no quote',
    log: ['qemu-system-x86_64: QGS message error code 73729'],
    ids: ['qgs.answers-without-quote'],
  },
  {
    from: 'QEMU, the vsock of a QGS of the same host',
    log: ["qemu-system-x86_64: Failed to connect to '2:4050': No such device"],
    ids: ['qgs.vsock-no-device'],
  },
  {
    from: 'QEMU under AppArmor',
    log: ["qemu-system-x86_64: Failed to connect to '2:4050': Permission denied"],
    ids: ['qgs.vsock-not-permitted'],
  },
  {
    from: 'QEMU without a quote service',
    log: ['qemu-system-x86_64: quote-generation-socket is not set'],
    ids: ['attestation.no-quote-socket'],
  },
  {
    from: 'PCCS, a verifier that asks for what it does not have',
    log: [
      '[info]: [IP=10.0.0.9][URL=/tdx/certification/v4/tcb?fmspc=00806F050000] -> [Status=404]',
    ],
    ids: ['verify.no-collateral'],
  },
  {
    from: 'PCCS, PCKIDRetrievalTool with a wrong password',
    log: [
      '[info]: 127.0.0.1 - - [29/Nov/2026:08:08:30 +0000] "POST /sgx/certification/v4/platforms HTTP/1.1" 401 22 "-" "-"',
    ],
    ids: ['pccs.token'],
  },
];
