import { onlineCpus, type Platform, presentCpus } from '../platform.ts';

/** Logical CPUs are numbered package by package, and the offline ones have the highest numbers. */
export function* packagesOf(platform: Platform): IterableIterator<number> {
  for (let package_ = 0; package_ < platform.packages; package_++) yield package_;
}

/** Returns undefined when the package has CPUs present and none of them online. */
export function firstOnlineCpu(platform: Platform, package_: number): number | undefined {
  const first = (package_ * presentCpus(platform)) / platform.packages;
  return first < onlineCpus(platform) ? first : undefined;
}
