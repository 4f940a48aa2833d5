/** Questions about which credential serves a URL, and how a package answers them. */
import { ConfigReader } from '@backstage/config';
import fc from 'fast-check';
import type { AzureIntegrationConfig } from 'backstage-azure-devops-native';
import { ScmIntegrations, type Package } from '../../testing/packages';
import { repositoryUrl } from './urlText';

export interface CredentialQuestion {
  url: string;
  integrations: AzureIntegrationConfig[];
  /** Whether the integrations are read from a config, or given as plain objects. */
  validated: boolean;
}

export async function answerCredential(
  from: Package,
  { url, integrations, validated }: CredentialQuestion,
): Promise<unknown> {
  const given = validated
    ? ScmIntegrations.fromConfig(
        new ConfigReader({ integrations: { azure: integrations } } as never),
      )
    : { azure: { list: () => integrations.map(config => ({ config })) } };
  const provider = from.DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
    given as ScmIntegrations,
  );
  return provider.getCredentials({ url });
}

const HOSTS = [
  ...['dev.azure.com', 'server:8080', 'server', 'org.visualstudio.com'],
  ...['other.visualstudio.com', '127.0.0.1:8080'],
];

const ORGANIZATIONS = [
  ...[
    'org',
    'Org',
    'ORG',
    'my org',
    'My Org',
    'my%20org',
    'tfs',
    'TFS',
    'other',
  ],
  ...['Ünï', 'ünï', '10', 'a+b', 'a/b', 'tfs/org', '', ' org', 'constructor'],
];

const SEGMENTS = [
  ...[
    'org',
    'Org',
    'oRG',
    'my%20org',
    'My%20Org',
    'my%2520org',
    'my+org',
    'tfs',
  ],
  ...[
    'TFS',
    'tfs%2Forg',
    'TFS%2FOrg',
    'tfs%2forg',
    '%6Frg',
    '%C3%9Cn%C3%AF',
    'ünï',
  ],
  ...[
    'other',
    '10',
    'a%2Bb',
    'a+b',
    'a%2Fb',
    '',
    '%',
    '%zz',
    '_git',
    'repo',
    '.',
    '..',
  ],
];

const secret = fc.oneof(
  { weight: 40, arbitrary: fc.string({ minLength: 1, maxLength: 9 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) },
  { weight: 4, arbitrary: fc.constantFrom('pät', '\xff', 'a:b', ' padded ') },
);

const credential = fc.record(
  {
    kind: fc.constant('PersonalAccessToken'),
    personalAccessToken: secret,
    organizations: fc.array(fc.constantFrom(...ORGANIZATIONS), {
      maxLength: 3,
    }),
  },
  { requiredKeys: ['kind', 'personalAccessToken'] },
);

const integration = fc.record(
  {
    host: fc.constantFrom(...HOSTS),
    credentials: fc.array(credential, { maxLength: 4 }),
  },
  { requiredKeys: ['host'] },
);

const url = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(
        fc.constantFrom('https://', 'http://', 'https://user@'),
        fc.constantFrom(...HOSTS, 'unknown'),
        fc.array(fc.constantFrom(...SEGMENTS), { maxLength: 5 }),
        fc.constantFrom('', '?path=/a', '/_git/repo?version=GTv1'),
      )
      .map(([scheme, host, segments, rest]) =>
        [`${scheme}${host}`, ...segments].join('/').concat(rest),
      ),
  },
  { weight: 1, arbitrary: repositoryUrl },
);

/** Without it upstream would ask Entra ID, which is not to be asked here. */
const fallback = { kind: 'PersonalAccessToken', personalAccessToken: 'any' };

/** Integrations whose `dev.azure.com` has a credential for any organization. */
export const credentialQuestions = fc
  .record({
    url,
    integrations: fc.array(integration, { maxLength: 4 }),
    first: fc.array(credential, { maxLength: 2 }),
    validated: fc.boolean(),
  })
  .map(({ first, integrations, ...question }) => {
    const azure = { host: 'dev.azure.com', credentials: [fallback, ...first] };
    return { ...question, integrations: [azure, ...integrations] };
  })
  .filter(
    question => !question.validated || isValid(question as CredentialQuestion),
  ) as fc.Arbitrary<CredentialQuestion>;

function isValid({ integrations }: CredentialQuestion): boolean {
  return integrations.every(({ credentials = [] }) => {
    const named = credentials.flatMap(
      ({ organizations = [] }) => organizations,
    );
    const forAny = credentials.filter(own => !own.organizations?.length);
    const isWhole = !JSON.stringify(credentials).includes('""');
    return isWhole && forAny.length < 2 && new Set(named).size === named.length;
  });
}
