/**
 * Where Debian's mosquitto 2.0.11 answers otherwise, and that is as it should be. Each was reviewed; a difference that is not
 * here is a fault.
 */
import type { Action } from '../model/actions.ts';

export interface KnownDifference {
  readonly why: string;
  /** Whether a line that one of the brokers did not send comes of it. */
  isThis(action: Action, line: string): boolean;
  /** Whether the script can go on; else what follows has another history. */
  readonly isHarmless: boolean;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    why: 'mosquitto 2.0 does not tell a client that its session was taken over; 2.1 does',
    isThis: (action, line) => action.kind === 'connect' && line === 'disconnect 142',
    isHarmless: true,
  },
  {
    why: 'mosquitto 2.0 sends retained messages to new shared subscriptions; MQTT 5.0 §4.8.2 forbids it',
    isThis: (action, line) =>
      action.kind === 'subscribe' && action.filter.startsWith('$share/') && / [012] retain /.test(line),
    isHarmless: false,
  },
  {
    why: 'the Will of a connection that is taken over is published, see docs/differences.md (MQTT-3.1.2-8)',
    isThis: (action, line) => action.kind === 'connect' && line.includes('"will of '),
    isHarmless: false,
  },
  {
    why: "mosquitto 2.0 sends a new No Local subscription its own client's retained messages; we do not (MQTT-3.8.3-3)",
    isThis: (action, line) => action.kind === 'subscribe' && action.noLocal && / [012] retain /.test(line),
    isHarmless: false,
  },
  {
    why: 'nobody gets a message that No Local alone keeps back: we say 0x10, mosquitto 2.0 counts the subscription',
    isThis: (action, line) => action.kind === 'publish' && action.qos === 1 && /^puback (0|16)$/.test(line),
    isHarmless: true,
  },
];
