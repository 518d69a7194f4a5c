/** docs/kernel-checks/: every check of every kernel, as pages in Markdown. */
import {
  askedOn,
  book,
  type CheckedRequest,
  type CheckName,
  checkedRequests,
} from '../../abi/kvm/checks/index.ts';
import { kernelAbis } from '../../abi/kvm/kernels/index.ts';
import { isBeforeAll, type KernelAbi } from '../../abi/kvm/kernels/record.ts';
import {
  type CheckSection,
  rowTable,
  sectionText,
  sharedSections,
  table,
} from './check-section.ts';

interface Page {
  readonly file: string;
  readonly title: string;
  readonly sections: readonly CheckSection[];
}

interface Group extends Omit<Page, 'sections'> {
  readonly has: (request: CheckedRequest) => boolean;
}

/** A request stands on the first page that has it. */
const groups: readonly Group[] = [
  {
    file: 'tdx-commands.md',
    title: 'KVM_MEMORY_ENCRYPT_OP',
    has: (request) => /^KVM_(TDX_|MEMORY_ENCRYPT_OP)/.test(request),
  },
  {
    file: 'enable-cap.md',
    title: 'KVM_ENABLE_CAP on a VM',
    has: (request) => request.startsWith('KVM_ENABLE_CAP'),
  },
  {
    file: 'system.md',
    title: 'Requests on /dev/kvm',
    has: (request) => askedOn(request) === '/dev/kvm',
  },
  {
    file: 'vm.md',
    title: 'Requests on a VM',
    has: (request) => askedOn(request) === 'the VM',
  },
  {
    file: 'files.md',
    title: 'Requests on a guest_memfd and on a device',
    has: (request) => ['a guest_memfd', 'a device'].includes(askedOn(request)),
  },
  { file: 'vcpu.md', title: 'Requests on a vCPU', has: () => true },
];

/** Texts by file name. */
export function checkPages(
  abis: readonly KernelAbi[] = Object.values(kernelAbis),
): ReadonlyMap<string, string> {
  const pages = groups.map((group) => requestPage(group, abis)).filter(isNotEmpty);
  return new Map([
    ['README.md', indexText(pages, abis)],
    ...pages.map((page): [string, string] => [page.file, pageText(page)]),
  ]);
}

const isNotEmpty = ({ sections }: Page) => sections.length > 0;

function requestPage(group: Group, abis: readonly KernelAbi[]): Page {
  const requests = checkedRequests.filter(
    (request) => groups.find(({ has }) => has(request)) === group,
  );
  const sections = requests.map((request) => requestSection(request, abis));
  return { file: group.file, title: group.title, sections: sharedSections(sections) };
}

function requestSection(request: CheckedRequest, abis: readonly KernelAbi[]): CheckSection {
  const orders = abis.map(({ name, checks, unreachable }) => {
    const order = checks[request];
    return { by: name, order, unreachable: unreachable.filter((check) => order.includes(check)) };
  });
  return { names: [request], rows: book, orders, isBeforeAll };
}

function pageText({ title, sections }: Page): string {
  return [
    `# ${title}\n`,
    'How to read it: [the index](README.md). Made by `npm run docs`; do not edit.\n',
    ...sections.map(sectionText),
  ].join('\n');
}

function indexText(pages: readonly Page[], abis: readonly KernelAbi[]): string {
  const inOrders = new Set(abis.flatMap(({ checks }) => Object.values(checks).flat()));
  const unnumbered = Object.entries(book).filter(
    ([name]) => isBeforeAll(name) || !inOrders.has(name as CheckName),
  );
  return [
    '# What the kernel checks\n',
    howToRead,
    '## Pages\n',
    table(
      ['page', 'requests'],
      pages.map(({ file, title, sections }) => [
        `[${title}](${file})`,
        sections.flatMap(({ names }) => names).join(', '),
      ]),
    ),
    '## Kernels\n',
    table(
      ['kernel ABI', 'what it is', 'source'],
      abis.map(({ name, description, source }) => [`\`${name}\``, description, source]),
    ),
    '`tdctl kernels NAME` shows what one checks otherwise than the default, and what no source confirms.\n',
    '## Before all\n',
    'Checks of the file, or of its VM, which come before the request itself is looked at, and what\n' +
      'becomes of a request that the file does not have.\n',
    rowTable(Object.fromEntries(unnumbered)),
  ].join('\n');
}

const howToRead = `KVM looks at a request step by step, and the first check that applies refuses it. These pages have
every check of the requests that the simulated kernel knows, by its name: the name that a trace, a run
and \`tdctl exec\` tell, and that \`tdctl explain NAME\` explains. They are made from the records in
\`src/abi/kvm/checks/\` and \`src/abi/kvm/kernels/\` by \`npm run docs\`.

A number is the place of a check in the order of its request, as \`tdctl explain\` says it ("step 6").
Where the kernels differ, each order has a column of its own, and kernels with the same order share one.
Empty: that kernel does not make the check. †: it stands in the code, and nothing can come to it.
`;
