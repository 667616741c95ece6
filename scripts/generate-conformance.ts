/**
 * Writes docs/conformance.md: every statement, what we do, its tests, their result.
 *
 *     npx tsx scripts/generate-conformance.ts                 results stay as they stand in the page
 *     npx tsx scripts/generate-conformance.ts --run           runs the conformance tests for them
 *     npx tsx scripts/generate-conformance.ts --report FILE   takes them from a JSON report of vitest
 *     npx tsx scripts/generate-conformance.ts --check         writes nothing; fails when the page is stale
 *     npx tsx scripts/generate-conformance.ts --shrink        takes what has a test off test/conformance/missing.ts
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missing } from '../test/conformance/missing.ts';
import {
  type Chapter,
  chapters,
  findTitles,
  keyOf,
  notApplicable,
  readTitle,
  type Title,
} from '../test/conformance/register.ts';
import type { Statement } from '../test/conformance/statements/statement.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pagePath = join(root, 'docs', 'conformance.md');
const missingPath = join(root, 'test', 'conformance', 'missing.ts');
/** Titles shown per statement and file; a wire table has hundreds. */
const titlesShownMax = 8;

/** key → result as the page shows it */
type Results = ReadonlyMap<string, string>;

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly ancestorTitles: readonly string[]; title: string; status: string }[];
  }[];
}

const titlesByKey = new Map<string, Title[]>();
for (const title of findTitles()) {
  for (const key of readTitle(title.text).keys) titlesByKey.set(key, [...(titlesByKey.get(key) ?? []), title]);
}

const { argv } = process;
if (argv.includes('--shrink')) shrink();
else update();

function update(): void {
  const results = newResults();
  const before = read(pagePath);
  const page = makePage(new Map([...resultsIn(before), ...results]));
  if (argv.includes('--check')) {
    if (page === before) return;
    console.error('docs/conformance.md is stale: run npx tsx scripts/generate-conformance.ts --run');
    process.exitCode = 1;
  } else if (page !== before) {
    writeFileSync(pagePath, page);
    console.log('docs/conformance.md written');
  }
  if ([...results.values()].some((result) => result.includes('failed'))) process.exitCode = 1;
  if (!argv.includes('--run')) return;
  const silent = [...titlesByKey.keys()].filter((key) => !results.has(key));
  if (silent.length === 0) return;
  console.error(`cited in titles, but no test that ran has such a title: ${silent.join(', ')}`);
  process.exitCode = 1;
}

function newResults(): Results {
  if (argv.includes('--run')) return resultsOf(run());
  const at = argv.indexOf('--report');
  return at < 0 ? new Map() : resultsOf(argv[at + 1] ?? '');
}

