import { onlineCpus, type Platform, presentCpus } from '../platform.ts';

/** Logical CPUs are numbered package by package; the offline ones are the highest. */
export function* packagesOf(platform: Platform): IterableIterator<number> {
  for (let package_ = 0; package_ < platform.packages; package_++) yield package_;
}

/** undefined: the package has present CPUs and none online. */
export function firstOnlineCpu(platform: Platform, package_: number): number | undefined {
  const first = (package_ * presentCpus(platform)) / platform.packages;
  return first < onlineCpus(platform) ? first : undefined;
}
