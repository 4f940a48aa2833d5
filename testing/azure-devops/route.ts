import { ApiError } from './ApiError';

/** Where in Azure DevOps a URL leads. */
export interface Route {
  organization: string;
  project?: string;
  /** The path of the organization, as it was sent. */
  base: string;
  /** The segments after `_apis`. */
  resource: string[];
  /** The parameters, names in lower case, because the API does not mind the case. */
  query: Map<string, string>;
}

/** Reads a REST URL of Azure DevOps Services, of its older hosts, or of a server. */
export function parseRoute(host: string, url: string): Route {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const raw = pathname.split('/').slice(1);
  const api = raw.findIndex(segment => segment.toLowerCase() === '_apis');
  if (api < 0)
    throw new ApiError(404, 'HttpException', 'The page was not found.');
  const query = new Map(
    [...searchParams].map(([name, value]) => [name.toLowerCase(), value]),
  );
  const resource = raw.slice(api + 1).map(decodeURIComponent);
  const before = raw.slice(0, api);
  const label = host.match(/^([^.]+)\.visualstudio\.com$/)?.[1];
  if (label) {
    const project = before
      .map(decodeURIComponent)
      .find(s => s !== 'DefaultCollection');
    return { organization: label, project, base: '', resource, query };
  }
  return { ...withOrganization(before), resource, query };
}

/** A server's virtual directory may be a segment of its own, or be encoded into the collection's. */
function withOrganization(
  before: string[],
): Pick<Route, 'organization' | 'project' | 'base'> {
  const isDirectory = before[0]?.toLowerCase() === 'tfs';
  const own = isDirectory ? before.slice(0, 2) : before.slice(0, 1);
  const [project] = before.slice(own.length).map(decodeURIComponent);
  const organization = decodeURIComponent(own.at(-1) ?? '').replace(
    /^tfs\//i,
    '',
  );
  return { organization, project, base: `/${own.join('/')}` };
}
