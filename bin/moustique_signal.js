#!/usr/bin/env node
// Signals a running broker. Built by `npm run build`.
void import('../dist/bin/moustique_signal.js');
