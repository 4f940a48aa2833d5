/** How messages about the config may differ. */
import {
  answerConfig,
  entriesOf,
  withEntries,
  type ConfigQuestion,
} from './configQuestions';
import { same, thrown, type Outcome } from './outcome';
import { upstream } from '../../testing/packages';
import type { Rule } from './rule';

/** Upstream's message with other positions. */
export const positionsInConfig: Rule<ConfigQuestion> = {
  applies: question => entriesOf(question).some(positionsDiffer),
  holds: ({ question, upstream: theirs, here }) =>
    withRealPositions(question, theirs).some(real => same(here, real)),
};

type Named = Record<string, unknown>;

function credentialsOf(entry: { credentials?: unknown }): Named[] {
  const credentials = entry?.credentials;
  return Array.isArray(credentials) ? credentials : [];
}

function namesAny({ organizations }: Named): boolean {
  return Array.isArray(organizations) && organizations.length > 0;
}

/** Whether a credential that names no organization stands before one that does. */
function positionsDiffer(entry: { credentials?: unknown }): boolean {
  const named = credentialsOf(entry).map(own => own && namesAny(own));
  return (
    named.lastIndexOf(true) > named.indexOf(false) && named.includes(false)
  );
}

/** Upstream's message with the positions that it counts replaced by those of each entry. */
function withRealPositions(
  question: ConfigQuestion,
  outcome: Outcome,
): Outcome[] {
  if (!('error' in outcome)) return [];
  const { name, message } = outcome.error;
  return entriesOf(question).map(entry => {
    const positions = credentialsOf(entry).flatMap((own, index) =>
      own && namesAny(own) ? [index + 1] : [],
    );
    const real = message.replace(
      /(?<=multiple times in credentials at positions )[\d, ]+ and \d+/g,
      counted => counted.replace(/\d+/g, n => String(positions[Number(n) - 1])),
    );
    return { error: { name, message: real } };
  });
}

const CERTIFICATES = ['clientCertificate', 'clientCertificatePath'] as const;

/** What upstream says of a secret in the certificate's place, which goes with the same fields. */
export const certificates: Rule<ConfigQuestion> = {
  always: true,
  applies: question =>
    entriesOf(question)
      .flatMap(credentialsOf)
      .some(own => certificatesOf(own).length > 0),
  holds: ({ question, here }) => {
    const expected = withCertificates(question, asSecrets(question));
    const told = withoutFields(here);
    return (
      (isOdd(question) && 'error' in here) ||
      same(told, withoutFields(expected)) ||
      positionsInConfig.holds({ question, upstream: expected, here })
    );
  },
};

type Credential = Record<string, unknown>;

/** The fields that are there; `null` counts as none. */
function certificatesOf(own: Credential | null | undefined): string[] {
  return CERTIFICATES.filter(field => (own?.[field] ?? null) !== null);
}

/** Upstream's answer where each certificate is a secret, and what is not to be is refused too. */
function asSecrets(question: ConfigQuestion): Outcome {
  const asked = withEntries(question, entry => {
    if (!Array.isArray(entry?.credentials)) return entry;
    return { ...entry, credentials: entry.credentials.map(asSecret) as never };
  });
  try {
    return { value: answerConfig(upstream, asked) };
  } catch (error) {
    return { error: thrown(error) };
  }
}

function asSecret(own: unknown): unknown {
  const fields = certificatesOf(own as Credential);
  if (fields.length === 0) return own;
  const { clientCertificate, clientCertificatePath, ...rest } =
    own as Credential;
  const values = [rest.clientSecret, clientCertificate, clientCertificatePath];
  const [clientSecret, ...more] = values.filter(
    value => (value ?? null) !== null,
  );
  // Of two that exclude each other none is a secret; any two fields do for that.
  const { personalAccessToken = 'refused' } = rest;
  return {
    ...rest,
    clientSecret,
    ...(more.length > 0 ? { personalAccessToken } : {}),
  };
}

/** The answer about secrets as one about the certificates that they stand for. */
function withCertificates(question: ConfigQuestion, outcome: Outcome): Outcome {
  const fields = entriesOf(question)
    .flatMap(credentialsOf)
    .map(own => certificatesOf(own)[0]);
  return 'error' in outcome
    ? outcome
    : { value: renamed(outcome.value, fields) };
}

/** An error may be about a field, which is a secret's where upstream was asked. */
function withoutFields(outcome: Outcome): Outcome {
  if (!('error' in outcome)) return outcome;
  const { name, message } = outcome.error;
  const field = /client(Secret|CertificatePath|Certificate)/g;
  return { error: { name, message: message.replace(field, 'field') } };
}

/** Takes a field for each credential, in their order, that the secret in it is named. */
function renamed(value: unknown, fields: Array<string | undefined>): unknown {
  if (Array.isArray(value)) return value.map(own => renamed(own, fields));
  if (typeof value !== 'object' || value === null) return value;
  if (!('kind' in value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(
      entries.map(([key, own]) => [key, renamed(own, fields)]),
    );
  }
  const field = fields.shift();
  if (!field) return value;
  const { clientSecret, ...rest } = value as Credential;
  return { ...rest, kind: 'ClientCertificate', [field]: clientSecret };
}

/** Whether a certificate is not text; each field has a message of its own for that. */
function isOdd(question: ConfigQuestion): boolean {
  return entriesOf(question)
    .flatMap(credentialsOf)
    .some(own =>
      certificatesOf(own).some(field => {
        const value = own[field];
        return typeof value !== 'string' || value === '';
      }),
    );
}
