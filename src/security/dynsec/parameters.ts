/** Members of a command, read with Mosquitto's words for those that are wrong. */
import { isValidUtf8 } from '../../codec/utf8.ts';
import { isJsonObject, type Json, member } from '../control-request.ts';
import type { Draft } from './draft.ts';
import { clampPriority, linksMax, noPriority, type RoleLink, sortRoleLinks, textBytesMax } from './state.ts';

/** A command that cannot be carried out; the message is the response's `error`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Whether the text may be an MQTT string; what was no UTF-8 on the way here has become U+FFFD. */
export function isMqttText(text: string): boolean {
  const bytes = Buffer.from(text);
  return isValidUtf8(bytes, 0, bytes.length) && !bytes.toString().includes('\ufffd');
}

export class Parameters {
  readonly #members: Json;

  constructor(members: Json) {
    this.#members = members;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  get(name: string): unknown {
    return member(this.#members, name);
  }

  /** Text that has to be there. @param called - what it is called in errors */
  required(name: string, called = name): string {
    const value = this.get(name);
    if (typeof value !== 'string') throw new CommandError(`Invalid/missing ${called}`);
    return checkedLength(value, called);
  }

  /** Text that may be there; undefined when it is not. */
  optional(name: string, called = name): string | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw new CommandError(`Invalid/missing ${called}`);
    return checkedLength(value, called);
  }

  /** The name of something new. @param what - "Username", "Group name" … */
  newName(name: string, what: string): string {
    const value = this.required(name);
    if (value === '') throw new CommandError(`Empty ${name}`);
    if (!isMqttText(value)) throw new CommandError(`${what} not valid UTF-8`);
    return value;
  }

  /** A Client Identifier to be bound to; null: none. */
  clientId(called: string): string | null | undefined {
    const value = this.optional('clientid', called);
    if (value === undefined) return undefined;
    if (!isMqttText(value)) throw new CommandError('Client ID not valid UTF-8');
    return value === '' ? null : value;
  }

  /** A whole number that may be there; what is none counts as not there, as with Mosquitto. */
  integer(name: string, otherwise: number): number {
    const value = this.get(name);
    return typeof value === 'number' ? Math.trunc(value) : otherwise;
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.get(name);
    return typeof value === 'boolean' ? value : otherwise;
  }

  priority(otherwise = noPriority): number {
    return clampPriority(this.integer('priority', otherwise));
  }

  /** `textname` and `textdescription`, where they are given; '' takes them away. */
  described(): { textName?: string | null; textDescription?: string | null } {
    const name = this.optional('textname');
    const description = this.optional('textdescription');
    return {
      ...(name === undefined ? {} : { textName: name === '' ? null : name }),
      ...(description === undefined ? {} : { textDescription: description === '' ? null : description }),
    };
  }

  /** A list of objects that may be there. @param otherwise - the error for anything else */
  list(name: string, otherwise: string): Parameters[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw new CommandError(otherwise);
    return (value as unknown[]).map((element) => {
      if (!isJsonObject(element)) throw new CommandError(otherwise);
      return new Parameters(element);
    });
  }

  /** `roles`: those that exist, each once, sorted. */
  roles(draft: Draft): readonly RoleLink[] | undefined {
    const malformed = "'roles' not an array or missing/invalid rolename";
    const given = this.list('roles', malformed);
    if (given === undefined) return undefined;
    if (given.length > linksMax) throw new CommandError(`At most ${linksMax} roles are possible`);
    const links = new Map<string, RoleLink>();
    for (const link of given) {
      const roleName = link.get('rolename');
      if (typeof roleName !== 'string') throw new CommandError(malformed);
      if (!draft.roles.has(roleName)) throw new CommandError('Role not found');
      if (!links.has(roleName)) links.set(roleName, { roleName, priority: link.priority() });
    }
    return sortRoleLinks([...links.values()]);
  }
}

function checkedLength(value: string, called: string): string {
  if (Buffer.byteLength(value) > textBytesMax) throw new CommandError(`${called} is too long`);
  return value;
}
