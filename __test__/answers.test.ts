/** Answers that are not what was asked for, and what is told of them. */
import { inspect } from 'node:util';
import { standIn, type Hosted } from '../testing/azure-devops';
import { readerService } from '../testing/readerService';
import { upstreamReader } from '../testing/reader';
import { rejection } from '../testing/rejection';

const azure = standIn();
const { reader, workingDirectory } = readerService();
const END_OF_GLOBAL_TOKENS =
  /a token for all organizations stops working on January 27, 2027, see https:\/\/backstage\.io\/docs\/integrations\/azure\/locations#using-a-personal-access-token-pat/;

const html = { 'content-type': 'text/html; charset=utf-8' };
const json = { 'content-type': 'application/json; charset=utf-8' };

let hosted: Hosted;

beforeAll(async () => {
  hosted = await azure.addRepository({
    organization: 'answers',
    project: 'p',
    repository: 'r',
    files: {
      'catalog-info.yaml': 'kind: Component\n',
      'docs/index.html': '<html>',
      'docs/page.HTM': '<html>',
      'docs/x.xhtml': '<html>',
      'docs/folder.json':
        '{"objectId":"1","gitObjectType":"tree","path":"/elsewhere","isFolder":true}',
      'docs/large.json': `[${'1,'.repeat(100_000)}1]`,
    },
  });
});

beforeEach(() => azure.reset());

