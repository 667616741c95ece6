#!/usr/bin/env node
// Subscribes and prints messages. Built by `npm run build`.
import '../dist/bin/moustique_sub.js';
