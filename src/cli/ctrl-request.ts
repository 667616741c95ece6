/** One request to an endpoint below `$CONTROL` and its answer. */
import { Client, ClientError } from '../client/index.ts';
import { dynsecControlTopic } from '../security/dynsec/control-topic.ts';
import { clientSettings } from './client-settings.ts';
import { askPassword } from './ctrl-password.ts';
import { ExitCode } from './exit-code.ts';
import { failureOf } from './failure.ts';
import type { ToolIo } from './tool-io.ts';
import type { ToolOptions } from './tool-options.ts';

/** How long the broker may take to answer. */
const patienceMs = 10_000;

/** The answer to a command, or what to say and the status to end with. */
export type ControlAnswer =
  | { readonly data: Readonly<Record<string, unknown>> }
  | { readonly text: string; readonly status: number };

/**
 * Sends one command and waits for its answer.
 *
 * @param topic - of the endpoint
 */
export async function request(
  topic: string,
  command: Readonly<Record<string, unknown>> & { readonly command: string },
  options: ToolOptions,
  io: ToolIo,
): Promise<ControlAnswer> {
  if (options.username !== undefined && options.password === undefined) {
    const password = await askPassword(options.username, io);
    if (password === undefined) return { text: 'Error: No password.\n', status: ExitCode.Invalid };
    options.password = password;
  }
  let answered = (_payload: Buffer): void => {};
  const answer = new Promise<Buffer>((resolve) => {
    answered = resolve;
  });
  const client = new Client({ ...clientSettings(options, io), onMessage: ({ payload }) => answered(payload) });
  let giveUp = (_answer: ControlAnswer): void => {};
  const tooLate = new Promise<ControlAnswer>((resolve) => {
    giveUp = resolve;
  });
  const timer = io.clock.after(patienceMs, () =>
    giveUp({
      text: `Error: no answer on ${topic}/response. ${whySilent(topic)}\n`,
      status: ExitCode.Timeout,
    }),
  );
  try {
    await client.start();
    const { reasonCodes } = await client.subscribe({ filter: `${topic}/response`, qos: 1 });
    if ((reasonCodes[0] ?? 0) >= 0x80) {
      return { text: `Error: You may not subscribe to ${topic}/response.\n`, status: ExitCode.Authentication };
    }
    await client.publish(topic, JSON.stringify({ commands: [command] }), { qos: 1 });
    return await Promise.race([answer.then((payload) => read(payload, command.command)), tooLate]);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const { text, status } = failureOf(error, false);
    return { text, status };
  } finally {
    timer.cancel();
    await client.disconnect();
  }
}

/** Why an endpoint may give no answer. */
function whySilent(topic: string): string {
  return topic === dynsecControlTopic
    ? 'Is dynamic security configured there, and may you read that topic?'
    : 'Is enable_control_api true there, and may you read that topic?';
}

function read(payload: Buffer, command: string): ControlAnswer {
  const broken = { text: 'Error: the answer of the broker is not understood.\n', status: ExitCode.Protocol };
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload.toString());
  } catch {
    return broken;
  }
  if (!isObject(parsed)) return broken;
  // Nobody serves the endpoint.
  if (typeof parsed['error'] === 'string') return { text: `${command}: Error: ${parsed['error']}.\n`, status: 0 };
  const response: unknown = Array.isArray(parsed['responses']) ? parsed['responses'][0] : undefined;
  if (!isObject(response)) return broken;
  if (typeof response['error'] === 'string') return { text: `${command}: Error: ${response['error']}.\n`, status: 0 };
  const { data } = response;
  return { data: isObject(data) ? data : {} };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
