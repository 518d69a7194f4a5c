/** What PCCS prints, the cache of certificates between a host and Intel. */
import type { Answer } from '../../answer.ts';
import type { CodeTable } from '../codes.ts';
import { messages } from '../message.ts';
import { facts } from './facts.ts';
import { verifyingFacts } from './verifying-facts.ts';

const config = '/opt/intel/sgx-dcap-pccs/config/default.json';

const apiKey: Answer = {
  id: 'pccs.api-key',
  meaning: 'Intel does not take the API key of PCCS (401)',
  causes: [
    'ApiKey is missing or wrong in the configuration of PCCS',
    'a key of the sandbox at the production service, or the other way round',
  ],
  next: `get a key at api.portal.trustedservices.intel.com, put it into ApiKey of ${config}, and restart pccs`,
};

const intelDoesNotKnow: Answer = {
  id: 'pccs.intel-does-not-know',
  rank: 'effect',
  meaning: 'Intel has nothing for what PCCS asked (404): mostly it does not know the platform',
  causes: [
    'the platform was never registered, or not since its last BIOS or CPU change',
    'a pre-production platform at the production service',
  ],
  next: 'look at the error after it; register the platform (PCKIDRetrievalTool, or mpa_registration)',
};

const intelUnavailable: Answer = {
  id: 'pccs.intel-unavailable',
  meaning: 'the service of Intel cannot answer now',
  next: 'try again later; PCCS serves what it has in its cache meanwhile',
};

const intelNotReached: Answer = {
  // intel/confidential-computing.tee.dcap#219
  id: 'pccs.intel-not-reached',
  meaning: 'PCCS does not reach Intel (502)',
  causes: [
    'the host of PCCS needs a proxy: "proxy" in its configuration is empty',
    'a firewall, or DNS',
  ],
  next: `try \`curl -v https://api.trustedservices.intel.com/sgx/certification/v4/rootcacrl\` there; set "proxy" in ${config}`,
};

const served: Answer = {
  id: 'pccs.request-served',
  rank: 'healthy',
  meaning: 'PCCS served a request',
  next: 'nothing to do',
};

const badToken: Answer = {
  id: 'pccs.token',
  meaning: 'PCCS refuses a request that needs its user or administrator password (401)',
  causes: ['user_token of network_setting.conf is not the password that PCCS was installed with'],
  next: 'put the password into user_token of /opt/intel/sgx-pck-id-retrieval-tool/network_setting.conf',
};

const badRequest: Answer = {
  id: 'pccs.bad-request',
  meaning: 'what PCCS or Intel was asked is not well formed (400)',
  causes: ['a client of another API version', 'an encrypted PPID or manifest that was cut'],
  next: 'use client, PCCS and pccs_url of one API version (v4), and make the data of the platform again',
};

const ownError: Answer = {
  id: 'pccs.own-error',
  meaning: 'PCCS failed by itself (500): the lines before it in its log say how',
  next: 'read `journalctl -u pccs` and /opt/intel/sgx-dcap-pccs/logs/pccs_server.log',
};

const endOfLife: Answer = {
  id: 'pccs.api-v3-ended',
  meaning: 'PCCS is set to API v3, which Intel has ended; TDX needs v4 anyway',
  next: `put https://api.trustedservices.intel.com/sgx/certification/v4/ into "uri" of ${config}, and restart pccs`,
};

const integrity: Answer = {
  id: 'pccs.integrity',
  meaning:
    'PCCS does not take the collateral it was given: its certificates do not fit each other (460)',
  causes: ['the file of the collateral is damaged, or mixed of several downloads'],
  next: 'download it anew by the administration tool of PCCS (pccsadmin fetch), and put it in again',
};

const toIntel: CodeTable = {
  title: 'Statuses that Intel answers PCCS with',
  base: 10,
  codes: [
    { code: 200, names: [], answer: served },
    { code: 400, names: [], answer: badRequest },
    { code: 401, names: [], answer: apiKey },
    { code: 403, names: [], answer: apiKey },
    { code: 404, names: [], answer: intelDoesNotKnow },
    { code: 410, names: [], answer: endOfLife },
    { code: 429, names: [], answer: intelUnavailable },
    { code: 500, names: [], answer: intelUnavailable },
    { code: 503, names: [], answer: intelUnavailable },
  ],
};

