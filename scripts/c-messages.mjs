/** The messages that a C source file prints: of Linux, QEMU, EDK II and DCAP. */

const printers =
  /\b(?:(pr_(?:emerg|alert|crit|err|warn|notice|info)(?:_once|_ratelimited)?)|printk|dev_(?:err|warn|info)(?:_once)?|error_setg(?:_errno)?|error_(?:report|printf)(?:_once)?|(?:warn|info)_report(?:_once)?|qemu_log_mask|WARN(?:_ONCE|_RATELIMIT)?|kvm_pr_unimpl|(?:tdx_)?panic|DEBUG|syslog|(?:qcnl|qpl)_log|SE_(?:PROD_LOG|TRACE)|QGS_LOG_\w+)\s*\(/g;

/**
 * @param {string} source
 * @param {{ prefix?: string | undefined }} [options] what pr_fmt() adds, where the source itself does not say
 * @returns {{ line: number, text: string }[]} each message with plausible values, as it would be printed
 */
export function messagesOf(source, options = {}) {
  const code = withoutComments(source);
  const prefix = prefixOf(code) ?? options.prefix ?? '';
  return [...code.matchAll(printers)].flatMap((call) => {
    const format = firstString(code, call.index + call[0].length);
    if (format === undefined || !/[a-z]{3}/i.test(format)) return [];
    const text = printed(call[1] === undefined ? format : prefix + format);
    const line = code.slice(0, call.index).split('\n').length;
    return text
      .split('\n')
      .filter((part) => /[a-z]{3}/i.test(part))
      .map((part) => ({ line, text: part.trim() }));
  });
}

/** @param {string} source */
export function prefixOf(source) {
  return /#define\s+pr_fmt\(fmt\)\s+"([^"]*)"/.exec(source)?.[1];
}

/** Lines stay where they are. @param {string} source */
function withoutComments(source) {
  return source.replace(/("(?:[^"\\\n]|\\[\s\S])*")|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (all, string) =>
    string === undefined ? all.replace(/[^\n]/g, ' ') : all,
  );
}

/**
 * The first string of a call: pieces side by side are one, and `PRIx64` between two is a part of it. So is
 * the parameter of a macro, which stands for words where a blank is before it, else for an end that may be empty.
 * @param {string} code
 * @param {number} from
 */
function firstString(code, from) {
  const token = /\s*(?:"((?:[^"\\\n]|\\[\s\S])*)"|(PRI\w+)|(\w+)|([^\s\w"]))/y;
  token.lastIndex = from;
  let depth = 1;
  /** @type {string | undefined} */
  let text;
  for (let match = token.exec(code); match !== null; match = token.exec(code)) {
    const [, string, conversion, word, sign] = match;
    if (string !== undefined) text = (text ?? '') + string;
    else if (conversion !== undefined && text !== undefined)
      text += /x/i.test(conversion) ? 'x' : 'd';
    else if (word !== undefined && /^KERN_/.test(word)) continue;
    else if (text !== undefined && word !== undefined && isBeforeString(code, token.lastIndex))
      text += text.endsWith(' ') ? '%s' : '';
    else if (text !== undefined) return text;
    else if (sign === '(') depth += 1;
    else if (sign === ')') depth -= 1;
    if (depth === 0) return text;
  }
  return text;
}

/** @param {string} code @param {number} at */
function isBeforeString(code, at) {
  return /^\s*"/.test(code.slice(at, at + 80));
}

/** TDX_OPERAND_INVALID: what a SEAMCALL gives is known by its bits. */
const plausibleStatus = '0xc000010000000000';

/** @param {string} format */
function printed(format) {
  return format
    .replace(/\b(failed:? |vp_enter_ret )0x%(?:016)?llx/gi, `$1${plausibleStatus}`)
    .replace(
      /%(?:[-+ #0]*)(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|L|z|j|t)?([a-zA-Z%])(?:[a-zA-Z]{1,3}(?=\W))?/g,
      (_, kind) => {
        if (kind === '%') return '%';
        if (/[xXp]/.test(kind)) return format.includes('0x') ? '10' : '0x10';
        if (/[diu]/i.test(kind)) return '5';
        return 'value';
      },
    )
    .replace(/\\\n\s*/g, ' ')
    .replaceAll('\\n', '\n')
    .replaceAll('\\r', '')
    .replaceAll('\\"', '"')
    .replaceAll('\\t', ' ');
}
