#!/usr/bin/env node
// Shows what is in a database file. Built by `npm run build`.
void import('../dist/bin/moustique_db_dump.js');
