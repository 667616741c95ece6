/**
 * Files of a folder. What is asked for is decoded once and must lie inside the folder after every link was followed; everything
 * else is not there.
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { Readable } from 'node:stream';

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/** A name that carries a digest of the content: it never changes. */
const hashedName = /[.-][0-9A-Za-z_-]{8,}\.(?:js|css|svg|png|wasm|woff2)$/;

export interface StaticRequest {
  /** Path of the URL, still percent-encoded, beginning with `/`. */
  readonly path: string;
  readonly acceptsGzip: boolean;
  /** `If-None-Match` */
  readonly knownTag: string | undefined;
}

/**
 * @param folder - absolute
 * @param precompressed - whether `X.gz` beside `X` may be sent for it
 * @returns null when there is no such file
 */
export async function staticFile(
  folder: string,
  request: StaticRequest,
  precompressed: boolean,
): Promise<Response | null> {
  const name = fileName(request.path);
  if (name === null) return null;
  try {
    const root = await realpath(folder);
    const file = await insideOf(root, join(root, name));
    if (file === null) return null;
    const headers: Record<string, string> = {
      'Content-Type': mediaTypes[extname(name).toLowerCase()] ?? 'application/octet-stream',
      'Cache-Control': precompressed && hashedName.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    let sent = file;
    if (precompressed) {
      headers['Vary'] = 'Accept-Encoding';
      const compressed = request.acceptsGzip ? await insideOf(root, `${file.path}.gz`).catch(() => null) : null;
      if (compressed !== null) {
        sent = compressed;
        headers['Content-Encoding'] = 'gzip';
      }
    }
    headers['ETag'] = `"${sent.sizeBytes.toString(36)}-${Math.round(sent.modifiedMs).toString(36)}"`;
    if (request.knownTag === headers['ETag']) return new Response(null, { status: 304, headers });
    headers['Content-Length'] = String(sent.sizeBytes);
    const stream = Readable.toWeb(createReadStream(sent.path)) as ReadableStream; // two declarations of one class
    return new Response(stream, { headers });
  } catch {
    return null;
  }
}

/** The name inside the folder; null for what is no name of a file. */
function fileName(path: string): string | null {
  let name: string;
  try {
    name = decodeURIComponent(path);
  } catch {
    return null;
  }
  if (name.includes('\0') || name.includes('\\')) return null;
  if (name.split('/').includes('..')) return null;
  return name.endsWith('/') ? `${name}index.html` : name;
}

interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** @param root - without links @throws Error - when there is no such file */
async function insideOf(root: string, path: string): Promise<FoundFile | null> {
  const real = await realpath(path);
  // With the separator, so that a sibling whose name begins alike is outside.
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return null;
  const { size, mtimeMs, isFile } = await stat(real).then((stats) => ({ ...stats, isFile: stats.isFile() }));
  return isFile ? { path: real, sizeBytes: size, modifiedMs: mtimeMs } : null;
}
