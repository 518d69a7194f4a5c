/** The table of `--compare` as a page to read. */
import { visibleXml } from '../../../documents/xml.ts';
import type { Comparison } from '../../../rehearsal/index.ts';
import { stillDocument } from '../../../visualize/page/document.ts';
import { comparisonCells, comparisonHeadings } from '../comparison-text.ts';
import { pageStyle } from './page-style.ts';

export function comparisonHtml(rows: readonly Comparison[], file: string): string {
  const title = `${file} under ${rows.length === 1 ? 'a kernel ABI' : `${rows.length} kernel ABIs`}`;
  const row = (cells: readonly string[], tag: 'th' | 'td') =>
    `<tr>${cells.map((cell) => `<${tag}>${visibleXml(cell)}</${tag}>`).join('')}</tr>`;
  const kernels = rows.map(
    ({ kernel, description }) =>
      `<dt>${visibleXml(kernel)}</dt><dd>${visibleXml(description)}</dd>`,
  );
  return stillDocument({
    title,
    style: pageStyle,
    body: `<header>
<h1>${visibleXml(title)}</h1>
<p>Simulated, with tdctl's own checks left out, so that each kernel answers for itself.</p>
</header>
<main>
<div class="wide"><table>${row(comparisonHeadings, 'th')}${rows.map((each) => row(comparisonCells(each), 'td')).join('')}</table></div>
<h2>The kernels</h2><dl>${kernels.join('')}</dl>
</main>`,
  });
}
