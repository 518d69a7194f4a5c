/** What the tools print that register a platform with Intel. */
import { messages } from '../message.ts';

const registered = {
  id: 'registration.complete',
  rank: 'healthy',
  meaning: 'the platform is registered with Intel',
  next: 'nothing to do',
} as const;

export const registration = messages(
  {
    by: 'mpa_registration',
    place: 'host',
    source: 'intel/confidential-computing.tee.dcap, tools/SGXPlatformRegistration',
  },
  [
    {
      says: [
        'Registration status indicates registration is completed successfully. MPA has nothing to do',
        'PLATFORM_ESTABLISHMENT or TCB_RECOVERY passed successfully',
        'Registration Flow - ADD_REQUEST passed successfully',
      ],
      answer: registered,
    },
    {
      says: [
        'PLATFORM_ESTABLISHMENT or TCB_RECOVERY failed',
        'Registration Flow - ADD_REQUEST failed',
        'Registration status indicates registration is completed unsuccessfully, and the error code is {code:int}',
      ],
      answer: {
        id: 'registration.failed',
        meaning: 'the platform could not be registered with Intel',
        causes: [
          'the host does not reach Intel: a proxy is needed',
          'Intel refuses the manifest: a pre-production CPU, or CPUs that were registered with another board',
        ],
        next: 'set the proxy in /etc/mpa_registration.conf, and run `systemctl restart mpa_registration_tool`; if it stays so, do an SGX factory reset in the BIOS and boot again',
      },
    },
    {
      says: 'BIOS/MCHECK failed, reported error: 0x{code:hex}',
      answer: {
        id: 'registration.mcheck-failed',
        meaning: 'the check of the platform at boot (MCHECK) failed, so it has no keys to register',
        causes: ['a setting of the BIOS or a memory population that SGX and TDX do not allow'],
        next: 'go through the TDX and SGX settings of the BIOS (docs/explain.md lists them); then an SGX factory reset',
      },
    },
    {
      says: 'Registration not complete but no RequestVariable available',
      answer: {
        id: 'registration.no-request',
        meaning: 'the BIOS left no request to register the platform with',
        causes: ['the request was used before, and its answer was lost'],
        next: 'do an SGX factory reset in the BIOS, boot, and start mpa_registration_tool',
      },
    },
    {
      says: "Platform registration request (PLATFORM_MANIFEST) won't be send to Registration Server",
      answer: {
        // intel/confidential-computing.tee.dcap#226
        id: 'registration.not-automatic',
        meaning: 'the BIOS is set not to register the platform by itself',
        next: 'switch on "SGX Auto MP Registration" in the BIOS, or register by PCKIDRetrievalTool',
      },
    },
  ],
);

export const idRetrieval = messages(
  {
    by: 'PCKIDRetrievalTool',
    place: 'host',
    source: 'intel/confidential-computing.tee.dcap, tools/PCKRetrievalTool',
  },
  [
    {
      says: [
        'the data has been sent to cache server successfully',
        'Registration status has been set to completed status',
      ],
      answer: registered,
    },
    {
      says: 'platform manifest is not available or current platform is not multi-package platform',
      answer: {
        id: 'registration.no-manifest',
        rank: 'note',
        meaning:
          'there is no manifest, which is so on servers with one CPU package, and after it was used',
        next: 'on a server with several packages that is not registered yet, do an SGX factory reset in the BIOS first',
      },
    },
    {
      says: [
        'network error, please check the network setting or whether the cache server is down',
        "however the data couldn't be sent to cache server",
        'unexpected error happend during sending data to cache server',
        'unexpected error occurred while sending data to cache server',
      ],
      answer: {
        id: 'registration.pccs-not-reached',
        meaning: 'PCKIDRetrievalTool could not give the data of the platform to PCCS',
        causes: [
          'PCCS does not run, or not at the PCCS_URL of network_setting.conf',
          'user_token is not the password of PCCS, or use_secure_cert meets a self-signed certificate',
          'a proxy: proxy_type must be direct for a PCCS of this host',
        ],
        next: 'check PCCS_URL, user_token, USE_SECURE_CERT and proxy_type in /opt/intel/sgx-pck-id-retrieval-tool/network_setting.conf, and look at `journalctl -u pccs`',
      },
    },
  ],
);
