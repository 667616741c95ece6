import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n.ts';
import { Button } from './button.tsx';

/** A modal dialog: the browser keeps the focus inside, Escape closes it, and the focus returns where it was. */
export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  size?: 'small' | 'wide';
  /** What it is about; a screen reader says it when the dialog opens. */
  about?: ComponentChildren;
}) {
  const aboutId = useId();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={`dialog ${props.size ?? 'small'}`}
      aria-label={props.title}
      aria-describedby={props.about === undefined ? undefined : aboutId}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) props.onClose();
      }}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2>{props.title}</h2>
          <Button icon="close" kind="quiet" label={t('close')} onClick={props.onClose} />
        </header>
        {props.about === undefined ? null : (
          <div class="stack" id={aboutId}>
            {props.about}
          </div>
        )}
        {props.children}
      </div>
    </dialog>
  );
}
