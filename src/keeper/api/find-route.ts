/** From the line of a request to its row of the table. */
import { nearest } from '../../documents/nearest.ts';
import { sanitize } from '../../errors/sanitize.ts';
import type { ApiRange } from '../identity.ts';
import { checkFields } from './exchange.ts';
import { Refusal } from './refusal.ts';
import { type Route, routes } from './routes.ts';

export interface Found {
  readonly route: Route;
  readonly query: Readonly<Record<string, string>>;
}

interface Line {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** The greeting is found under every version, because by it the version is agreed upon. @throws Refusal. */
export function findRoute({ method = '', url = '' }: Line, api: ApiRange): Found {
  const { pathname, searchParams } = read(url);
  const [, version, path] = /^\/v(\d{1,6})(\/.*)?$/.exec(pathname) ?? [];
  if (version === undefined) throw unknownPath(pathname);
  const at = routes.filter((route) => route.path === (path ?? ''));
  const isGreeting = path === undefined;
  if (!isGreeting && (Number(version) < api.oldest || Number(version) > api.newest)) {
    throw otherVersion(Number(version), api);
  }
  if (at.length === 0) throw unknownPath(pathname);
  const route = at.find((each) => each.method === method);
  if (route === undefined) throw otherMethod(method, { pathname, at });
  const query = Object.fromEntries(searchParams);
  checkFields(query, { fields: route.query ?? {}, place: 'query' });
  return { route, query };
}

function read(url: string): Pick<URL, 'pathname' | 'searchParams'> {
  const base = 'http://tdctl';
  // An absolute form (`GET http://…`) is as good as any; what is neither is told as a path that is not there.
  return URL.canParse(url, base)
    ? new URL(url, base)
    : { pathname: url, searchParams: new URLSearchParams() };
}

function otherVersion(asked: number, { oldest, newest }: ApiRange): Refusal {
  const range = oldest === newest ? `version ${newest}` : `versions ${oldest} to ${newest}`;
  return new Refusal(404, {
    code: 'TDCTL_E_API_VERSION',
    message: `version ${asked} of the API was asked for, and this keeper speaks ${range}`,
    hint:
      asked > newest
        ? 'use the tdctl that began this TD, or stop it and start it again with the newer one'
        : 'use a newer tdctl',
  });
}

function unknownPath(path: string): Refusal {
  const known = routes.map((route) => `/v1${route.path}`);
  const meant = nearest(path, known);
  return new Refusal(404, {
    place: sanitize(path.slice(0, 200)),
    message: 'there is nothing at this path',
    hint: meant === undefined ? 'GET /v1/openapi.json has what there is' : `did you mean ${meant}?`,
  });
}

function otherMethod(
  method: string,
  { pathname, at }: { readonly pathname: string; readonly at: readonly Route[] },
): Refusal {
  const allow = [...new Set(at.map((route) => route.method))].join(', ');
  return new Refusal(405, {
    place: sanitize(pathname.slice(0, 200)),
    message: `${method} is nothing that can be asked of this path`,
    hint: `ask with ${allow}`,
    headers: { allow },
  });
}
