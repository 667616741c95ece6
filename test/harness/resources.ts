import { afterAll, afterEach } from 'vitest';

/** Something a test opened and has to give back: a process, a folder, a server, a browser. */
export interface Resource {
  close(): void | Promise<void>;
}

/** Opened resources, closed in reverse order. One that fails to close does not keep the others open. */
export class Resources {
  readonly #open: Resource[] = [];

  /** Take charge of a resource. Returns it, so that opening reads as one line. */
  add<T extends Resource>(resource: T): T {
    this.#open.push(resource);
    return resource;
  }

  /** @throws the first error that a resource reported, after all were closed */
  async closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let resource = this.#open.pop(); resource !== undefined; resource = this.#open.pop()) {
      try {
        await resource.close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/**
 * Resources that are closed after each test, or after the last test of the file (or `describe`) that calls this.
 *
 * Call it where `afterEach` may be called: at the top of a file or of a `describe`.
 */
export function useResources(until: 'end of test' | 'end of file' = 'end of test'): Resources {
  const resources = new Resources();
  const hook = until === 'end of test' ? afterEach : afterAll;
  hook(() => resources.closeAll());
  return resources;
}
