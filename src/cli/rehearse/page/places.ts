/** Places on the timeline are shares of its width, written as CSS. */

/** Three decimals are a hundredth of a pixel on the widest screen. */
export function percent(share: number): string {
  return `${Math.round(share * 100_000) / 1000}%`;
}

export function place({ from, to }: { readonly from: number; readonly to: number }): string {
  return `left:${percent(from)};width:${percent(to - from)}`;
}
