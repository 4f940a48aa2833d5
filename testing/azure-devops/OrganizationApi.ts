import { createHash } from 'node:crypto';
import { ApiError } from './ApiError';
import { tokenOf, type Token } from './authentication';
import type { Answer, HostedRepository } from './GitApi';

/** The most projects on a page, unless `$top` says otherwise. */
const PAGE = 100;

/** A call about an organization: what follows `_apis/`, and the parameters, names in lower case. */
export interface OrganizationCall {
  resource: string[];
  query: Map<string, string>;
  baseUrl: string;
  authorization?: string;
}

/**
 * The calls about an organization as a whole: who is signed in, and its projects.
 *
 * The forms are those that Microsoft's own client reads.
 *
 * https://learn.microsoft.com/rest/api/azure/devops/core/projects
 */
export class OrganizationApi {
  constructor(
    private readonly repositories: HostedRepository[],
    private readonly tokens: Token[],
  ) {}

  /** The answer; undefined where it is no such call. */
  answer(call: OrganizationCall): Answer | undefined {
    const [resource, name] = call.resource;
    switch (resource?.toLowerCase()) {
      case 'connectiondata':
        return { json: this.#connectionData(call) };
      case 'projects':
        return name === undefined
          ? this.#projects(call)
          : { json: this.#project(call, name) };
      default:
        return undefined;
    }
  }

  #connectionData({ authorization }: OrganizationCall): object {
    const token = authorization && tokenOf(authorization);
    const known = this.tokens.find(own => own.token === token);
    const name = token ? (known?.name ?? 'Jane Doe') : 'Anonymous';
    const account = token ? (known?.account ?? 'jane@fabrikam.com') : '';
    const identity = {
      id: idOf(name),
      descriptor: `Microsoft.IdentityModel.Claims.ClaimsIdentity;${account}`,
      subjectDescriptor: `aad.${Buffer.from(name).toString('base64url')}`,
      providerDisplayName: name,
      isActive: true,
      properties: { Account: { $type: 'System.String', $value: account } },
      resourceVersion: 2,
      metaTypeId: 0,
    };
    return {
      authenticatedUser: identity,
      authorizedUser: identity,
      instanceId: idOf('instance'),
      deploymentId: idOf('deployment'),
      deploymentType: 'hosted',
      locationServiceData: {
        serviceOwner: '00025394-6065-48ca-87d9-7f5672854ef7',
        defaultAccessMappingMoniker: 'PublicAccessMapping',
        lastChangeId: 1,
        lastChangeId64: 1,
      },
    };
  }

  #projects({ query, baseUrl }: OrganizationCall): Answer {
    const names = [...new Set(this.repositories.map(own => own.project))];
    const top = Number(query.get('$top') ?? PAGE);
    const start = Number(
      query.get('continuationtoken') ?? query.get('$skip') ?? 0,
    );
    const value = names
      .slice(start, start + top)
      .map(name => describeProject(name, baseUrl));
    const next = start + top < names.length ? String(start + top) : undefined;
    return {
      json: { count: value.length, value },
      headers: next ? { 'x-ms-continuationtoken': next } : {},
    };
  }

  #project({ baseUrl }: OrganizationCall, wanted: string): object {
    const found = this.repositories.find(
      ({ project }) =>
        project.toLowerCase() === wanted.toLowerCase() ||
        projectId(project) === wanted,
    );
    if (!found) throw noProject(wanted);
    return describeProject(found.project, baseUrl);
  }
}

/** The error for a project that is not there, or that the caller does not see. */
export function noProject(name: string): ApiError {
  return new ApiError(
    404,
    'ProjectDoesNotExistWithNameException',
    `TF200016: The following project does not exist: ${name}. Verify that the name of the project is correct and that the project exists on the specified Azure DevOps Server.`,
  );
}

/** The id of a project, which follows from its name. */
export function projectId(name: string): string {
  return idOf(`project ${name.toLowerCase()}`);
}

function describeProject(name: string, baseUrl: string): object {
  const id = projectId(name);
  return {
    id,
    name,
    url: `${baseUrl}/_apis/projects/${id}`,
    state: 'wellFormed',
    revision: 1,
    visibility: 'private',
    lastUpdateTime: '2026-01-01T00:00:00.000Z',
  };
}

function idOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}
