import { type CheckInput, fail, inGroup, pass, readLogFix, unknown } from '../check.ts';
import { moduleRuns, quoteLine } from '../evidence.ts';
import { knownValue, whyNotRead } from '../reading.ts';

const biosFix =
  'in the BIOS: TME on, TME-MT on, TDX on, SEAM loader on, and "TME-MT/TDX key split" above 0';

/** The README of canonical/tdx on 0x1861, which corrupt UEFI variables of the registration gave. */
const mcheckFix =
  'in the BIOS set "SGX Factory Reset" (it makes new keys: register the platform again), check that every memory ' +
  'channel is filled alike, then power off and on; the maker of the server knows the other codes';

/** Status words of this class say that the platform is not set up as the module needs it. */
const platformClass = 0x09n;
/** TDH.SYS.INIT and TDH.SYS.LP.INIT check what the BIOS set up. */
const bringUpLeaves = [0x21, 0x23];

export const biosChecks = inGroup('BIOS', [
  {
    id: 'bios.memory-encryption',
    title: 'Total memory encryption (TME) is on',
    needs: ['cpu.vendor', 'cpu.model'],
    reads: 'MSR 0x982; x86/tme lines of the kernel log',
    evaluate(input) {
      const { msrs, found } = input;
      const activate = knownValue(msrs.IA32_TME_ACTIVATE);
      if (activate !== undefined) {
        const from = `${msrs.IA32_TME_ACTIVATE.from} is ${activate}`;
        return (BigInt(activate) & 2n) !== 0n
          ? pass(`${from}: enabled`)
          : fail(`${from}, expected bit 1 set: TME is off`, biosFix);
      }
      if (found.keyIdRange) return pass(`there are TDX key IDs, which need it`);
      if (found.memoryEncryptionOff) return fail(quoteLine(found.memoryEncryptionOff), biosFix);
      if (moduleRuns(input)) return pass('the TDX module runs, which needs it');
      return unknown(
        whyNotRead(msrs.IA32_TME_ACTIVATE),
        'sudo modprobe msr; sudo rdmsr 0x982 -f 1:1',
      );
    },
  },
  {
    id: 'bios.key-split',
    title: 'The BIOS leaves key IDs to TDX',
    needs: ['bios.memory-encryption'],
    reads: '"BIOS enabled" in the kernel log; MSR 0x87',
    evaluate: keySplit,
  },
  {
    id: 'bios.mcheck',
    title: 'The check of the CPU at boot (SGX, MCHECK) found no fault',
    needs: ['bios.memory-encryption'],
    reads: 'MSR 0xa0 (SGX_AND_MCHECK_STATUS)',
    evaluate(input) {
      const reading = input.msrs.SGX_AND_MCHECK_STATUS;
      const status = knownValue(reading);
      const running = moduleRuns(input);
      if (status !== undefined && BigInt(status) === 0n) return pass(`${reading.from} is 0x0`);
      if (running !== undefined) return pass('the TDX module runs, which needs it');
      if (status === undefined) {
        return unknown(whyNotRead(reading), 'sudo modprobe msr; sudo rdmsr 0xa0 (expected 0)');
      }
      return fail(`${reading.from} is ${status}, expected 0`, mcheckFix);
    },
  },
  {
    id: 'bios.seam',
    title: 'The BIOS set up SEAM and loaded the TDX module',
    needs: ['bios.key-split', 'bios.mcheck'],
    reads: 'MSR 0x1401 (SEAMRR); the kernel log',
    evaluate(input) {
      const { msrs, found } = input;
      const running = moduleRuns(input);
      const fix =
        'in the BIOS: SEAM loader on, SGX on, every memory channel filled alike; then update the BIOS (it carries P-SEAMLDR)';
      const line = found.notEnabledByBios ?? found.moduleNotLoaded;
      if (line !== undefined && running === undefined) return fail(quoteLine(line), fix);
      const mask = knownValue(msrs.IA32_SEAMRR_PHYS_MASK);
      if (mask !== undefined) {
        const from = `${msrs.IA32_SEAMRR_PHYS_MASK.from} is ${mask}`;
        const isEnabled = (BigInt(mask) & (1n << 11n)) !== 0n;
        const isLocked = (BigInt(mask) & (1n << 10n)) !== 0n;
        if (isEnabled && isLocked) return pass(`${from}: range enabled and locked`);
        return fail(`${from}, expected bits 10 (locked) and 11 (enabled) set`, fix);
      }
      if (running !== undefined) return pass('the TDX module runs, which needs it');
      return unknown(
        whyNotRead(msrs.IA32_SEAMRR_PHYS_MASK),
        'sudo modprobe msr; sudo rdmsr 0x1401',
      );
    },
  },
  {
    id: 'bios.release',
    title: 'The BIOS is recent enough for the TDX module',
    needs: ['bios.seam'],
    reads: 'SEAMCALL failures of TDH.SYS.INIT and TDH.SYS.LP.INIT in the kernel log',
    evaluate(input) {
      const { found, log } = input;
      const refusal = found.seamcallFailures.find(
        ({ leaf, status }) =>
          leaf !== undefined &&
          bringUpLeaves.includes(leaf) &&
          ((status >> 40n) & 0xffn) === platformClass,
      );
      const running = moduleRuns(input);
      if (running !== undefined) return pass('the TDX module accepted the platform');
      if (refusal !== undefined) {
        return fail(
          `the module refuses the platform: ${quoteLine(refusal.line)}`,
          'update the BIOS of the machine; `tdctl explain` decodes the status',
        );
      }
      if (log.state !== 'read') return unknown(whyNotRead(log), readLogFix);
      return pass('no refusal of the platform in the kernel log');
    },
  },
]);

