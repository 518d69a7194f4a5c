import { expect } from 'vitest';
import { type Driver, faulting, memRegion, page, ramGpa } from '../../drive.ts';
import { conforms, onVcpu, other } from './conforms.ts';

const region =
  (change: Parameters<typeof memRegion>[0], flags = 0) =>
  (driver: Driver) =>
    driver.initMemRegion(driver.builtTd().vcpus[0] as number, memRegion(change), flags);
const regionWith =
  (arrange: (driver: Driver, td: ReturnType<Driver['builtTd']>) => void) => (driver: Driver) => {
    const td = driver.builtTd();
    arrange(driver, td);
    return driver.initMemRegion(td.vcpus[0] as number);
  };

conforms('INIT_MEM_REGION', [
  {
    step: '5',
    title: 'after FINALIZE_VM',
    errno: 'EINVAL',
    call: (driver) => driver.initMemRegion(driver.runnableTd().vcpus[0] as number),
  },
  {
    step: '6',
    title: "a vCPU that is not INIT'ed",
    errno: 'EINVAL',
    call: onVcpu((driver, vcpu) => driver.initMemRegion(vcpu)),
  },
  { step: '7', title: 'flags', errno: 'EINVAL', call: region({}, 2) },
  {
    step: '8',
    title: 'the region is unreadable',
    errno: 'EFAULT',
    call: (driver) =>
      driver.initMemRegion(driver.builtTd().vcpus[0] as number, faulting(memRegion(), 'read')),
  },
  {
    step: '9',
    title: 'the source is unaligned',
    errno: 'EINVAL',
    call: region({ sourceAddr: 1n }),
  },
  {
    step: '9',
    title: 'the address is unaligned',
    errno: 'EINVAL',
    call: region({ gpa: ramGpa + 1n }),
  },
  { step: '9', title: 'no pages', errno: 'EINVAL', call: region({ nrPages: 0n }) },
  { step: '9', title: 'a shared address', errno: 'EINVAL', call: region({ gpa: 1n << 47n }) },
  {
    step: '10',
    title: 'a pending signal',
    errno: 'EINTR',
    call: regionWith((driver) => {
      driver.signal = 'ordinary';
    }),
  },
  {
    step: '11',
    title: 'no slot with a guest_memfd',
    errno: 'EINVAL',
    call: region({ gpa: 0x4000_0000n }),
  },
  {
    step: '12',
    title: 'the guest_memfd is closed',
    errno: 'EFAULT',
    call: regionWith((driver, { guestMemfd }) => driver.release(guestMemfd)),
  },
  {
    step: '13',
    title: 'the source page is unreadable',
    errno: 'EFAULT',
    call: (driver) => {
      driver.unreadable.add(memRegion().value.sourceAddr);
      return region({})(driver);
    },
  },
  {
    step: '14',
    title: 'the guest_memfd has no page',
    errno: 'ENOMEM',
    call: regionWith((driver) =>
      driver.failAt('KVM_TDX_INIT_MEM_REGION: get the guest_memfd page', 'ENOMEM'),
    ),
  },
  {
    step: '15',
    title: 'a page that is not private',
    errno: 'EINVAL',
    call: regionWith((driver, { vm }) => {
      driver.setPrivate(vm, ramGpa, 16, false);
    }),
  },
  {
    step: '16',
    title: 'a page that is there already',
    errno: 'EIO',
    call: regionWith((driver, { vcpus }) => {
      driver.initMemRegion(vcpus[0] as number);
    }),
  },
  ...(['TDH.MEM.SEPT.ADD', 'TDH.MEM.PAGE.ADD', 'TDH.MR.EXTEND'] as const).map((refused) => ({
    step: '18',
    title: `${refused} refused, and the VM is bugged`,
    errno: 'EIO' as const,
    call: (driver: Driver) => {
      const { vm, vcpus } = driver.builtTd();
      driver.failLeaf(refused, other);
      expect(driver.initMemRegion(vcpus[0] as number, memRegion(), 1)).toBe('EIO');
      return driver.check(vm, 'KVM_CAP_IRQFD');
    },
  })),
  {
    step: '19',
    title: 'the region cannot be written back',
    errno: 'EFAULT',
    call: (driver) =>
      driver.initMemRegion(driver.builtTd().vcpus[0] as number, faulting(memRegion(), 'write')),
  },
  { step: '20', title: 'pages', errno: 0, call: region({ nrPages: 4n }, 1) },
  {
    step: '20',
    title: 'the region is advanced by what was done',
    errno: 'EINTR',
    call: (driver) => {
      driver.signalBeforePage = 3;
      const struct = memRegion({ nrPages: 5n });
      const result = driver.initMemRegion(driver.builtTd().vcpus[0] as number, struct);
      expect(struct.value).toMatchObject({ gpa: ramGpa + 3n * page, nrPages: 2n });
      return result;
    },
  },
]);
