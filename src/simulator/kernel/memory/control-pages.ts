/** Pages that the kernel gives the TDX module to keep, with their metadata where PAMT is dynamic. */
import type { Hpa } from '../../module/addresses.ts';
import type { Kernel } from '../kernel.ts';

/** tdx_alloc_control_page(), so often or not at all. Where the module refuses, there is no memory either. */
export function allocateControlPages(kernel: Kernel, count: number): Hpa[] | undefined {
  const taken: Hpa[] = [];
  for (let i = 0; i < count; i++) {
    const page = kernel.pages.allocate();
    if (page === undefined || kernel.pamt?.get(page) !== undefined) {
      if (page !== undefined) kernel.pages.free(page);
      for (const other of taken) freeControlPage(kernel, other);
      return undefined;
    }
    taken.push(page);
  }
  return taken;
}

/** tdx_free_control_page(). */
export function freeControlPage(kernel: Kernel, page: Hpa): void {
  kernel.pamt?.put(page);
  kernel.pages.free(page);
}

/** A page that the module keeps must never be used again. */
export function leakPage(kernel: Kernel, page: Hpa): void {
  kernel.pamt?.lose(page);
  kernel.pages.leak();
}
