/** The argument of `-D`/`--property`: `COMMAND NAME VALUE`, or `COMMAND user-property NAME VALUE`. */
import {
  type Properties,
  type PropertyOwner,
  type PropertyRow,
  propertyTable,
  type UserProperty,
} from '../client/index.ts';
import { atol } from './c-numbers.ts';
import { ExitCode, errorText } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

/** Packets whose properties a user may set. */
export const PROPERTY_COMMANDS = ['connect', 'publish', 'subscribe', 'unsubscribe', 'disconnect', 'will'] as const;

export type PropertyCommand = (typeof PROPERTY_COMMANDS)[number];

/** Packets that exist but that the tools send on their own. */
const UNSUPPORTED_COMMANDS: readonly string[] = [
  'connack',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'auth',
];

/** What a tool may put into a packet, where the table lists more than Mosquitto's tools take. */
const SERVER_SIDE_ONLY = new Set(['publish subscription-identifier']);

/** Properties in the order given, with a name for every one that was given twice. */
export interface PropertyCollection {
  readonly values: Properties;
  readonly duplicates: readonly string[];
}

/** A growing {@link PropertyCollection}, one per command. */
export class PropertyCollector {
  readonly #values: Record<string, unknown> = {};
  readonly #duplicates: string[] = [];

  /** Sets a property; a second value for one that may occur once is remembered as a duplicate. */
  add(row: PropertyRow, value: unknown): void {
    if (row.key === 'userProperties') {
      const pairs = (this.#values['userProperties'] ?? []) as UserProperty[];
      this.#values['userProperties'] = [...pairs, value as UserProperty];
      return;
    }
    if (row.key in this.#values) this.#duplicates.push(row.name);
    this.#values[row.key] = row.key === 'subscriptionIdentifiers' ? [value] : value;
  }

  get collection(): PropertyCollection {
    // The keys are those of the table's rows, and each value has the type that its row names.
    return { values: this.#values as Properties, duplicates: this.#duplicates };
  }
}

export type PropertyCollectors = Readonly<Record<PropertyCommand, PropertyCollector>>;

/** Empty collectors for every command. */
export function newPropertyCollectors(): PropertyCollectors {
  return {
    connect: new PropertyCollector(),
    publish: new PropertyCollector(),
    subscribe: new PropertyCollector(),
    unsubscribe: new PropertyCollector(),
    disconnect: new PropertyCollector(),
    will: new PropertyCollector(),
  };
}

/** The row of a property by the name that `-D` and `-x` use. */
export function propertyRow(name: string): PropertyRow {
  const row = propertyTable.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`no property is called ${name}`);
  return row;
}

/**
 * Reads the words after `-D` and stores the property.
 *
 * @param words - everything that follows on the command line
 * @returns how many of the words were used
 * @throws UsageError - in Mosquitto's words
 */
export function readPropertyOption(words: readonly string[], into: PropertyCollectors): number {
  const [commandWord, nameWord, value] = words;
  if (commandWord === undefined || nameWord === undefined || value === undefined) throw tooFew();
  const command = commandWord.toLowerCase();
  const isKnown = isPropertyCommand(command);
  if (!isKnown && !UNSUPPORTED_COMMANDS.includes(command)) {
    throw new UsageError(`Error: Invalid command ${commandWord} given in --property argument.`, 'spaced');
  }
  const row = propertyTable.find((candidate) => candidate.name === nameWord.toLowerCase());
  if (row === undefined) {
    throw new UsageError(`Error: Invalid property name ${nameWord} given in --property argument.`, 'spaced');
  }
  if (!isKnown) {
    throw new UsageError(
      `Error: ${row.name} property not supported for ${commandWord} in --property argument.`,
      'spaced',
    );
  }
  if (!isAllowed(row, command)) {
    throw new UsageError(
      `Error: ${row.name} property not allowed for ${commandWord} in --property argument.`,
      'spaced',
    );
  }
  if (row.type === 'pair') {
    const second = words[3];
    if (second === undefined) throw tooFew();
    into[command].add(row, [value, second] satisfies UserProperty);
    return 4;
  }
  into[command].add(row, propertyValue(row, value));
  return 3;
}

function isPropertyCommand(word: string): word is PropertyCommand {
  return (PROPERTY_COMMANDS as readonly string[]).includes(word);
}

function isAllowed(row: PropertyRow, command: PropertyCommand): boolean {
  const owner: PropertyOwner = command;
  return row.packets.includes(owner) && !SERVER_SIDE_ONLY.has(`${command} ${row.name}`);
}

const VALUE_MAX: Readonly<Record<'byte' | 'boolean' | 'u16' | 'u32' | 'varint', number>> = {
  byte: 0xff,
  boolean: 0xff,
  u16: 0xffff,
  u32: 0xffff_ffff,
  varint: 268_435_455,
};

function propertyValue(row: PropertyRow, word: string): unknown {
  switch (row.type) {
    case 'string':
      return word;
    case 'binary':
      return Buffer.from(word);
    case 'pair':
      return undefined;
    default: {
      const value = atol(word);
      if (value < 0 || value > VALUE_MAX[row.type]) {
        throw new UsageError(`Error: Property value (${value}) out of range for property ${row.name}.`, 'spaced');
      }
      if (row.type !== 'boolean') return value;
      // A value above 1 is found by the check of the whole set, as Mosquitto does it.
      return value <= 1 ? value === 1 : value;
    }
  }
}

/** Why a set of properties cannot be sent: `duplicate`, or `protocol` for a value that the standard forbids. */
export type PropertyFault = 'duplicate' | 'protocol';

/** Mosquitto's words for it. */
export function errorOfPropertyFault(fault: PropertyFault): string {
  return errorText(fault === 'duplicate' ? ExitCode.DuplicateProperty : ExitCode.Protocol);
}

/** Checks a whole set, after all options have been read. */
export function checkProperties(command: PropertyCommand, collection: PropertyCollection): PropertyFault | undefined {
  if (collection.duplicates.length > 0) return 'duplicate';
  for (const row of propertyTable) {
    const value = collection.values[row.key];
    if (value === undefined) continue;
    if (row.type === 'boolean' && typeof value !== 'boolean') return 'protocol';
    const number = Array.isArray(value) ? value[0] : value;
    if (typeof number !== 'number') continue;
    if (number < (row.min ?? 0) || number > (row.max ?? Number.POSITIVE_INFINITY)) return 'protocol';
    // A Topic Alias of 0 is forbidden. [MQTT-3.3.2-8]
    if (row.key === 'topicAlias' && number === 0) return 'protocol';
  }
  const { responseTopic } = collection.values;
  // A Response Topic is a Topic Name. [MQTT-3.3.2-14]
  if (command !== 'connect' && responseTopic !== undefined && /[+#]/.test(responseTopic)) return 'protocol';
  // Authentication Data needs a method. (§3.1.2.11.10)
  const { authenticationData, authenticationMethod } = collection.values;
  if (authenticationData !== undefined && authenticationMethod === undefined) return 'protocol';
  return undefined;
}

function tooFew(): UsageError {
  return new UsageError('Error: --property argument given but not enough arguments specified.', 'spaced');
}
