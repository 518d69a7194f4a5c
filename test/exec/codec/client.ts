/** A process whose ioctls are decoded: sparse memory with guard pages, and fds. */
import {
  type ClientCall,
  type ClientMemory,
  type Decoded,
  decode,
  type FdTarget,
} from '../../../src/exec/codec/index.ts';
import { type KernelAbi, kernelAbis } from '../../../src/simulator/index.ts';

const pageBytes = 4096;

export interface Access {
  readonly kind: 'read' | 'write';
  readonly address: bigint;
  readonly length: number;
}

export class Client implements ClientMemory {
  /** What the codec has asked for, in order. */
  readonly accesses: Access[] = [];
  readonly fds = new Map<number, FdTarget>();
  readonly fdsAsked: number[] = [];
  kernelAbi: KernelAbi = kernelAbis['upstream-7.3'];
  /** Accesses that fault although the memory is there. */
  faults: (access: Access) => boolean = () => false;
  readonly #pages = new Map<bigint, Uint8Array>();
  #next = 0x7f00_0000_0000n;

  /** Maps the bytes so that they end where the mapping ends: one byte more is a fault. */
  place(bytes: Uint8Array): bigint {
    const pages = Math.max(1, Math.ceil(bytes.length / pageBytes));
    for (let page = 0; page < pages; page++) {
      this.#pages.set(this.#next / 4096n + BigInt(page), new Uint8Array(pageBytes));
    }
    const address = this.#next + BigInt(pages * pageBytes - bytes.length);
    this.#next += BigInt((pages + 1) * pageBytes);
    this.#copy(address, bytes.length, (page, offset, at) => {
      page.set(bytes.subarray(at, at + pageBytes - offset), offset);
    });
    return address;
  }

  read(address: bigint, length: number): Uint8Array | undefined {
    const access: Access = { kind: 'read', address, length };
    this.accesses.push(access);
    return this.faults(access) ? undefined : this.peek(address, length);
  }

  write(address: bigint, bytes: Uint8Array): boolean {
    const access: Access = { kind: 'write', address, length: bytes.length };
    this.accesses.push(access);
    if (this.faults(access)) return false;
    return this.#copy(address, bytes.length, (page, offset, at) => {
      page.set(bytes.subarray(at, at + pageBytes - offset), offset);
    });
  }

  /** What is there now, without a trace of having looked. */
  peek(address: bigint, length: number): Uint8Array | undefined {
    const bytes = new Uint8Array(length);
    const mapped = this.#copy(address, length, (page, offset, at) => {
      bytes.set(page.subarray(offset, offset + length - at), at);
    });
    return mapped ? bytes : undefined;
  }

  decode(
    file: ClientCall['file'],
    number: number,
    arg: bigint,
    runPage?: Uint8Array | undefined,
  ): Decoded {
    return decode({
      file,
      number,
      arg,
      memory: this,
      fd: (fd) => {
        this.fdsAsked.push(fd);
        return this.fds.get(fd);
      },
      runPage,
      kernelAbi: this.kernelAbi,
    });
  }

  #copy(
    address: bigint,
    length: number,
    part: (page: Uint8Array, offset: number, at: number) => void,
  ): boolean {
    let at = 0;
    while (at < length) {
      const place = address + BigInt(at);
      const page = this.#pages.get(place / 4096n);
      if (page === undefined) return false;
      const offset = Number(place % 4096n);
      part(page, offset, at);
      at += pageBytes - offset;
    }
    return true;
  }
}
