/** The shape of a row in the table of client options, and the readers of values that several rows share. */
import { isTopicName, isValidText, parseTopicFilter, type QoS } from '../client/index.ts';
import type { Tool, ToolOptions } from './tool-options.ts';
import { UsageError } from './usage-error.ts';

/** Headings of `--help`, in this order. */
export const OPTION_GROUPS = [
  'Broker',
  'Message',
  'Subscription',
  'Output',
  'Session',
  'Will',
  'TLS',
  'Other',
] as const;

export type OptionGroup = (typeof OPTION_GROUPS)[number];

/** What a row may need to know beside its value. */
export interface OptionContext {
  /** The argument's own bytes, where they are not the UTF-8 of the text. */
  bytesOf(value: string): Buffer;
}

/** One option of the client tools. */
export interface OptionRow {
  /** As typed; the first one stands in messages. */
  readonly flags: readonly string[];
  readonly tools: readonly Tool[];
  readonly group: OptionGroup;
  /** Name of the argument in `--help`; an option without one is a switch. */
  readonly argument?: string;
  /** What Mosquitto calls the argument when it is missing: "no host specified". */
  readonly missing?: string;
  /** The flag in that message, where it is not the first one. */
  readonly missingFlag?: string;
  /** Takes a property's words instead of one argument. */
  readonly isProperty?: true;
  /** Ends the reading of options: the tool prints and stops. */
  readonly prints?: 'help' | 'version';
  /** One sentence or two for `--help`, the manual and the documentation. */
  readonly help: string;
  /** How a shell may complete the argument. */
  readonly completes?: 'file' | 'directory' | 'host' | readonly string[];
  /** A choice that Mosquitto does not have. */
  readonly isExtension?: true;
  /** Changes the settings; `value` is '' for a switch. Throws UsageError. */
  readonly apply: (options: ToolOptions, value: string, context: OptionContext) => void;
}

export const EVERY_TOOL: readonly Tool[] = ['pub', 'sub', 'rr', 'ctrl'];
export const CLIENT_TOOLS: readonly Tool[] = ['pub', 'sub', 'rr'];

/**
 * Checks a text that goes into a packet.
 *
 * @throws UsageError - for bytes that are no UTF-8, control characters and non-characters [MQTT-1.5.4-1] [MQTT-1.5.4-2]
 */
export function checkText(value: string, flag: string, context: OptionContext): void {
  if (!isValidText(context.bytesOf(value))) {
    throw new UsageError(`Error: Malformed UTF-8 in ${flag} argument.`, 'spaced');
  }
}

export function isQos(value: number): value is QoS {
  return value === 0 || value === 1 || value === 2;
}

export function isFilter(text: string): boolean {
  return typeof parseTopicFilter(text) !== 'string';
}

export function badFilter(kind: 'subscription' | 'filter' | 'unsubscribe', text: string): UsageError {
  return new UsageError(`Error: Invalid ${kind} topic '${text}', are all '+' and '#' wildcards correct?`);
}

/** `-t`, or the last part of `-L`. */
export function addTopic(options: ToolOptions, topic: string, flag: string, context: OptionContext): void {
  checkText(topic, flag, context);
  if (options.tool === 'sub') {
    if (!isFilter(topic)) throw badFilter('subscription', topic);
    options.topics.push(topic);
    return;
  }
  if (!isTopicName(topic)) {
    throw new UsageError(`Error: Invalid publish topic '${topic}', does it contain '+' or '#'?`);
  }
  options.topics[0] = topic;
}
