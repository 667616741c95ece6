import { expect, test } from 'vitest';
import type { ShownMessage } from '../api/types.ts';
import { csvField, seriesToCsv, toCsv, toJsonLines } from './export.ts';

const message: ShownMessage = {
  topic: '=cmd|x',
  payload: { text: 'a "quoted", text\nwith lines' },
  sizeBytes: 27,
  isTruncated: false,
  qos: 1,
  isRetained: true,
  properties: {},
  publisherClientId: '@sum',
  publisherUsername: null,
  atMs: 0,
};

test.each([
  ['=1+1', `"'=1+1"`],
  ['+1+1', `"'+1+1"`],
  ['-2+3', `"'-2+3"`],
  ['@SUM(A1)', `"'@SUM(A1)"`],
  ['\t=1', `"'\t=1"`],
  ['\r=1', `"'\r=1"`],
  ['＝1', `"'＝1"`],
  ['-21.5', '-21.5'],
  ['+3e8', '+3e8'],
  ['plain', 'plain'],
  ['a,b', '"a,b"'],
  ['a"b', '"a""b"'],
])('%j becomes %s: no spreadsheet takes it for a formula', (value, field) => {
  expect(csvField(value)).toBe(field);
});

test('messages as CSV and as JSON lines', () => {
  expect(toCsv([message])).toBe(
    'time,topic,qos,retain,payload,encoding,size,publisher\r\n' +
      `1970-01-01T00:00:00.000Z,"'=cmd|x",1,true,"a ""quoted"", text\nwith lines",text,27,"'@sum"\r\n`,
  );
  expect(JSON.parse(toJsonLines([message]))).toEqual(message);
});

test('a plot as CSV: a gap is an empty field', () => {
  expect(
    seriesToCsv(
      ['t', 't max'],
      [0, 1000],
      [
        [1, null],
        [2, undefined],
      ],
    ),
  ).toBe('time,t,t max\r\n1970-01-01T00:00:00.000Z,1,2\r\n1970-01-01T00:00:01.000Z,,\r\n');
});
