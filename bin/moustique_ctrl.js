#!/usr/bin/env node
// Asks a running broker, or configuration files. Built by `npm run build`.
void import('../dist/bin/moustique_ctrl.js');
