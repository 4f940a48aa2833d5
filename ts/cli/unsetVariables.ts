import type { Config } from '@backstage/config';
import type { ConfigurationProblem } from '../diagnosis/report';
import type { Substitution } from './configuration';

/** The parts of the configuration that this package reads. */
const PARTS = ['integrations.azure', 'backend.reading.azureDevOps'];

/** Stands for the value of a variable that is not set; no value has it. */
const MARK = '\u0000unset:';

/**
 * The environment variables that our part of the configuration names and that are not set, each with the key
 * that lacks its value: Backstage leaves such keys out without a word.
 *
 * @param config - The configuration as Backstage has it: where a key has a value in it, nothing is lacking.
 * @param load - Loads the configuration with these values of variables.
 */
export async function unsetVariables(
  config: Config,
  load: (substitution: Substitution) => Promise<Config>,
): Promise<ConfigurationProblem[]> {
  const marked = await load(async name => {
    const value = process.env[name]?.trim();
    return value || `${MARK}${name}\u0000`;
    // A file that is named by such a variable is not there; without its value it was not asked for.
  }).catch(() => undefined);
  if (!marked) return [];
  return PARTS.flatMap(part => {
    try {
      return lackingIn(
        marked.getOptional(part),
        config.getOptional(part),
        part,
      );
    } catch {
      // Something above the part is no object, which is told where it is read.
      return [];
    }
  });
}

function lackingIn(
  value: unknown,
  real: unknown,
  path: string,
): ConfigurationProblem[] {
  if (typeof value === 'string') {
    return real === undefined ? problemsOf(value, path) : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    lackingIn(
      inner,
      (real as Record<string, unknown> | undefined)?.[key],
      Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`,
    ),
  );
}

function problemsOf(text: string, path: string): ConfigurationProblem[] {
  return namesIn(text).map(name => ({
    state: 'problem',
    path,
    message: `The environment variable ${name} is not set, so this key counts as missing`,
    advice: `Set ${name} where the backend is started, or take the key out`,
  }));
}

function namesIn(text: string): string[] {
  return text
    .split(MARK)
    .slice(1)
    .map(part => part.split('\u0000')[0]);
}
