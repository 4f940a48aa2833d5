/** Questions about `integrations.azure`, and how a package answers them. */
import { ConfigReader } from '@backstage/config';
import type { JsonObject } from '@backstage/types';
import fc from 'fast-check';
import { isPlainHost } from './readAlike';
import type { Package } from '../../testing/packages';

export type ConfigQuestion =
  | { call: 'readAzureIntegrationConfig'; entry: JsonObject }
  | { call: 'readAzureIntegrationConfigs'; entries: JsonObject[] }
  | { call: 'factory'; data: JsonObject };

/** The entries that a question is about, as far as they are any. */
export function entriesOf(question: ConfigQuestion): JsonObject[] {
  switch (question.call) {
    case 'readAzureIntegrationConfig':
      return [question.entry];
    case 'readAzureIntegrationConfigs':
      return question.entries;
    default: {
      const { azure } = (question.data.integrations ?? {}) as JsonObject;
      return Array.isArray(azure) ? (azure as JsonObject[]) : [];
    }
  }
}

/** The same question about entries that are changed. */
export function withEntries(
  question: ConfigQuestion,
  change: (entry: JsonObject) => JsonObject,
): ConfigQuestion {
  switch (question.call) {
    case 'readAzureIntegrationConfig':
      return { ...question, entry: change(question.entry) };
    case 'readAzureIntegrationConfigs':
      return { ...question, entries: question.entries.map(change) };
    default: {
      const azure = entriesOf(question).map(change);
      return azure.length > 0
        ? { ...question, data: { integrations: { azure } } }
        : question;
    }
  }
}

export function answerConfig(from: Package, question: ConfigQuestion): unknown {
  switch (question.call) {
    case 'readAzureIntegrationConfig':
      return from.readAzureIntegrationConfig(new ConfigReader(question.entry));
    case 'readAzureIntegrationConfigs':
      return from.readAzureIntegrationConfigs(
        question.entries.map(entry => new ConfigReader(entry)),
      );
    default: {
      const config = new ConfigReader(question.data);
      const integrations = from.AzureIntegration.factory({ config }).list();
      return integrations.map(({ type, title, config: own }) => ({
        type,
        title,
        config: own,
      }));
    }
  }
}

const SPACES = [
  '\ufeff',
  '\x85',
  '\xa0',
  '\u2028',
  '\u2029',
  '\u200b',
  '\u180e',
];
const BLANKS = [...SPACES, ' ', '\t', '\n', '\r', '\v', '\f', '\0', '\u3000'];

const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('value', 'a-b-c', 'system-assigned'),
  },
  fc
    .array(fc.oneof(fc.constantFrom(...BLANKS, 'x', '', 'ä', '🚀')))
    .map(parts => parts.join('')),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);

const wrongType = fc.constantFrom(
  ...[null, 0, 1, NaN, true, false, '', [], {}, ['a'], { a: 1 }, [[]], [null]],
);

/** A value of the right type, mostly. */
function mostly<T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 30, arbitrary: value as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: wrongType },
  );
}

const HOSTS = [
  ...[
    'dev.azure.com',
    'dev.azure.com',
    'dev.azure.com',
    'server',
    'server:8080',
  ],
  ...[
    'Dev.Azure.com',
    'dev.azure.com:443',
    'dev.azure.com:80',
    'dev.azure.com.',
  ],
  ...[
    'org.visualstudio.com',
    'server:',
    'server:0',
    'server:65535',
    'server:65536',
  ],
  ...[
    'server:080',
    '[::1]',
    '[::1]:8080',
    '[::01]',
    '::1',
    '[0:0::1]',
    '127.0.0.1',
  ],
  ...[
    '127.1',
    '0x7f.1',
    '1.2.3.256',
    '2130706433',
    'a b',
    ' server',
    'server ',
  ],
  ...[
    'server/path',
    'server\\path',
    'server?q',
    'server#f',
    'user@server',
    'a%20b',
  ],
  ...[
    'https://server',
    'bücher.example',
    'xn--bcher-kva.example',
    'BÜCHER.example',
  ],
  ...[
    'faß.de',
    'a..b',
    '.',
    '..',
    'a.',
    '.a',
    'a_b',
    '-a',
    'xn--',
    'xn--a',
    '*',
  ],
  ...[
    'ser\tver',
    'server\n',
    'a,b',
    'a;b',
    '☃.net',
    'ａｂｃ',
    'a\u00adb',
    'a'.repeat(300),
  ],
  ...[
    'server:8080/',
    ':8080',
    '@',
    '[',
    ']',
    '[]',
    '<',
    'a^b',
    'a|b',
    'a`b',
    "a'b",
  ],
];

