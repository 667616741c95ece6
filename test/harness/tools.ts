import { programPath } from './programs.ts';
import { moustiqueCommand } from './repository.ts';
import type { Resources } from './resources.ts';
import { type Finished, type ProcessOptions, RunningProcess, runToEnd } from './running-process.ts';

/** Whose command-line clients: Debian's `mosquitto_pub` … or our `moustique_pub` … . */
export type ToolFamily = 'moustique' | 'mosquitto';

type Tool = 'pub' | 'sub' | 'rr' | 'passwd';

/** The command of a tool, to be followed by its arguments. */
export function toolCommand(family: ToolFamily, tool: Tool): readonly string[] {
  return family === 'moustique' ? moustiqueCommand(`moustique_${tool}`) : [programPath(`mosquitto_${tool}`)];
}

/** Run a tool to its end. */
export function runTool(
  family: ToolFamily,
  tool: Tool,
  args: readonly string[],
  options?: ProcessOptions,
): Promise<Finished> {
  return runToEnd([...toolCommand(family, tool), ...args], options);
}

/** Publish with the `pub` tool, `input` being its standard input. @throws Error with its output when it fails */
export async function publish(family: ToolFamily, args: readonly string[], input = ''): Promise<void> {
  const result = await runTool(family, 'pub', args, { input });
  if (result.status !== 0) {
    throw new Error(
      `pub ${args.join(' ')} ended with ${result.status ?? result.signal}:\n${result.stdout}${result.stderr}`,
    );
  }
}

// With -d the tools tell what they do, on the same stream as the messages.
const debugLine = /^(Client |Subscribed \(mid: |Unsubscribed \(mid: )/;

/** A running `sub` tool. */
export class Subscriber {
  readonly process: RunningProcess;

  constructor(process: RunningProcess) {
    this.process = process;
  }

  /** The messages printed so far, one per line, without what the tool says about itself. */
  get lines(): string[] {
    return this.process.stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => !debugLine.test(line));
  }

  /** Wait for a line that is exactly this, such as a marker published last. Returns all lines up to and including it. */
  async linesUntil(marker: string): Promise<string[]> {
    await this.process.waitForOutput(new RegExp(`^${marker.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')}$`, 'm'));
    return this.lines.slice(0, this.lines.indexOf(marker) + 1);
  }

  close(): Promise<void> {
    return this.process.close();
  }
}

/**
 * Start the `sub` tool and wait until the broker has granted its subscriptions.
 *
 * `-d` is added, which is how the tool says so. It is stopped at the end of the test.
 */
export async function subscribe(
  resources: Resources,
  family: ToolFamily,
  args: readonly string[],
): Promise<Subscriber> {
  // Mosquitto's tool keeps what it prints in a buffer when it does not write to a terminal; stdbuf makes that a line.
  const command = ['stdbuf', '-oL', ...toolCommand(family, 'sub'), '-d', ...args];
  const subscriber = resources.add(new Subscriber(new RunningProcess(command)));
  await subscriber.process.waitForOutput(/^Subscribed \(mid: /m);
  return subscriber;
}
