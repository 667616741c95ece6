/** Texts for a terminal: lines of at most 78 characters. */

const WIDTH = 78;
const INDENT = '        ';

/** Cuts a text into lines between words. */
export function wrapText(text: string, width: number = WIDTH): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** An option with its argument, and below it, indented, what it does. */
export function optionText(option: {
  readonly flags: readonly string[];
  readonly argument?: string;
  readonly help: string;
}): string {
  const argument = option.argument === undefined ? '' : ` ${option.argument}`;
  const lines = wrapText(option.help, WIDTH - INDENT.length).map((line) => `${INDENT}${line}\n`);
  return `  ${option.flags.join(', ')}${argument}\n${lines.join('')}`;
}
