/** Options of the tools that are no MQTT clients, for their `--help`, manual pages and completions. */

/** One of them. */
export interface PlainOption {
  readonly flags: readonly string[];
  readonly argument?: string;
  readonly help: string;
  readonly completes?: 'file' | readonly string[];
}

/** A tool with such options. */
export interface PlainTool {
  /** Where it is only a command of `moustique`: how it is called. */
  readonly called?: string;
  /** Behind the tool's name: "makes and edits …". */
  readonly purpose: string;
  /** Lines of the usage, without the tool's name. */
  readonly synopses: readonly string[];
  readonly options: readonly PlainOption[];
  /** Paragraphs below the options. */
  readonly notes: readonly string[];
  /** Completes words that are no options. */
  readonly operands: 'file' | readonly string[];
}

export const passwdTool: PlainTool = {
  purpose: 'makes and edits password files for an MQTT broker.',
  synopses: [
    '[-H HASH] [-I COUNT] [-c | -D] FILE USERNAME',
    '[-H HASH] [-I COUNT] [-c] -b FILE USERNAME PASSWORD',
    '[-H HASH] [-I COUNT] -U FILE',
  ],
  options: [
    { flags: ['-b'], help: 'Take the password from the command line, where others may see it.' },
    { flags: ['-c'], help: 'Make a new file; an existing one is not touched.' },
    { flags: ['-D'], help: 'Remove the user.' },
    {
      flags: ['-H'],
      argument: 'HASH',
      help: 'sha512-pbkdf2 (the default), argon2id (stronger; brokers before Mosquitto 2.1 do not know it) or sha512 (for very old brokers).',
      completes: ['sha512-pbkdf2', 'argon2id', 'sha512'],
    },
    { flags: ['-I'], argument: 'COUNT', help: 'Iterations of sha512-pbkdf2. Default: 1000.' },
    { flags: ['-U'], help: 'Hash every password of the file that is still plain text.' },
    {
      flags: ['--salt-bytes'],
      argument: 'COUNT',
      help: 'Length of the salt of the sha512 hashes: 12, which every broker reads, or 64, as Mosquitto 2.1 writes and 2.0 cannot read. Default: 12.',
      completes: ['12', '64'],
    },
  ],
  notes: [
    'Without -b, -D and -U the user is added, or gets a new password, which is asked for twice.',
    'FILE can be - to print the line instead.',
    'The file is replaced as a whole when the change is complete; owner and mode stay.',
  ],
  operands: 'file',
};

export const signalTool: PlainTool = {
  purpose: 'sends a signal to a running broker.',
  synopses: ['{-a | -p PID} SIGNAL'],
  options: [
    { flags: ['-a'], help: 'Every broker of this machine that may be signalled.' },
    { flags: ['-p'], argument: 'PID', help: 'This process.' },
    { flags: ['--help'], help: 'Show this text.' },
    { flags: ['--version'], help: 'Show the version.' },
  ],
  notes: [
    'SIGNAL is one of: config-reload (read the configuration again), log-rotate (begin new log files), shutdown (end), tree-print (print the subscriptions), xtreport (begin new log files).',
  ],
  operands: ['config-reload', 'log-rotate', 'shutdown', 'tree-print', 'xtreport'],
};

