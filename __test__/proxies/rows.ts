/**
 * Where a read may go another way than Node 24's `fetch`: `ALL_PROXY` counts last, and what names no
 * proxy is an error of the reads that it would lead. (That `NODE_USE_ENV_PROXY` is not needed shows in
 * every case: readers are asked without it.)
 */
import { NAMES, type Environment } from './environments';
import type { Variables, Way } from './Ways';

/**
 * The environment that leads `fetch` as this one is to lead a reader: a variable that names no proxy
 * names the proxy of its place, which shows who would have gone there.
 */
export function asFetchReadsIt(environment: Environment): Variables {
  const variables = { ...environment.variables };
  for (const name of environment.invalid)
    variables[name] = `http://127.0.0.1:{${NAMES.indexOf(name)}}`;
  const { ALL_PROXY, all_proxy = ALL_PROXY } = variables;
  const { HTTP_PROXY, http_proxy = HTTP_PROXY } = variables;
  // Where there is nothing else, what is empty stays, and hides.
  return { ...variables, http_proxy: http_proxy || all_proxy || http_proxy };
}

/** What is wrong with the way that a read went, or nothing. */
export function faultOf(
  { invalid }: Environment,
  fetched: Way,
  read: Way,
): string | undefined {
  if (read.message.includes('SECRET')) return 'a password is told';
  const refused = refusedBecauseOf(fetched, invalid);
  if (refused === undefined) {
    return fetched.way === read.way ? undefined : 'another way';
  }
  if (read.way !== 'direct') return 'not refused';
  return tellsWhatToWrite(read.message, refused)
    ? undefined
    : `nothing is told of ${refused}, or not what to write`;
}

/** The variable with which the read has to be refused. */
export function refusedBecauseOf(
  { way }: Way,
  invalid: string[],
): string | undefined {
  const [, place] = /^proxy (\d)/.exec(way) ?? [];
  return invalid.find(name => NAMES.indexOf(name) === Number(place));
}

/** Whether a message names the variable, and a proxy as it could be written. */
function tellsWhatToWrite(message: string, variable: string): boolean {
  const withoutAsked = message.replace(/\S+\/org\/project\S*/gi, '');
  return (
    new RegExp(`\\b${variable}\\b`).test(withoutAsked) &&
    /\bhttps?:\/\//.test(withoutAsked)
  );
}
