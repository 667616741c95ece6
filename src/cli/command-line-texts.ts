/** Prose that the documentation of the tools has beside the tables: formats, statuses, files. */

/** A sequence of `-F` and what it prints. */
export interface FormatSequence {
  readonly sequence: string;
  readonly text: string;
}

export const formatSequences: readonly FormatSequence[] = [
  { sequence: '%%', text: 'a percent sign' },
  { sequence: '%A', text: 'Topic Alias' },
  { sequence: '%C', text: 'Content Type' },
  { sequence: '%D', text: 'Correlation Data, as it came' },
  { sequence: '%d', text: 'payload of 8 bytes as a floating point number' },
  { sequence: '%E', text: 'Message Expiry Interval, seconds' },
  { sequence: '%F', text: 'Payload Format Indicator' },
  { sequence: '%f', text: 'payload of 4 bytes as a floating point number' },
  { sequence: '%I', text: 'date and time, 2026-11-22T14:14:38+0000' },
  { sequence: '%j', text: 'everything as JSON, the payload as a string' },
  { sequence: '%J', text: 'everything as JSON, the payload as JSON' },
  { sequence: '%l', text: 'length of the payload in bytes' },
  { sequence: '%m', text: 'Packet Identifier, 0 for QoS 0' },
  { sequence: '%P', text: 'User Properties, name:value name:value' },
  { sequence: '%p', text: 'payload, as it came; a width is also the most that is printed' },
  { sequence: '%q', text: 'QoS' },
  { sequence: '%R', text: 'Response Topic' },
  { sequence: '%r', text: '1 for a retained message, 0 for another' },
  { sequence: '%S', text: 'Subscription Identifier' },
  { sequence: '%t', text: 'topic' },
  { sequence: '%U', text: 'seconds since 1970 with nine decimals' },
  { sequence: '%x', text: 'payload in hexadecimal; the width counts bytes, the precision digits between separators' },
  { sequence: '%X', text: 'the same in capitals' },
  { sequence: '@X', text: 'what %X of strftime(3) prints, for any letter X; @@ is an at sign, @N nanoseconds' },
  { sequence: '\\\\', text: 'a backslash; also \\0 \\a \\e \\n \\r \\t \\v' },
];

export const formatSyntax =
  'A sequence is % [-] [0] [width] [.precision] [separator] letter: a minus sign puts the padding to the right, a zero pads with zeros. A property that a message does not have prints as padding.';

export const exitStatuses: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'All went well. A publication that an MQTT 5.0 broker refuses is a warning only.'],
  ['1', 'Wrong options, a file that cannot be read, no connection; also after --help and --version.'],
  ['1 to 5', 'The broker refused an MQTT 3.x connection: its return code.'],
  ['2', 'The broker broke the protocol.'],
  ['7', 'The connection was lost.'],
  ['8', 'TLS failed: certificate, name or key do not fit.'],
  ['10, 24, 25', 'The broker cannot do what was asked: a feature, the QoS, the size.'],
  ['16', 'The proxy refused.'],
  ['19', 'The broker did not answer PINGREQ.'],
  ['27', 'The time of -W is over, or the broker did not answer at all.'],
  ['128 to 159', 'The broker refused an MQTT 5.0 connection: its Reason Code.'],
  ['255', 'sub and rr: a signal came before the broker had accepted.'],
];

export const optionsFileText =
  'Options that are always the same can stand in a file, one per line: the option, a blank, and the rest of the line as its argument. Lines that begin with # are comments. The file is $XDG_CONFIG_HOME/moustique_TOOL, or $HOME/.config/moustique_TOOL; if there is none, the same with mosquitto_TOOL. Options of the command line come after those of the file.';
