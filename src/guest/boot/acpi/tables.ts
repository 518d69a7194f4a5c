/**
 * The ACPI tables of an ordinary VM with KVM's full irqchip: its vCPUs, its I/O APIC, COM1, and how to power off and to
 * reset. Source: ACPI 6.5, chapter 5.2.
 */
import { bootInvalid } from '../boot-error.ts';
import { places } from '../places.ts';
import type { GuestWrite, VcpuCounts } from '../types.ts';
import * as aml from './aml.ts';
import { bytesOf, checksum, headerBytes, table, textBytes } from './table.ts';

/** The ports of the addon's devices. */
const ports = {
  /** PM1a event block: nothing is there, and so no event comes. */
  events: 0x600,
  /** PM1a control block: a write with SLP_EN powers off. */
  control: 0x604,
  reset: 0xcf9,
  com1: 0x3f8,
} as const;
const resetValue = 0x06;
const com1 = { ports: 8, interrupt: 4 } as const;

/** Of the CPUs' own interrupt controllers and of the I/O APIC: KVM has them where PCs have. */
const localApic = 0xfee0_0000;
const ioApic = 0xfec0_0000;
/** The line of ACPI events; it is level triggered, unlike others of ISA. */
const sciLine = 9;

/** All tables, one after the other; an RSDP is the first. */
export function acpiTables(vcpus: VcpuCounts): GuestWrite {
  const start = places.acpi;
  const tables: number[] = Array(rsdpBytes).fill(0);
  const put = (bytes: Uint8Array): bigint => {
    while (tables.length % 16 !== 0) tables.push(0);
    const gpa = start + BigInt(tables.length);
    for (const byte of bytes) tables.push(byte);
    return gpa;
  };
  const dsdtAt = put(dsdt());
  const fadtAt = put(fadt(dsdtAt));
  const madtAt = put(madt(vcpus));
  const xsdtAt = put(table('XSDT', 1, bytesOf([fadtAt, 8], [madtAt, 8])));
  const bytes = Uint8Array.from(tables);
  bytes.set(rsdp(xsdtAt));
  if (start + BigInt(bytes.length) > places.highMemory) {
    throw bootInvalid({
      place: 'spec.maxVcpus',
      message: `the ACPI tables of ${vcpus.created} vCPUs take ${bytes.length} bytes, and there is room for ${places.highMemory - start}`,
      hint: 'ask for fewer vCPUs',
    });
  }
  return { gpa: start, bytes };
}

const rsdpBytes = 36;

function rsdp(xsdtAt: bigint): Uint8Array {
  const bytes = Uint8Array.from([
    ...textBytes('RSD PTR ', 8),
    0,
    ...textBytes('TDCTL', 6),
    ...bytesOf([2, 1], [0, 4], [rsdpBytes, 4], [xsdtAt, 8], [0, 4]),
  ]);
  // The first checksum is of the 20 bytes that ACPI 1.0 had.
  bytes[8] = checksum(bytes.subarray(0, 20));
  bytes[32] = checksum(bytes);
  return bytes;
}

/** SLP_TYP is 0, as with QEMU's q35: a power-off is all that there is. */
function dsdt(): Uint8Array {
  const serialPort = aml.device(
    'COM1',
    aml.named('_HID', aml.eisaId('PNP0501')),
    aml.named('_UID', aml.byte(1)),
    aml.named(
      '_CRS',
      aml.resources(aml.ioPorts(ports.com1, com1.ports), aml.interrupt(com1.interrupt)),
    ),
  );
  return table('DSDT', 2, [
    ...aml.named('_S5', aml.packageOf(aml.zero, aml.zero, aml.zero, aml.zero)),
    ...aml.scope('_SB', serialPort),
  ]);
}

/** `struct acpi_table_madt` and its entries. */
function madt({ started, created }: VcpuCounts): Uint8Array {
  const PCAT_COMPAT = 1;
  const ENABLED = 1;
  const ONLINE_CAPABLE = 2;
  // The APIC ID 255 is all CPUs at once, so it and those above are given as IDs of x2APIC.
  const cpus = Array.from({ length: created }, (_, id) => {
    const flags = id < started ? ENABLED : ONLINE_CAPABLE;
    return id < 255
      ? bytesOf([0, 1], [8, 1], [id, 1], [id, 1], [flags, 4])
      : bytesOf([9, 1], [16, 1], [0, 2], [id, 4], [flags, 4], [id, 4]);
  }).flat();
  return table('APIC', 5, [
    ...bytesOf([localApic, 4], [PCAT_COMPAT, 4]),
    ...cpus,
    ...bytesOf([1, 1], [12, 1], [0, 1], [0, 1], [ioApic, 4], [0, 4]),
    ...bytesOf([2, 1], [10, 1], [0, 1], [sciLine, 1], [sciLine, 4], [levelActiveHigh, 2]),
    // Non-maskable interrupts come on LINT1 of every CPU.
    ...bytesOf([4, 1], [6, 1], [0xff, 1], [0, 2], [1, 1]),
  ]);
}

const levelActiveHigh = 0b1101;

/** `struct acpi_table_fadt`, by the offsets of its fields. */
function fadt(dsdtAt: bigint): Uint8Array {
  const body = new Uint8Array(276 - headerBytes);
  const view = new DataView(body.buffer);
  const at = (offset: number) => offset - headerBytes;
  const set = (offset: number, bytes: readonly number[]) => body.set(bytes, at(offset));
  view.setUint16(at(46), sciLine, true);
  view.setUint32(at(56), ports.events, true);
  view.setUint32(at(64), ports.control, true);
  view.setUint8(at(88), 4); // PM1_EVT_LEN
  view.setUint8(at(89), 2); // PM1_CNT_LEN
  view.setUint16(at(96), 0xfff, true); // P_LVL2_LAT: no C2
  view.setUint16(at(98), 0xfff, true); // P_LVL3_LAT: no C3
  view.setUint16(at(109), bootArchitecture, true);
  view.setUint32(at(112), fixedFeatures, true);
  set(116, ioAddress(ports.reset, 1));
  view.setUint8(at(128), resetValue);
  view.setUint8(at(131), 3); // the minor version: ONLINE_CAPABLE of the MADT came with 6.3
  view.setBigUint64(at(140), dsdtAt, true);
  set(148, ioAddress(ports.events, 4));
  set(172, ioAddress(ports.control, 2));
  return table('FACP', 6, [...body]);
}

/** Ports of ISA are there; VGA, a clock of CMOS and a keyboard controller to look for are not. */
const bootArchitecture = (1 << 0) | (1 << 2) | (1 << 5);
/** WBINVD works; there are no buttons at fixed ports; RESET_REG is there. */
const fixedFeatures = (1 << 0) | (1 << 4) | (1 << 5) | (1 << 10);

/** `struct acpi_generic_address` of a register with so many bytes. */
function ioAddress(port: number, bytes: 1 | 2 | 4): number[] {
  const systemIo = 1;
  const accessSizes = { 1: 1, 2: 2, 4: 3 };
  return bytesOf([systemIo, 1], [8 * bytes, 1], [0, 1], [accessSizes[bytes], 1], [port, 8]);
}
