import { main } from '../db-dump.ts';
import { runEntry } from '../run-entry.ts';

void runEntry(main);
