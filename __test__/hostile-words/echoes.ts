/** The ways in which a server may repeat a secret that it was sent, and how they are recognised. */
export const ECHOES: Record<string, (secret: string) => string> = {
  'as it is': own => own,
  'in upper case': own => own.toUpperCase(),
  'in base64': own => base64(own),
  'in base64 with an empty user': own => base64(`:${own}`),
  'in base64 with a user': own => base64(`somebody:${own}`),
  'in base64 for URLs': own => Buffer.from(`:${own}`).toString('base64url'),
  'in hexadecimal': own => Buffer.from(own).toString('hex'),
  'URL-encoded': own => percent(own),
  'URL-encoded in lower case': own => percent(own).toLowerCase(),
  'URL-encoded twice': own => encodeURIComponent(percent(own)),
  'base64 URL-encoded': own => encodeURIComponent(base64(`:${own}`)),
  'escaped as in JSON': own => each(own, code => `\\u${hex(code, 4)}`),
  'escaped as in HTML': own => each(own, code => `&#x${hex(code, 2)};`),
  'with blanks': own => [...own].join(' '),
  'over some lines': own => own.replace(/.{10}/g, '$&\r\n'),
  'with control characters': own => [...own].join('\u001b\u0000'),
  'with turns of direction': own => [...own].join('\u202e'),
  'with what has no width': own => [...own].join('\u200b'),
  'at the end of what is repeated': own => `${'x'.repeat(960)} ${own}`,
  'without its end': own => own.slice(0, Math.ceil(own.length * 0.7)),
  'without its beginning': own => own.slice(Math.floor(own.length * 0.3)),
  'between marks': own => `"'${own}'\\"`,
};

/** Whether a text has a secret, in any of its forms, or a piece of it of 16 letters and digits. */
export function tells(text: string, secret: string): boolean {
  const pieces = piecesOf(secret);
  let layer = text;
  for (let depth = 0; depth < 4; depth += 1) {
    const letters = plain(layer);
    for (let start = 0; start + SIZE <= letters.length; start += 1) {
      if (pieces.has(letters.slice(start, start + SIZE))) return true;
    }
    const next = layer
      .replace(/%([0-9a-f]{2})/gi, (_, code) => character(code))
      .replace(/\\u([0-9a-f]{4})/gi, (_, code) => character(code))
      .replace(/\\u\{[0-9a-f]+\}|\\x(1b|00)/gi, '')
      .replace(/&#x([0-9a-f]+);/gi, (_, code) => character(code));
    if (next === layer) return false;
    layer = next;
  }
  return false;
}

const SIZE = 16;
const known = new Map<string, Set<string>>();

/** Every piece of a secret and its forms. */
function piecesOf(secret: string): Set<string> {
  const forms = [
    secret,
    base64(secret),
    base64(`:${secret}`),
    base64(`somebody:${secret}`),
    Buffer.from(secret).toString('hex'),
  ].map(plain);
  const pieces = known.get(secret) ?? new Set(forms.flatMap(windows));
  known.set(secret, pieces);
  return pieces;
}

function windows(text: string): string[] {
  const count = Math.max(0, text.length - SIZE + 1);
  return Array.from({ length: count }, (_, n) => text.slice(n, n + SIZE));
}

const plain = (text: string) => text.replace(/[^0-9a-z]/gi, '').toLowerCase();
const base64 = (text: string) => Buffer.from(text).toString('base64');
const hex = (code: number, digits: number) =>
  code.toString(16).padStart(digits, '0');
const character = (code: string) => String.fromCharCode(parseInt(code, 16));

function each(text: string, escape: (code: number) => string): string {
  return [...text].map(own => escape(own.charCodeAt(0))).join('');
}

/** Each character escaped, not only those that need it. */
function percent(text: string): string {
  return each(text, code => `%${hex(code, 2).toUpperCase()}`);
}
