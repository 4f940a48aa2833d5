import type { Config } from '@backstage/config';
import type { AzureIntegration } from '../AzureIntegration';
import { makeReaders, type AzureUrlReader } from '../AzureUrlReader';
import { AzureUrl } from '../AzureUrl';
import { loadConfiguration, type SourceOptions } from './configuration';
import { loggerWith } from './loggerWith';
import type { Run } from './main';
import type { Terminal } from './Terminal';

/** Who reads a URL. */
export interface UrlReaderOf {
  reader: AzureUrlReader;
  integration: AzureIntegration;
}

/** Hosts that other integrations of Backstage read. */
const OF_OTHERS = ['github.com', 'gitlab.com', 'bitbucket.org'];

/**
 * The reader of a URL, as the configuration has it.
 *
 * @throws Before anything is sent, where the URL names no repository, or its host is not configured.
 */
export async function readerOf(
  { terminal, options }: Run<SourceOptions>,
  url: string,
): Promise<UrlReaderOf> {
  checkUrl(url);
  const { config, report } = await loadConfiguration(options);
  for (const { state, message } of report.problems) {
    terminal.note(`${terminal.errorColors.yellow(state)}: ${message}`);
  }
  return readerIn(config, terminal, url);
}

/**
 * The reader of a URL in a configuration.
 *
 * @throws As {@link readerOf}.
 */
export function readerIn(
  config: Config,
  terminal: Terminal,
  url: string,
): UrlReaderOf {
  checkUrl(url);
  const { host } = new URL(url);
  const { yellow, red } = terminal.errorColors;
  const readers = makeReaders({
    config,
    logger: loggerWith({
      warn: message => terminal.note(`${yellow('warning')}: ${message}`),
      error: message => terminal.note(`${red('error')}: ${message}`),
    }),
    // Only its folder would be asked for, which is the system's here.
    treeResponseFactory: undefined as never,
  });
  const found = readers.find(({ integration }) => integration.title === host);
  if (!found) {
    const hosts = readers.map(({ integration }) => integration.title);
    throw new Error(notConfigured(host, hosts));
  }
  AzureUrl.fromRepoUrl(url);
  return found;
}

function checkUrl(url: string): void {
  if (URL.canParse(url)) return;
  throw new Error(
    'This is no URL: copy it from the address bar, as https://dev.azure.com/{organization}/{project}/_git/{repository}?path=/{file}',
  );
}

function notConfigured(host: string, hosts: string[]): string {
  return OF_OTHERS.includes(host)
    ? `${host} is no host of Azure DevOps: another integration of Backstage reads it`
    : `The host ${host} is not configured: add it under integrations.azure, or check the URL. Configured are ${hosts.join(', ')}`;
}
