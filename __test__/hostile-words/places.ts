import type { Answer } from './EchoServer';

/** Where in an answer a server may repeat what it was sent; nothing where it cannot be written there. */
export interface Place {
  name: string;
  answer(echo: string): Answer | undefined;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

function inJson(status: number, wrap: (message: string) => object): Place {
  return {
    name: `the message of a ${status}`,
    answer: echo => ({
      status,
      headers: JSON_TYPE,
      body: JSON.stringify(wrap(`TF400813: you sent ${echo} here`)),
    }),
  };
}

function inHeader(
  name: string,
  status: number,
  header: string,
  write: (echo: string) => string,
): Place {
  return {
    name,
    answer: echo => {
      const value = write(echo);
      return /^[\x20-\x7e]*$/.test(value)
        ? { status, headers: { [header]: value } }
        : undefined;
    },
  };
}

const inUrl = (echo: string) => encodeURI(echo.replaceAll('%', '%25'));

export const PLACES: Place[] = [
  ...[400, 401, 404].map(status =>
    inJson(status, message => ({ $id: '1', message, typeKey: 'E' })),
  ),
  inJson(403, message => ({ count: 1, value: { Message: message } })),
  {
    name: 'the reason phrase',
    answer: echo =>
      /^[\x20-\x7e]*$/.test(echo)
        ? { status: 404, reason: `You sent ${echo} here` }
        : undefined,
  },
  inHeader('x-tfs-serviceerror', 403, 'x-tfs-serviceerror', echo =>
    encodeURIComponent(`You sent ${echo}`).replaceAll('%20', '+'),
  ),
  inHeader('x-tfs-serviceerror, raw', 403, 'x-tfs-serviceerror', it => it),
  inHeader(
    'the path of a redirect',
    302,
    'location',
    echo => `https://elsewhere.example/x/${inUrl(echo)}/y`,
  ),
  inHeader(
    'the path of a page to sign in',
    302,
    'location',
    echo => `https://login.example/${inUrl(echo)}`,
  ),
  inHeader(
    'the host of a redirect',
    302,
    'location',
    echo => `https://${echo.replace(/[^a-z0-9]/gi, '')}.example/x`,
  ),
  inHeader(
    'the scheme of a redirect',
    302,
    'location',
    echo => `x${echo.replace(/[^a-z0-9]/gi, '')}:y`,
  ),
  inHeader(
    'the rest of a redirect',
    302,
    'location',
    echo =>
      `https://${encodeURIComponent(echo)}:x@elsewhere.example/?${inUrl(echo)}#${inUrl(echo)}`,
  ),
  inHeader(
    'a content type',
    200,
    'content-type',
    echo => `text/html; x="${echo}"`,
  ),
];