const host = fc
  .oneof(
    { weight: 3, arbitrary: fc.constantFrom(...HOSTS.slice(0, 5)) },
    fc.constantFrom(...HOSTS),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  )
  .filter(isPlainHost);

const organization = fc.oneof(
  fc.constantFrom('org', 'Org', 'ORG', 'my org', 'my%20org', 'tfs', 'a/b'),
  fc.constantFrom('10', '2', '007', '1.5', '-1', '4294967294', '4294967295'),
  fc.constantFrom('ä', 'A\u0308', ' '),
  text,
);

const organizations = mostly(fc.array(mostly(organization), { maxLength: 4 }));

const FIELDS = {
  personalAccessToken: mostly(text),
  tenantId: mostly(text),
  clientId: mostly(text),
  clientSecret: mostly(text),
  clientCertificate: mostly(text),
  clientCertificatePath: mostly(text),
  managedIdentityClientId: mostly(text),
};

type Field = keyof typeof FIELDS;

const KINDS: Field[][] = [
  ['personalAccessToken'],
  ['personalAccessToken'],
  ['personalAccessToken'],
  ['clientId'],
  ['tenantId', 'clientId', 'clientSecret'],
  ['tenantId', 'clientId', 'clientCertificate'],
  ['tenantId', 'clientId', 'clientCertificatePath'],
  ['tenantId', 'clientId', 'managedIdentityClientId'],
];

/** Credentials of every kind, and any mixture of their fields. */
const credential = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...KINDS),
        fc.constantFrom<Field[]>(...KINDS.slice(3), [], [], [], [], [], []),
      )
      .chain(([kind, others]) => withFields([...kind, ...others])),
  },
  { weight: 1, arbitrary: fc.record(FIELDS, { requiredKeys: [] }) },
  {
    weight: 1,
    arbitrary: fc.record({ ...FIELDS, organizations }, { requiredKeys: [] }),
  },
);

function withFields(fields: Field[]): fc.Arbitrary<object> {
  const own = fields.map(field => [field, FIELDS[field]]);
  return fc
    .tuple(
      fc.record<object>(Object.fromEntries(own)),
      fc.record({ organizations }, { requiredKeys: [] }),
    )
    .map(([values, rest]) => ({ ...values, ...rest }));
}

const entry = fc.record(
  {
    host: mostly(host),
    credentials: mostly(fc.array(mostly(credential), { maxLength: 5 })),
    commitSigningKey: mostly(text),
    other: text,
  },
  { requiredKeys: [] },
);

/** Removed keys matter where they are not empty. */
const oldEntry = fc.record({
  entry,
  old: fc.record(
    { token: fc.oneof(text, wrongType), credential: fc.oneof(wrongType) },
    { requiredKeys: [] },
  ),
});

const anyEntry = fc.oneof(
  { weight: 12, arbitrary: entry },
  {
    weight: 1,
    arbitrary: oldEntry.map(({ entry: own, old }) => ({ ...own, ...old })),
  },
);

/** App-configs, most of them nearly valid. */
export const configQuestions = fc.oneof(
  {
    weight: 8,
    arbitrary: anyEntry.map(own => ({
      call: 'readAzureIntegrationConfig',
      entry: own,
    })),
  },
  {
    weight: 2,
    arbitrary: fc.array(anyEntry, { maxLength: 3 }).map(entries => ({
      call: 'readAzureIntegrationConfigs',
      entries,
    })),
  },
  {
    weight: 1,
    arbitrary: mostly(fc.array(mostly(anyEntry), { maxLength: 3 })).map(
      azure => ({ call: 'factory', data: { integrations: { azure } } }),
    ),
  },
) as fc.Arbitrary<ConfigQuestion>;