export const dbTool: PlainTool = {
  called: 'moustique db',
  purpose: 'checks, repairs, exports and imports what a broker keeps on disk.',
  synopses: [
    'check [--json] {-d DATABASE | -c FILE}',
    'repair {-d DATABASE | -c FILE}',
    'export {-d DATABASE | -c FILE} FILE',
    'import [--replace] {-d DATABASE | -c FILE} FILE',
  ],
  options: [
    {
      flags: ['-d', '--database'],
      argument: 'DATABASE',
      help: 'The database, such as /var/lib/mosquitto/mosquitto.db; the journal lies beside it.',
      completes: 'file',
    },
    {
      flags: ['-c', '--config-file'],
      argument: 'FILE',
      help: 'The database of a broker with this configuration.',
      completes: 'file',
    },
    { flags: ['--json'], help: 'check: print the findings as JSON.' },
    { flags: ['--replace'], help: 'import: put a database that is there already aside, as DATABASE.before-import.' },
    { flags: ['-h', '--help'], help: 'Show this text.' },
  ],
  notes: [
    'check reads the snapshot and the journal, changes nothing, and names every place that cannot be read, with file and offset. It also reads the files of Mosquitto 1.4 to 2.1.',
    'repair writes everything that can be read as one new snapshot. The files as they were are kept in DATABASE.before-repair. A broker does the same by itself when it starts; nothing has to be repaired for that.',
    'export writes sessions, subscriptions, messages that wait or are under way, retained messages and Wills to FILE, or to standard output when FILE is -. The format is lines of JSON and described in docs/durability.md.',
    'import makes a database of such a file. Every line is checked first; when one is wrong it is named and nothing is changed.',
    'No command works on a database that a broker is using. Run by root, repair and import write as the owner of the database.',
    'Exit status: 0 all is well; 1 something is damaged, or a line of the import is wrong; 2 the database cannot be used, or the disk failed; 3 the command line is wrong.',
  ],
  operands: ['check', 'repair', 'export', 'import'],
};

export const historyTool: PlainTool = {
  called: 'moustique history',
  purpose: 'reads what history_topic keeps, also while the broker runs.',
  synopses: [
    'stats [--json] {-d DATABASE | -c FILE}',
    'query [-t FILTER] [--field PATH] [--from TIME] [--to TIME] [--bucket WIDTH] [--json] {-d DATABASE | -c FILE}',
    'export [-t FILTER] [--samples [--field PATH]] [--format FORMAT] [--from TIME] [--to TIME] [-o FILE] {-d DATABASE | -c FILE}',
  ],
  options: [
    {
      flags: ['-d', '--database'],
      argument: 'DATABASE',
      help: 'The database, such as /var/lib/mosquitto/history.db.',
      completes: 'file',
    },
    {
      flags: ['-c', '--config-file'],
      argument: 'FILE',
      help: 'The database of a broker with this configuration.',
      completes: 'file',
    },
    {
      flags: ['-t', '--topic'],
      argument: 'FILTER',
      help: 'Topics that match this filter. Default: #, which is all but those beginning with $.',
    },
    {
      flags: ['--field'],
      argument: 'PATH',
      help: "Of JSON payloads, the numbers at this place, such as air.co2; '' for payloads that are numbers. Default: all.",
    },
    { flags: ['--from'], argument: 'TIME', help: 'From then on. query: default 1h.' },
    { flags: ['--to'], argument: 'TIME', help: 'Before then. Default: now.' },
    {
      flags: ['--bucket'],
      argument: 'WIDTH',
      help: 'query: width of a line in time, such as 10s, 5m, 1h, 1d. Default: such that there are at most 100 lines for each series.',
    },
    { flags: ['--samples'], help: 'export: the numbers, one per line, instead of whole messages.' },
    {
      flags: ['--format'],
      argument: 'FORMAT',
      help: 'export: csv or jsonl (one JSON object per line). Default: by the ending of FILE, else csv.',
      completes: ['csv', 'jsonl'],
    },
    {
      flags: ['-o', '--output'],
      argument: 'FILE',
      help: 'export: write this file, which is there wholly or not at all, instead of standard output.',
      completes: 'file',
    },
    { flags: ['--json'], help: 'stats, query: print JSON.' },
    { flags: ['-h', '--help'], help: 'Show this text.' },
  ],
  notes: [
    'TIME is 2027-01-15, 2027-01-15T08:30, with Z behind it for UTC, else local time; milliseconds since 1970; or how long ago: 30s, 15m, 12h, 7d.',
    'stats tells how much is kept: of the whole database, and of each history_topic line when -c names the configuration.',
    'query prints CSV with count, least, largest, mean and last value of every stretch of time that has any, for at most 100 series.',
    'export prints everything, oldest first (with --samples series by series). Times are UTC. In CSV a payload that is no text is written in Base64, and a text that a spreadsheet would take for a formula has an apostrophe in front.',
    'Exit status: 0 all is well; 1 the question makes no sense; 2 the database cannot be used, or the disk failed; 3 the command line is wrong.',
  ],
  operands: ['stats', 'query', 'export'],
};
