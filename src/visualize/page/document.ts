/**
 * A page is one file that loads nothing. Its policy allows its own script and style, and nothing else:
 * by nonce where a server sends the policy, otherwise by the script's hash, in the page itself.
 */
import { createHash } from 'node:crypto';
import { visibleXml } from '../../documents/xml.ts';
import { baseStyle } from './base-style.ts';
import { type ClientName, clientScript } from './client-script.ts';

export interface PageParts {
  readonly title: string;
  readonly style: string;
  /** Body as HTML, in which texts are escaped already. */
  readonly body: string;
  /** What the client reads, as JSON. */
  readonly data: unknown;
  readonly client: ClientName;
  readonly nonce?: string;
}

export function pageDocument({ title, style, body, data, client, nonce }: PageParts): string {
  const script = clientScript(client);
  const allowed = nonce === undefined ? '' : ` nonce="${nonce}"`;
  return html({
    head: `${nonce === undefined ? policyOf(script) : ''}${about(title)}
<style${allowed}>${baseStyle}${style}</style>`,
    body: `${body}
<script type="application/json" id="data"${allowed}>${scriptJson(data)}</script>
<script${allowed}>${script}</script>`,
  });
}

/** A page that is only read has no script, and its policy allows none. */
export function stillDocument({
  title,
  style,
  body,
}: Pick<PageParts, 'title' | 'style' | 'body'>): string {
  return html({
    head: `${policyMeta("default-src 'none'; style-src 'unsafe-inline'")}${about(title)}
<style>${baseStyle}${style}</style>`,
    body,
  });
}

function about(title: string): string {
  return `<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${visibleXml(title)}</title>`;
}

function html({ head, body }: { readonly head: string; readonly body: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${head}
</head>
<body>
${body}
</body>
</html>
`;
}

function policyOf(script: string): string {
  const hash = createHash('sha256').update(script).digest('base64');
  return policyMeta(`default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`);
}

function policyMeta(policy: string): string {
  return `<meta http-equiv="Content-Security-Policy" content="${policy}">\n`;
}

/**
 * Within a script element only `<` could end it. The two line separators are escaped for old readers.
 */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
