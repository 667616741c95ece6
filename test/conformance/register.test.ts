import { describe, expect, test } from 'vitest';
import { missing } from './missing.ts';
import { allKeys, findTitles, notApplicable, oftenWrong, readTitle, titlesIn } from './register.ts';

const titles = findTitles();
const cited = new Set(titles.flatMap(({ text }) => readTitle(text).keys));

describe('register of statements', () => {
  test('holds every statement once: 251 of MQTT 5.0 and 28 without a number, 141 of 3.1.1, 47 of 3.1', () => {
    expect(new Set(allKeys).size).toBe(allKeys.length);
    const counts = ['v5 ', 'U5-', 'v311 ', 'MQTT31-'].map(
      (prefix) => allKeys.filter((key) => key.startsWith(prefix)).length,
    );
    expect(counts).toEqual([251, 28, 141, 47]);
  });

  test('every title that cites does so at its beginning, and cites what exists', () => {
    const wrong = titles
      .map(({ file, line, text }) => ({ file, line, text, keys: readTitle(text).keys }))
      .filter(({ keys }) => keys.length === 0 || keys.some((key) => !allKeys.includes(key)))
      .map(({ file, line, text }) => `${file}:${line}: ${text}`);
    expect(wrong).toEqual([]);
  });

  test('every statement has a test, is not applicable, or is on the list of missing ones, and no two of these', () => {
    expect(allKeys.filter((key) => !cited.has(key) && !notApplicable.includes(key))).toEqual(missing);
    expect(notApplicable.filter((key) => cited.has(key) || missing.includes(key))).toEqual([]);
  });

  test('what is got wrong most often has three tests or more', () => {
    expect(oftenWrong.filter((key) => !allKeys.includes(key))).toEqual([]);
    const few = oftenWrong
      .map((key) => `${key}: ${titles.filter(({ text }) => readTitle(text).keys.includes(key)).length}`)
      .filter((line) => Number(line.split(': ')[1]) < 3);
    expect(few).toEqual([]);
  });

  test('everything is applicable', () => {
    expect(notApplicable).toEqual([]);
  });
});

describe('titles', () => {
  test('cite by version and bracket; a version holds until the next', () => {
    expect(readTitle('v5 [MQTT-3.1.2-24] [MQTT-3.1.2-25] drops').keys).toEqual([
      'v5 MQTT-3.1.2-24',
      'v5 MQTT-3.1.2-25',
    ]);
    expect(readTitle('v5 [MQTT-3.12.4-1] v311 [MQTT-3.12.4-1] pings')).toEqual({
      keys: ['v5 MQTT-3.12.4-1', 'v311 MQTT-3.12.4-1'],
      rest: 'pings',
    });
    expect(readTitle('[U5-3] [MQTT31-CONN-1] a b').keys).toEqual(['U5-3', 'MQTT31-CONN-1']);
    expect(readTitle('[MQTT-3.1.2-24] without a version').keys).toEqual(['MQTT-3.1.2-24']);
    expect(readTitle('says [MQTT-3.1.2-24] too late').keys).toEqual([]);
  });

  test('are found in calls and in rows of tables, not in comments', () => {
    const source = [
      "test('v5 [MQTT-1.5.4-1] it\\'s', f);",
      "// test('v5 [MQTT-1.5.4-2] gone', f);",
      'test(`v5 [MQTT-1.5.4-3] ${name} (${kind})`, f);',
      "const rows = [{ title: 'v311 [MQTT-1.5.3-1] a row' }];",
    ].join('\n');
    expect(titlesIn('x.ts', source).map(({ line, text }) => `${line} ${text}`)).toEqual([
      "1 v5 [MQTT-1.5.4-1] it's",
      '3 v5 [MQTT-1.5.4-3] … (…)',
      '4 v311 [MQTT-1.5.3-1] a row',
    ]);
  });
});
