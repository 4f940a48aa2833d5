import { AzureDevOps, type RecordedRequest } from '../../testing/azure-devops';
import type { ShopRepository } from './ShopRepository';

/** The token that the stand-in admits. */
export const PERSONAL_ACCESS_TOKEN = 'the-demo-personal-access-token';

/**
 * An Azure DevOps of this machine that answers as `dev.azure.com`: the process's proxy leads to it,
 * and its authority is trusted. It has to be started before anything is read.
 */
export class AzureDevOpsStandIn {
  static async start(repository: ShopRepository): Promise<AzureDevOpsStandIn> {
    const tokens = [PERSONAL_ACCESS_TOKEN];
    const azure = await AzureDevOps.start({ tokens });
    const environment = {
      HTTPS_PROXY: azure.proxyUrl,
      https_proxy: azure.proxyUrl,
      NO_PROXY: '127.0.0.1,localhost',
      no_proxy: '127.0.0.1,localhost',
      NODE_EXTRA_CA_CERTS: azure.caFile,
    };
    Object.assign(process.env, environment);
    const hosted = await azure.addRepository({
      organization: 'contoso',
      project: 'shop',
      repository: 'shop',
      path: repository.directory,
    });
    return new AzureDevOpsStandIn(azure, path => hosted.webUrl({ path }));
  }

  private constructor(
    private readonly azure: AzureDevOps,
    /** The URL under which a browser would show a path of the repository. */
    readonly webUrl: (path?: string) => string,
  ) {}

  get proxyUrl(): string {
    return this.azure.proxyUrl;
  }

  /** Every request that it got, oldest first. */
  get requests(): RecordedRequest[] {
    return this.azure.requests;
  }

  /** The answered requests for a path, without the first `count` requests. */
  answered(path: string, count: number): RecordedRequest[] {
    const answered = this.requests
      .slice(count)
      .filter(({ status }) => status > 0);
    return answered.filter(
      ({ url }) => new URLSearchParams(url.split('?')[1]).get('path') === path,
    );
  }

  async stop(): Promise<void> {
    await this.azure.close();
  }
}
