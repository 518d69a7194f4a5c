/** librsvg's own program turns SVG into PNG. */
import { spawn } from 'node:child_process';
import { TdctlError } from '../errors/index.ts';

/** @throws TdctlError TDCTL_E_TOOL_MISSING where there is no rsvg-convert. */
export async function svgToPng(svg: string, { zoom }: { readonly zoom: number }): Promise<Buffer> {
  const child = spawn('rsvg-convert', ['--format', 'png', '--zoom', String(zoom)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  // The program may end before it has read everything; its exit code tells whether it succeeded.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  child.stdin.end(svg);
  const exitCode = await ended.catch((cause: unknown) => {
    throw toolMissing(cause);
  });
  if (exitCode !== 0) {
    throw new TdctlError({
      code: 'TDCTL_E_TOOL_MISSING',
      op: 'convert the picture to PNG',
      message: `rsvg-convert could not convert the picture (exit code ${exitCode})`,
      details: complaint.trim().split('\n'),
      hint: 'ask for --format svg, and convert it with another program',
    });
  }
  return Buffer.concat(chunks);
}

function toolMissing(cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_TOOL_MISSING',
    op: 'convert the picture to PNG',
    message: 'PNG needs the program rsvg-convert, which is not on the PATH',
    hint: 'install it (Debian, Ubuntu: librsvg2-bin; Fedora: librsvg2-tools), or ask for --format svg',
    cause,
  });
}
