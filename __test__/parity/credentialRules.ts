/** How the choice of a credential may differ. */
import type { PersonalAccessTokenCredential } from 'backstage-azure-devops-native';
import type { CredentialQuestion } from './credentialQuestions';
import { parsed } from './parsed';
import type { Rule } from './rule';

/** The credential that names the organization as Azure DevOps reads it, or why it cannot be used. */
export const organizationsByName: Rule<CredentialQuestion> = {
  applies: question => tokenByName(question) !== undefined,
  holds: ({ question, here }) => {
    const token = tokenByName(question);
    return 'value' in here
      ? (here.value as { token?: string }).token === token
      : /[^\0-\xff]/.test(token ?? '');
  },
};

/** The token of the last credential that names the URL's organization, as Azure DevOps reads it. */
function tokenByName(question: CredentialQuestion): string | undefined {
  const url = parsed(question.url);
  if (!url) return undefined;
  const [name, hosts] = organizationOf(url);
  const tokens = hosts.map(host =>
    question.integrations
      .filter(integration => integration.host === host)
      .flatMap(({ credentials = [] }) => credentials)
      .filter(({ organizations = [] }) =>
        organizations.some(own => own.toLowerCase() === name.toLowerCase()),
      )
      .map(own => (own as PersonalAccessTokenCredential).personalAccessToken)
      .at(-1),
  );
  const token = tokens.find(own => own !== undefined);
  return question.validated ? token?.trim() : token;
}

/** An organization, and the hosts of the integrations that may serve it. */
function organizationOf(url: URL): [name: string, hosts: string[]] {
  if (url.origin.endsWith('.visualstudio.com')) {
    return [url.host.split('.')[0], [url.host, 'dev.azure.com']];
  }
  const segments = url.pathname.split('/').map(decoded);
  if (url.host === 'dev.azure.com') {
    return [segments.find(Boolean) ?? '', [url.host]];
  }
  const path = segments.join('/');
  const [first = '', second = ''] = path.split('/').filter(Boolean);
  const isBelow = first.toLowerCase() === 'tfs';
  return [isBelow ? second : first, [url.host]];
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