const toClients: CodeTable = {
  title: 'Statuses that PCCS answers with',
  base: 10,
  codes: [
    { code: 200, names: [], answer: served },
    { code: 400, names: [], answer: badRequest },
    { code: 401, names: [], answer: badToken },
    { code: 404, names: [], answer: verifyingFacts.noCollateral },
    { code: 460, names: [], answer: integrity },
    { code: 410, names: [], answer: endOfLife },
    { code: 461, names: [], answer: facts.platformUnknown },
    { code: 462, names: [], answer: facts.certificatesUnavailable },
    { code: 500, names: [], answer: ownError },
    { code: 502, names: [], answer: intelNotReached },
    { code: 503, names: [], answer: facts.pccsUnavailable },
  ],
};

/** Who asks for the certificate of a platform and gets none asks for one that is not registered. */
const toPlatforms: CodeTable = {
  title: 'Statuses that PCCS answers with where the certificate of a platform is asked for',
  base: 10,
  codes: toClients.codes.map((each) =>
    each.code === 404 ? { ...each, answer: facts.notRegistered } : each,
  ),
};

const otherStatus: Answer = {
  id: 'pccs.other-status',
  rank: 'note',
  meaning: 'a request ended with an HTTP status that is not one of PCCS',
  next: 'read the lines around it in the log of PCCS',
};

