/**
 * Characters that a reader cannot see, or that change the order of what he sees: controls, zero-width characters,
 * bidirectional marks, tags, fillers, spaces that are not the space. They are shown by name instead of as themselves.
 */

/** A run of plain text, or one character to be shown by its name. */
export type Segment = { readonly plain: string } | { readonly name: string; readonly code: string };

// Controls but tab and newline; soft hyphen; fillers; zero-width, directional and invisible operators; byte order mark;
// interlinear marks; variation selectors but the emoji one; tags; lone surrogates; spaces of other widths.
// biome-ignore format: one range per idea
const pattern = new RegExp(
  [
    '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u070f\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f]',
    '[\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0e\\ufeff\\uffa0\\ufff0-\\ufffb]',
    '[\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]',
    '\\p{Surrogate}',
  ].join('|'),
  'gu',
);

const names: Readonly<Record<number, string>> = {
  0x00: 'NUL',
  0x07: 'BEL',
  0x08: 'BS',
  0x0c: 'FF',
  0x0d: 'CR',
  0x1b: 'ESC',
  0x7f: 'DEL',
  0xa0: 'NBSP',
  0xad: 'SHY',
  0x200b: 'ZWSP',
  0x200c: 'ZWNJ',
  0x200d: 'ZWJ',
  0x200e: 'LRM',
  0x200f: 'RLM',
  0x202a: 'LRE',
  0x202b: 'RLE',
  0x202c: 'PDF',
  0x202d: 'LRO',
  0x202e: 'RLO',
  0x202f: 'NNBSP',
  0x2060: 'WJ',
  0x2066: 'LRI',
  0x2067: 'RLI',
  0x2068: 'FSI',
  0x2069: 'PDI',
  0x61c: 'ALM',
  0x2028: 'LS',
  0x2029: 'PS',
  0xfeff: 'BOM',
  0x3000: 'IDSP',
};

/** Cuts a text where something invisible stands. */
export function splitInvisible(text: string): readonly Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) segments.push({ plain: text.slice(end, match.index) });
    const value = match[0].codePointAt(0) ?? 0;
    const code = `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    segments.push({ name: names[value] ?? code, code });
    end = match.index + match[0].length;
  }
  if (end < text.length) segments.push({ plain: text.slice(end) });
  return segments;
}

/** The text with every invisible character written as ⟨NAME⟩, for places that take only text, such as a title. */
export const spellInvisible = (text: string): string =>
  splitInvisible(text)
    .map((segment) => ('plain' in segment ? segment.plain : `⟨${segment.name}⟩`))
    .join('');
