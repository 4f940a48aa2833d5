import type {
  ScmIntegration,
  ScmIntegrationsFactory,
  ScmIntegrationsGroup,
} from '@backstage/integration';
import { native } from './binding';
import { unwrap } from './failure';
import { keepPlace } from './places';
import { readAzureIntegrationConfigs } from './readAzureIntegrationConfig';
import { redactConfig } from './redact';
import type { AzureIntegrationConfig } from './types';

/**
 * One Azure DevOps host as a Backstage integration.
 *
 * @public
 */
export class AzureIntegration implements ScmIntegration {
  /** Makes the integrations of `integrations.azure`, `dev.azure.com` among them. */
  static factory: ScmIntegrationsFactory<AzureIntegration> = ({ config }) =>
    group(
      readAzureIntegrationConfigs(
        config.getOptionalConfigArray('integrations.azure') ?? [],
      ).map(integration => new AzureIntegration(integration)),
    );

  // Private for real, so that no secret of it shows where the integration is inspected.
  readonly #config: AzureIntegrationConfig;

  constructor(integrationConfig: AzureIntegrationConfig) {
    this.#config = keepPlace(
      redactConfig(integrationConfig),
      integrationConfig,
    );
  }

  /** Always `azure`. */
  get type(): string {
    return 'azure';
  }

  /** The host. */
  get title(): string {
    return this.#config.host;
  }

  /** The configuration that this was made from. */
  get config(): AzureIntegrationConfig {
    return this.#config;
  }

  /**
   * Resolves a URL or path as seen from the file at `base`: a path stays inside the repository,
   * in the `path` parameter.
   */
  resolveUrl(options: {
    url: string;
    base: string;
    lineNumber?: number;
  }): string {
    const { url, base, lineNumber } = options;
    const lines = lineNumber
      ? { start: String(lineNumber), end: String(lineNumber + 1) }
      : undefined;
    return unwrap(native().resolveUrl(String(url), String(base), lines)) ?? url;
  }

  /** The URL under which a browser edits the file; the same URL where it names none. */
  resolveEditUrl(url: string): string {
    return native().resolveEditUrl(String(url)) ?? url;
  }
}

function group(
  integrations: AzureIntegration[],
): ScmIntegrationsGroup<AzureIntegration> {
  const byHost = (host?: string | null) =>
    integrations.find(integration => integration.config.host === host);
  return {
    list: () => integrations,
    byUrl: url =>
      byHost(typeof url === 'string' ? native().hostOf(url) : url?.host),
    byHost,
  };
}
