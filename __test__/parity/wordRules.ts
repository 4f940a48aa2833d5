/** How the words of a failure may differ: by what nobody is to see, and by what nobody could. */
import type { Outcome } from './outcome';
import { parsed } from './parsed';
import { translation } from './rule';

/** Upstream's words without the fragment of the URL, and with what cannot be seen written out. */
export const shownUrls = translation<{ url: string }>(({ url }, theirs) =>
  inWords(theirs, message =>
    readable(url ? message.replaceAll(url, () => shownUrl(url)) : message),
  ),
);

/** Upstream's words with what cannot be seen written out. */
export const shownNames = translation<unknown>((_question, theirs) =>
  inWords(theirs, readable),
);

/** A URL as a message shows it. */
export function shownUrl(url: string): string {
  return parsed(url) ? url.split('#', 1)[0] : url;
}

function inWords(
  outcome: Outcome,
  write: (message: string) => string,
): Outcome {
  if (!('error' in outcome)) return outcome;
  const { name, message } = outcome.error;
  return { ...outcome, error: { name, message: write(message) } };
}

function readable(text: string): string {
  return text.replace(
    /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu,
    own =>
      ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[own] ??
      `\\u{${own.codePointAt(0)!.toString(16)}}`,
  );
}
