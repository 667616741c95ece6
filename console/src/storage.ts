/** What a browser remembers for one user: language, theme, widths. Private windows may refuse; then nothing is kept. */

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`moustique.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`moustique.${name}`);
    else localStorage.setItem(`moustique.${name}`, value);
  } catch {
    // Refused, or full: the choice lasts as long as the page.
  }
}
