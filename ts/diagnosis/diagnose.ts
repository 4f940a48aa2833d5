import type { Config } from '@backstage/config';
import { native } from '../binding';
import { cancellable } from '../cancellable';
import { unwrap } from '../failure';
import { limitAnswers } from '../limitAnswers';
import { nativeIntegration } from '../nativeIntegration';
import { setPlace } from '../places';
import {
  readAzureIntegrationConfig,
  readCredentialFields,
} from '../readAzureIntegrationConfig';
import type { AzureIntegrationConfig } from '../types';
import { unknownKeys } from '../unknownKeys';
import { urlsIn } from './urlsIn';
import type {
  ConfigurationProblem,
  ConfigurationReport,
  Diagnosis,
  Findings,
} from './report';
import { runtime } from './runtime';

/** What to look at, beside the configuration. */
export interface DiagnoseOptions {
  /** Repository URLs. */
  urls?: string[];
  /** The longest that one check may take, in milliseconds. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** What is known of the configuration already: where it came from, and what is wrong with it. */
  report?: ConfigurationReport;
}

const TIMEOUT_MS = 15_000;

const OF_BACKEND: ConfigurationReport = {
  source: 'the backend',
  files: [],
  problems: [],
};

const NOTHING: Findings = { hosts: [], organizations: [], urls: [] };

/**
 * Looks at everything that a read depends on: the configuration, each host, organization and credential in
 * it, and the URLs that are given. What is found is in the result; only what ended it is thrown.
 *
 * @param config - Undefined where it cannot be read, which `report` says: then nothing else is looked at.
 */
export async function diagnose(
  config: Config | undefined,
  {
    urls = [],
    timeoutMs = TIMEOUT_MS,
    signal,
    report = OF_BACKEND,
  }: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const read = config && readIntegrations(config);
  const all = [
    ...report.problems,
    ...(config ? keysThatNothingReads(config) : []).map(
      (message): ConfigurationProblem => ({
        state: 'warning',
        message,
        advice: 'write the key as it is there, or take it out',
      }),
    ),
    ...(read?.problems ?? []),
    ...(config ? [...limitProblems(config), ...switchedOff(config)] : []),
  ];
  const findings = read
    ? await examine(config, read, { urls, timeoutMs, signal })
    : NOTHING;
  const checks = [
    ...findings.hosts.flatMap(host => host.checks),
    ...findings.organizations.flatMap(organization => organization.checks),
  ];
  return {
    isHealthy:
      [...all, ...checks].every(({ state }) => state !== 'problem') &&
      urls.length === findings.urls.length &&
      findings.urls.every(url => url.isReadable),
    runtime: runtime(),
    configuration: { ...report, problems: all },
    ...findings,
  };
}

/** The integrations that are valid, and what is wrong with the others. */
interface Integrations {
  integrations: AzureIntegrationConfig[];
  problems: ConfigurationProblem[];
  /** The hosts of those that are not valid, each with its place. */
  invalid: Map<string, string>;
}

async function examine(
  config: Config,
  { integrations, invalid }: Integrations,
  {
    urls,
    timeoutMs,
    signal,
  }: { urls: string[]; timeoutMs: number; signal?: AbortSignal },
): Promise<Findings> {
  const doctor = unwrap(
    native().Doctor.of(
      integrations.map(nativeIntegration),
      integrations.map(({ host, plainHttp }) => ({ host, plainHttp })),
    ),
  );
  const findings = await cancellable(signal, cancellation =>
    doctor.examine({ urls, known: urlsIn(config), timeoutMs }, cancellation),
  );
  signal?.throwIfAborted();
  return explained(JSON.parse(unwrap(findings)) as Findings, invalid);
}

/** The findings; a URL on a host whose integration is not valid is not one of an unknown host. */
function explained(findings: Findings, invalid: Map<string, string>): Findings {
  for (const { url, cause } of findings.urls) {
    const place = URL.canParse(url) && invalid.get(new URL(url).host);
    if (!cause || !place || cause.at !== 'configuration') continue;
    cause.message = `${place}, which is for this host, is not valid, so nothing of it is read`;
    cause.advice = 'mend what is said of it above';
  }
  return findings;
}

function readIntegrations(config: Config): Integrations {
  const problems: ConfigurationProblem[] = [];
  const integrations: AzureIntegrationConfig[] = [];
  const invalid = new Map<string, string>();
  entriesOf(config, problems).forEach((entry, position) => {
    const path = `integrations.azure[${position}]`;
    try {
      const integration = readAzureIntegrationConfig(entry);
      setPlace(integration, path);
      integrations.push(integration);
    } catch (error) {
      problems.push(...lackingIn(entry, path), {
        ...problemOf(error, path),
        advice: 'until it is mended, the backend reads nothing of Azure DevOps',
      });
      invalid.set(hostOf(entry), path);
    }
  });
  const hosts = [...integrations.map(i => i.host), ...invalid.keys()];
  const missing = native().missingIntegration(hosts);
  if (missing) integrations.push({ host: missing.host });
  return { integrations, problems, invalid };
}

/** What the credentials of an entry lack: the error that they cause does not say it. */
function lackingIn(entry: Config, path: string): ConfigurationProblem[] {
  try {
    const credentials = entry.getOptionalConfigArray('credentials') ?? [];
    return credentials.flatMap((credential, position) => {
      const keys = native().lackingKeys(readCredentialFields(credential));
      return keys.map((key): ConfigurationProblem => ({
        state: 'problem',
        path: `${path}.credentials[${position}]`,
        message: `It lacks ${key}`,
        advice: 'add it, or take out what makes it a credential of this kind',
      }));
    });
  } catch {
    // A value is of the wrong type, which the error says.
    return [];
  }
}

/** The host of an entry, also of one that is not valid. */
function hostOf(entry: Config): string {
  const host = entry.getOptional('host');
  return typeof host === 'string' ? host : 'dev.azure.com';
}

function entriesOf(config: Config, problems: ConfigurationProblem[]): Config[] {
  try {
    return config.getOptionalConfigArray('integrations.azure') ?? [];
  } catch (error) {
    problems.push(problemOf(error, 'integrations.azure'));
    return [];
  }
}

function limitProblems(config: Config): ConfigurationProblem[] {
  try {
    limitAnswers(config);
    return [];
  } catch (error) {
    return [problemOf(error, 'backend.reading.azureDevOps.limits')];
  }
}

/** None where something above our part is no object, which is told where that is read. */
function keysThatNothingReads(config: Config): string[] {
  try {
    return unknownKeys(config);
  } catch {
    return [];
  }
}

/** What is found then is what this package would meet, if it read. */
function switchedOff(config: Config): ConfigurationProblem[] {
  const path = 'backend.reading.azureDevOps.enabled';
  try {
    if (config.getOptionalBoolean(path) !== false) return [];
  } catch (error) {
    return [problemOf(error, path)];
  }
  return [
    {
      state: 'warning',
      path,
      message: 'It is false, so the backend reads with the built-in reader',
      advice: 'take it out, for this package to read',
    },
  ];
}

function problemOf(error: unknown, path: string): ConfigurationProblem {
  // A host may have been written with a user and a password.
  const message = (error as Error).message.replace(/\/\/[^/\s'"]*@/g, '//***@');
  return { state: 'problem', path, message };
}
