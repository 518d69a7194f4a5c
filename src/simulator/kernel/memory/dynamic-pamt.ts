/**
 * Dynamic PAMT, as the series of that name has it in arch/x86/virt/vmx/tdx/tdx.c: each page that goes to
 * the module is counted by its region of 2 MiB, the first one brings a pair of pages along for the
 * module's metadata, and the last one takes it back.
 */
import { pamtPairPages, pamtRegionBytes } from '../../../abi/tdx/pamt.ts';
import { statusCodes } from '../../../abi/tdx/status.ts';
import type { Hpa } from '../../module/addresses.ts';
import { regionOf } from '../../module/pamt.ts';
import type { TdxModule } from '../../module/tdx-module.ts';
import type { PageAllocator } from './page-allocator.ts';

/** For a page of the guest and each table above it but the root: PT64_ROOT_MAX_LEVEL pairs. */
const cachedPages = 5 * pamtPairPages;
const level2m = 1;

export type PamtFailure = 'no memory' | 'refused';

export class DynamicPamt {
  readonly #pages: PageAllocator;
  readonly #module: TdxModule;
  /** Pages in use by region. */
  readonly #users = new Map<number, number>();
  /** Their pair never comes back. */
  readonly #lost = new Set<number>();

  constructor(pages: PageAllocator, module: TdxModule) {
    this.#pages = pages;
    this.#module = module;
  }

  /**
   * tdx_pamt_get(): the page is about to go to the module.
   * @param cache pages set aside before; without one they are allocated now.
   */
  get(page: Hpa, cache?: Hpa[]): PamtFailure | undefined {
    const region = regionOf(page);
    const users = this.#users.get(region) ?? 0;
    const failure = users === 0 ? this.#addPair(region, cache) : undefined;
    if (failure === undefined) this.#users.set(region, users + 1);
    return failure;
  }

  /** tdx_pamt_put(): the module has given the page back. */
  put(page: Hpa): void {
    const region = regionOf(page);
    const users = (this.#users.get(region) ?? 0) - 1;
    if (users > 0) this.#users.set(region, users);
    else this.#removePair(region);
  }

  /** The module keeps the page, and with it the metadata of its region. */
  lose(page: Hpa): void {
    const region = regionOf(page);
    if (this.#lost.has(region)) return;
    this.#lost.add(region);
    this.#pages.leak(pamtPairPages);
  }

  /** tdx_topup_pamt_cache(). False: there is no memory; what was got stays for the next time. */
  topUp(cache: Hpa[]): boolean {
    while (cache.length < cachedPages) {
      const page = this.#pages.allocate();
      if (page === undefined) return false;
      cache.push(page);
    }
    return true;
  }

  #addPair(region: number, cache: Hpa[] | undefined): PamtFailure | undefined {
    const [first, second] =
      cache === undefined
        ? (this.#pages.allocateMany(pamtPairPages) ?? [])
        : cache.splice(-pamtPairPages);
    if (first === undefined || second === undefined) return 'no memory';
    const rcx = region * pamtRegionBytes + level2m;
    const added = this.#module.seamcall('TDH.PHYMEM.PAMT.ADD', { rcx, rdx: first, r8: second });
    if (added === statusCodes.TDX_SUCCESS) return undefined;
    this.#pages.free(second);
    this.#pages.free(first);
    return 'refused';
  }

  /** Where the module refuses, the kernel warns and counts one user that is not there. */
  #removePair(region: number): void {
    const rcx = region * pamtRegionBytes + level2m;
    const removed = this.#module.seamcall('TDH.PHYMEM.PAMT.REMOVE', { rcx });
    if (removed !== statusCodes.TDX_SUCCESS) {
      this.#users.set(region, 1);
      this.lose(region * pamtRegionBytes);
      return;
    }
    this.#users.delete(region);
    const { rdx, r8 } = this.#module.out;
    this.#pages.free(Number(r8));
    this.#pages.free(Number(rdx));
  }
}
