/**
 * Bodies of requests: read to a limit, and JSON of a bounded depth. Nothing is parsed that is too large, too deep or of another
 * media type.
 */
import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './problem.ts';

/** Arrays and objects inside each other. Our own requests have four. */
const depthMax = 32;

/**
 * Reads a JSON body.
 *
 * @param bytesMax - a larger body is refused before it is read, or as soon as it is seen
 * @throws HttpProblem - 400, 413, 415
 */
export async function readJson(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    throw new HttpProblem(415, 'unsupported-media-type', 'The body has to be JSON: Content-Type: application/json.');
  }
  if (request.headers['content-encoding'] !== undefined) {
    throw new HttpProblem(415, 'unsupported-media-type', 'The body has to come without Content-Encoding.');
  }
  const text = (await readBytes(request, bytesMax)).toString();
  checkDepth(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpProblem(400, 'not-json', `The body is no JSON: ${(error as Error).message}`);
  }
}

/** Whether the request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

async function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const tooLarge = new HttpProblem(413, 'too-large', `The body may have ${bytesMax} bytes at most.`);
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > bytesMax) {
        request.removeAllListeners('data');
        request.pause();
        reject(tooLarge);
        return;
      }
      chunks.push(chunk);
    });
    request.once('end', resolve);
    request.once('error', reject);
    request.once('close', () => reject(new HttpProblem(400, 'incomplete', 'The body ended too early.')));
  });
  return Buffer.concat(chunks);
}

/** Counts brackets outside of strings. */
function checkDepth(text: string): void {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (isInString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) isInString = false;
    } else if (code === 0x22) {
      isInString = true;
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > depthMax) throw new HttpProblem(400, 'too-deep', `JSON may be nested ${depthMax} levels at most.`);
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
}
