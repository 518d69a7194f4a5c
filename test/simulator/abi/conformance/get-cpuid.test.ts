import { statusWord } from '../../../../src/abi/tdx/status.ts';
import { CpuidValue } from '../../../../src/simulator/index.ts';
import { conforms, onVcpu } from './conforms.ts';

const cpuidOn = (nent: number) =>
  onVcpu((driver, vcpu) => driver.getCpuid(vcpu, new CpuidValue(nent)));

conforms('GET_CPUID', [
  {
    step: '5',
    title: 'after FINALIZE_VM',
    errno: 'EINVAL',
    call: (driver) => driver.getCpuid(driver.runnableTd().vcpus[0] as number),
  },
  {
    step: '8',
    title: 'no memory',
    errno: 'ENOMEM',
    call: onVcpu((driver, vcpu) => {
      driver.failAt('KVM_TDX_GET_CPUID: allocate', 'ENOMEM');
      return driver.getCpuid(vcpu);
    }),
  },
  {
    step: '10',
    title: 'leaf 0 is not readable',
    errno: 'EIO',
    call: onVcpu((driver, vcpu) => {
      driver.failLeaf('TDH.MNG.RD', statusWord('TDX_METADATA_FIELD_NOT_READABLE'));
      return driver.getCpuid(vcpu);
    }),
  },
  { step: '12', title: 'too small a buffer', errno: 'E2BIG', call: cpuidOn(1) },
  { step: '14', title: 'the CPUID of the TD', errno: 0, call: cpuidOn(256) },
]);
