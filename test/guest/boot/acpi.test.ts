import { describe, expect, test } from 'vitest';
import { acpiTables } from '../../../src/guest/boot/acpi/tables.ts';

/** The tables by their signatures, as a kernel finds them from the RSDP on. */
function walk(vcpus: { started: number; created: number }): ReadonlyMap<string, DataView> {
  const { gpa, bytes } = acpiTables(vcpus);
  expect(gpa % 16n).toBe(0n);
  const at = (address: bigint, length: number) => {
    const offset = Number(address - gpa);
    return new DataView(bytes.buffer, offset, length);
  };
  const tableAt = (address: bigint) => at(address, at(address, 8).getUint32(4, true));
  const rsdp = at(gpa, 36);
  const xsdt = tableAt(rsdp.getBigUint64(24, true));
  const tables = new Map([
    ['RSD PTR ', rsdp],
    ['XSDT', xsdt],
  ]);
  for (let offset = 36; offset < xsdt.byteLength; offset += 8) {
    const table = tableAt(xsdt.getBigUint64(offset, true));
    tables.set(signature(table), table);
  }
  const fadt = tables.get('FACP') as DataView;
  const dsdt = tableAt(fadt.getBigUint64(140, true));
  return tables.set(signature(dsdt), dsdt);
}

const bytesOf = (view: DataView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
const signature = (table: DataView) => bytesOf(table).toString('latin1', 0, 4);
const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => total + byte, 0) & 0xff;

/** The entries of a MADT as their type and the bytes behind their length. */
function entriesOf(madt: DataView): { type: number; bytes: number[] }[] {
  const bytes = bytesOf(madt);
  const entries = [];
  for (let at = 44; at < bytes.length; at += bytes[at + 1] as number) {
    entries.push({
      type: bytes[at] as number,
      bytes: [...bytes.subarray(at + 2, at + (bytes[at + 1] as number))],
    });
  }
  return entries;
}

describe('the ACPI tables', () => {
  test('are found from the RSDP on, each with the sum 0', () => {
    const tables = walk({ started: 2, created: 4 });
    expect([...tables.keys()]).toEqual(['RSD PTR ', 'XSDT', 'FACP', 'APIC', 'DSDT']);
    for (const [name, table] of tables) expect(sum(bytesOf(table)), name).toBe(0);
    expect(sum(bytesOf(tables.get('RSD PTR ') as DataView).subarray(0, 20))).toBe(0);
  });

  test('have every vCPU by its APIC ID, and the rest as those that may come', () => {
    const madt = walk({ started: 256, created: 258 }).get('APIC') as DataView;
    const cpus = entriesOf(madt).filter(({ type }) => type === 0 || type === 9);
    const read = cpus.map(({ type, bytes }) => {
      const view = new DataView(Uint8Array.from(bytes).buffer);
      return type === 0
        ? { id: view.getUint8(1), flags: view.getUint32(2, true) }
        : { id: view.getUint32(2, true), flags: view.getUint32(6, true) };
    });
    expect(read).toEqual(Array.from({ length: 258 }, (_, id) => ({ id, flags: id < 256 ? 1 : 2 })));
    // 255 would be all CPUs at once.
    expect(cpus.filter(({ type }) => type === 0)).toHaveLength(255);
  });

  test('have the I/O APIC where KVM has it, and the line of ACPI events as level triggered', () => {
    const entries = entriesOf(walk({ started: 1, created: 1 }).get('APIC') as DataView);
    const ioApic = entries.find(({ type }) => type === 1)?.bytes ?? [];
    expect(ioApic).toEqual([0, 0, 0x00, 0x00, 0xc0, 0xfe, 0, 0, 0, 0]);
    expect(entries.find(({ type }) => type === 2)?.bytes).toEqual([0, 9, 9, 0, 0, 0, 13, 0]);
  });

  test('power off and reset by the ports of the addon', () => {
    const fadt = walk({ started: 1, created: 1 }).get('FACP') as DataView;
    expect(fadt.getUint32(64, true)).toBe(0x604);
    expect(fadt.getBigUint64(176, true)).toBe(0x604n);
    expect(fadt.getBigUint64(120, true)).toBe(0xcf9n);
    // The bit that resets the CPU: native/devices/ports.cc.
    expect(fadt.getUint8(128) & 4).toBe(4);
  });

  test('of more vCPUs than there is room for are refused', () => {
    expect(() => acpiTables({ started: 4096, created: 4096 })).not.toThrow();
    expect(() => acpiTables({ started: 9000, created: 9000 })).toThrow('take 14');
  });
});
