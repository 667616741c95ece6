#!/usr/bin/env node
// Signals a running broker. Built by `npm run build`.
import('../dist/bin/moustique_signal.js');
