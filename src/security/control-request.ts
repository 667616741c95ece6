/**
 * What endpoints below `$CONTROL` have in common: a request is JSON with several commands, the answer has one response for each.
 *
 * Names of members are compared without regard to case, as Mosquitto's JSON library does.
 */

export type Json = { readonly [key: string]: unknown };

/** One command of a request. */
export interface ControlCommand {
  /** As sent. */
  readonly name: string;
  /** Its members, `command` and `correlationData` among them. */
  readonly members: Json;
  /** Comes back with the response. */
  readonly correlationData: string | undefined;
}

export interface ControlRequest {
  readonly commands: readonly ControlCommand[];
  /** What is wrong behind these commands, as the last response; null when nothing is. */
  readonly fault: Json | null;
}

/** What a command came to. */
export type ControlResult = { readonly data?: Json } | { readonly error: string };

/** Reads a request up to the first thing in it that makes no sense. */
export function readControlRequest(payload: Buffer): ControlRequest {
  const commands: ControlCommand[] = [];
  const refuse = (error: string, command = 'Unknown command'): ControlRequest => ({
    commands,
    fault: { command, error },
  });
  let request: unknown;
  try {
    request = JSON.parse(payload.toString());
  } catch {
    return refuse('Payload not valid JSON');
  }
  const given = isJsonObject(request) ? member(request, 'commands') : undefined;
  if (!Array.isArray(given)) return refuse('Invalid/missing commands');
  for (const members of given as unknown[]) {
    if (!isJsonObject(members)) return refuse('Command not an object');
    const name = member(members, 'command');
    if (typeof name !== 'string') return refuse('Missing command');
    const correlationData = member(members, 'correlationData');
    if (correlationData !== undefined && typeof correlationData !== 'string') {
      return refuse('Invalid correlationData data type.', name);
    }
    commands.push({ name, members, correlationData });
  }
  return { commands, fault: null };
}

/** The response to one command. */
export function controlResponse(name: string, result: ControlResult, correlationData: string | undefined): Json {
  return { command: name, ...result, ...(correlationData === undefined ? {} : { correlationData }) };
}

/** A member by its name, whatever its case; undefined when there is none. */
export function member(object: Json, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const lower = name.toLowerCase();
  const key = Object.keys(object).find((one) => one.toLowerCase() === lower);
  return key === undefined ? undefined : object[key];
}

export function isJsonObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
