/** The demo, as somebody looks at it who wants to know whether this package is worth a try. */
import type { BrowserContext, Page } from 'playwright-core';
import { openBrowser, whyNoBrowser } from './demo/browser';
import { Demo } from './demo/Demo';

const missing = whyNoBrowser();
const CLAIMS = [
  'A pattern over a monorepo',
  'A tree to a folder',
  'A refresh in which nothing changed',
  'More reads than Azure DevOps allows',
];

let demo: Demo;

beforeAll(async () => {
  demo = await Demo.start();
}, 180_000);

afterAll(() => demo?.stop());

it('says what the catalog ingested, and where the page is', () => {
  expect(demo.output).toMatch(/component +cart/i);
  expect(demo.output).toContain(demo.url);
});

describe('its page', () => {
  if (missing) {
    it.skip(`cannot be looked at: ${missing}`, () => {});
    return;
  }

  let browser: BrowserContext;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
    page = await browser.newPage();
    page.on('console', message => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', error => problems.push(error.message));
    await page.goto(demo.url);
    await page.locator('svg').first().waitFor();
  });

  afterAll(() => browser?.close());

  it('shows each claim with two bars and their figures', async () => {
    expect(await page.locator('article h2').allTextContents()).toEqual(CLAIMS);
    for (const chart of await page.locator('svg').all()) {
      expect(await chart.locator('rect').count()).toBe(2);
      expect(await chart.getAttribute('aria-label')).toMatch(
        /^[a-z ]+: built-in [\d,.]+ [a-zA-Z ]+, here [\d,.]+ [a-zA-Z ]+$/,
      );
    }
  });

  it('shows that no read fails here where a budget is exceeded', async () => {
    const chart = page.locator('article').last().locator('svg');
    expect(await chart.getAttribute('aria-label')).toMatch(
      /built-in [1-9]\d* reads, here 0 reads$/,
    );
  });

  it('shows how a refused credential is told', async () => {
    expect(await page.locator('#refused p').textContent()).toMatch(
      /^AuthenticationError: .* 401 .*integrations\.azure\[0\]\.credentials\[0\]/,
    );
  });

  it('shows reads as they come', async () => {
    const rows = page.locator('#reads tr');
    await rows.first().waitFor();
    const cells = await rows.first().locator('td').allTextContents();
    expect(cells[1]).toMatch(/^\d{3}$/);
    expect(cells[2]).toMatch(/ ms$/);
    expect(cells[3]).toContain('integrations.azure[0].credentials[0]');
    const before = await rows.count();
    await rows.nth(before).waitFor();
  });

  it('reports no problem', () => {
    expect(problems).toEqual([]);
  });
});
