import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(__dirname, '../..');

/** A page of the documentation. */
export interface Page {
  /** Its path in the repository. */
  file: string;
  text: string;
}

/** A block of code in a page. */
export interface Block {
  page: string;
  language: string;
  code: string;
}

/** README, what it links to beside itself, and all of docs/. */
export function pages(): Page[] {
  const docs = readdirSync(path.join(ROOT, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`);
  return ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', ...docs].map(file => ({
    file,
    text: readFileSync(path.join(ROOT, file), 'utf8'),
  }));
}

/** The blocks of code in a language. */
export function blocks(language: string): Block[] {
  const fence = /^```(\w+)\n(.*?)^```$/gms;
  return pages().flatMap(({ file, text }) =>
    [...text.matchAll(fence)]
      .map(([, own, code]) => ({ page: file, language: own, code }))
      .filter(block => block.language === language),
  );
}

/** What stands as code in the running text of a page. */
export function codeIn({ text }: Page): string[] {
  const prose = text.replace(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);
}

/** Where a page leads within the repository: a file, and a heading in it. */
export function linksOf({
  text,
}: Page): Array<{ to: string; file: string; anchor: string }> {
  const prose = text.replace(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, to]) => to)
    .filter(to => !/^[a-z]+:/i.test(to))
    .map(to => {
      const [file, anchor = ''] = to.split('#');
      return { to, file, anchor };
    });
}

/** The anchors of a page's headings, as GitHub and npm make them. */
export function anchorsOf(text: string): string[] {
  const headings = text.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
