import { main } from '../pub.ts';
import { runEntry } from '../run-entry.ts';

void runEntry(main);
