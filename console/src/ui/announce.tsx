import { signal } from '@preact/signals';

/** Nothing is announced sooner after the last announcement: a busy broker must not talk without a pause. */
const betweenMs = 2000;

const text = signal('');
let last = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;

/** Tell a screen reader, politely; of several in a short time only the last is heard. */
export function announce(message: string): void {
  clearTimeout(waiting);
  const wait = Math.max(0, last + betweenMs - performance.now());
  waiting = setTimeout(() => {
    last = performance.now();
    text.value = message;
  }, wait);
}

export function Announcer() {
  return (
    <div class="for-reader" role="status" aria-live="polite">
      {text.value}
    </div>
  );
}