/** Runs the conformance tests; what they print goes to the terminal. @returns the path of the report */
function run(): string {
  const folder = mkdtempSync(join(tmpdir(), 'moustique-conformance-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const output = join(folder, 'report.json');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = ['run', '--project', 'integration', '--reporter=dot', '--reporter=json', `--outputFile.json=${output}`];
  spawnSync(process.execPath, [vitest, ...args, 'test/conformance'], { cwd: root, stdio: 'inherit' });
  return output;
}

function resultsOf(reportPath: string): Results {
  const report = JSON.parse(readFileSync(reportPath, 'utf8')) as Report;
  const counts = new Map<string, Map<string, number>>();
  for (const { ancestorTitles, title, status } of report.testResults.flatMap((file) => file.assertionResults)) {
    for (const key of new Set([...ancestorTitles, title].flatMap((text) => readTitle(text).keys))) {
      const byStatus = counts.get(key) ?? new Map<string, number>();
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
      counts.set(key, byStatus);
    }
  }
  const describe = (byStatus: Map<string, number>): string =>
    [...byStatus]
      .map(([status, count]) => `${count} ${status}`)
      .toSorted()
      .join(', ');
  return new Map([...counts].map(([key, byStatus]) => [key, describe(byStatus)]));
}

/** The results that the page shows now. */
function resultsIn(page: string): Results {
  const results = new Map<string, string>();
  for (const chapter of chapters) {
    for (const statement of chapter.statements) {
      const row = page.split('\n').find((line) => line.startsWith(`| ${label(chapter, statement)} `));
      const result = row?.split(' | ').at(-1)?.replace(/ \|$/, '');
      if (result !== undefined && /^\d/.test(result)) results.set(keyOf(chapter, statement), result);
    }
  }
  return results;
}

function makePage(results: Results): string {
  const all = chapters.flatMap((chapter) => chapter.statements.map((statement) => keyOf(chapter, statement)));
  const tested = all.filter((key) => titlesByKey.has(key));
  return [
    '<!-- Made by scripts/generate-conformance.ts from test/conformance/. Do not edit. -->',
    '',
    '# Conformance',
    '',
    'Every normative statement of MQTT 5.0, 3.1.1 and 3.1 in our own words, what Moustique does where there is a choice or an',
    'error to answer, the tests that show it, and how they ended when this page was last made. A test of the register fails when',
    'a statement has neither a test nor a reason why it cannot apply to us. Statements that bind clients alone are tested against',
    'our own client and tools.',
    '',
    'MQTT 3.1 has no numbered statements; those ids, and the `U5-` ones for sentences of MQTT 5.0 without a number, are ours.',
    '',
    '| | statements | with tests | passed |',
    '|---|---|---|---|',
    ...chapters.map((chapter) => {
      const keys = chapter.statements.map((statement) => keyOf(chapter, statement));
      const passed = keys.filter((key) => /^\d+ passed$/.test(resultOf(key, results)));
      const covered = keys.filter((key) => titlesByKey.has(key));
      return `| ${chapter.title} | ${keys.length} | ${covered.length} | ${passed.length} |`;
    }),
    `| all | ${all.length} | ${tested.length} | ${all.filter((key) => /^\d+ passed$/.test(resultOf(key, results))).length} |`,
    '',
    ...chapters.flatMap((chapter) => makeChapter(chapter, results)),
  ].join('\n');
}

function makeChapter(chapter: Chapter, results: Results): string[] {
  const lines = [`## ${chapter.title}`, ''];
  let section = '';
  for (const statement of chapter.statements) {
    if (statement.section !== section) {
      if (section !== '') lines.push('');
      section = statement.section;
      lines.push(`### ${section}`, '', '| statement | it says | we do | tests | result |', '|---|---|---|---|---|');
    }
    const key = keyOf(chapter, statement);
    const cells = [
      label(chapter, statement),
      statement.text,
      statement.ours ?? statement.notApplicable ?? 'as stated',
      tests(titlesByKey.get(key) ?? []),
      resultOf(key, results),
    ];
    lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  }
  return [...lines, ''];
}

/** First cell of a row; the chapter is in it, because ids repeat between versions. */
function label(chapter: Chapter, { id, who }: Statement): string {
  return `**${keyOf(chapter, { id })}** ${who}`;
}

function resultOf(key: string, results: Results): string {
  if (notApplicable.includes(key)) return 'not applicable';
  return titlesByKey.has(key) ? (results.get(key) ?? 'not run') : 'no test';
}

function tests(titles: readonly Title[]): string {
  const lines: string[] = [];
  for (const file of new Set(titles.map((title) => title.file))) {
    const rests = titles.filter((title) => title.file === file).map(({ text }) => readTitle(text).rest);
    const more = rests.length > titlesShownMax ? `; and ${rests.length - titlesShownMax} more` : '';
    const name = file.replace('test/conformance/', '');
    lines.push(`[${name}](../${file}): ${rests.slice(0, titlesShownMax).map(escape).join('; ')}${more}`);
  }
  return lines.join('<br>');
}

/** What would be markup in a page. */
function escape(text: string): string {
  return text.replaceAll(/[<>*_`[\]]/g, String.raw`\$&`);
}

/** The list only ever gets shorter. */
function shrink(): void {
  const left = missing.filter((key) => !titlesByKey.has(key) && !notApplicable.includes(key));
  if (left.length === missing.length) return;
  const source = read(missingPath);
  const lines = source.split('\n').filter((line) => {
    const key = /^ {2}'(.*)',$/.exec(line)?.[1];
    return key === undefined || left.includes(key);
  });
  writeFileSync(missingPath, lines.join('\n'));
  console.log(`${missing.length - left.length} statements have tests now, ${left.length} have none`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
