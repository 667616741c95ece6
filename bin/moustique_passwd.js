#!/usr/bin/env node
// Edits password files. Built by `npm run build`.
void import('../dist/bin/moustique_passwd.js');
