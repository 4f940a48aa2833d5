import { readDurationFromConfig, type Config } from '@backstage/config';
import { durationToMilliseconds, type HumanDuration } from '@backstage/types';
import { native } from './binding';
import { unwrap } from './failure';
import type { Credential, CredentialFields, IntegrationFields } from './native';
import { setPlace } from './places';
import { redactConfig, redactCredential } from './redact';
import type {
  AzureDevOpsCredential,
  AzureIntegrationConfig,
  AzurePlainHttp,
  AzureRetryConfig,
  AzureStaleIfThrottledConfig,
} from './types';

/**
 * Reads and checks one entry of `integrations.azure`.
 *
 * @param config - The entry.
 * @throws Where a value has the wrong type, a host is invalid, or a credential is of no kind or
 * serves what another one serves.
 *
 * @public
 */
export function readAzureIntegrationConfig(
  config: Config,
): AzureIntegrationConfig {
  const fields: IntegrationFields = { hasRemovedKeys: false };
  let commitSigningKey: string | undefined;
  let staleIfThrottled: AzureStaleIfThrottledConfig | undefined;
  let typeError: unknown;
  try {
    fields.hasRemovedKeys = hasRemovedKeys(config);
    fields.host = config.getOptionalString('host');
    fields.credentials = config
      .getOptionalConfigArray('credentials')
      ?.map(readCredentialFields);
    fields.retry = readRetry(config);
    fields.plainHttp = config.getOptionalString('plainHttp');
    staleIfThrottled = readStaleIfThrottled(config);
    fields.maxStale =
      staleIfThrottled && durationToMilliseconds(staleIfThrottled.maxAge);
    commitSigningKey = config.getOptionalString('commitSigningKey');
  } catch (error) {
    typeError = error;
  }
  // A rule that is broken before the value of a wrong type is reported first.
  const { host, credentials } = unwrap(native().readIntegrationConfig(fields));
  if (typeError !== undefined) {
    throw typeError;
  }
  return redactConfig({
    host,
    credentials: credentials?.map(toCredential),
    commitSigningKey,
    ...(fields.retry && { retry: fields.retry }),
    // Checked by the native part.
    ...(fields.plainHttp && { plainHttp: fields.plainHttp as AzurePlainHttp }),
    ...(staleIfThrottled && { staleIfThrottled }),
  });
}

/**
 * Reads and checks `integrations.azure`, and adds `dev.azure.com` where it is missing.
 *
 * @example
 * ```ts
 * readAzureIntegrationConfigs(
 *   config.getOptionalConfigArray('integrations.azure') ?? [],
 * );
 * ```
 *
 * @param configs - The entries of `integrations.azure`, all of them in their order: a credential is called by
 * its place among them.
 * @throws As {@link readAzureIntegrationConfig}.
 *
 * @public
 */
export function readAzureIntegrationConfigs(
  configs: Config[],
): AzureIntegrationConfig[] {
  const integrations = configs.map((config, position) => {
    const integration = readAzureIntegrationConfig(config);
    setPlace(integration, `integrations.azure[${position}]`);
    return integration;
  });
  const missing = native().missingIntegration(integrations.map(i => i.host));
  return missing ? [...integrations, { host: missing.host }] : integrations;
}

function hasRemovedKeys(config: Config): boolean {
  return Boolean(
    config.getOptional('credential') || config.getOptional('token'),
  );
}

function readRetry(config: Config): AzureRetryConfig | undefined {
  const retry = config.getOptionalConfig('retry');
  return (
    retry && {
      maxRetries: retry.getOptionalNumber('maxRetries'),
      retryStatusCodes: readStatusCodes(config),
      maxApiRequestsPerMinute: retry.getOptionalNumber(
        'maxApiRequestsPerMinute',
      ),
    }
  );
}

/** A value that is not a number is reported with the rules. */
function readStatusCodes(config: Config): number[] | undefined {
  const codes = config.getOptional('retry.retryStatusCodes');
  const isList =
    Array.isArray(codes) && codes.every(code => typeof code === 'number');
  if (codes !== undefined && !isList) {
    throw invalid(
      config,
      `'retry.retryStatusCodes' must be a list of statuses of HTTP, which are numbers, but is ${JSON.stringify(codes)}`,
    );
  }
  return codes;
}

function readStaleIfThrottled(
  config: Config,
): AzureStaleIfThrottledConfig | undefined {
  if (!config.getOptionalConfig('staleIfThrottled')) return undefined;
  const key = 'staleIfThrottled.maxAge';
  return { maxAge: readDuration(config, key) };
}

function readDuration(config: Config, key: string): HumanDuration {
  try {
    return readDurationFromConfig(config, { key });
  } catch (error) {
    throw invalid(config, `${error}`);
  }
}

/** Names the host that breaks a rule that Backstage's own integration does not have. */
function invalid(config: Config, rule: string): Error {
  const host = config.getOptionalString('host') ?? 'dev.azure.com';
  return new Error(`Invalid Azure integration config for ${host}: ${rule}`);
}

/** One credential as it is written, types checked and nothing else. */
export function readCredentialFields(config: Config): CredentialFields {
  return {
    organizations: config.getOptionalStringArray('organizations'),
    personalAccessToken: config.getOptionalString('personalAccessToken'),
    tenantId: config.getOptionalString('tenantId'),
    clientId: config.getOptionalString('clientId'),
    clientSecret: config.getOptionalString('clientSecret'),
    clientCertificate: config.getOptionalString('clientCertificate'),
    clientCertificatePath: config.getOptionalString('clientCertificatePath'),
    managedIdentityClientId: config.getOptionalString(
      'managedIdentityClientId',
    ),
  };
}

function toCredential({
  kind,
  organizations,
  ...fields
}: Credential): AzureDevOpsCredential {
  // The native part gives exactly the fields of the kind, which the type cannot say.
  const credential = {
    kind,
    organizations,
    ...fields,
  } as AzureDevOpsCredential;
  return redactCredential(credential);
}