export const pccs = messages(
  { by: 'PCCS', place: 'host', source: 'intel/confidential-computing.tee.dcap.pccs, service' },
  [
    {
      says: [
        'Intel PCS server returns error({code:int})',
        'Intel PCS server returns error. Error code : {code:int}',
        '[URL=https://{host:word}.trustedservices.intel.com/{path:word}] -> [Status={code:int}]',
      ],
      codes: [toIntel],
      answer: otherStatus,
    },
    {
      says: [
        '[URL=/sgx/certification/{path:word}] -> [Status={code:int}]',
        '[URL=/tdx/certification/{path:word}] -> [Status={code:int}]',
        '/sgx/certification/{path:word} HTTP/{version:word}" {code:int} ',
        '/tdx/certification/{path:word} HTTP/{version:word}" {code:int} ',
      ],
      codes: [toClients],
      answer: otherStatus,
    },
    {
      says: [
        '[URL=/sgx/certification/{version:word}/pckcert?{query:word}] -> [Status={code:int}]',
        '/sgx/certification/{version:word}/pckcert?{query:word} HTTP/{http:word}" {code:int} ',
      ],
      codes: [toPlatforms],
      answer: otherStatus,
    },
    { says: 'No cache data for this platform', answer: facts.notRegistered },
    { says: "The integrity of the data can't be verified", answer: integrity },
    { says: 'Error: The platform was not found in the cache', answer: facts.platformUnknown },
    {
      says: 'Certificates are not available for certain TCBs',
      answer: facts.certificatesUnavailable,
    },
    { says: 'Unable to retrieve the collateral from the Intel SGX PCS', answer: intelNotReached },
    { says: 'The Intel PCS API version 3 reached planned EOL', answer: endOfLife },
    {
      says: 'HTTPS Server is running on: https://localhost:{port:int}',
      answer: {
        id: 'pccs.started',
        rank: 'healthy',
        meaning: 'PCCS runs and listens',
        next: 'nothing to do',
      },
    },
    {
      says: 'Scheduled cache refresh is completed successfully',
      answer: {
        id: 'pccs.refreshed',
        rank: 'healthy',
        meaning: 'PCCS refreshed its cache',
        next: 'nothing to do',
      },
    },
    {
      says: 'Scheduled cache refresh failed',
      answer: {
        id: 'pccs.refresh-failed',
        meaning:
          'PCCS could not refresh its cache: what it serves gets old, and expires in the end',
        causes: ['PCCS does not reach Intel'],
        next: `try \`curl -v https://api.trustedservices.intel.com/sgx/certification/v4/rootcacrl\` there; check "proxy" in ${config}`,
      },
    },
    {
      says: 'The private key or certificate for HTTPS server is missing',
      answer: {
        id: 'pccs.no-certificate',
        meaning: 'PCCS does not start: it has no key and certificate for HTTPS',
        next: 'put private.pem and file.crt into /opt/intel/sgx-dcap-pccs/ssl_key/, readable by its user, and restart pccs',
      },
    },
    {
      says: [
        'Unknown caching mode. Please check your configuration file',
        'The PCS API version {version:word} configured is not supported. Should be v3 or v4',
        'Invalid UserTokenHash in configuration. Expected 128 hex characters',
        'Invalid AdminTokenHash in configuration. Expected 128 hex characters',
        'Service not properly configured. Please run install script again',
      ],
      answer: {
        id: 'pccs.configuration',
        meaning: 'the configuration of PCCS is not complete or not valid',
        next: `run /opt/intel/sgx-dcap-pccs/install.sh again, or mend ${config}, and restart pccs`,
      },
    },
    {
      says: [
        "Can't find the version information of the caching database",
        'The server address used by the caching db is different from the one in the configuration file',
      ],
      answer: {
        id: 'pccs.cache-of-other-service',
        meaning:
          'PCCS does not start: its cache is of an older release or of another service of Intel',
        next: 'move /opt/intel/sgx-dcap-pccs/pckcache.db away, restart pccs, and put the platforms in again',
      },
    },
    {
      says: 'SyntaxError: Unexpected reserved word',
      by: 'Node, as PCCS is run by',
      source: 'node',
      answer: {
        // intel/confidential-computing.tee.dcap#415
        id: 'pccs.node-too-old',
        meaning: 'Node does not know the language of the program it runs: it is too old for it',
        causes: [
          'PCCS of 2024 and later needs Node 18 or later, and distributions have older ones',
        ],
        next: 'install Node 18 or later (`node --version`), run `npm install` in /opt/intel/sgx-dcap-pccs, and restart pccs',
      },
    },
    {
      says: ['DB Migration (Ver.{from:int} -> {to:int}) -- Start', 'DB Migration -- Done'],
      answer: {
        id: 'pccs.migrates',
        rank: 'healthy',
        meaning: 'PCCS brings its cache to the form of this release',
        next: 'nothing to do, unless an error follows',
      },
    },
    {
      says: 'uncaughtException: The "path" argument must be of type string',
      answer: {
        // intel/confidential-computing.tee.dcap#333
        id: 'pccs.setting-missing',
        meaning: 'PCCS does not start: a setting that is a path is missing from its configuration',
        causes: [`${config} is of another release, or lost a line when it was edited`],
        next: `compare it with the default.json of the release, run /opt/intel/sgx-dcap-pccs/install.sh again, and restart pccs`,
      },
    },
    {
      says: 'FIPS mode is not working correctly. Please double check your environment',
      answer: {
        id: 'pccs.fips',
        meaning:
          'PCCS does not start: OPENSSL_FIPS_MODE is set, and OpenSSL of this host has no FIPS',
        next: `remove OPENSSL_FIPS_MODE from ${config}, or set FIPS up for Node`,
      },
    },
    {
      says: 'Encrypted ppid is all zeros',
      answer: {
        id: 'pccs.ppid-zero',
        meaning:
          'the platform was asked for without its encrypted PPID, so PCCS cannot ask Intel for it',
        causes: [
          'a server with several CPU packages: it is known by its manifest, which PCCS lacks',
        ],
        next: 'send the manifest: run PCKIDRetrievalTool with the address and token of this PCCS',
      },
    },
    {
      says: [
        'Missing encrypted ppid or platform manifest',
        'No valid PCK certificates in the response',
        "The response body doesn't include PCK certificates",
      ],
      answer: facts.certificatesUnavailable,
    },
    {
      says: [
        "The server response doesn't include fmspc or ca",
        "The response header doesn't include fmspc or ca",
        "The TCB info doesn't include standard update type",
        'Failed to get tcbinfo for fmspc:{fmspc:word}',
      ],
      answer: {
        id: 'pccs.incomplete-reply',
        meaning: 'the reply of Intel lacks what PCCS needs of it',
        causes: ['a pre-production platform', 'a proxy that drops headers of the reply'],
        next: 'try again without a proxy that opens TLS; ask Intel with the Request-ID of the line before',
      },
    },
  ],
);
