/**
 * The register: every statement of every version, and the titles of the tests that cite them.
 *
 * A title cites at its beginning: `v5 [MQTT-3.1.2-24] …`, `v311 [MQTT-3.1.2-24] …`, `[MQTT31-CONN-1] …`, `[U5-3] …`. A version
 * holds for the brackets behind it until another version comes, so one test may stand for statements of several:
 * `v5 [MQTT-3.12.4-1] v311 [MQTT-3.12.4-1] …`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { repositoryRoot } from '../harness/repository.ts';
import { readSource } from '../harness/source-text.ts';
import type { Statement } from './statements/statement.ts';
import { u5Statements } from './statements/u5.ts';
import { v5Statements } from './statements/v5.ts';
import { v31Statements } from './statements/v31.ts';
import { v311Statements } from './statements/v311.ts';

/** The statements of one document, and how their ids are cited. */
export interface Chapter {
  readonly title: string;
  readonly statements: readonly Statement[];
  /** The word in front of the bracket, '' where the id says it all. */
  readonly version: '' | 'v5' | 'v311';
}

export const chapters: readonly Chapter[] = [
  { title: 'MQTT 5.0', statements: v5Statements, version: 'v5' },
  { title: 'MQTT 5.0, requirements without a number', statements: u5Statements, version: '' },
  { title: 'MQTT 3.1.1', statements: v311Statements, version: 'v311' },
  { title: 'MQTT 3.1', statements: v31Statements, version: '' },
];

/** How a statement is named across versions: `v5 MQTT-3.1.2-24`, `MQTT31-CONN-1`, `U5-3`. */
export function keyOf(chapter: Pick<Chapter, 'version'>, { id }: Pick<Statement, 'id'>): string {
  return chapter.version === '' ? id : `${chapter.version} ${id}`;
}

/** Keys of statements about something that we do not have. */
export const notApplicable: readonly string[] = chapters.flatMap((chapter) =>
  chapter.statements.filter((statement) => statement.notApplicable).map((statement) => keyOf(chapter, statement)),
);

/** Every key, in the order of the standards. */
export const allKeys: readonly string[] = chapters.flatMap((chapter) =>
  chapter.statements.map((statement) => keyOf(chapter, statement)),
);

/** Statements of MQTT 5.0 that brokers get wrong most often; each has three tests or more. */
export const oftenWrong: readonly string[] = [
  ...['3.1.2-8', '3.1.3-9', '3.1.2-22', '3.1.2-24', '3.1.2-25', '3.1.4-6', '3.14.0-1', '3.2.2-6', '3.3.1-10'],
  ...['3.3.1-12', '3.3.1-13', '3.3.2-5', '3.3.2-6', '3.3.2-7', '3.3.2-12', '3.3.2-18', '3.3.4-4', '3.3.4-9'],
  ...['4.9.0-2', '3.8.3-3', '3.8.4-4', '3.10.4-5', '3.11.3-2', '4.3.3-9', '4.3.3-10', '4.4.0-1', '4.6.0-5'],
  ...['4.7.2-1', '4.7.1-1', '4.8.2-5', '4.8.2-6', '1.5.4-1', '1.5.4-3', '6.0.0-2'],
].map((id) => `v5 MQTT-${id}`);

const citation = /^(?:(v5|v311|v31) +)?\[([^\]]*)\] */;

/** The keys that a title cites, and the title without them; no keys when it does not begin with a citation. */
export function readTitle(title: string): { readonly keys: readonly string[]; readonly rest: string } {
  const keys: string[] = [];
  let version = '';
  let rest = title;
  for (let match = citation.exec(rest); match !== null; match = citation.exec(rest)) {
    const [whole, newVersion, id = ''] = match;
    version = newVersion ?? version;
    // The ids of MQTT 3.1 and of the unnumbered requirements say their version themselves.
    keys.push(id.startsWith('MQTT-') && version !== '' ? `${version} ${id}` : id);
    rest = rest.slice(whole.length);
  }
  return { keys, rest };
}

/** A title as it stands in a file; `${…}` of a template is shown as `…`. */
export interface Title {
  /** From the repository's root. */
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const folder = join(repositoryRoot, 'test', 'conformance');
const literal = /(['"`])((?:\\[\s\S]|(?!\1)[^\\])*)\1/g;
const looksLikeCitation = /\[(?:MQTT-|MQTT31-|U5-)/;

/** Every string in the tests and tables that cites, whether a title or a row from which a title is made. */
export function findTitles(): Title[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(repositoryRoot, join(entry.parentPath, entry.name)))
    .filter((file) => !/\/(?:statements|wire)\/|\/(?:register|register\.test|missing)\.ts$/.test(file))
    .toSorted()
    .flatMap((file) => titlesIn(file, readFileSync(join(repositoryRoot, file), 'utf8')));
}

/** The same for the text of one file. */
export function titlesIn(file: string, source: string): Title[] {
  const { code } = readSource(source);
  return [...code.matchAll(literal)].flatMap((match) => {
    const text = (match[2] ?? '').replaceAll(/\$\{[^}]*\}/g, '…').replaceAll(/\\(.)/g, '$1');
    if (!looksLikeCitation.test(text)) return [];
    return [{ file, line: code.slice(0, match.index).split('\n').length, text }];
  });
}
