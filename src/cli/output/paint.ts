import colors from 'picocolors';

/** Colour functions that do nothing where the stream takes no colours. */
export function paint(enabled: boolean): ReturnType<typeof colors.createColors> {
  return colors.createColors(enabled);
}