function keySplit(input: CheckInput) {
  const { found, msrs, log, cpu } = input;
  const partition = knownValue(msrs.IA32_MKTME_KEYID_PARTITIONING);
  if (found.keyIdRange) {
    const { first, end } = found.keyIdRange;
    return judge(end - first, `private key IDs [${first}, ${end})`);
  }
  if (partition !== undefined) {
    const keys = Number(BigInt(partition) >> 32n);
    return judge(keys, `${msrs.IA32_MKTME_KEYID_PARTITIONING.from} is ${partition}`);
  }
  if (knownValue(cpu)?.flags.includes('tdx_host_platform') || moduleRuns(input)) {
    return pass('the kernel found TDX key IDs');
  }
  if (found.tooFewKeyIds) return fail(quoteLine(found.tooFewKeyIds), biosFix);
  if (log.state === 'read' && log.value.fromBoot && knownValue(cpu)?.addressBits === LIMITED_BITS) {
    return fail(
      `the CPU shows ${LIMITED_BITS} address bits (${cpu.from}), and the kernel found no TDX key IDs ` +
        `(${log.from}): the BIOS may limit the address width, which hides TME-MT and TDX`,
      'switch off "Limit CPU PA to 46 bits" in the BIOS first, then go through its TDX settings, and power off and on',
    );
  }
  if (log.state === 'read' && log.value.fromBoot && input.kernel.config.state === 'read') {
    // Only a kernel that looks for TDX says that it found it.
    if (input.kernel.config.value.CONFIG_INTEL_TDX_HOST !== 'y') {
      return unknown('this kernel is built without TDX and does not look for key IDs');
    }
    return fail(`${log.from} has no line "BIOS enabled: private KeyID range"`, biosFix);
  }
  if (log.state !== 'read') return unknown(whyNotRead(log), readLogFix);
  if (!log.value.fromBoot) return unknown(`${log.from} begins after the boot`, readLogFix);
  // A kernel that does not look for TDX is silent too.
  return unknown(
    `${log.from} has no line of key IDs, and whether this kernel looks for TDX is not known: ` +
      whyNotRead(input.kernel.config),
    readLogFix,
  );
}

/** What "Limit CPU PA to 46 bits" leaves: key IDs need address bits above it (canonical/tdx#343). */
const LIMITED_BITS = 46;

/** The first key ID is the module's own, so one is none (tdx_init() in virt/vmx/tdx/tdx.c). */
function judge(keys: number, evidence: string) {
  if (keys >= 2) return pass(`${evidence}: ${keys - 1} for guests, 1 for the module`);
  return fail(`${evidence}: ${keys} for TDX, expected 2 or more`, biosFix);
}
