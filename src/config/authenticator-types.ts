/** Values of the options that let others decide who may come in. */
import { withoutCommentWords } from './listener-types.ts';
import { type ValueContext, ValueError, type ValueType } from './option.ts';
import { text, unexpected } from './value-types.ts';

/** An `http:` or `https:` address; `http://USER:PASSWORD@…` logs in with Basic authentication. */
export function httpAddress(): ValueType<string> {
  return text({
    expects: 'http:// or https:// address',
    check: (value, name) => (isHttpAddress(value) ? undefined : `Invalid '${name}' value (${value}).`),
  });
}

function isHttpAddress(value: string): boolean {
  if (!URL.canParse(value) || /\s/.test(value)) return false;
  return ['http:', 'https:'].includes(new URL(value).protocol);
}

/** A few words on one line, such as the names of claims. */
export function wordList(
  expects: string,
  isWord: (word: string) => boolean = () => true,
): ValueType<readonly string[]> {
  return {
    expects,
    reads: 'line',
    parse: (line, { name }: ValueContext) => {
      const words = withoutCommentWords(line).map((word) => word.trim());
      if (words.length === 0) throw new ValueError(`Empty '${name}' value in configuration.`);
      if (!words.every((word) => line.isLegal(word))) throw new ValueError('Malformed UTF-8 in configuration.');
      const wrong = words.find((word) => !isWord(word));
      if (wrong !== undefined) throw new ValueError(`Invalid '${name}' value (${wrong}).`, `expected ${expects}`);
      return words;
    },
    accept: (value) => {
      const isList =
        Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one !== '');
      if (!isList || !(value as readonly string[]).every(isWord)) throw unexpected(`array of ${expects}`, value);
      return value as readonly string[]; // every element was looked at
    },
  };
}

/** Signature algorithms of tokens (RFC 7518, RFC 8037); `none` is not among them. */
export const tokenAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'HS384', 'HS512'],
] as const;
