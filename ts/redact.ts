import { inspect, type InspectOptions } from 'node:util';
import type { AzureDevOpsCredential, AzureIntegrationConfig } from './types';

/**
 * Keeps the values of `fields` out of `util.inspect`, and so out of `console.log`.
 *
 * The object stays what it was for everything else: the method that does it is not enumerable. Of an
 * object that is frozen it gives a copy.
 */
export function redact<T extends object>(
  object: T,
  fields: ReadonlyArray<string>,
): T {
  if (Object.hasOwn(object, inspect.custom)) return object;
  const redacted = Object.isExtensible(object) ? object : { ...object };
  return Object.defineProperty(redacted, inspect.custom, {
    enumerable: false,
    value: (_depth: number, options: InspectOptions) =>
      inspect(redactedCopy(redacted, fields), options),
  });
}

const SECRETS = [
  'clientSecret',
  'clientCertificate',
  'personalAccessToken',
] as const;

/** The same for a credential, without its secrets. */
export function redactCredential(
  credential: AzureDevOpsCredential,
): AzureDevOpsCredential {
  return redact(credential, SECRETS);
}

/** The same for a configuration and its credentials. */
export function redactConfig(
  config: AzureIntegrationConfig,
): AzureIntegrationConfig {
  const credentials = config.credentials?.map(redactCredential);
  const hasCopies = credentials?.some(
    (credential, n) => credential !== config.credentials?.[n],
  );
  return redact(hasCopies ? { ...config, credentials } : config, [
    'commitSigningKey',
  ]);
}

function redactedCopy(object: object, fields: ReadonlyArray<string>): object {
  const entries = Object.entries(object).map(([key, value]) => [
    key,
    (fields.includes(key) && value !== undefined) || isKey(value)
      ? '[redacted]'
      : value,
  ]);
  return Object.fromEntries(entries);
}

/** Whether it is a certificate with its key, which by mistake stands where the path of one belongs. */
function isKey(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  // The other form is that of PKCS#12 in base64.
  return value.includes('-----BEGIN ') || /^MII\S{253}/.test(value);
}

/**
 * The same for headers, where the method is the prototype's: `fetch` reads every property of its
 * headers' own, enumerable or not. The prototype is like that of any object, and the last: others,
 * as axios, take nothing else for plain headers.
 */
export function redactHeaders<T extends object>(headers: T): T {
  const method = {
    value(this: object, _depth: number, options: InspectOptions) {
      return inspect(redactedCopy(this, Object.keys(this)), options);
    },
  };
  const prototype = Object.create(null, {
    ...Object.getOwnPropertyDescriptors(Object.prototype),
    [inspect.custom]: method,
  });
  return Object.assign(Object.create(prototype), headers);
}
