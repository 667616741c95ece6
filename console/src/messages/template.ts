/**
 * Variables of a message to be sent: `{{now}}`, `{{iso}}`, `{{counter}}`, `{{random 1 100}}`, `{{uuid}}` and
 * `{{last TOPIC $.path}}`, the value at a JSON path of the last message of a topic. Anything else in braces stays as it is.
 */

import { formatJson, type JsonNode, parseJson } from '../inspect/json.ts';

/** What variables stand for; given, so that tests can say what time it is. */
export interface TemplateSources {
  readonly nowMs: () => number;
  readonly counter: () => number;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly uuid: () => string;
  /** Last payload of a topic as text, undefined when there is none. */
  readonly last: (topic: string) => Promise<string | undefined>;
}

export const templateExamples = [
  '{{now}}',
  '{{iso}}',
  '{{counter}}',
  '{{random 1 100}}',
  '{{uuid}}',
  '{{last TOPIC $.path}}',
] as const;

const pattern = /\{\{\s*(now|iso|counter|uuid|random(?:\s+-?\d+(?:\.\d+)?){0,2}|last\s+[^{}]+?)\s*\}\}/g;

export const hasVariables = (text: string): boolean => text.search(pattern) !== -1;

/** @throws Error - a `last` whose topic or path has no value */
export async function expandTemplate(text: string, sources: TemplateSources): Promise<string> {
  let result = '';
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    result += text.slice(end, match.index) + (await valueOf(match[1] ?? '', sources));
    end = match.index + match[0].length;
  }
  return result + text.slice(end);
}

async function valueOf(variable: string, sources: TemplateSources): Promise<string> {
  const [name, ...words] = variable.split(/\s+/);
  switch (name) {
    case 'now':
      return String(sources.nowMs());
    case 'iso':
      return new Date(sources.nowMs()).toISOString();
    case 'counter':
      return String(sources.counter());
    case 'uuid':
      return sources.uuid();
    case 'random':
      return randomBetween(words, sources.random);
    default:
      return lastValue(words, sources.last);
  }
}

/** Whole numbers between whole bounds (both included), else three digits; 0 to 100 unless told. */
function randomBetween(words: readonly string[], random: () => number): string {
  const [low, high] = words.length === 2 ? [Number(words[0]), Number(words[1])] : [0, Number(words[0] ?? 100)];
  if (Number.isInteger(low) && Number.isInteger(high)) return String(Math.floor(low + random() * (high - low + 1)));
  return (low + random() * (high - low)).toFixed(3);
}

async function lastValue(words: readonly string[], last: TemplateSources['last']): Promise<string> {
  const hasPath = words.length > 1 && (words.at(-1) ?? '').startsWith('$');
  const topic = words.slice(0, hasPath ? -1 : undefined).join(' ');
  const path = hasPath ? (words.at(-1) ?? '$') : '$';
  const text = await last(topic);
  if (text === undefined) throw new Error(`{{last ${topic}}}: no message`);
  if (path === '$') return text;
  const root = parseJson(text);
  const node = root === undefined ? undefined : nodeAt(root, path);
  if (node === undefined) throw new Error(`{{last ${topic} ${path}}}: no value`);
  return node.kind === 'string' ? node.text : formatJson(node);
}

/** The node at a JSON path of names and indexes, such as `$.a[0]["b c"]`. */
export function nodeAt(root: JsonNode, path: string): JsonNode | undefined {
  let node: JsonNode | undefined = root;
  for (const [, name, index, quoted] of path.slice(1).matchAll(/\.([^.[\]]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g)) {
    if (node === undefined) return undefined;
    if (index !== undefined) node = node.kind === 'array' ? node.items[Number(index)] : undefined;
    else {
      const key: string = quoted === undefined ? (name ?? '') : (JSON.parse(quoted) as string);
      node = node.kind === 'object' ? node.members.find((member) => member.key === key)?.value : undefined;
    }
  }
  return node;
}