describe.each(['dev.azure.com', 'server'] as const)('at %s', at => {
  const urlOf = (path?: string) => hosted.webUrl({ path, at });

  it.each([['/docs'], ['/docs/'], ['/']])(
    'the folder %s is no file',
    async folder => {
      const refusal = {
        name: 'InputError',
        message: expect.stringContaining('it is a folder and not a file'),
      };
      const url = urlOf(folder);
      await expect(reader.readUrl(url)).rejects.toMatchObject(refusal);
      await expect(reader.search(url)).rejects.toMatchObject(refusal);
    },
  );

  it('a submodule is no file', async () => {
    const submodule = { id: '1'.repeat(40), mode: '160000' } as const;
    await hosted.git.commit({ files: { 'lib/own': submodule } });
    await expect(reader.readUrl(urlOf('/lib/own'))).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringContaining('it is a submodule and not a file'),
    });
  });

  it('JSON is a file, whatever it says, however long it is', async () => {
    for (const name of ['folder.json', 'large.json']) {
      const plain = await reader.readUrl(urlOf(`/docs/${name}`));
      const expected = await plain.buffer();
      azure.misbehave({
        match: name,
        times: 1,
        status: 200,
        headers: json,
        body: expected,
      });
      const read = await reader.readUrl(urlOf(`/docs/${name}`));
      expect((await read.buffer()).equals(expected)).toBe(true);
    }
  });

  it('a page is no file, unless the file is one', async () => {
    azure.misbehave({ status: 200, headers: html, body: '<html>' });
    for (const name of ['index.html', 'page.HTM', 'x.xhtml']) {
      const read = await reader.readUrl(urlOf(`/docs/${name}`));
      expect(String(await read.buffer())).toBe('<html>');
    }
    for (const name of ['/catalog-info.yaml', '/docs/none', '/docs.html/x']) {
      await expect(reader.readUrl(urlOf(name))).rejects.toMatchObject({
        name: 'AuthenticationError',
        message: expect.stringMatching(
          /page \(HTML\) in place of a file.*a personal access token/,
        ),
      });
    }
  });

  it('a page is no answer to any other question', async () => {
    azure.misbehave({ status: 200, headers: html, body: '<html>' });
    for (const read of [
      () => reader.readTree(urlOf()),
      () => reader.search(urlOf('/**/*.yaml')),
      () => reader.search(urlOf('/docs/*.json')),
    ]) {
      await expect(read()).rejects.toMatchObject({
        name: 'AuthenticationError',
        message: expect.stringContaining('page (HTML) in place of JSON'),
      });
    }
  });

  it('a 203 is told as upstream tells it, and then who read', async () => {
    const page = { status: 203, headers: html, body: '<html>' };
    for (const read of [
      (own: Reader) => own.readUrl(urlOf('/catalog-info.yaml')),
      (own: Reader) => own.readTree(urlOf()),
    ]) {
      azure.misbehave({ ...page, times: 2 });
      const [theirs, ours] = [
        await rejection(read(upstreamAt(at))),
        await rejection(read(reader)),
      ];
      expect(ours.message.startsWith(theirs.message)).toBe(true);
      expect(ours.message).toContain('Read with a personal access token');
      expect(ours.name).toBe('AuthenticationError');
    }
  });

  it.each([
    ['401', { status: 401 }],
    ['203', { status: 203, headers: html, body: '<html>' }],
    ['a page', { status: 200, headers: html, body: '<html>' }],
    ['a way to sign in', { status: 302, headers: { location: '/_signin' } }],
  ])(
    'a token that is refused by %s says that global ones end, on Azure’s own hosts',
    async (_how, answer) => {
      azure.misbehave(answer);
      const { message } = await rejection(
        reader.readUrl(urlOf('/catalog-info.yaml')),
      );
      if (at === 'server') expect(message).not.toContain('2027');
      else expect(message).toMatch(END_OF_GLOBAL_TOKENS);
    },
  );

  it('a redirect to another host asks to sign in only where it looks so', async () => {
    const answers = [
      ['https://login.microsoftonline.com/common/oauth2?x=s3cret', true],
      ['https://spsprodeus21.vssps.visualstudio.com/_signin?x=s3cret', true],
      ['https://adfs.example.com/adfs/ls?x=s3cret', true],
      ['https://idp.example.com/x?x=s3cret', true],
      ['https://gateway.example.com/blocked?x=s3cret#s3cret', false],
      ['https://new.example.com/p/_apis/git/repositories/auth/items', false],
      ['https://user:s3cret@mirror.example.com/p/_apis/git?x=s3cret', false],
    ] as const;
    for (const [location, isSignIn] of answers) {
      azure.misbehave({ times: 1, status: 302, headers: { location } });
      const error = await rejection(reader.readUrl(urlOf('/docs/none')));
      expect(error.name).toBe(isSignIn ? 'AuthenticationError' : 'Error');
      const { origin, pathname } = new URL(location);
      expect(error.message).toContain(`redirected to ${origin}${pathname},`);
      expect(inspect(error)).not.toContain('s3cret');
    }
    expect(azure.requests).toHaveLength(answers.length);
  });

  it.each([
    ['its own', '{"$id":"1","message":"TF401019: no such thing"}'],
    [
      'wrapped',
      '{"count":1,"value":{"Message":"TF401019: no such thing\\r\\n"}}',
    ],
    ['after a mark', '\ufeff{"message":"TF401019: no such thing"}'],
  ])('what Azure DevOps says is repeated, %s', async (_how, body) => {
    azure.misbehave({ status: 400, headers: json, body });
    const { message } = await rejection(reader.readTree(urlOf()));
    expect(message).toContain('Azure DevOps said: TF401019: no such thing. ');
  });

  it('a byte order mark before JSON is no fault', async () => {
    const commitId = await hosted.git.head();
    azure.misbehave({
      match: '/commits',
      status: 200,
      headers: json,
      body: `\ufeff{"count":1,"value":[{"commitId":"${commitId}"}]}`,
    });
    expect((await reader.readTree(urlOf())).etag).toBe(commitId);
  });
});

type Reader = Pick<typeof reader, 'readUrl' | 'readTree'>;

function upstreamAt(at: 'dev.azure.com' | 'server'): Reader {
  const host = at === 'server' ? azure.host : at;
  return upstreamReader({ of: host, workingDirectory });
}
