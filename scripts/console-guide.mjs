// dist/console/help: the guide of the console, one page per language, made from docs/console.md and docs/…/console.md.
// The page has no script. Links to other documents become their text, because the package does not carry those.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './children.mjs';

/** @param {string} language @returns {string} path of its guide from the root; that in English where there is none */
export function guideOf(language) {
  const translated = join('docs', language, 'console.md');
  return existsSync(join(root, translated)) ? translated : join('docs', 'console.md');
}

/**
 * @param {string} folder - gets help/LANGUAGE.html
 * @param {readonly string[]} languages
 * @param {string} style - the console's style sheet, from the folder
 */
export async function writeGuides(folder, languages, style) {
  const { Marked } = await import('marked');
  mkdirSync(join(folder, 'help'));
  const marked = new Marked(withLinks(languages));
  for (const language of languages) {
    const text = readFileSync(join(root, guideOf(language)), 'utf8');
    const html = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${/^# (.*)$/m.exec(text)[1]} · Moustique</title>
<link rel="icon" href="../icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="../${style}">
</head>
<body class="guide">
<main>
${marked.parse(text)}
</main>
</body>
</html>
`;
    writeFileSync(join(folder, 'help', `${language}.html`), html);
  }
}

/** @param {readonly string[]} languages @returns {import('marked').MarkedExtension} */
function withLinks(languages) {
  return {
    renderer: {
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens);
        if (/^https?:/.test(href)) return `<a href="${href}" rel="noreferrer">${inner}</a>`;
        // The same guide in another language.
        const other = /^(?:\.\.\/|([a-z]+)\/)console\.md$/.exec(href);
        if (other === null) return inner;
        const language = other[1] ?? 'en';
        return languages.includes(language) ? `<a href="${language}.html" hreflang="${language}">${inner}</a>` : inner;
      },
    },
  };
}
