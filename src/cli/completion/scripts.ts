/** Completion scripts, made of the command tree. Nothing is run while one types. */

import { fishNamesFunction, namesFunction } from './kept-names.ts';
import type { Shell } from './shells.ts';
import type { Node, OptionNode, Values } from './tree.ts';

export function completionScript(shell: Shell, nodes: readonly Node[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](nodes);
}

function bashScript(nodes: readonly Node[]): string {
  return `# Completion of tdctl for bash: source <(tdctl completion bash)
_tdctl() {
  local line=\${COMP_LINE:0:COMP_POINT} at='' i word cur prev strip
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  cur=\${words[-1]} prev=\${words[-2]}
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    [[ $word == -- ]] && { compopt -o default; return; }
${wayLines(nodes)}
  done
  [[ $cur == --*=* ]] && { prev=\${cur%%=*}; cur=\${cur#*=}; }
  COMPREPLY=()
${caseLines(nodes)}
  # Readline breaks words at colons and equals signs, and replaces what follows the last of them.
  strip=\${cur%"\${COMP_WORDS[COMP_CWORD]}"}
  COMPREPLY=("\${COMPREPLY[@]#"$strip"}")
}
_tdctl_words() { COMPREPLY+=($(compgen -W "$*" -- "$cur")); }
_tdctl_files() { compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$cur")); }
${namesFunction}complete -F _tdctl tdctl
`;
}

function zshScript(nodes: readonly Node[]): string {
  return `#compdef tdctl
# Completion of tdctl for zsh: source <(tdctl completion zsh), or as _tdctl in a directory of $fpath
_tdctl() {
  local at='' i word cur=\${words[CURRENT]} prev=\${words[CURRENT-1]}
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    [[ $word == -- ]] && { _normal; return; }
${wayLines(nodes)}
  done
${caseLines(nodes)}
}
_tdctl_words() { compadd -- "$@" }
_tdctl_files() { _files }
${namesFunction}if [[ $funcstack[1] == _tdctl ]]; then _tdctl "$@"; else compdef _tdctl tdctl; fi
`;
}

/** Follows the words to the command they name. */
function wayLines(nodes: readonly Node[]): string {
  const ways = nodes
    .filter(({ path }) => path !== '')
    .map(
      ({ path }) => `'${[...path.split(' ').slice(0, -1)].join(' ')}:${path.split(' ').at(-1)}'`,
    );
  return `    case "$at:$word" in ${ways.join('|')}) at="\${at:+$at }$word" ;; esac`;
}

/** The branches are the same in both shells; what they call is not. */
function caseLines(nodes: readonly Node[]): string {
  const branches = nodes.map((node) => {
    const withValue = node.options.filter(({ values }) => values !== undefined);
    const cases = withValue.map(
      (option) => `        ${namesOf(option).join('|')}) ${valueLines(option.values)} ;;`,
    );
    const options = node.options.flatMap(namesOf).join(' ');
    const commands = node.subcommands.map(({ name }) => name);
    const values = { ...node.values, words: [...commands, ...node.values.words] };
    return `    '${node.path}')
      case "$prev" in
${[...cases, `        *) if [[ $cur == -* ]]; then _tdctl_words ${options}; else ${valueLines(values)}; fi ;;`].join('\n')}
      esac ;;`;
  });
  return `  case "$at" in\n${branches.join('\n')}\n  esac`;
}

function namesOf({ short, long }: Pick<OptionNode, 'short' | 'long'>): string[] {
  return short === undefined ? [long] : [short, long];
}

function valueLines(values: Values | undefined): string {
  if (values === undefined) return ':';
  const { words, files, tds } = values;
  const lines = [
    ...(words.length > 0 ? [`_tdctl_words ${words.join(' ')}`] : []),
    ...(tds ? ['_tdctl_tds'] : []),
    ...(files ? ['_tdctl_files'] : []),
  ];
  return lines.length === 0 ? ':' : lines.join('; ');
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const when = `-n ${quoted(conditionOf(node))}`;
    const commands = node.subcommands.map(
      ({ name, summary }) => `complete -c tdctl ${when} -f -a ${name} -d ${quoted(summary)}`,
    );
    const options = node.options.map(({ short, long, summary, values }) => {
      const letter = short === undefined ? '' : ` -s ${short.slice(1)}`;
      return `complete -c tdctl ${when}${letter} -l ${long.slice(2)}${fishValues(values)} -d ${quoted(summary)}`;
    });
    const { files, tds } = node.values;
    const words = [...node.values.words, ...(tds ? ['(__tdctl_tds)'] : [])];
    const own =
      words.length > 0 || !files
        ? [
            `complete -c tdctl ${when} -f${words.length > 0 ? ` -a ${quoted(words.join(' '))}` : ''}`,
          ]
        : [`complete -c tdctl ${when} -F`];
    return [...commands, ...options, ...own];
  });
  return `# Completion of tdctl for fish: tdctl completion fish | source\n${fishNamesFunction}${lines.join('\n')}\n`;
}

function conditionOf({ path, subcommands }: Node): string {
  const further = subcommands.map(({ name }) => name).join(' ');
  const not = further === '' ? [] : [`not __fish_seen_subcommand_from ${further}`];
  const seen =
    path === '' ? [] : path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  return [...seen, ...not].join('; and ') || '__fish_use_subcommand';
}

function fishValues(values: Values | undefined): string {
  if (values === undefined) return '';
  const { words, files } = values;
  const given = words.length > 0 ? ` -a ${quoted(words.join(' '))}` : '';
  return `${files ? ' -r -F' : ' -x'}${given}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
