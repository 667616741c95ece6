import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n.ts';
import { route } from '../router.ts';
import { Button } from './button.tsx';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'done' | 'failed';
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** Toasts shown at once; an older one makes room. */
const shownMax = 4;
const shownMs = 5000;
const shownWithActionMs = 15_000;

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** Say what was done, or what went wrong, for a few seconds; with an action somewhat longer. */
export function say(text: string, kind: Toast['kind'] = 'done', action?: Toast['action']): void {
  lastId += 1;
  const toast: Toast = action === undefined ? { id: lastId, text, kind } : { id: lastId, text, kind, action };
  toasts.value = [...toasts.value, toast].slice(-shownMax);
  setTimeout(() => dismiss(toast.id), action === undefined ? shownMs : shownWithActionMs);
}

const dismiss = (id: number): void => {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
};

export function Toasts() {
  // What was said about another view would only be in the way in this one.
  const { screen, state } = route.value;
  const place = [screen, state['pane'], state['tab'], state['topic'], state['client']].join(' ');
  useEffect(
    () => () => {
      toasts.value = [];
    },
    [place],
  );
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.kind}`}>
          <span>{toast.text}</span>
          {toast.action === undefined ? null : (
            <Button
              icon="undo"
              onClick={() => {
                dismiss(toast.id);
                toast.action?.run();
              }}
            >
              {toast.action.label}
            </Button>
          )}
          <Button icon="close" kind="quiet" label={t('close')} onClick={() => dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}
