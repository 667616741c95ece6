/**
 * Node 20 makes three hidden classes, some twenty look-up handlers and their descriptions for every socket that is accepted: 1.5 KB
 * that outlive the young generation, and half the time of making the socket. `new Socket` copies its options (`{ ...options }`) and
 * adds to the copy, and the V8 of Node 20 forgets what the copy became, as long as it copies objects of few shapes. Where it has seen
 * an object without a shape it makes the copy from the classes of all objects. Node 22 has another V8.
 */
import { Socket } from 'node:net';

/** V8 looks at what passes a function from about its twentieth call on. */
const calls = 40;

/** Shows `new Socket` options without a shape; once is enough. 0.4 ms, and nothing from Node 22 on. */
export function shareSocketShapes(): void {
  if (Number.parseInt(process.versions.v8, 10) > 11) return;
  for (let call = 0; call < calls; call++) {
    const options = { first: 0, allowHalfOpen: false, readable: true, writable: true };
    // It loses its shape.
    delete (options as Partial<typeof options>).first;
    new Socket(options);
  }
}
