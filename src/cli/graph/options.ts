import type { ChartFormat } from '../../visualize/formats.ts';
import type { Direction } from '../../visualize/layout/direction.ts';
import type { Theme } from '../../visualize/svg/palette.ts';

export interface GraphOptions {
  readonly machine?: string | undefined;
  readonly format?: ChartFormat | undefined;
  readonly out?: string | undefined;
  readonly direction: Direction;
  readonly theme: Theme;
  readonly active?: readonly string[] | undefined;
  readonly paths?: true | undefined;
  readonly coverage?: readonly string[] | undefined;
}
