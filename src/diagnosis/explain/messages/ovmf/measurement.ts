/** What OVMF prints when it measures the boot into the registers of the TD (RTMR) and logs it. */
import type { Answer } from '../../answer.ts';
import { messages } from '../message.ts';
import { byOvmf } from './printed.ts';

const notMeasured: Answer = {
  id: 'ovmf.not-measured',
  meaning:
    'a part of the boot was not measured: the registers of the TD (RTMR), or of the TPM of a VM, lack it',
  causes: ['the event log has no room left', 'the module refused to extend a register'],
  next: 'do not trust a quote of this boot; update OVMF, and report it with the whole debug log',
};

const notExtended: Answer = {
  id: 'ovmf.register-not-extended',
  meaning: 'the TDX module refused to extend a measurement register (RTMR)',
  causes: ['a wrong register index, or a buffer that is not private memory'],
  next: 'update OVMF; report it with the status in the line: `tdctl explain STATUS` says what it means',
};

const wrongRegister: Answer = {
  id: 'ovmf.register-index',
  meaning: 'a loader asked the firmware to measure into a register that it may not extend',
  causes: ['MRTD, or an index above the last RTMR: the loader does not know TDs'],
  next: 'update the boot loader (shim, GRUB, systemd-boot)',
};

const noEventLog: Answer = {
  id: 'ovmf.no-event-log',
  meaning:
    'OVMF could not offer the event log, by which a verifier retraces the registers of the TD',
  causes: ['the firmware has no memory left', 'the VMM gave no ACPI tables'],
  next: 'give the TD more memory, and use the OVMF that comes with the VMM',
};

const measures: Answer = {
  id: 'ovmf.measures',
  rank: 'healthy',
  meaning: 'OVMF measures the boot of the TD',
  next: 'nothing to do',
};

const success = /success/i;

