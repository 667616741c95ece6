#!/usr/bin/env node
// Edits password files. Built by `npm run build`.
import('../dist/bin/moustique_passwd.js');
