import { runEntry } from '../run-entry.ts';
import { main } from '../sub.ts';

void runEntry(main);
