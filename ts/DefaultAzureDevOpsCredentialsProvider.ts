import type {
  AzureDevOpsCredentials,
  AzureDevOpsCredentialsProvider,
} from './AzureDevOpsCredentialsProvider';
import { native } from './binding';
import { unwrap } from './failure';
import type { Credentials } from './native';
import { nativeIntegration } from './nativeIntegration';
import { redact, redactHeaders } from './redact';
import type { AzureIntegrations } from './types';

// Beside the class and not in it, so that the public type does not name what is native.
const natives = new WeakMap<AzureDevOpsCredentialsProvider, Credentials>();

/**
 * The native credentials of a provider that is exactly ours; a subclass, or any other provider, is
 * to be asked.
 */
export function nativeCredentials(
  provider: AzureDevOpsCredentialsProvider,
): Credentials | undefined {
  const { getCredentials } = DefaultAzureDevOpsCredentialsProvider.prototype;
  return provider.getCredentials === getCredentials
    ? natives.get(provider)
    : undefined;
}

/**
 * Finds the configured credential that serves a URL: that of its organization, else the host's for any
 * organization, else, for `dev.azure.com`, the default chain. All providers of a process share tokens.
 *
 * @example
 * ```ts
 * const azure = AzureIntegration.factory({ config }); const provider =
 * DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure }); const credentials = await
 * provider.getCredentials({ url }); await fetch(request, { headers: credentials?.headers });
 * ```
 *
 * @see https://backstage.io/docs/integrations/azure/locations
 *
 * @public
 */
export class DefaultAzureDevOpsCredentialsProvider implements AzureDevOpsCredentialsProvider {
  /**
   * Takes the credentials of all Azure integrations.
   *
   * @param integrations - `ScmIntegrations` of `@backstage/integration`, or anything with a list of
   * Azure integrations.
   */
  static fromIntegrations(
    integrations: AzureIntegrations,
  ): DefaultAzureDevOpsCredentialsProvider {
    const configs = integrations.azure
      .list()
      .map(({ config }) => nativeIntegration(config));
    return new DefaultAzureDevOpsCredentialsProvider(
      unwrap(native().Credentials.fromIntegrations(configs)),
    );
  }

  readonly #credentials: Credentials;

  private constructor(credentials: Credentials) {
    this.#credentials = credentials;
    natives.set(this, credentials);
  }

  /**
   * Gives the headers, token and type of the credential that serves `url`, or `undefined` where none
   * does.
   *
   * @throws Where no token can be obtained for it, or the default chain failed.
   */
  async getCredentials(opts: {
    url: string;
  }): Promise<AzureDevOpsCredentials | undefined> {
    const found = unwrap(await this.#credentials.forUrl(String(opts.url)));
    if (!found) {
      return undefined;
    }
    const credentials: AzureDevOpsCredentials = {
      headers: redactHeaders({ Authorization: found.authorization }),
      type: found.type,
      token: found.token,
    };
    return redact(credentials, ['token']);
  }
}
