import { InputError } from '@backstage/errors';

const MOST = 10;

/** The URLs that a request asks about, by its path with the query. */
export function urlsAsked(path: string): string[] {
  const [, query = ''] = /\?(.*)/s.exec(path) ?? [];
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (name !== 'url') throw unknownParameter(name);
  }
  const urls = parameters.getAll('url');
  if (urls.length > MOST) {
    throw new InputError(
      `There are ${urls.length} parameters url, and at most ${MOST} are looked at`,
    );
  }
  const wrong = urls.findIndex(url => !isWeb(url));
  // It is named by its place, because it may be a secret that was pasted.
  if (wrong >= 0) {
    throw new InputError(
      `The parameter url${urls.length > 1 ? ` number ${wrong + 1}` : ''} is no URL that begins with https:// or http://`,
    );
  }
  return urls;
}

/** A part of a URL that was not encoded would be lost, and another URL looked at. */
function unknownParameter(name: string): InputError {
  return new InputError(
    `The only parameter is url, and there is ${JSON.stringify(name)}. Where it is a part of a URL, encode that: as curl does with --get --data-urlencode`,
  );
}

function isWeb(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}
