import { existsSync } from 'node:fs';
import type { TestContext } from 'vitest';

/** Files of Debian's package `ovmf`, the real input. */
export const ovmf = {
  whole: '/usr/share/ovmf/OVMF.fd',
  code: '/usr/share/OVMF/OVMF_CODE.fd',
  secbootCode: '/usr/share/OVMF/OVMF_CODE.secboot.fd',
  vars: '/usr/share/OVMF/OVMF_VARS.fd',
  code4m: '/usr/share/OVMF/OVMF_CODE_4M.fd',
  vars4m: '/usr/share/OVMF/OVMF_VARS_4M.fd',
} as const;

/** ovmf 2022.11-6+deb12u2: the SHA-256 of the image and the MRTD that is known for it. */
export const bookworm = {
  whole: {
    sha256: '7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773',
    mrtd: '4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744d5631a212967fb231c47',
  },
  secboot: {
    sha256: 'a4dc6df8b4cd4cfcbc8f10cefd1b8aa6539c971256b712a71a187c89f4128fa7',
    mrtd: 'dd2f721cd5f56f4456047dd8c80c22eb5fc0641ae3966ba0e73244c0d51117c87ed0d270efa1f5958453b0f30b2b258d',
  },
} as const;

export function skipWithout(ctx: TestContext, ...paths: readonly string[]): void {
  const missing = paths.find((path) => !existsSync(path));
  if (missing) ctx.skip(`${missing} is not here: install Debian's package ovmf`);
}

/** Another build of the package has another MRTD, which nobody has vouched for. */
export function skipUnlessKnown(
  ctx: TestContext,
  image: { readonly sha256: string },
  known: { readonly sha256: string },
): void {
  if (image.sha256 !== known.sha256) {
    ctx.skip('the installed ovmf is another build than the one whose MRTD is known');
  }
}
