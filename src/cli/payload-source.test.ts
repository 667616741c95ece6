import { expect, test } from 'vitest';
import { LineSplitter, loadPayload } from './payload-source.ts';

function lines(...chunks: readonly string[]): readonly string[] {
  const found: string[] = [];
  const splitter = new LineSplitter();
  for (const chunk of chunks) splitter.push(Buffer.from(chunk), (line) => found.push(line.toString()));
  const last = splitter.end();
  return last === undefined ? found : [...found, last.toString()];
}

test('lines are cut wherever the chunks are', () => {
  expect(lines('one\ntwo\n')).toEqual(['one', 'two']);
  expect(lines('o', 'n', 'e\ntw', 'o\n', '\n', 'three')).toEqual(['one', 'two', '', 'three']);
  expect(lines('\n\n')).toEqual(['', '']);
  expect(lines('a\r\nb')).toEqual(['a\r', 'b']);
  expect(lines()).toEqual([]);
});

test('a file, an argument and nothing are payloads; standard input is one without an end', async () => {
  const stdin = async function* () {
    yield Buffer.from('a\n');
    yield Buffer.from('b');
  };
  expect(await loadPayload({ from: 'argument', payload: Buffer.from('x') }, stdin)).toEqual({
    payload: Buffer.from('x'),
  });
  expect(await loadPayload({ from: 'nothing' }, stdin)).toEqual({ payload: Buffer.alloc(0) });
  expect(await loadPayload({ from: 'stdin' }, stdin)).toEqual({ payload: Buffer.from('a\nb') });
  expect(await loadPayload({ from: 'file', path: '/nonexistent' }, stdin)).toEqual({
    error:
      'Error: Unable to read file "/nonexistent": No such file or directory.\nError loading input file "/nonexistent".\n',
  });
});
