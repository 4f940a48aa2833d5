/**
 * Which URLs Node's own parser and the core's read alike.
 *
 * Both follow the URL standard, and so does no parser to the last letter: they differ, as Node's
 * versions do among each other, in schemes that no host of Azure DevOps has, in host names outside
 * of ASCII, in a caret in a path, and in a query that is there but empty. Nobody is asked about
 * these.
 */
export function isReadAlike(url: string): boolean {
  const plain = url.replace(/[\t\n\r]/g, '').replace(/^[\0-\x20]+/, '');
  const [, scheme = 'https', rest] =
    plain.match(/^(?:([a-z][a-z0-9+.-]*):|(?=[\\/]{2}))(.*)$/is) ?? [];
  if (/\^|%5e/i.test(plain) || hasEmptyQuery(plain)) return false;
  if (!/^https?$/i.test(scheme)) return false;
  if (isNamedByPath(url)) return false;
  const host = (rest ?? '').replace(/^[\\/]+/, '').split(/[\\/?#]/)[0];
  return isPlainHost(host);
}

/** A host name in ASCII that encodes no other. */
export function isPlainHost(host: string): boolean {
  const name = decoded(host);
  return /^[\x21-\x7e]*$/.test(name) && !/xn--/i.test(name);
}

/** To resolve a reference upstream puts the path behind a host: without a slash it is part of it. */
function isNamedByPath(url: string): boolean {
  const [, path = ''] = url.match(/[?&]p(?:a|%61)th=([^&#]*)/) ?? [];
  return !isPlainHost(
    decoded(path)
      .split(/[\\/?#]/)[0]
      .replace(/\+/g, ''),
  );
}

function hasEmptyQuery(url: string): boolean {
  return /^[^#?]*\?(#|$)/.test(url);
}

/** Escapes in a host count as what they stand for; broken ones as something else. */
function decoded(host: string): string {
  try {
    return decodeURIComponent(host);
  } catch {
    return '\ufffd';
  }
}
