import { runEntry } from '../run-entry.ts';
import { main } from '../signal.ts';

void runEntry(main);
