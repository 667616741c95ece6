/** Headers that every answer of our own carries. */

/**
 * @param frameAncestors - origins whose pages may show the console in a frame; none by default
 * @returns name → value
 */
export function securityHeaders(frameAncestors: readonly string[]): Readonly<Record<string, string>> {
  const ancestors = frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ');
  return {
    'Content-Security-Policy': [
      "default-src 'self'",
      // The console can be opened against other brokers, over WebSocket.
      "connect-src 'self' ws: wss:",
      "img-src 'self' data: blob:",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      `frame-ancestors ${ancestors}`,
      "require-trusted-types-for 'script'",
      // The console's one policy names its service worker and nothing else.
      'trusted-types moustique',
    ].join('; '),
    ...(frameAncestors.length === 0 ? { 'X-Frame-Options': 'DENY' } : {}),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  };
}
