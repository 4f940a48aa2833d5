/**
 * What people write into the variables of proxies. `{}` stands for a proxy's port, and every password
 * has `SECRET` in it, so that a message can be searched for them.
 */

const IN_PLAIN = [
  'http://127.0.0.1:{}',
  'http://127.0.0.1:{}/',
  'HTTP://127.0.0.1:{}',
  ' http://127.0.0.1:{} ',
  'http:127.0.0.1:{}',
  'http://127.1:{}',
  'http://LocalHost:{}/',
];

const WITH_USERS = [
  'http://user:SECRET@127.0.0.1:{}',
  'HTTP://us%C3%BCr:SECRET%40%3A%20%25@127.0.0.1:{}/',
  'http://üser:SECRETß@127.0.0.1:{}',
  'http://user:SECRET@SECRET@127.0.0.1:{}',
  'http://a+b:SECRET|"^+@127.0.0.1:{}',
  'http://user@127.0.0.1:{}',
  'http://user:@127.0.0.1:{}',
  'http://:SECRET@127.0.0.1:{}',
];

const OVER_TLS = ['https://localhost:{}', 'HTTPS://user:SECRET@localhost:{}/'];

/** undici sends an encoded user as it is encoded, which no proxy can mean: none is here. */
const SOCKS = [
  'socks5://127.0.0.1:{}',
  'socks://127.0.0.1:{}',
  'SOCKS5://user:SECRET@127.0.0.1:{}',
];

/** Values with which `fetch` works. */
export const PROXIES = { IN_PLAIN, WITH_USERS, OVER_TLS, SOCKS };

/**
 * Values with which Node 24 does not start when `NODE_USE_ENV_PROXY` is set. (A user alone that cannot
 * be decoded is not here: with it `fetch` works, but Node's other client does not start.)
 */
export const INVALID = [
  ...['proxy:3128', '127.0.0.1:{}', 'localhost:{}', '//127.0.0.1:{}', 'none'],
  ...[' ', '\t', 'http://', 'https:', 'http://127.0.0.1:99999'],
  ...['user:SECRET@127.0.0.1:{}', 'http://user:SECRET@pro xy:{}'],
  ...['ftp://user:SECRET@127.0.0.1:{}', 'ws://127.0.0.1:{}', 'file:///proxy'],
  ...['socks5h://127.0.0.1:{}', 'socks4://user:SECRET@127.0.0.1:{}'],
  ...[
    'http://127.0.0.1:{}/path',
    'http://127.0.0.1:{}/?a',
    'http://127.0.0.1:{}#a',
  ],
  ...[
    'http://us%zzr:SECRET@127.0.0.1:{}',
    'http://user:SECRET%FF@127.0.0.1:{}',
  ],
];
