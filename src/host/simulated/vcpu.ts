import { setImmediate } from 'node:timers/promises';
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import {
  type CpuidEntry,
  KVM_MAX_CPUID_ENTRIES,
  KVM_TDX_MEASURE_MEMORY_REGION,
  PAGE_SIZE,
} from '../../abi/kvm/structs.ts';
import {
  type Answer,
  CpuidValue,
  type InitMemRegionStruct,
  type SimulatedMachine,
  StructValue,
  type UserBytes,
  type VcpuExit,
} from '../../simulator/index.ts';
import { KvmError } from '../kvm-error.ts';
import type * as port from '../port.ts';
import { stall } from '../stall.ts';
import { command } from './command.ts';
import { answerValue, refusal, type SimulatedFile } from './file.ts';
import type { Leaving } from './leaving.ts';

/** One ioctl adds few enough pages that an abort is noticed soon and the event loop runs. */
const chunkPages = 512;
/** After these errors the kernel has left the request half done, with the region advanced. */
const retried: ReadonlySet<ErrnoName> = new Set(['EAGAIN', 'EINTR', 'EBUSY']);

/** This is kvm_run as a VMM leaves it that answers no exit and asks for none. */
const enterGuest = {
  immediateExit: false,
  validRegs: 0n,
  dirtyRegs: 0n,
  cr8: 0n,
  result: 0n,
} as const;

const noRegisters: UserBytes = { read: () => undefined, write: () => false };

type Refusal = Answer & { readonly ok: false };

/** Tries that get no page done. The pauses between them take simulated time, which costs nothing. */
class Standstill {
  readonly #machine: SimulatedMachine;
  #pauseMs: number = stall.firstPauseMs;
  #stalledMs = 0;

  constructor(machine: SimulatedMachine) {
    this.#machine = machine;
  }

  end(): void {
    this.#pauseMs = stall.firstPauseMs;
    this.#stalledMs = 0;
  }

  /** Pauses before the next try; false where it has been too long. */
  goOn(): boolean {
    if (this.#stalledMs >= stall.timeoutMs) return false;
    this.#machine.pass(this.#pauseMs);
    this.#stalledMs += this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, stall.longestPauseMs);
    return true;
  }
}

/** A vCPU of a simulated machine. */
export class SimulatedVcpu implements port.Vcpu {
  readonly id: number;
  readonly #file: SimulatedFile;

  constructor(options: { readonly id: number; readonly file: SimulatedFile }) {
    this.id = options.id;
    this.#file = options.file;
  }

  async setCpuid2(options: port.SetCpuid2): Promise<void> {
    await this.#file.waited({ request: 'KVM_SET_CPUID2', cpuid: new CpuidValue(options.entries) });
  }

  async tdxInitVcpu(options: port.TdxInitVcpu): Promise<void> {
    const cmd = command('KVM_TDX_INIT_VCPU', { data: options.initialRcx });
    await this.#file.waited({ request: 'KVM_TDX_INIT_VCPU', cmd });
  }

  async tdxInitMemRegion(options: port.InitMemRegion): Promise<void> {
    const { source, gpa, pages, measure, signal, onProgress } = options;
    let done = 0;
    const standstill = new Standstill(this.#file.process.machine);
    // The loop runs at least once, because a region of no pages is the kernel's to refuse.
    do {
      if (signal?.aborted === true) throw KvmError.of('KVM_TDX_INIT_MEM_REGION', 'EINTR');
      const offset = BigInt(done) * PAGE_SIZE;
      const { added, passing } = await this.#addChunk({
        sourceAddr: source.address + options.sourceOffsetBytes + offset,
        gpa: gpa + offset,
        nrPages: BigInt(Math.min(pages - done, chunkPages)),
        measure,
      });
      done += added;
      if (added > 0) standstill.end();
      else if (passing !== undefined && !standstill.goOn()) {
        throw refusal('KVM_TDX_INIT_MEM_REGION', passing).after(stall.timeoutMs);
      }
      onProgress?.(done);
      await setImmediate();
    } while (done < pages);
  }

  async tdxGetCpuid(): Promise<readonly CpuidEntry[]> {
    const data = new CpuidValue(KVM_MAX_CPUID_ENTRIES);
    await this.#file.waited({
      request: 'KVM_TDX_GET_CPUID',
      cmd: command('KVM_TDX_GET_CPUID'),
      data,
    });
    return data.entries;
  }

  /**
   * KVM_RUN gives why the vCPU has come out by itself.
   * @throws KvmError; EINTR once it is to leave.
   */
  async run(leaving: Leaving): Promise<VcpuExit> {
    if (leaving.isOver) throw KvmError.of('KVM_RUN', 'EINTR');
    let exit: VcpuExit | undefined;
    const pending = this.#file.run({
      read: () => enterGuest,
      writeExit: (written) => {
        exit = written;
      },
      writeHead: () => {},
      registers: noRegisters,
    });
    const hearNoMore = leaving.heardBy(() => pending.cancel());
    const answer = await pending.answer;
    hearNoMore();
    // The one exit with an errno.
    if (exit?.reason === 'KVM_EXIT_MEMORY_FAULT') return exit;
    answerValue('KVM_RUN', answer);
    if (exit === undefined) throw new Error('KVM_RUN succeeded without an exit');
    return exit;
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  /** Makes one ioctl, and tells how many pages it got through, and the refusal that will pass, if any. */
  async #addChunk(
    chunk: InitMemRegionStruct & { readonly measure: boolean },
  ): Promise<{ readonly added: number; readonly passing: Refusal | undefined }> {
    const { measure, ...region } = chunk;
    const flags = measure ? KVM_TDX_MEASURE_MEMORY_REGION : 0;
    const cmd = command('KVM_TDX_INIT_MEM_REGION', { flags });
    const data = new StructValue(region);
    const answer = await this.#file.waitedAnswer({ request: 'KVM_TDX_INIT_MEM_REGION', cmd, data });
    const passing = !answer.ok && retried.has(answer.errno) ? answer : undefined;
    if (passing === undefined) answerValue('KVM_TDX_INIT_MEM_REGION', answer);
    return { added: Number(region.nrPages - data.value.nrPages), passing };
  }
}
