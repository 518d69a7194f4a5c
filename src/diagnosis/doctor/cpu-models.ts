/**
 * Which CPU models have TDX. Names and numbers: arch/x86/include/asm/intel-family.h of Linux 7.3. Which have
 * it: the platforms that Intel's releases of the TDX module name (1.5: Sapphire Rapids, Emerald Rapids, Sierra
 * Forest; 2.0: Granite Rapids); the README of canonical/tdx for "select SKUs". A model that is not here is not
 * judged.
 */

export interface CpuModel {
  readonly name: string;
  /** `some`: the same model is sold with TDX and without. */
  readonly tdx: 'every' | 'some' | 'none';
}

const every = (name: string): CpuModel => ({ name, tdx: 'every' });
const some = (name: string): CpuModel => ({ name, tdx: 'some' });
const none = (name: string): CpuModel => ({ name, tdx: 'none' });

/** By family and model in hex, as intel-family.h has them. */
const models: Readonly<Record<string, CpuModel>> = {
  '6/8f': some('Sapphire Rapids'),
  '6/cf': every('Emerald Rapids'),
  '6/ad': every('Granite Rapids'),
  '6/ae': every('Granite Rapids D'),
  '6/af': every('Sierra Forest'),
  '6/dd': every('Clearwater Forest'),
  '13/1': every('Diamond Rapids'),
  '6/3f': none('Haswell server'),
  '6/4f': none('Broadwell server'),
  '6/56': none('Broadwell D'),
  '6/55': none('Skylake, Cascade Lake or Cooper Lake server'),
  '6/6a': none('Ice Lake server'),
  '6/6c': none('Ice Lake D'),
  '6/86': none('Jacobsville (Atom P)'),
  '6/b6': none('Grand Ridge (Atom P)'),
  '6/5e': none('Skylake client'),
  '6/9e': none('Kaby Lake or Coffee Lake client'),
  '6/a5': none('Comet Lake client'),
  '6/a7': none('Rocket Lake client'),
  '6/8d': none('Tiger Lake client'),
  '6/97': none('Alder Lake client'),
  '6/9a': none('Alder Lake client'),
  '6/b7': none('Raptor Lake client or Xeon E'),
  '6/ba': none('Raptor Lake client'),
  '6/bf': none('Raptor Lake client'),
  '6/ac': none('Meteor Lake client'),
  '6/aa': none('Meteor Lake client'),
  '6/c5': none('Arrow Lake client'),
  '6/c6': none('Arrow Lake client'),
  '6/bd': none('Lunar Lake client'),
  '6/be': none('Alder Lake N client'),
};

/** undefined: not known here, which says nothing of the CPU. */
export function cpuModel(family: number, model: number): CpuModel | undefined {
  return models[`${family.toString(16)}/${model.toString(16)}`];
}
