/** Whether the window is as narrow as a phone, and what follows for heights: fingers need larger rows. */

import { computed, signal } from '@preact/signals';

const query = window.matchMedia('(max-width: 720px)');

export const isNarrow = signal(query.matches);
query.addEventListener('change', () => {
  isNarrow.value = query.matches;
});

/** Pixels of a row of one line. */
export const rowHeightNow = computed(() => (isNarrow.value ? 40 : 28));
/** Pixels of a row that takes two lines on a phone. */
export const tallRowHeight = computed(() => (isNarrow.value ? 52 : 28));
