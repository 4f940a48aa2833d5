/** Questions about URLs, and how a package answers them. */
import { ConfigReader } from '@backstage/config';
import { thrown, type Outcome } from './outcome';
import type { Package } from '../../testing/packages';

/** The calls that take a repository URL and nothing else. */
export const URL_CALLS = [
  'fromRepoUrl',
  'toRepoUrl',
  'toFileUrl',
  'toArchiveUrl',
  'toCommitsUrl',
  'getAzureFileFetchUrl',
  'getAzureDownloadUrl',
  'getAzureCommitsUrl',
  'resolveEditUrl',
  'byUrl',
  'byUrlObject',
  'byHost',
] as const;

export type UrlCall = (typeof URL_CALLS)[number];

export type UrlQuestion =
  | { call: UrlCall; url: string }
  | { call: 'resolveUrl'; url: string; base: string; lineNumber?: number };

const HOSTS = ['dev.azure.com', 'server:8080', 'org.visualstudio.com', '[::1]'];

const config = new ConfigReader({
  integrations: { azure: HOSTS.map(host => ({ host })) },
});

/** Synchronous, because tens of thousands of questions are asked. */
export function answerUrl(from: Package, question: UrlQuestion): Outcome {
  try {
    return { value: answer(from, question) };
  } catch (error) {
    return { error: thrown(error) };
  }
}

function answer(from: Package, question: UrlQuestion): unknown {
  const { call, url } = question;
  switch (call) {
    case 'resolveUrl':
      return new from.AzureIntegration({ host: HOSTS[0] }).resolveUrl(question);
    case 'resolveEditUrl':
      return new from.AzureIntegration({ host: HOSTS[0] }).resolveEditUrl(url);
    case 'fromRepoUrl':
      return getters(from, url);
    case 'toRepoUrl':
    case 'toFileUrl':
    case 'toArchiveUrl':
    case 'toCommitsUrl':
      return from.AzureUrl.fromRepoUrl(url)[call]();
    case 'byUrl':
      return group(from).byUrl(url)?.title;
    case 'byUrlObject':
      return group(from).byUrl(new URL(url))?.title;
    case 'byHost':
      return group(from).byHost(url)?.title;
    default:
      return from[call](url);
  }
}

function getters(from: Package, url: string): unknown {
  const azureUrl = from.AzureUrl.fromRepoUrl(url);
  return {
    owner: azureUrl.getOwner(),
    project: azureUrl.getProject(),
    repo: azureUrl.getRepo(),
    path: azureUrl.getPath(),
    ref: azureUrl.getRef(),
    prefix: azureUrl.getPrefix(),
  };
}

const groups = new Map<Package, ReturnType<typeof makeGroup>>();

function group(from: Package): ReturnType<typeof makeGroup> {
  const known = groups.get(from) ?? makeGroup(from);
  groups.set(from, known);
  return known;
}

function makeGroup(from: Package) {
  return from.AzureIntegration.factory({ config });
}