export const ovmfMeasurement = [
  ...messages(byOvmf('MdePkg/Library/TdxLib/Rtmr.c'), [
    { says: 'Error returned from TdExtendRtmr call - 0x{status:hex}', answer: notExtended },
  ]),
  ...messages(byOvmf('OvmfPkg/Tcg/TdTcg2Dxe/TdTcg2Dxe.c, OvmfPkg/Tcg/TdTcg2Pei/TdTcg2Pei.c'), [
    {
      says: [
        'HOBs not Measured. Error!',
        'Boot Variables not Measured. Error!',
        'Calling EFI Application from Boot Option not Measured. Error!',
        'Returning from EFI Application from Boot Option not Measured. Error!',
        'Exit Boot Services Invocation not Measured. Error!',
        'Exit Boot Services Returned with Success not Measured. Error!',
        'Exit Boot Services Returned with Failure not Measured. Error!',
        'not Measured. Error!',
        'Tcg2Dxe: PeImage invalid. Cannot retrieve image information',
        'Separator Event not Measured to RTMR[{register:int}]. Error!',
        'TdxMeasurementHashAndExtendToRtmr failed with {status}',
      ],
      answer: notMeasured,
    },
    {
      says: ['MRTD cannot be extended in TDVF', 'MrIndex is invalid. ({register:int})'],
      answer: wrongRegister,
    },
    {
      says: [
        'WARNING: TD Event log has HashAlg unsupported (0x{algorithm:hex})',
        'WARNING: CopyDigestListBinToBuffer Event log has HashAlg unsupported by PCR bank (0x{algorithm:hex})',
      ],
      answer: {
        id: 'ovmf.hash-not-logged',
        rank: 'note',
        meaning:
          'a digest that is not SHA-384 is left out of the event log, as TDs use SHA-384 only',
        next: 'nothing, where the verifier goes by SHA-384',
      },
    },
    {
      says: [
        'TdxMeasurementBuildGuidHob failed with {status}',
        'TD: AcpiTableProtocol is not installed. {status}',
        'FinalEventsTable: NOT FOUND',
      ],
      answer: noEventLog,
    },
    {
      says: [
        'CcMeasurement protocol failed to be installed - {status}',
        'InstallCcMeasurementProtocol - {status}',
        'CcProtocol: Install {status}',
        'CC Measurement PPI install Status is {status}',
        'TdGetEventLog - {status}',
        'TdHashLogExtendEvent - {status}',
        'TcgCommLogEvent - {status}',
        'MeasureSeparatorEvent - {status}',
        'MeasureAllSecureVariables - {status}',
        'MeasureLaunchOfFirmwareDebugger - {status}',
      ],
      answer: notMeasured,
      say: ({ status = '' }) => (success.test(status) ? measures : {}),
    },
    {
      says: [
        'TdHashLogExtendEvent ...',
        'TdGetCapability',
        'TdGetEventLog ... (0x{format:hex})',
        'TdGetEventLog (EventLogLocation - {address:hex})',
        'TdGetEventLog (EventLogLastEntry - {address:hex})',
        'TdGetEventLog (EventLogTruncated - {flag:hex})',
        'Td: Try to log event. Index = {register:int}, EventType = 0x{type:hex}',
        'It is 800155Event',
        'SetupCcEventLog',
        'Sync Cc event from SEC',
        'MeasureSeparatorEvent to Rtmr - {register:int}',
        'TdTcg2Dxe Measure Data when ReadyToBoot',
        'TdTcg2Dxe: MeasureVariable (Rtmr - {register:hex}, EventType - {type:hex},',
        "Skip measuring variable {name} since it's deleted",
        'TDVF Eventlog ACPI Table is installed',
        'FinalEventsTable->NumberOfEvents - 0x{count:hex}',
        'FinalEventsTable: (0x{address:hex})',
      ],
      answer: measures,
    },
    {
      says: [
        'TCG_EfiSpecIDEventStruct:',
        'EventLogFormat: (0x{format:hex})',
        'NumberOfAlgorithms - 0x{count:hex}',
        'MrIndex - {register:int}',
        'EventType - 0x{type:hex}',
        'EventSize - 0x{size:hex}',
        'DigestCount: 0x{count:hex}',
        'HashAlgo : 0x{algorithm:hex}',
        'VendorInfoSize - 0x{size:hex}',
        'platformClass - 0x{platform:hex}',
        'algorithmId - 0x{algorithm:hex}',
        'digestSize - 0x{size:hex}',
        'uintnSize - 0x{size:hex}',
        'NewLogSize - 0x{size:hex}',
        'NumberOfEvents: (0x{count:hex})',
        'VariableName - {name}, VendorGuid - {guid})',
      ],
      answer: {
        id: 'ovmf.event-log',
        rank: 'healthy',
        meaning: 'a part of the event log that OVMF prints',
        next: 'nothing to do',
      },
    },
  ]),
  ...messages(byOvmf('OvmfPkg/Tcg/, OvmfPkg/IntelTdx/'), [
    {
      // Fields of a dump that have no words of their own: they are known where they are the whole line.
      says: [
        '^Event:$',
        '^Cc Event:$',
        '^Digest -$',
        '^digest({index:int})$',
        '^Digest({index:int}):$',
        "^signature - '",
        '^specVersion - {major:int}.{minor:int}',
        '^VendorInfo -$',
        '^Version: (0x{version:hex})$',
        '^Laml - 0x{size:hex}$',
        '^LogSize - 0x{size:hex}$',
        '^Size - 0x{size:hex}$',
        '^Owner: {guid:word}$',
        '^HobList: 0x{address:hex}$',
      ],
      answer: {
        id: 'ovmf.dump-field',
        rank: 'healthy',
        meaning:
          'a line as OVMF prints it in dumps of the event log and of its memory map; alone it says nothing',
        next: 'nothing to do',
      },
    },
  ]),
  ...messages(byOvmf('SecurityPkg/Library/DxeTpm2MeasureBootLib/DxeTpm2MeasureBootLib.c'), [
    {
      says: [
        'DxeTpm2MeasureBootHandler - Cc MeasureGptTable - {status}',
        'DxeTpm2MeasureBootHandler - Cc MeasurePeImage - {status}',
      ],
      answer: notMeasured,
      say: ({ status = '' }) => (success.test(status) ? measures : {}),
    },
    {
      says: [
        'None of Tcg2Protocol/CcMeasurementProtocol is installed',
        'CcMeasurementProtocol is not installed. - {status}',
        'CcProtocol->GetCapability returns : {type:hex}, {status}',
      ],
      answer: {
        id: 'ovmf.boot-not-measured',
        rank: 'note',
        meaning: 'this firmware measures no loaders and partitions into the registers of the TD',
        causes: ['OVMF was built without the measurement driver for TDs (TdTcg2Dxe)'],
        next: 'use an OVMF that has it (OvmfPkg/IntelTdx, or the one of the distribution for TDX)',
      },
    },
  ]),
];
