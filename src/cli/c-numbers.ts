/** Numbers as the C library reads them, because Mosquitto's tools do. */

/** A whole number: leading blanks and a sign, then digits; anything else ends it, none make 0. (`atoi`, `atol`) */
export function atol(text: string): number {
  const match = /^\s*([+-]?\d+)/.exec(text);
  return match?.[1] === undefined ? 0 : Number(match[1]);
}

/** A number with a fraction; 0 when there is none. (`atof`) */
export function atof(text: string): number {
  const number = Number.parseFloat(text);
  return Number.isFinite(number) ? number : 0;
}
